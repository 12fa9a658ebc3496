"""The forward pass and the loss, worked out."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense
from handgrad.nn.targets import LABELS
from handgrad.worked.derive.scalars import activation_scalars, linear_scalars
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import (
    Apply,
    Divide,
    Expression,
    Hadamard,
    Norm,
    Number,
    Power,
    Sum,
    SumOver,
    Symbol,
    Times,
)
from handgrad.worked.forms.equations import loss_formula
from handgrad.worked.forms.losses import LOSS_FORMS, ClosedForm, scale_tree, term_at
from handgrad.worked.forms.trees import scalar_products
from handgrad.worked.paper import ONE, Paper, exact, node
from handgrad.worked.record import Equation, Words, WorkedStep, words

MOST_TERMS = 12  # a loss over more outputs and samples than this is written with matrices, not term by term
TOLERANCE = 1e-9


def forward_steps(paper: Paper) -> Iterator[WorkedStep]:
    """z and a of each layer, with the dropout between them where there is one."""
    for l, layer in paper.network.numbered():
        if not paper.has(f"z{l}") or not paper.wanted(l):
            continue
        yield given_step(paper, f"z{l}", "forward", l) or _linear(paper, l, layer)
        if paper.has(f"f{l}"):
            yield _activation(paper, l, layer, f"f{l}")
            yield _dropout(paper, l, layer)
        else:
            name = paper.activity(l)
            yield given_step(paper, name, "forward", l) or _activation(paper, l, layer, name)


def given_step(paper: Paper, name: str, part: str, l: int | None) -> WorkedStep | None:
    """The step of a quantity that was given by hand instead of computed; None where it was computed."""
    last = l is not None and l == paper.network.depth
    also = {"yhat": f"a{paper.network.depth}"}.get(name) if last else None
    if name not in paper.trace.given and also not in paper.trace.given:
        return None
    symbol = paper.symbol(name)
    return WorkedStep(
        quantity=name,
        part=part,
        layer=l,
        equation=Equation(symbol, result=paper.value(name)),
        shapes=paper.shapes(name),
        reason=words("given", quantity=symbol),
    )


def _linear(paper: Paper, l: int, layer: Dense) -> WorkedStep:
    W, b, a, z = f"W{l}", f"b{l}", paper.activity(l - 1), f"z{l}"
    product = paper.weighted(paper.value(W), paper.value(a))
    symbols = paper.weighted(paper.symbol(W), paper.symbol(a))
    numbers: tuple[Expression, ...] = (product,)
    if layer.bias != "none":
        symbols = Sum((symbols, paper.symbol(b)))
        numbers = (Sum((product, paper.value(b))), Sum((node(evaluate(product)), paper.value(b))))
    scalar, left_out = linear_scalars(paper, l, layer)
    return WorkedStep(
        quantity=z,
        part="forward",
        layer=l,
        equation=Equation(paper.symbol(z), (symbols,), numbers, paper.value(z)),
        shapes=paper.shapes(*((W, a) if paper.column else (a, W)), b, z),
        reason=words("linear" if layer.bias != "none" else "linear_without_bias", layer=l),
        scalar=scalar,
        left_out=left_out,
    )


def activation_of(layer: Dense, z: Expression, axis: int) -> Apply:
    """f(z) as a node."""
    function = layer.function
    parameters = () if function.alpha is None else (exact(function.alpha),)
    return Apply(function.name, (z,), parameters, axis)


def _activation(paper: Paper, l: int, layer: Dense, name: str) -> WorkedStep:
    scalar, left_out = activation_scalars(paper, l, layer, name)
    return WorkedStep(
        quantity=name,
        part="forward",
        layer=l,
        equation=Equation(
            paper.symbol(name),
            (activation_of(layer, paper.symbol(f"z{l}"), paper.unit_axis),),
            (activation_of(layer, paper.value(f"z{l}"), paper.unit_axis),),
            paper.value(name),
        ),
        shapes=paper.shapes(f"z{l}", name),
        reason=words("output" if name == "yhat" else "activation", layer=l, function=layer.function.name),
        scalar=scalar,
        left_out=left_out,
        remark=_as_probability(paper) if name == "yhat" else None,
    )


def _as_probability(paper: Paper) -> Words | None:
    """What the prediction for one sample says as a probability: in percent to one decimal, or of which class."""
    loss, yhat = paper.network.loss, paper.quantities["yhat"]
    if not paper.network.layers[-1].function.elementwise and len(yhat) == 1 and yhat.size > 1:
        output = int(np.argmax(yhat))
        return words("as_class", probability=float(yhat[0, output]), output=output)
    if loss is None or loss.targets is not LABELS or yhat.size != 1:
        return None
    percent = round(100 * float(yhat[0, 0]), 1)
    return words("as_probability", percent=percent) if 0 < percent < 100 else None


def _dropout(paper: Paper, l: int, layer: Dense) -> WorkedStep:
    assert layer.dropout is not None
    f, mask, a = f"f{l}", f"mask{l}", f"a{l}"
    keep = exact(layer.dropout.keep)
    return WorkedStep(
        quantity=a,
        part="forward",
        layer=l,
        equation=Equation(
            paper.symbol(a),
            (Divide(Hadamard((paper.symbol(mask), paper.symbol(f))), Symbol("keep")),),
            (Divide(Hadamard((paper.value(mask), paper.value(f))), keep),),
            paper.value(a),
        ),
        shapes=paper.shapes(mask, f, a),
        reason=words("dropout", layer=l, keep=layer.dropout.keep),
    )


# --- the loss -------------------------------------------------------------------------------------------


def loss_steps(paper: Paper) -> Iterator[WorkedStep]:
    """The data's loss, the penalty and their sum; nothing where there is no target."""
    if not paper.has("loss"):
        return
    loss = paper.network.loss
    assert loss is not None
    penalised = bool(_penalties(paper))
    yield given_step(paper, "data_loss" if penalised else "loss", "loss", None) or _data_loss(
        paper, loss, "data_loss" if penalised else "loss"
    )
    if penalised:
        yield _penalty(paper)
        yield _total(paper)


