"""The network that a page is about: sizes, weights, activations, loss and optimizer, each with how it was found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any

import numpy as np

from handgrad.audit.page.formula_trees import Derivative, names_in
from handgrad.audit.page.gathering import gather
from handgrad.audit.page.givens import Givens, givens
from handgrad.audit.page.names import Scheme
from handgrad.audit.page.phrases import is_target
from handgrad.audit.page.placing import Quantities
from handgrad.audit.page.reading import Work, score, work_of
from handgrad.audit.page.script import Page
from handgrad.cases.case import Case
from handgrad.errors import HandgradError
from handgrad.nn.arrays import Array

ACTIVATIONS = ("sigmoid", "relu", "tanh", "identity", "softmax")
LOSSES: tuple[Any, ...] = (
    "binary_cross_entropy",
    "cross_entropy",
    "squared_error",
    {"name": "squared_error", "scale": 0.5},
    {"name": "squared_error", "outputs": "mean"},
    {"name": "squared_error", "scale": 0.5, "samples": "sum"},
)
_SAID_ACTIVATION = (
    ("sigmoid", re.compile(r"sigmoid|logistic|σ|\\sigma|সিগময়েড", re.IGNORECASE)),
    ("relu", re.compile(r"relu|max\s*\(\s*0|রেলু", re.IGNORECASE)),
    ("tanh", re.compile(r"tanh", re.IGNORECASE)),
    ("softmax", re.compile(r"softmax", re.IGNORECASE)),
    ("identity", re.compile(r"identity|linear (?:output|activation)|no activation", re.IGNORECASE)),
)
_SAID_LOSS = (
    ("binary_cross_entropy", re.compile(r"binary[- ]cross|log[- ]loss|\bBCE\b", re.IGNORECASE)),
    ("cross_entropy", re.compile(r"cross[- ]entropy|\bCE\b", re.IGNORECASE)),
    ("squared_error", re.compile(r"squared|\bMSE\b|quadratic", re.IGNORECASE)),
)
_COUNT = r"\b(\d+(?![.\d])|one|two|three|four|five)\b"
_SIZES = tuple(
    (kind, re.compile(rf"{before}[^.\n]{{0,20}}?{_COUNT}|{_COUNT}\s+{after}", re.IGNORECASE))
    for kind, before, after in (
        ("input", "inputs?(?: layer)?", "(?:inputs?|features)"),
        ("hidden", "hidden(?: layer)?", "hidden"),
        ("output", "outputs?(?: layer)?", "outputs?"),
    )
)
_ALL_SIZES = re.compile(r"\b\d{1,2}(?:\s*[-–→]\s*\d{1,2}){1,5}\b")
_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_MOST_TRIED = 64


@dataclass(slots=True)
class Draft:
    """A case on its way: its keys as in a file, a remark on each that was guessed, what could not be found."""

    keys: dict[str, Any]
    remarks: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def guess(page: Page) -> Draft:
    """The case that a page seems to be about, without its claims."""
    text = "\n".join(page.source)
    flat_work = _work(page, _blank(2, 1))
    scheme, given = _best_scheme(flat_work)
    sizes = _sizes(given, text)
    draft = Draft({"network": {}}, {})
    layers = _layers(given, sizes, draft)
    _data(given, sizes, draft)
    if (rate := given.array("rate")) is not None and rate.ndim == 0:
        draft.keys["optimizer"] = {"name": "sgd", "learning_rate": float(rate)}
        draft.remarks["optimizer"] = f"line {given.lines('rate')[0]}; gradient descent is a guess"
    draft.keys["network"] = {"inputs": sizes[0], "loss": "squared_error", "layers": layers}
    draft.keys["notation"] = _notation(flat_work, scheme)
    _functions(page, draft, scheme, text)
    return draft


def _notation(work: list[Work], scheme: Scheme) -> dict[str, Any]:
    """How the page writes layers, and where it begins to count."""
    trees = [part.tree for one in work for part in one.chain.parts]
    names = [n.by if isinstance(n, Derivative) else n for tree in trees for n in names_in(tree)]
    raised = [mark.strip("{} ") for name in names for mark in name.raised]
    zero = any("0" in re.split(r"\D+", entry) for name in names for entry in name.entries)
    layer = "subscript"
    if any(mark[:1] in ("[", "(") for mark in raised):
        layer = "bracket"
    elif any(mark.isdigit() for mark in raised) and not scheme.lowered_is_layer:
        layer = "superscript"
    return {"layer": layer, "first": 0 if zero else scheme.first}


def _blank(depth: int, samples: int) -> Case:
    return Case.from_dict(
        {
            "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1}] * depth},
            "data": {"x": [[0.0]] * samples, "y": [[0.0]] * samples},
        }
    )


def _work(page: Page, case: Case) -> list[Work]:
    with np.errstate(all="ignore"):
        return work_of(gather(page, case), case)


def _best_scheme(work: list[Work]) -> tuple[Scheme, Givens]:
    """The notation in which most weights are whole."""
    best: tuple[float, Scheme, Givens] | None = None
    for_target = any(is_target(one.chain.words) for one in work)
    for lowered, first, y in product((True, False), (1, 0), ("target", "yhat")):
        for flat in ("", "unit"):
            scheme = Scheme(lowered, first, 0, y, flat)
            found = givens(work, scheme)
            names = {*found.whole, *found.entries}
            whole = sum(2.0 for name in names if name[0] in "Wb" and found.array(name) is not None)
            whole += sum(1.0 for name in names if name[0] not in "Wb" and found.array(name) is not None)
            whole -= sum(0.7 for name in names if found.array(name) is None)
            whole += 1.5 * (for_target and y == "yhat")
            alone = [
                name
                for name in names
                if name[0] == "W" and name in found.whole and found.whole[name].array.size == 1
            ]
            whole -= 3.0 * len(alone) * (len(alone) > 3)  # weights counted through, taken for layers of one
            whole += 0.3 * len(found.flat) if len(found.flat) > 3 else -0.2 * len(found.flat)
            if best is None or whole > best[0] + 1e-9:
                best = (whole, scheme, found)
    assert best is not None
    return best[1], best[2]


def _sizes(given: Givens, text: str) -> list[int]:
    """Inputs and units of each layer: off the weights, else off the words, else 1."""
    said = {kind: _count(pattern, text) for kind, pattern in _SIZES}
    for match in _ALL_SIZES.finditer(text):
        sizes = [int(size) for size in re.findall(r"\d+", match[0])]
        if given.flat and len(given.flat) == sum(a * b for a, b in pairwise(sizes)):
            return sizes
    depth = given.depth or (2 if said["hidden"] or given.flat else 1)
    x, y = given.array("x"), given.array("target")
    sizes = [said["input"] or 1] + [0] * depth
    if x is not None and x.size:
        sizes[0] = x.shape[-1] if x.ndim == 2 and 1 not in x.shape else x.size
    for l in range(1, depth + 1):
        W, b = given.array(f"W{l}"), given.array(f"b{l}")
        before = sizes[l - 1]
        if W is not None and W.ndim == 2:
            if x is None and l == 1:
                sizes[0] = before = W.shape[1]
            sizes[l] = W.shape[1] if W.shape[0] == before != W.shape[1] else W.shape[0]
        elif W is not None and W.ndim == 1:
            sizes[l] = 1 if W.size == before else W.size
        elif W is not None:
            sizes[l] = 1
        elif b is not None and b.size > 1:
            sizes[l] = b.size
        elif l < depth:
            sizes[l] = said["hidden"] or 1
        else:
            sizes[l] = said["output"] or (y.size if y is not None and y.ndim < 2 else 1)
    return sizes


def _count(pattern: re.Pattern[str], text: str) -> int | None:
    for match in pattern.finditer(text):
        word = (match[1] or match[2]).lower()
        number = _COUNTS.get(word, int(word) if word.isdigit() else 0)
        if 1 <= number <= 1000:
            return number
    return None


def _layers(given: Givens, sizes: list[int], draft: Draft) -> list[dict[str, Any]]:
    made = []
    at = 1
    for l in range(1, len(sizes)):
        units, inputs = sizes[l], sizes[l - 1]
        layer: dict[str, Any] = {"units": units, "activation": "identity"}
        W, lines = given.array(f"W{l}"), given.lines(f"W{l}")
        if W is None and given.flat and all(k in given.flat for k in range(at, at + units * inputs)):
            W = np.array([float(given.flat[k].array) for k in range(at, at + units * inputs)]).reshape(
                units, inputs
            )
            lines = [given.flat[at].line]
            draft.remarks[f"W{l}"] = (
                f"from line {lines[0]}; weights counted through, unit by unit, is a guess"
            )
        at += units * inputs
        shaped = _shaped(W, units, inputs)
        if shaped is None:
            draft.missing.append(f"W{l}")
        else:
            layer["W"] = shaped[0].tolist()
            turned = "; turned over: a row for each unit is what is meant here" if shaped[1] else ""
            draft.remarks.setdefault(f"W{l}", f"from {_said(lines)}{turned}")
        b = given.array(f"b{l}")
        if b is not None and b.size in (1, units):
            layer["b"] = np.broadcast_to(b.ravel(), (units,)).tolist()
            shared = "; one number for all units, as printed" if b.size == 1 < units else ""
            draft.remarks[f"b{l}"] = f"from {_said(given.lines(f'b{l}'))}{shared}"
        else:
            draft.missing.append(f"b{l}")
        made.append(layer)
    return made


def _said(lines: list[int]) -> str:
    return f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]} to {lines[-1]}"


def _shaped(W: Array | None, units: int, inputs: int) -> tuple[Array, bool] | None:
    if W is None or W.size != units * inputs:
        return None
    if W.ndim == 2 and W.shape == (inputs, units) != (units, inputs):
        return W.T, inputs != 1 and units != 1
    return W.reshape(units, inputs), False


def _data(given: Givens, sizes: list[int], draft: Draft) -> None:
    data: dict[str, Any] = {}
    samples = 1
    for name, key, width in (("x", "x", sizes[0]), ("target", "y", sizes[-1])):
        array = given.array(name)
        if (
            array is None
            or array.size % width
            or (key == "y" and "x" in data and array.size // width != samples)
        ):
            draft.missing.append(f"data.{key}")
            continue
        rows = array.reshape(-1, width)
        if array.ndim == 2 and array.shape[0] == width != array.shape[1] and array.shape[1] > 1:
            rows = array.T
        samples = len(rows)
        data[key] = [
            [int(v) if key == "y" and v == int(v) else float(v) for v in row] for row in rows.tolist()
        ]
        draft.remarks[f"data.{key}"] = f"from {_said(given.lines(name))}"
    draft.keys["data"] = data
    if (yhat := given.array("yhat")) is not None and "W1" in draft.missing and yhat.size == sizes[-1]:
        draft.keys["given"] = {"yhat": [yhat.ravel().tolist()]}
        draft.remarks["given"] = (
            f"from {_said(given.lines('yhat'))}; taken as it is, because weights are missing"
        )


def _functions(page: Page, draft: Draft, scheme: Scheme, text: str) -> None:
    """Activations and loss: what the words say, and of that and all others what fits the printed numbers best."""
    layers = draft.keys["network"]["layers"]
    depth = len(layers)
    said = [name for name, pattern in _SAID_ACTIVATION if pattern.search(text)]
    loss_said = next((name for name, pattern in _SAID_LOSS if pattern.search(text)), None)
    case = _built(draft.keys)
    work = [] if case is None else [one for one in _work(page, case) if one.found]
    best: tuple[float, tuple[str, ...], Any] | None = None
    for names, loss in product([*_choices(said, depth)][:_MOST_TRIED], LOSSES if depth < 3 else LOSSES[:3]):
        for layer, name in zip(layers, names, strict=True):
            layer["activation"] = name
        draft.keys["network"]["loss"] = loss
        named = loss if isinstance(loss, str) else loss["name"]
        points = _points(draft, work, scheme) + sum(0.4 for name in names if name in said)
        points += 0.6 * (named == loss_said)
        if best is None or points > best[0] + 1e-9:
            best = (points, names, loss)
    assert best is not None
    for layer, name in zip(layers, best[1], strict=True):
        layer["activation"] = name
    draft.keys["network"]["loss"] = best[2]
    for l in range(1, depth + 1):
        named = layers[l - 1]["activation"]
        draft.remarks[f"activation{l}"] = (
            "the page names it, and it fits the printed numbers best"
            if named in said
            else "a guess: it fits the printed numbers best, the page does not name it"
        )
    draft.remarks["loss"] = (
        "the page names it; scale and averages are what fit the printed numbers best"
        if loss_said
        else "a guess: the page names no loss"
    )
    if loss_said is None:
        draft.missing.append("network.loss")


def _choices(said: list[str], depth: int) -> Iterator[tuple[str, ...]]:
    """Activations layer by layer, those that the page names first."""
    order = [*said, *(name for name in ACTIVATIONS if name not in said)]
    hidden = [name for name in order if name != "softmax"]
    if depth > 3:
        for inner, last in product(hidden, order):
            yield (*(inner,) * (depth - 1), last)
    else:
        yield from product(*[hidden] * (depth - 1), order)


def _points(draft: Draft, work: list[Work], scheme: Scheme) -> float:
    case = _built(draft.keys)
    if case is None or not work:
        return -1e9 if case is None else 0.0
    with np.errstate(all="ignore"):
        return score(work, scheme, Quantities(case))


def _built(keys: Mapping[str, Any]) -> Case | None:
    try:
        return Case.from_dict(keys)
    except HandgradError:
        return None
