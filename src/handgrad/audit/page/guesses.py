"""The network that a page is about: sizes, weights, activations, loss and optimizer, each with how it was found."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from itertools import pairwise, product
from typing import Any

import numpy as np

from handgrad.audit.page.fitting import Draft, fit
from handgrad.audit.page.formula_trees import Derivative, names_in
from handgrad.audit.page.gathering import gather
from handgrad.audit.page.givens import Givens, givens
from handgrad.audit.page.names import Scheme
from handgrad.audit.page.phrases import is_target
from handgrad.audit.page.reading import Work, work_of
from handgrad.audit.page.said import (
    LayerRow,
    batch_said,
    own_settings,
    rule_said,
    samples_are_columns,
    settings,
    steps_said,
    table_of_layers,
)
from handgrad.audit.page.script import Page
from handgrad.cases.case import Case
from handgrad.nn.arrays import Array
from handgrad.nn.optimizers import OPTIMIZERS

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
_PENALTY = re.compile(r"\bL[12]\b|penalt|regulari|ridge|lasso|weight decay|শাস্তি|নিয়মিতকরণ", re.IGNORECASE)
_COUNTS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


def guess(page: Page) -> Draft:
    """The case that a page seems to be about, without its claims."""
    text = "\n".join(page.source)
    steps, table = steps_said(page), table_of_layers(page)
    flat_work = _work(page, _blank(2, 1, steps))
    scheme, given = _best_scheme(flat_work)
    sizes = _sizes(given, text, table)
    draft = Draft({"network": {}}, {})
    layers = _layers(given, sizes, draft)
    _data(given, sizes, draft, samples_are_columns(text))
    draft.keys["network"] = {"inputs": sizes[0], "loss": "squared_error", "layers": layers}
    _optimizer(draft, given, flat_work, text)
    _training(draft, steps, text)
    draft.keys["notation"] = _notation(flat_work, scheme)
    fit(page, draft, scheme, text, table)
    return draft


def _optimizer(draft: Draft, given: Givens, work: list[Work], text: str) -> None:
    """The rule that the page names, with the numbers that it assigns to the rule's letters."""
    said = rule_said(text)
    rate = given.array("rate")
    held = settings(work, said or "sgd")
    if rate is not None and rate.ndim == 0:
        keys: dict[str, Any] = {"name": said or "sgd", "learning_rate": float(rate)}
        own = own_settings(keys["name"], held)
        draft.keys["optimizer"] = keys | own
        how = (
            "the page names the rule" if said else "gradient descent is a guess: the page names no other rule"
        )
        draft.remarks["optimizer"] = how
        draft.remarks["optimizer.learning_rate"] = f"from line {given.lines('rate')[0]}"
        draft.remarks |= {f"optimizer.{name}": f"from line {held[name].line}" for name in own}
        _usual(draft)
    for name in ("l2", "l1"):
        if name in held and _PENALTY.search(text):
            draft.keys.setdefault("regularization", {})[name] = held[name].value
            draft.remarks[f"regularization.{name}"] = f"from line {held[name].line}"


def _usual(draft: Draft) -> None:
    """The numbers of the rule that the page does not say: their usual values, each with a remark."""
    keys = draft.keys["optimizer"]
    for number in fields(OPTIMIZERS[keys["name"]]):
        if number.name in keys or number.default is MISSING or isinstance(number.default, bool):
            continue
        if isinstance(number.default, str | float | int):
            keys[number.name] = number.default
            draft.remarks[f"optimizer.{number.name}"] = "a guess: the page does not say it"


def _training(draft: Draft, steps: int, text: str) -> None:
    """How many steps, and of how many samples each."""
    training: dict[str, Any] = {}
    if steps > 1:
        training["steps"] = steps
        draft.remarks["training.steps"] = "as the headings count them"
    batch, samples = batch_said(text), len(draft.keys["data"].get("x", [()]))
    if batch is not None and batch < samples:
        training["batch_size"] = batch
        draft.remarks["training.batch_size"] = "the page names it"
    if training:
        draft.keys["training"] = training


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


def _blank(depth: int, samples: int, steps: int) -> Case:
    return Case.from_dict(
        {
            "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1}] * depth},
            "data": {"x": [[0.0]] * samples, "y": [[0.0]] * samples},
            "optimizer": {"name": "sgd", "learning_rate": 1.0},
            "training": {"steps": steps},
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


def _sizes(given: Givens, text: str, table: list[LayerRow]) -> list[int]:
    """Inputs and units of each layer: off a table of layers, off the weights, else off the words, else 1."""
    said = {kind: _count(pattern, text) for kind, pattern in _SIZES}
    if table:
        first = table[0].units
        W = given.array("W1")
        fits = W is not None and W.size % first == 0
        inputs = W.size // first if W is not None and fits else _inputs(given) or said["input"] or 1
        return [inputs, *(row.units for row in table)]
    for match in _ALL_SIZES.finditer(text):
        sizes = [int(size) for size in re.findall(r"\d+", match[0])]
        if given.flat and len(given.flat) == sum(a * b for a, b in pairwise(sizes)):
            return sizes
    depth = given.depth or (2 if said["hidden"] or given.flat else 1)
    sizes = [_inputs(given) or said["input"] or 1]
    y = given.array("target")
    of_y = y.size if y is not None and y.ndim < 2 else 1
    for l in range(1, depth + 1):
        words = said["hidden"] or 1 if l < depth else said["output"] or of_y
        sizes.append(_units(given, l, sizes[-1]) or words)
    return sizes


def _inputs(given: Givens) -> int | None:
    """Off the inputs, rows or columns of samples as the weights have it; off the weights; None off neither."""
    x, W = given.array("x"), given.array("W1")
    if x is None or not x.size:
        return int(W.shape[1]) if W is not None and W.ndim == 2 else None
    if x.ndim < 2 or 1 in x.shape:
        several = x.ndim == 2 and W is not None and W.ndim < 2 and W.size == 1
        return 1 if several else x.size
    if W is not None and x.shape[-1] not in W.shape and (x.shape[0] in W.shape or W.size == x.shape[0]):
        return int(x.shape[0])
    return int(x.shape[-1])


def _units(given: Givens, layer: int, inputs: int) -> int | None:
    """Off the weights or biases of a layer; None where they do not say it."""
    W, b = given.array(f"W{layer}"), given.array(f"b{layer}")
    if W is not None and W.ndim == 2:
        return int(W.shape[1] if W.shape[0] == inputs != W.shape[1] else W.shape[0])
    if W is not None:
        return 1 if W.size in (1, inputs) else W.size
    return b.size if b is not None and b.size > 1 else None


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


def _data(given: Givens, sizes: list[int], draft: Draft, columns: bool) -> None:
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
        turned = array.ndim == 2 and array.shape[0] == width and array.shape[1] > 1
        if turned and (array.shape[1] != width or columns):
            rows = array.T
        samples = len(rows)
        data[key] = [
            [int(v) if key == "y" and v == int(v) else float(v) for v in row] for row in rows.tolist()
        ]
        draft.remarks[f"data.{key}"] = f"from {_said(given.lines(name))}"
    draft.keys["data"] = data
    if (yhat := given.array("yhat")) is not None and "W1" in draft.missing and yhat.size == sizes[-1]:
        draft.keys["given"] = {"yhat": [yhat.ravel().tolist()]}
        draft.remarks["given.yhat"] = (
            f"from {_said(given.lines('yhat'))}; taken as it is, because weights are missing"
        )