def _data_loss(paper: Paper, loss: Loss, name: str) -> WorkedStep:
    numbers = _loss_numbers(paper, loss)
    symbols = loss_formula(loss, paper.network.outputs, paper.samples)
    wanted = float(np.asarray(paper.quantities[name]))
    shown = float(evaluate(numbers)[0, 0])
    closed = LOSS_FORMS[loss.name].closed.get(paper.network.layers[-1].function.name)
    reason = words("loss", name=loss.name)
    worked_out = (numbers, *_without_zeros(paper, loss, constants=_constant(paper, loss)))
    carried = paper.trace.rounding.carry
    if closed is not None and not carried and not math.isclose(shown, wanted, rel_tol=TOLERANCE):
        symbols, numbers = _loss_of_z(paper, loss, closed)  # ln of a saturated output says nothing
        worked_out = (numbers,)
        reason = words("loss_from_z", name=loss.name)
    return WorkedStep(
        quantity=name,
        part="loss",
        layer=None,
        equation=Equation(Symbol(name), (symbols,), worked_out, paper.value(name)),
        shapes=paper.shapes("yhat", "y"),
        reason=reason,
    )


def _constant(paper: Paper, loss: Loss) -> list[Number | Expression]:
    """The numbers before the sum of all terms: scale, 1/n, 1/m."""
    constants: list[Number | Expression] = []
    if loss.scale != 1:
        constants.append(scale_tree(loss.scale))
    if loss.outputs == "mean" and paper.network.outputs > 1:
        constants.append(Divide(ONE, exact(paper.network.outputs)))
    if paper.share() > 1:
        constants.append(Divide(ONE, exact(paper.share())))
    return constants


def _scaled(constants: list[Number | Expression], tree: Expression) -> Expression:
    return Times((*constants, tree)) if constants else tree


def _loss_numbers(paper: Paper, loss: Loss) -> Expression:
    """The loss with the numbers put in: term by term where there are few, else by matrices."""
    yhat, y = paper.quantities["yhat"], paper.quantities["y"]
    form, constants = LOSS_FORMS[loss.name], _constant(paper, loss)
    if yhat.size > MOST_TERMS:
        whole = form.term(paper.value("yhat"), paper.value("y"), exact(loss.threshold or 0.0))
        return _scaled(constants, SumOver(whole, None))
    pairs = list(zip(yhat.reshape(-1).tolist(), y.reshape(-1).tolist(), strict=True))
    nothing = loss.rule.vanishes_at
    if nothing is not None and any(target != nothing for _, target in pairs):
        pairs = [(a, target) for a, target in pairs if target != nothing]  # 0 ln p is 0
        left = _left(loss, pairs)
        if left:
            return _scaled(constants, _one_or_sum(left))
    return _scaled(constants, _one_or_sum([term_at(loss, a, target) for a, target in pairs]))


