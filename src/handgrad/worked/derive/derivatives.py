"""The derivatives that the chain rule multiplies: of the loss by the outputs, of each activation by z."""

from __future__ import annotations

import numpy as np

from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense
from handgrad.worked.derive.forward import given_step
from handgrad.worked.derive.scalars import derivative_scalars
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import Apply, Divide, Expression, Hadamard, Symbol, Times
from handgrad.worked.forms.activations import ACTIVATION_FORMS
from handgrad.worked.forms.losses import LOSS_FORMS, scale_tree
from handgrad.worked.paper import ONE, Paper
from handgrad.worked.record import Equation, WorkedStep, words

# --- the first factor: dloss/dyhat ----------------------------------------------------------------------


def dyhat_constants(paper: Paper, loss: Loss) -> tuple[Expression, ...]:
    """The numbers before the derivative of a term: 2, the scale, 1/n."""
    constant = loss.scale * LOSS_FORMS[loss.name].factor
    parts: list[Expression] = [] if constant == 1 else [scale_tree(constant)]
    if loss.outputs == "mean" and paper.network.outputs > 1:
        parts.append(Divide(ONE, Symbol("n")))
    return tuple(parts)


def with_constants(constants: tuple[Expression, ...], tree: Expression) -> Expression:
    """constants times tree; the tree alone where there are none."""
    return Times((*constants, tree)) if constants else tree


def entry_products(paper: Paper, l: int, tree: Expression) -> Expression:
    """The tree of quantities of layer l with its products entry by entry as the layer's size asks for."""
    return map_tree(
        tree, lambda part: paper.entrywise(l, *part.factors) if isinstance(part, Hadamard) else part
    )


def saturated(paper: Paper) -> bool:
    """True where an output is 0 or 1, so that the formula of a cross-entropy divides by zero."""
    loss, yhat = paper.network.loss, paper.quantities["yhat"]
    if loss is None or "dyhat" in paper.trace.given:
        return False
    return bool(np.isin(yhat, loss.rule.infinite_at).any())


def dyhat(paper: Paper, loss: Loss) -> Expression:
    """dloss/dyhat by its formula."""
    tree = LOSS_FORMS[loss.name].derivative(paper.symbol("yhat"), paper.symbol("y"), Symbol("threshold"))
    slope = paper.counted(entry_products(paper, paper.network.depth, tree))
    return with_constants(dyhat_constants(paper, loss), slope)


def dyhat_step(paper: Paper) -> WorkedStep | None:
    """dloss/dyhat; None where it is infinite or its formula is 0/0 (a saturated output) or not needed."""
    loss = paper.network.loss
    if not paper.has("dyhat") or not np.all(np.isfinite(paper.quantities["dyhat"])) or saturated(paper):
        return None
    given = given_step(paper, "dyhat", "backward", paper.network.depth)
    if given is not None or loss is None:
        return given
    return WorkedStep(
        quantity="dyhat",
        part="backward",
        layer=paper.network.depth,
        equation=_dyhat_equation(paper, loss),
        shapes=paper.shapes("yhat", "y", "omega", "dyhat"),
        reason=words("dyhat", name=loss.name),
        remark=words("weighted_dyhat") if paper.has_weights else None,
    )


def _dyhat_equation(paper: Paper, loss: Loss) -> Equation:
    """dloss/dyhat; term by term before it is merged, where the reader asked for that."""
    merged, terms = dyhat(paper, loss), LOSS_FORMS[loss.name].terms
    if terms is None or "two_terms" not in paper.options.textbook:
        return paper.equation(paper.symbol("dyhat"), merged)
    apart = terms(paper.symbol("yhat"), paper.symbol("y"), Symbol("threshold"))
    apart = with_constants(dyhat_constants(paper, loss), paper.counted(apart))
    return paper.equation(paper.symbol("dyhat"), apart, merged, numbers=apart)


# --- the activation's derivative ------------------------------------------------------------------------


def derivative(paper: Paper, l: int) -> Expression:
    """f'(z) of layer l, through the output where the textbook writes it so."""
    function = paper.network.layers[l - 1].function
    through_output = ACTIVATION_FORMS[function.name].through_output
    if through_output is not None:
        return entry_products(paper, l, through_output(paper.symbol(output_of(paper, l))))
    parameters = () if function.alpha is None else (paper.letter("alpha", l),)
    return Apply(function.name + "'", (paper.symbol(f"z{l}"),), parameters, paper.unit_axis)


def output_of(paper: Paper, l: int) -> str:
    """f(z) of layer l by its public name: what the layer gives, before dropout."""
    return f"f{l}" if paper.has(f"f{l}") else paper.activity(l)


def derivative_step(paper: Paper, l: int, layer: Dense) -> WorkedStep:
    """f'(z) of layer l, worked out."""
    name = f"derivative{l}"
    from_output = ACTIVATION_FORMS[layer.function.name].through_output is not None
    scalar, left_out = derivative_scalars(paper, l, layer)
    return WorkedStep(
        quantity=name,
        part="backward",
        layer=l,
        equation=paper.equation(paper.symbol(name), derivative(paper, l)),
        scalar=scalar,
        left_out=left_out,
        shapes=paper.shapes(output_of(paper, l) if from_output else f"z{l}", name),
        reason=words("derivative", layer=l, function=layer.function.name),
    )
