"""What to keep: the four parts of a step with what they came to here, and the ideas behind them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from handgrad.render.document import Block, Bullets, Table
from handgrad.render.layout.context import Sheet
from handgrad.render.layout.flow import way_back
from handgrad.worked.expressions import Expression, Gradient, Negative, Number, Relation, Sum, Symbol, Times
from handgrad.worked.forms.activations import ACTIVATION_FORMS
from handgrad.worked.record import StepRecord
from handgrad.writing.phrasebook import Spans

PARTS = {"forward": "forward", "loss": "loss_part", "backward": "backward", "update": "summary_update_name"}
"""The parts of a step, and the keys of their names."""


def summary(sheet: Sheet) -> Iterator[Block]:
    """Forward, loss, backward, update: what each does, and what it came to in this step."""
    step = sheet.record.steps[0] if sheet.record.steps else None
    if step is None:
        return
    here = {"forward": _prediction, "loss": _loss, "backward": _largest, "update": _after}
    rows = [
        (sheet.say(name), sheet.say(f"summary_{part}"), here[part](sheet, step))
        for part, name in PARTS.items()
        if here[part](sheet, step)
    ]
    header = tuple(sheet.say(key) for key in ("summary_step", "summary_what", "summary_here"))
    yield Table(header, tuple(rows), "lll")


def _prediction(sheet: Sheet, step: StepRecord) -> Spans:
    if "yhat" not in step.quantities:
        return ()
    return (_relation(sheet, Symbol("yhat"), sheet.quantity(step, "yhat"), "yhat"),)


def _relation(sheet: Sheet, letter: Expression, value: Expression, quantity: str) -> Relation:
    """The letter and its number, with the sign that says whether it was rounded."""
    display = sheet.display(quantity)
    return Relation(letter, "=" if display.exact(value) else "~", display.tree(value))


def _loss(sheet: Sheet, step: StepRecord) -> Spans:
    if step.loss_before is None:
        return ()
    return (_relation(sheet, Symbol("loss"), Number(step.loss_before), "loss"),)


def _largest(sheet: Sheet, step: StepRecord) -> Spans:
    """The largest gradient of a weight."""
    found: tuple[float, Symbol, str] | None = None
    for number, _ in sheet.record.network.numbered():
        name = f"dW{number}"
        if name not in step.quantities:
            continue
        array = np.asarray(step.quantities[name], np.float64)
        row, column = (int(i) for i in np.unravel_index(int(np.argmax(np.abs(array))), array.shape))
        if found is None or abs(array[row, column]) > abs(found[0]):
            found = float(array[row, column]), Symbol("W", number, (row, column)), name
    if found is None:
        return ()
    value, symbol, name = found
    gradient = _relation(sheet, Gradient(Symbol("loss"), symbol), Number(value), name)
    return sheet.say("summary_largest", gradient=(gradient,))


def _after(sheet: Sheet, step: StepRecord) -> Spans:
    """The loss before and after."""
    if step.loss_before is None or step.loss_after is None:
        return ()
    before, after = (sheet.number(value, "loss") for value in (step.loss_before, step.loss_after))
    return (Symbol("loss"), ": ", before, " → ", after)


# --- takeaways ----------------------------------------------------------------------------------------------

FUNCTIONS = ("relu", "sigmoid", "tanh", "softmax")
"""Activations with a sentence to remember."""


def takeaways(sheet: Sheet) -> Iterator[Block]:
    """The ideas behind the step, those that its network has."""
    used = dict.fromkeys(layer.function.name for layer in sheet.record.network.layers)
    points = [sheet.say("takeaway_chain", rule=(_chain(),))]
    for name in FUNCTIONS:
        if name in used:
            points.append(_of_function(sheet, name))
    points.append(sheet.say("takeaway_flow", back=way_back(sheet)))
    points += [sheet.say(f"takeaway_{idea}") for idea in ("learning", "matrices", "process", "practice")]
    yield Bullets(tuple(points))


def _chain() -> Expression:
    """dL/dW = dL/dyhat dyhat/dz dz/dW."""
    loss, yhat, z, W = Symbol("loss"), Symbol("yhat"), Symbol("z"), Symbol("W")
    factors = (Gradient(loss, yhat), Gradient(yhat, z), Gradient(z, W))
    return Relation(Gradient(loss, W), "=", Times(factors, sign=True))


def _of_function(sheet: Sheet, name: str) -> Spans:
    if name == "softmax":
        difference = Sum((Symbol("yhat"), Negative(Symbol("y"))))
        return sheet.say("takeaway_softmax", delta=(difference,))
    (slope,) = ACTIVATION_FORMS[name].formula.derivative.symbols
    if name == "relu":
        return sheet.say("takeaway_relu")
    return sheet.say(f"takeaway_{name}", slope=(sheet.display().tree(slope),))
