"""What a page says in words and tables: functions, loss, optimizer and its numbers, how many steps, of what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any, NamedTuple, TypeVar

from handgrad.audit.page.formula_trees import Name, literal
from handgrad.audit.page.ranges import as_printed
from handgrad.audit.page.reading import Work
from handgrad.audit.page.script import Grid, Page
from handgrad.nn.optimizers import OPTIMIZERS

Kind = TypeVar("Kind")
Patterns = tuple[tuple[str, re.Pattern[str]], ...]


def _patterns(*rows: tuple[str, str]) -> Patterns:
    return tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in rows)


ACTIVATIONS = _patterns(
    ("hard_sigmoid", r"hard[- _]?sigmoid"),
    ("sigmoid", r"(?<!hard )(?<!hard_)(?<!hard-)sigmoid|logistic|σ|\\sigma|সিগময়েড"),
    ("leaky_relu", r"leaky[- _]?relu|লিকি"),
    ("relu6", r"relu6"),
    ("relu", r"(?<!leaky )(?<!leaky)(?<!leaky_)(?<!leaky-)relu(?!6)|max\s*\(\s*0|রেলু"),
    ("tanh", r"(?<!\w)tanh|hyperbolic tangent"),
    ("softmax", r"softmax|সফটম্যাক্স"),
    ("softplus", r"softplus"),
    ("selu", r"\bselu\b"),
    ("elu", r"\belu\b"),
    ("gelu", r"\bgelu\b"),
    ("silu", r"\bsilu\b|\bswish\b"),
    ("mish", r"\bmish\b"),
    ("exponential", r"\bexponential (?:activation|output)|\bexponential\b(?=\s*\|)"),
    ("step", r"\b(?:step|threshold|heaviside) (?:function|unit|activation)"),
    ("identity", r"identity|linear (?:output|activation|unit)|no activation|অভেদ"),
)
LOSSES = _patterns(
    ("binary_cross_entropy", r"binary[- ]cross|log[- ]loss|\bBCE\b|বাইনারি ক্রস"),
    ("cross_entropy", r"(?<!binary )(?<!binary-)cross[- ]entropy|\bCE\b|(?<!বাইনারি )ক্রস[- ]?এনট্রপি"),
    ("huber", r"\bhuber\b|smooth L1"),
    ("absolute_error", r"absolute error|\bMAE\b|\bL1 loss"),
    ("hinge", r"\bhinge\b"),
    ("poisson", r"\bpoisson\b"),
    ("squared_error", r"squared|\bMSE\b|quadratic|বর্গ"),
)
_RULES = _patterns(
    ("adamw", r"\badam-?w\b|decoupled weight decay"),
    ("nadam", r"\bnadam\b"),
    ("adam", r"\badam\b|অ্যাডাম"),
    ("rmsprop", r"\brms-?prop\b"),
    ("adagrad", r"\badagrad\b"),
    ("adadelta", r"\badadelta\b"),
    ("lion", r"\blion\b(?=[^.\n]{0,40}optimi[sz]er)|optimi[sz]er is lion"),
    ("nesterov", r"\bnesterov\b|look-?ahead gradient"),
    ("momentum", r"\bmomentum\b|ভরবেগ|\bvelocity\b"),
)
_SAID_NOT = re.compile(r"\b(?:such as|like|or|e\.g\.|instead of|unlike|other)\b[^.\n]{0,60}$", re.IGNORECASE)
_NUMBERS: Mapping[str, tuple[str, ...]] = {
    "β1": ("beta1",),
    "β2": ("beta2",),
    "β": ("momentum", "decay"),
    "μ": ("momentum",),
    "γ": ("momentum", "decay"),
    "ρ": ("decay",),
    "ε": ("epsilon",),
    "λ": ("l2",),
    "λ1": ("l1",),
    "λw": ("weight_decay",),
    "momentum": ("momentum",),
    "decay": ("decay",),
    "epsilon": ("epsilon",),
    "beta1": ("beta1",),
    "beta2": ("beta2",),
    "weight_decay": ("weight_decay",),
}
"""What a Greek letter or a word stands for among the settings of optimizers; the first that the rule has."""
_GREEK = {
    "beta": "β",
    "mu": "μ",
    "gamma": "γ",
    "rho": "ρ",
    "eps": "ε",
    "epsilon": "ε",
    "lambda": "λ",
    "lam": "λ",
}
_COUNTED = re.compile(
    r"\b(?:step|iteration|update|epoch|ধাপ|পুনরাবৃত্তি|ইপক)\s*#?(\d{1,5})\b(?:\s*(?:of|/|এর মধ্যে)\s*(\d{1,5}))?",
    re.IGNORECASE,
)
_BATCH = re.compile(
    r"\bbatch(?:es)?[ -]size(?: of| is|:)?\s*=?\s*(\d{1,4})\b|\b(?:mini-?)?batch(?:es)? of (\d{1,4})\b|"
    r"(one|1) (?:sample|example) (?:at a time|per (?:step|update))|\b(stochastic) gradient descent",
    re.IGNORECASE,
)
_COLUMNS = re.compile(
    r"(?:sample|example)s? (?:is|are|in|as) (?:a )?columns?|প্রতিটি নমুনা একটি কলাম", re.IGNORECASE
)
_BIASES = _patterns(
    ("none", r"\bnone\b|\bno\b|নেই"),
    ("frozen", r"\bfrozen\b|not (?:trained|updated)|স্থির"),
    ("shared", r"\bshared\b|এক(?:টি|ই)"),
    ("trained", r"\btrained\b|\byes\b|শেখা"),
)
_UPDATES_NO_BIAS = re.compile(r"bias(?:es)? (?:is|are) (?:not updated|kept|fixed|frozen|left)", re.IGNORECASE)


class Setting(NamedTuple):
    """A number of the optimizer or of a penalty, and the line that says it."""

    value: float
    line: int


def first_said(patterns: Patterns, text: str) -> str | None:
    """The first of the rows that a text names."""
    return next((name for name, pattern in patterns if pattern.search(text)), None)


def all_said(patterns: Patterns, text: str) -> list[str]:
    """The rows that a text names."""
    return [name for name, pattern in patterns if pattern.search(text)]


class LayerRow(NamedTuple):
    """A layer as a table of layers has it."""

    units: int
    activation: str | None
    bias: str | None


def table_of_layers(page: Page) -> list[LayerRow]:
    """The layers of a table with a column of units and one of activations; nothing where there is no such table.

    >>> from handgrad.audit.page.opening import read_page
    >>> table = "| layer | units | activation |\\n|---|---|---|\\n| 1 | 3 | tanh |\\n| 2 | 1 | sigmoid |"
    >>> [(row.units, row.activation) for row in table_of_layers(read_page(table))]
    [(3, 'tanh'), (1, 'sigmoid')]
    """
    for block in page.blocks:
        if isinstance(block, Grid) and (found := list(_layers_in(block))):
            return found
    return []


_UNITS = re.compile(r"^\W*(?:units?|neurons?|nodes|size|একক|নিউরন)\W*$", re.IGNORECASE)
_FUNCTION = re.compile(r"^\W*(?:activations?(?: function)?|অ্যাক্টিভেশন|সক্রিয়ণ.*)\W*$", re.IGNORECASE)
_BIAS = re.compile(r"^\W*(?:bias(?:es)?|বায়াস)\W*$", re.IGNORECASE)


def _layers_in(grid: Grid) -> Iterator[LayerRow]:
    heads = [cell.plain().text.strip() for cell in grid.header]
    places = [
        next((k for k, head in enumerate(heads) if of.match(head)), None) for of in (_UNITS, _FUNCTION, _BIAS)
    ]
    units, function, bias = places
    if units is None or function is None:
        return
    for row in grid.rows:
        cells = [cell.plain().text.strip() for cell in row]
        cells += [""] * (len(heads) - len(cells))
        if not cells[units].isdigit() or not cells[function]:
            continue
        kind = None if bias is None else first_said(_BIASES, cells[bias])
        yield LayerRow(int(cells[units]), first_said(ACTIVATIONS, cells[function]), kind)


def rule_said(text: str) -> str | None:
    """The optimizer that a page uses; one that is only mentioned beside others is none.

    >>> rule_said("The optimizer is Adam"), rule_said("Adam, or others such as RMSprop"), rule_said("one step")
    ('adam', 'adam', None)
    """
    for name, pattern in _RULES:
        for match in pattern.finditer(text):
            if not _SAID_NOT.search(text[max(0, match.start() - 70) : match.start()]):
                return name
    return None


def settings(work: Iterable[Work], rule: str) -> dict[str, Setting]:
    """The numbers that a page assigns to the letters of a rule, and to the strength of a penalty."""
    known = {field.name for field in fields(OPTIMIZERS[rule])} | {"l2", "l1"}
    found: dict[str, Setting] = {}
    for one in work:
        head, *rest = one.chain.parts
        if not rest or not isinstance(head.tree, Name) or not literal(rest[0].tree):
            continue
        value = as_printed(rest[0].tree)
        if value is None or value.size != 1:
            continue
        meant = next((key for key in _NUMBERS.get(_letter(head.tree), ()) if key in known), None)
        if meant is not None:
            found.setdefault(meant, Setting(float(value.ravel()[0]), rest[0].line))
    return found


def _letter(name: Name) -> str:
    """A Greek letter with its number: β_1, beta1 and beta_1 are β1."""
    base = name.base.lower()
    digits = base[len(base.rstrip("0123456789")) :]
    plain = base.removesuffix(digits).rstrip("_")
    marks = "".join(mark.strip("{}() ") for mark in name.lowered)
    letter = _GREEK.get(plain, plain)
    return f"{letter}{digits}{marks}" if f"{letter}{digits}{marks}" in _NUMBERS else letter + digits


def steps_said(page: Page) -> int:
    """How many steps a page goes through: the largest number that its headings and sentences count."""
    found = [1]
    for block in page.blocks:
        if not isinstance(block, Grid) and block.kind == "heading":
            for match in _COUNTED.finditer(block.script.plain().text):
                found.append(int(match[2] or match[1]))
    return max(found)


def batch_said(text: str) -> int | None:
    """The size of a batch that a page names."""
    match = _BATCH.search(text)
    if match is None:
        return None
    number = match[1] or match[2]
    return int(number) if number else 1


def samples_are_columns(text: str) -> bool:
    """True where a page says that each sample is a column."""
    return _COLUMNS.search(text) is not None


def biases_are_kept(text: str) -> bool:
    """True where a page says that biases are not updated."""
    return _UPDATES_NO_BIAS.search(text) is not None


def own_settings(rule: str, found: Mapping[str, Setting]) -> dict[str, Any]:
    """The numbers that belong to the rule itself."""
    known = {field.name for field in fields(OPTIMIZERS[rule])}
    return {name: setting.value for name, setting in found.items() if name in known}
