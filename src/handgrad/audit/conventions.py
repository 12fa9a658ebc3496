"""Another published convention behind numbers that look wrong: it is not a mistake, and the report says so.

How deltas are signed and which way round matrices are printed is notation: the claims are judged as they were meant.
Another form of the loss or of momentum is a line of the case file: the numbers stay wrong beside the case as it is
written, and the report names the line to change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from handgrad.audit.claims import Claim
from handgrad.audit.printed import Printed
from handgrad.audit.verdicts import ALARMS, EXACT, Verdict, verdicts_of
from handgrad.audit.worlds import LONG, Worlds
from handgrad.cases.case import Case
from handgrad.nn.arrays import Array
from handgrad.nn.losses import REDUCTIONS
from handgrad.nn.network import Network
from handgrad.nn.optimizers import Momentum

_ERRORS = re.compile(r"delta\d+|da\d+|df\d+|dyhat")
_GRADIENTS = re.compile(r"d[Wb]\d+(?:_data)?")
_AFTER = re.compile(r"[Wb]\d+_new")
_MATRICES = re.compile(r"d?W\d+(?:_\w+)?")
_OF_LOSS = re.compile(r"loss|data_loss|loss_terms|penalty")
_SCALES = (0.5, 1.0)


@dataclass(frozen=True)
class Convention:
    """Its code (delta-sign, rows, loss, momentum) and the line of the case file that would say it."""

    code: str
    line: str = ""


Exact: TypeAlias = Mapping[int, Mapping[str, Array]]
"""Certified quantities by step; none where float64 is what is compared with."""


def as_meant(
    case: Case, claims: tuple[Claim, ...], verdicts: list[Verdict], exact: Exact | None = None
) -> tuple[Convention, list[Verdict]] | None:
    """The convention of notation under which nothing is wrong, with the verdicts under it."""
    wrong = [verdict.claim for verdict in verdicts if verdict.alarm]
    if len({claim.quantity for claim in wrong}) < 2:
        return None
    for convention, turned in _notations(claims, wrong):
        worlds = Worlds(case, turned, exact=exact or {})
        if not _plausible(worlds):
            continue
        found = verdicts_of(worlds)
        if not any(verdict.alarm for verdict in found):
            return convention, found
    return None


def _plausible(worlds: Worlds) -> bool:
    """True where every number is about what is computed, in full or from the printed ones: judging costs more."""
    for claim in worlds.claims:
        values = [worlds.value(claim, run[claim.step]) for run in (worlds.full, worlds.printed)]
        for where, printed in claim.entries.items():
            found = [float(value[where]) for value in values if value is not None]
            if found and not any(printed.one_off(value) for value in found):
                return False
    return True


def _notations(
    claims: tuple[Claim, ...], wrong: list[Claim]
) -> Iterator[tuple[Convention, tuple[Claim, ...]]]:
    names = {claim.quantity for claim in wrong}
    if any(_ERRORS.fullmatch(name) for name in names):
        printed = {claim.quantity for claim in claims}
        updates = any(_AFTER.fullmatch(name) for name in printed)
        gradients = any(_GRADIENTS.fullmatch(name) for name in names)
        # gradients of the other sign and no update beside them: then the sign itself is the mistake
        if updates or not gradients:
            for kinds in ((_ERRORS,), (_ERRORS, _GRADIENTS)):
                yield Convention("delta-sign"), tuple(_negated(claim, kinds, names) for claim in claims)
    if all(_MATRICES.fullmatch(name) for name in names):
        yield Convention("rows"), tuple(_turned_over(claim) for claim in claims)


def _negated(claim: Claim, kinds: tuple[re.Pattern[str], ...], wrong: set[str]) -> Claim:
    if claim.quantity not in wrong or not any(kind.fullmatch(claim.quantity) for kind in kinds):
        return claim
    entries = {where: Printed(-printed.value, printed.unit) for where, printed in claim.entries.items()}
    return replace(claim, entries=entries, sign=-claim.sign)


def _turned_over(claim: Claim) -> Claim:
    square = len(claim.shape) == len((0, 1)) and claim.shape[0] == claim.shape[1] > 1
    if claim.formula is not None or not square or not _MATRICES.fullmatch(claim.quantity):
        return claim
    entries = {where[::-1]: printed for where, printed in claim.entries.items()}
    return replace(claim, entries=dict(sorted(entries.items())), transposed=not claim.transposed)


def in_the_file(
    case: Case,
    claims: tuple[Claim, ...],
    verdicts: list[Verdict],
    exact_of: Callable[[Case], Exact] = lambda case: {},
) -> Convention | None:
    """The line of the case file with which nothing would be wrong; None where there is none.

    `exact_of` gives the certified quantities of the case with that line.
    """
    wrong = {verdict.claim.quantity for verdict in verdicts if verdict.alarm}
    if not wrong or all(_OF_LOSS.fullmatch(name) for name in wrong):
        return None
    if any(claim.step > LONG for claim in claims):
        return None
    affected = sum(verdict.alarm for verdict in verdicts)
    for convention, other in _files(case):
        worlds = Worlds(other, claims, exact=exact_of(other))
        if not _plausible(worlds):
            continue
        found = verdicts_of(worlds)
        explained = sum(
            verdict.verdict == EXACT or not any(e.verdict in ALARMS for e in verdict.entries)
            for verdict in found
        )
        if explained == len(found) and affected > 1:
            return convention
    return None


def _files(case: Case) -> Iterator[tuple[Convention, Case]]:
    loss = case.network.loss
    if loss is not None:
        scales = _SCALES if loss.name == "squared_error" else (loss.scale,)
        for scale in scales:
            for outputs in REDUCTIONS:
                for samples in REDUCTIONS:
                    other = replace(loss, scale=scale, outputs=outputs, samples=samples)
                    if other != loss:
                        network = Network(case.network.inputs, case.network.layers, other)
                        line = (
                            f'{{ name = "{loss.name}", scale = {scale:g}, outputs = "{outputs}", '
                            f'samples = "{samples}" }}'
                        )
                        yield Convention("loss", line), replace(case, network=network)
    if case.recipe is not None and isinstance(case.recipe.optimizer, Momentum):
        for form in ("velocity", "heavy_ball", "average"):
            if form != case.recipe.optimizer.form:
                optimizer = replace(case.recipe.optimizer, form=form)
                yield (
                    Convention("momentum", form),
                    replace(case, recipe=replace(case.recipe, optimizer=optimizer)),
                )
