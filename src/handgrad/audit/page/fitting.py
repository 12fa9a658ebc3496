"""What the words of a page leave open is decided by its numbers: of the cases it may be about, the one that fits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from handgrad.audit.page.gathering import gather
from handgrad.audit.page.names import Scheme
from handgrad.audit.page.placement import placed
from handgrad.audit.page.placing import Quantities
from handgrad.audit.page.reading import Work, score, work_of
from handgrad.audit.page.said import ACTIVATIONS, LOSSES, LayerRow, all_said, biases_are_kept, first_said
from handgrad.audit.page.script import Page
from handgrad.cases.case import Case
from handgrad.errors import HandgradError

USUAL = ("sigmoid", "relu", "tanh", "identity", "softmax")
"""Activations that are tried where a page names none."""
_FORMS: tuple[Any, ...] = (
    "binary_cross_entropy",
    "cross_entropy",
    "squared_error",
    {"name": "squared_error", "scale": 0.5},
    {"name": "squared_error", "outputs": "mean"},
    {"name": "squared_error", "scale": 0.5, "samples": "sum"},
)
_TAKEN = re.compile(r"yhat|dyhat|delta\d+|d[Wb]\d+")
_FEW_FORMS = 3
_MOST_TRIED = 64
_LIKES = 0.4
"""Points for a function that the page names: it decides where numbers do not."""


@dataclass(slots=True)
class Draft:
    """A case on its way: its keys as in a file, a remark on each that was guessed, what could not be found."""

    keys: dict[str, Any]
    remarks: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def fit(page: Page, draft: Draft, scheme: Scheme, text: str, table: Sequence[LayerRow]) -> None:
    """Decides activations, loss, and the forms of the optimizer and the penalty."""
    fitting = _Fitting(page, draft, scheme)
    fitting.functions(text, table)
    fitting.given()
    fitting.without_loss()
    for option in _OPTIONS:
        fitting.option(option, text)


class _Fitting:
    """A draft beside the numbers of its page."""

    def __init__(self, page: Page, draft: Draft, scheme: Scheme) -> None:
        self.page, self.draft, self.scheme = page, draft, scheme
        self.work: list[Work] = []
        self.gather()

    def gather(self) -> None:
        """The chains of the page as the case now has layers, samples and steps."""
        case = _built(self.draft.keys)
        if case is not None:
            with np.errstate(all="ignore"):
                self.work = [one for one in work_of(gather(self.page, case), case) if one.found]

    def points(self, keys: Mapping[str, Any]) -> float:
        """How well the printed numbers are those of a case."""
        case = _built(keys)
        if case is None:
            return -1e9
        with np.errstate(all="ignore"):
            return score(self.work, self.scheme, Quantities(case)) if self.work else 0.0

    def functions(self, text: str, table: Sequence[LayerRow]) -> None:
        """Activations and loss: what the words say, and of that and all others what fits the printed numbers best."""
        draft, layers = self.draft, self.draft.keys["network"]["layers"]
        depth = len(layers)
        listed = [row.activation for row in table] if len(table) == depth else [None] * depth
        said = all_said(ACTIVATIONS, text)
        loss_said = first_said(LOSSES, text)
        best: tuple[float, tuple[str, ...], Any] | None = None
        losses = list(_losses(loss_said))
        for names, loss in product(
            [*_choices(said, listed)][:_MOST_TRIED], losses if depth < 3 else losses[:_FEW_FORMS]
        ):
            for layer, name in zip(layers, names, strict=True):
                layer["activation"] = name
            draft.keys["network"]["loss"] = loss
            points = self.points(draft.keys) + sum(_LIKES for name in names if name in said)
            points += 0.6 * (_name(loss) == loss_said)
            if best is None or points > best[0] + 1e-9:
                best = (points, names, loss)
        assert best is not None
        for layer, name in zip(layers, best[1], strict=True):
            layer["activation"] = name
        draft.keys["network"]["loss"] = best[2]
        for l, (name, row) in enumerate(zip(best[1], listed, strict=True), 1):
            draft.remarks[f"activation{l}"] = (
                "as the page's table of layers has it"
                if row == name
                else "the page names it, and it fits the printed numbers best"
                if name in said
                else "a guess: it fits the printed numbers best, the page does not name it"
            )
        draft.remarks["loss"] = (
            "the page names it; scale and averages are what fit the printed numbers best"
            if loss_said
            else "a guess: the page names no loss"
        )
        if loss_said is None:
            draft.missing.append("network.loss")
        self._biases(table)

    def given(self) -> None:
        """What the page states outright and the draft cannot compute is taken as it is."""
        keys = self.draft.keys
        case = _built(keys)
        if case is None or (case.X is not None and case.Y is not None):
            return
        quantities = Quantities(case)
        found: dict[str, tuple[Any, int]] = {}
        for one in self.work:
            where = placed(one.chain, one.found, self.scheme, one.context, quantities)
            first = one.found[0]
            if where is None or first.part != 1 or where.place.step != 1 or where.place.entry is not None:
                continue
            name, shape = where.place.quantity, quantities.shape(where.place)
            computed = quantities.value(where.place) is not None and name not in quantities.unknown
            values = np.array([number.value for number in first.numbers])
            if _TAKEN.fullmatch(name) and not computed and shape and values.size == int(np.prod(shape)):
                found.setdefault(name, (values.reshape(shape).tolist(), one.chain.parts[1].line))
        given = keys.get("given", {}) | {name: values for name, (values, _) in found.items()}
        if found and _built({**keys, "given": given}) is not None:
            keys["given"] = given
            for name, (_, line) in found.items():
                said = f"from line {line}; taken as it is: nothing computes it here"
                self.draft.remarks.setdefault(f"given.{name}", said)

    def without_loss(self) -> None:
        """A page that names no loss and prints no number of one is about none."""
        network = self.draft.keys["network"]
        if "network.loss" not in self.draft.missing:
            return
        loss = network.pop("loss")
        points = self.points(self.draft.keys)
        network["loss"] = loss
        if points >= self.points(self.draft.keys) - 1e-9:
            del network["loss"]

    def _biases(self, table: Sequence[LayerRow]) -> None:
        """Whether biases are trained, as a table of layers says it."""
        layers = self.draft.keys["network"]["layers"]
        for l, (layer, row) in enumerate(zip(layers, table, strict=False), 1):
            if len(table) == len(layers) and row.bias not in (None, "trained"):
                layer["bias"] = row.bias
                self.draft.remarks[f"bias{l}"] = "as the page's table of layers has it"
                if row.bias == "none":
                    layer.pop("b", None)
                    self.draft.missing = [name for name in self.draft.missing if name != f"b{l}"]

    def option(self, option: Option, text: str) -> None:
        """Another form of one part of the case, where more printed numbers come out under it."""
        best, kept = self.points(self.draft.keys), None
        for value in option.values(self.draft.keys, text):
            keys = deepcopy(self.draft.keys)
            option.put(keys, value)
            points = self.points(keys)
            if points > best + 0.5:
                best, kept = points, (keys, value)
        if kept is not None:
            self.draft.keys = kept[0]
            self.draft.remarks[option.name] = "a guess: it fits the printed numbers best"


@dataclass(frozen=True)
class Option:
    """One part of a case that pages often leave unsaid: the values that it may have, and how they are put."""

    name: str
    values: Callable[[Mapping[str, Any], str], Sequence[Any]]
    put: Callable[[dict[str, Any], Any], None]


def _put_in(table: str, key: str) -> Callable[[dict[str, Any], Any], None]:
    def put(keys: dict[str, Any], value: Any) -> None:
        keys.setdefault(table, {})[key] = value

    return put


def _put_biases(keys: dict[str, Any], value: Any) -> None:
    for layer in keys["network"]["layers"]:
        if layer.get("bias") != "none":
            layer["bias"] = value


def _put_penalty(keys: dict[str, Any], value: Any) -> None:
    held = keys["regularization"]["l2"]
    strength = held["strength"] if isinstance(held, dict) else held
    keys["regularization"]["l2"] = {"strength": strength, "form": value}


def _put_loss(keys: dict[str, Any], value: Any) -> None:
    if "loss" in keys["network"]:
        keys["network"]["loss"] = {"name": _name(keys["network"]["loss"]), **value}


def _rule(keys: Mapping[str, Any]) -> str:
    return str(keys.get("optimizer", {}).get("name", ""))


_OPTIONS = (
    Option("loss", lambda keys, text: _REDUCED if "l2" in keys.get("regularization", {}) else (), _put_loss),
    Option(
        "optimizer.form",
        lambda keys, text: ("velocity", "heavy_ball", "average") if _rule(keys) == "momentum" else (),
        _put_in("optimizer", "form"),
    ),
    Option(
        "optimizer.epsilon_inside",
        lambda keys, text: (True,) if _rule(keys) in ("adam", "adamw") else (),
        _put_in("optimizer", "epsilon_inside"),
    ),
    Option(
        "regularization.l2",
        lambda keys, text: ("half", "half_mean", "full") if "l2" in keys.get("regularization", {}) else (),
        _put_penalty,
    ),
    Option(
        "bias",
        lambda keys, text: (
            ("frozen", "shared") if "optimizer" in keys or biases_are_kept(text) else ("shared",)
        ),
        _put_biases,
    ),
    Option(
        "training.batch_size",
        lambda keys, text: (
            (1,) if keys.get("training", {}).get("steps", 1) > 1 < len(keys["data"].get("x", ())) else ()
        ),
        _put_in("training", "batch_size"),
    ),
)
_REDUCED: tuple[dict[str, Any], ...] = ({"samples": "sum"}, {"outputs": "mean"})


def _losses(said: str | None) -> Iterator[Any]:
    """The losses that a page may mean, the one that it names first."""
    if said is not None and said not in {_name(form) for form in _FORMS}:
        yield said
    yield from sorted(_FORMS, key=lambda form: _name(form) != said)


def _name(loss: Any) -> str:
    return loss if isinstance(loss, str) else str(loss["name"])


def _choices(said: list[str], listed: Sequence[str | None]) -> Iterator[tuple[str, ...]]:
    """Activations layer by layer: what a table tells, else those that the page names first."""
    order = [*said, *(name for name in USUAL if name not in said)]
    hidden = [name for name in order if name != "softmax"]
    depth = len(listed)
    if depth > 3 and not all(listed):
        for inner, last in product(hidden, order):
            yield (*(row or inner for row in listed[:-1]), listed[-1] or last)
        return
    yield from product(
        *([row] if row else order if l == depth else hidden for l, row in enumerate(listed, 1))
    )


def _built(keys: Mapping[str, Any]) -> Case | None:
    try:
        return Case.from_dict(keys)
    except HandgradError:
        return None
