"""The forward pass and the loss, worked out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense
from handgrad.nn.targets import LABELS
from handgrad.worked.computed import roundoff
from handgrad.worked.derive.scalars import activation_scalars, entry_of, linear_scalars
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import (
    Apply,
    Divide,
    Expression,
    Hadamard,
    Norm,
    Power,
    Sum,
    SumOver,
    Symbol,
    Times,
)
from handgrad.worked.forms.equations import PENALTY_LETTERS, loss_formula
from handgrad.worked.forms.losses import LOSS_FORMS, ClosedForm, scale_tree
from handgrad.worked.forms.trees import scalar_products
from handgrad.worked.paper import ONE, Paper, exact
from handgrad.worked.record import Equation, Words, WorkedStep, words
from handgrad.worked.substitute import Line, added, products_worked_out, same, substitute

MOST_TERMS = 12  # a loss over more outputs and samples than this is written with matrices, not term by term


def forward_steps(paper: Paper) -> Iterator[WorkedStep]:
    """z and a of each layer, with the dropout between them where there is one."""
    for l, layer in paper.network.numbered():
        if not paper.has(f"z{l}"):
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


def linear(paper: Paper, l: int) -> Expression:
    """W a + b."""
    product = paper.weighted(paper.symbol(f"W{l}"), paper.symbol(paper.activity(l - 1)))
    return Sum((product, paper.symbol(f"b{l}"))) if paper.network.layers[l - 1].bias != "none" else product


def _linear(paper: Paper, l: int, layer: Dense) -> WorkedStep:
    W, b, a, z = f"W{l}", f"b{l}", paper.activity(l - 1), f"z{l}"
    scalar, left_out = linear_scalars(paper, l, layer)
    return WorkedStep(
        quantity=z,
        part="forward",
        layer=l,
        equation=paper.equation(paper.symbol(z), linear(paper, l), lines=(same, products_worked_out)),
        shapes=paper.shapes(*((W, a) if paper.column else (a, W)), b, z),
        reason=words("linear" if layer.bias != "none" else "linear_without_bias", layer=l),
        scalar=scalar,
        left_out=left_out,
    )


def activation(paper: Paper, l: int) -> Expression:
    """f(z) of layer l; z itself where the layer has no curve."""
    function = paper.network.layers[l - 1].function
    if function.name == "identity":
        return paper.symbol(f"z{l}")
    parameters = () if function.alpha is None else (paper.letter("alpha", l),)
    return Apply(function.name, (paper.symbol(f"z{l}"),), parameters, paper.unit_axis)


def _activation(paper: Paper, l: int, layer: Dense, name: str) -> WorkedStep:
    scalar, left_out = activation_scalars(paper, l, layer, name)
    return WorkedStep(
        quantity=name,
        part="forward",
        layer=l,
        equation=paper.equation(paper.symbol(name), activation(paper, l)),
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


def dropped(paper: Paper, l: int, name: str) -> Expression:
    """mask * name / keep."""
    kept = Hadamard((paper.symbol(f"mask{l}"), paper.symbol(name)))
    return Divide(kept, paper.letter("keep", l))


def _dropout(paper: Paper, l: int, layer: Dense) -> WorkedStep:
    assert layer.dropout is not None
    f, mask, a = f"f{l}", f"mask{l}", f"a{l}"
    return WorkedStep(
        quantity=a,
        part="forward",
        layer=l,
        equation=paper.equation(paper.symbol(a), dropped(paper, l, f)),
        shapes=paper.shapes(mask, f, a),
        reason=words("dropout", layer=l, keep=layer.dropout.keep),
        remark=_kept(paper.quantities[mask]),
    )


def _kept(mask: Array) -> Words:
    """How many outputs the mask of this step let through."""
    kept, outputs = int(np.sum(mask != 0)), int(mask.size)
    if kept == 0:
        return words("dropout_all_off", count=outputs)
    return words("dropout_none_off" if kept == outputs else "dropout_kept", kept=kept, outputs=outputs)


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
    numbers = _loss_in_terms(paper, loss)
    equation = paper.equation(
        Symbol(name),
        loss_formula(loss, paper.network.outputs, paper.samples, paper.has_weights),
        numbers=numbers,
        lines=(same, *_without_zeros(paper, loss)),
    )
    closed = LOSS_FORMS[loss.name].closed.get(paper.network.layers[-1].function.name)
    reason = words("loss", name=loss.name)
    if closed is not None and not paper.trace.rounding.carry and not _half_right(paper, equation):
        equation = paper.equation(
            Symbol(name), loss_of_z(paper, loss, closed)
        )  # ln of a saturated output says nothing
        reason = words("loss_from_z", name=loss.name)
    return WorkedStep(
        quantity=name,
        part="loss",
        layer=None,
        equation=equation,
        shapes=paper.shapes("yhat", "y", "omega"),
        reason=reason,
        remark=words("weighted_loss") if paper.has_weights else None,
    )


def _half_right(paper: Paper, equation: Equation) -> bool:
    """True where at least half of the digits of the loss come out of the outputs; training computes it from z."""
    assert equation.result is not None
    shown, wanted = (float(evaluate(tree).item()) for tree in (equation.numbers[0], equation.result))
    values = evaluate(equation.symbols[-1], paper.bindings)  # real numbers where it is certified
    if not all(np.isfinite(float(value)) for value in values.flat):
        return False  # 0 ln 0 in the letters, of a class that is not the target's and has no probability left
    lost = np.sqrt(roundoff(np.asarray(paper.quantities["yhat"]).dtype))
    return bool(shown == wanted or abs(shown - wanted) <= lost * abs(wanted))


def _constants(paper: Paper, loss: Loss) -> list[Expression]:
    """What stands before the sum of all terms: scale, 1/n, 1/m."""
    constants: list[Expression] = [] if loss.scale == 1 else [scale_tree(loss.scale)]
    if loss.outputs == "mean" and paper.network.outputs > 1:
        constants.append(Divide(ONE, Symbol("n")))
    if paper.share() > 1:
        constants.append(Divide(ONE, Symbol("m")))
    return constants


def scaled(constants: list[Expression], tree: Expression) -> Expression:
    """constants times tree; the tree alone where there are none."""
    return Times((*constants, tree)) if constants else tree


class Place(NamedTuple):
    """The prediction and the target of one output and sample, the target's number, and the weight of the sample."""

    yhat: Expression
    y: Expression
    target: float
    weight: Expression | None

    def counted(self, term: Expression) -> Expression:
        """The weight times a term of this place; the term alone where samples have no weights."""
        return term if self.weight is None else Times((self.weight, term))