def _left(loss: Loss, pairs: list[tuple[float, float]]) -> list[Expression]:
    """What is left of each term, as -ln(yhat) where the target is 1; none unless all have become shorter."""
    left_at = LOSS_FORMS[loss.name].left_at
    if not all(target in left_at for _, target in pairs):
        return []
    return [left_at[target](Number(a)) for a, target in pairs]


def _without_zeros(paper: Paper, loss: Loss, constants: list[Number | Expression]) -> tuple[Expression, ...]:
    """Targets that leave one part of a term, as binary cross-entropy of 0 and 1: -ln(yhat) or -ln(1 - yhat)."""
    yhat, y = paper.quantities["yhat"], paper.quantities["y"]
    if loss.rule.vanishes_at is not None or yhat.size > MOST_TERMS:
        return ()  # said at once, or not at all
    left = _left(loss, list(zip(yhat.reshape(-1).tolist(), y.reshape(-1).tolist(), strict=True)))
    return (_scaled(constants, _one_or_sum(left)),) if left else ()


def _loss_of_z(paper: Paper, loss: Loss, closed: ClosedForm) -> tuple[Expression, Expression]:
    z = f"z{paper.network.depth}"
    axis = paper.unit_axis
    symbols = closed.term(paper.symbol(z), Symbol("y"), axis)
    numbers = closed.term(paper.value(z), paper.value("y"), axis)
    if paper.quantities["y"].size == 1:
        symbols, numbers = scalar_products(symbols), scalar_products(numbers)
    else:
        symbols, numbers = (SumOver(tree, None, index="ik") for tree in (symbols, numbers))
    constants = _constant(paper, loss)
    return _scaled(constants, symbols), _scaled(constants, numbers)


def _penalties(paper: Paper) -> bool:
    return "penalty" in paper.quantities and paper.regularized


def _penalty(paper: Paper) -> WorkedStep:
    symbols: list[Expression] = []
    numbers: list[Expression] = []
    regularization = paper.regularization
    layers = range(1, paper.network.depth + 1)
    for strength, letter, order in ((regularization.l2, "lambda", 2), (regularization.l1, "lambda1", 1)):
        if strength == 0:
            continue
        norms = [Norm(paper.symbol(f"W{l}"), order) for l in layers]
        values = [Norm(paper.value(f"W{l}"), order) for l in layers]
        before, value = Symbol(letter), exact(strength)
        symbols.append(_weighted_norms(before, norms, order, regularization.form, Symbol("m")))
        numbers.append(_weighted_norms(value, values, order, regularization.form, exact(paper.samples)))
    return WorkedStep(
        quantity="penalty",
        part="loss",
        layer=None,
        equation=Equation(
            Symbol("penalty"), (_one_or_sum(symbols),), (_one_or_sum(numbers),), paper.value("penalty")
        ),
        reason=words("penalty"),
    )


def _weighted_norms(
    strength: Expression, norms: list[Norm], order: int, form: str, samples: Expression
) -> Expression:
    parts: list[Expression] = [Power(norm, exact(2)) if order == 2 else norm for norm in norms]
    total = _one_or_sum(parts)
    if order == 1 or form == "full":
        return Times((strength, total))
    below = exact(2) if form == "half" else Times((exact(2), samples), sign=isinstance(samples, Number))
    return Times((Divide(strength, below), total))


def _one_or_sum(terms: list[Expression]) -> Expression:
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def _total(paper: Paper) -> WorkedStep:
    return WorkedStep(
        quantity="loss",
        part="loss",
        layer=None,
        equation=Equation(
            Symbol("loss"),
            (Sum((Symbol("data_loss"), Symbol("penalty"))),),
            (Sum((paper.value("data_loss"), paper.value("penalty"))),),
            paper.value("loss"),
        ),
        reason=words("loss_total"),
    )