def _places(paper: Paper) -> list[Place]:
    y, l = paper.quantities["y"], paper.network.depth
    return [
        Place(
            entry_of(paper, "yhat", l, i, k),
            entry_of(paper, "y", l, i, k),
            float(y[i, k]),
            Symbol("omega", sample=i if paper.samples > 1 else None) if paper.has_weights else None,
        )
        for i, k in np.ndindex(*y.shape)
    ]


def _loss_in_terms(paper: Paper, loss: Loss) -> Expression:
    """The loss term by term where there are few, else by matrices."""
    form, threshold = LOSS_FORMS[loss.name], Symbol("threshold")
    constants = _constants(paper, loss)
    if paper.quantities["y"].size > MOST_TERMS:
        whole = form.term(paper.symbol("yhat"), paper.symbol("y"), threshold)
        return scaled(constants, SumOver(paper.counted(whole), None))
    places, nothing = _places(paper), loss.rule.vanishes_at
    if nothing is not None and any(place.target != nothing for place in places):
        places = [place for place in places if place.target != nothing]  # 0 ln p is 0
        left = _left(loss, places)
        if left:
            return scaled(constants, added(left))
    term = form.branches or form.term
    terms = [place.counted(scalar_products(term(place.yhat, place.y, threshold))) for place in places]
    return scaled(constants, added(terms))


def _left(loss: Loss, places: list[Place]) -> list[Expression]:
    """What is left of each term, as -ln(yhat) where the target is 1; none unless all have become shorter."""
    left_at = LOSS_FORMS[loss.name].left_at
    if not all(place.target in left_at for place in places):
        return []
    return [place.counted(left_at[place.target](place.yhat)) for place in places]


def _without_zeros(paper: Paper, loss: Loss) -> tuple[Line, ...]:
    """Targets that leave one part of a term, as binary cross-entropy of 0 and 1: -ln(yhat) or -ln(1 - yhat)."""
    if loss.rule.vanishes_at is not None or paper.quantities["y"].size > MOST_TERMS:
        return ()  # said at once, or not at all
    left = _left(loss, _places(paper))
    if not left:
        return ()
    shorter = substitute(scaled(_constants(paper, loss), added(left)), paper.bindings)
    return (lambda tree: shorter,)


def loss_of_z(paper: Paper, loss: Loss, closed: ClosedForm) -> Expression:
    """The loss from the weighted sums, which training computes."""
    tree = closed.term(paper.symbol(f"z{paper.network.depth}"), Symbol("y"), paper.unit_axis)
    if paper.quantities["y"].size == 1:
        return scaled(_constants(paper, loss), paper.counted(scalar_products(tree)))
    return scaled(_constants(paper, loss), SumOver(paper.counted(tree), None, index="ik"))


def loss_terms(paper: Paper, loss: Loss) -> Expression:
    """The loss of each output and sample, scaled: from z where training computes it so."""
    closed = LOSS_FORMS[loss.name].closed.get(paper.network.layers[-1].function.name)
    given = {"yhat", f"a{paper.network.depth}"} & paper.trace.given
    if closed is None or given or paper.trace.rounding.carry or not paper.has(f"z{paper.network.depth}"):
        tree = LOSS_FORMS[loss.name].term(paper.symbol("yhat"), paper.symbol("y"), Symbol("threshold"))
    else:
        tree = closed.term(paper.symbol(f"z{paper.network.depth}"), paper.symbol("y"), paper.unit_axis)
    return tree if loss.scale == 1 else Times((scale_tree(loss.scale), tree))


def of_terms(paper: Paper, loss: Loss) -> Expression:
    """The loss from the terms of all outputs and samples."""
    constants = _constants(paper, loss)[0 if loss.scale == 1 else 1 :]
    return scaled(constants, SumOver(paper.counted(Symbol("loss_terms")), None, index="ik"))


# --- the penalty ----------------------------------------------------------------------------------------


def _penalties(paper: Paper) -> bool:
    return "penalty" in paper.quantities and paper.regularized


def _penalty(paper: Paper) -> WorkedStep:
    regularization = paper.regularization
    terms: list[Expression] = []
    for field, order in (("l2", 2), ("l1", 1)):
        if getattr(regularization, field):
            norms = [Norm(paper.symbol(f"W{l}"), order) for l, _ in paper.network.numbered()]
            terms.append(_weighted_norms(Symbol(PENALTY_LETTERS[field]), norms, order, regularization.form))
    return WorkedStep(
        quantity="penalty",
        part="loss",
        layer=None,
        equation=paper.equation(Symbol("penalty"), added(terms)),
        reason=words("penalty"),
    )


def _weighted_norms(strength: Expression, norms: list[Norm], order: int, form: str) -> Expression:
    total = added([Power(norm, exact(2)) if order == 2 else norm for norm in norms])
    if order == 1 or form == "full":
        return Times((strength, total))
    below = exact(2) if form == "half" else Times((exact(2), Symbol("m")))
    return Times((Divide(strength, below), total))


def _total(paper: Paper) -> WorkedStep:
    return WorkedStep(
        quantity="loss",
        part="loss",
        layer=None,
        equation=paper.equation(Symbol("loss"), Sum((Symbol("data_loss"), Symbol("penalty")))),
        reason=words("loss_total"),
    )
