"""The backward pass, worked out: from the loss back to every weight, factor by factor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense
from handgrad.worked.derive.chain_rule import factors
from handgrad.worked.derive.derivatives import (
    derivative_step,
    dyhat_step,
    entry_products,
    output_of,
    with_constants,
)
from handgrad.worked.derive.forward import dropped, given_step
from handgrad.worked.derive.scalars import (
    back_scalars,
    bias_scalars,
    delta_scalars,
    error_scalars,
    weight_scalars,
)
from handgrad.worked.derive.softmax import jacobian
from handgrad.worked.expressions import (
    BigSum,
    Divide,
    Expression,
    Hadamard,
    Matrix,
    Sum,
    SumOver,
    Symbol,
)
from handgrad.worked.forms.equations import penalty_gradient
from handgrad.worked.forms.losses import LOSS_FORMS, scale_tree
from handgrad.worked.paper import ONE, Paper, difference
from handgrad.worked.record import Words, WorkedStep, words
from handgrad.worked.substitute import Line, as_outer, marked, node, same, sample_by_sample

MOST_OUTER = 4  # up to so many samples, dW is also written as a sum of one outer product each


def backward_steps(paper: Paper) -> Iterator[WorkedStep]:
    """dyhat, then for each layer from the last: derivative, delta, dW, db, and da of the layer before."""
    depth = paper.network.depth
    if not paper.has(f"delta{depth}") and (first := dyhat_step(paper)) is not None:
        yield first  # of outputs given by hand, without what led to them
    for l in range(depth, 0, -1):
        layer = paper.network.layers[l - 1]
        if paper.has(f"delta{l}"):
            if l == depth:
                yield from _output_delta(paper, layer)
            else:
                yield from _hidden_delta(paper, l, layer)
        if paper.has(f"dW{l}"):
            yield from _weights(paper, l)
        if paper.has(f"db{l}"):
            yield given_step(paper, f"db{l}", "backward", l) or _bias(paper, l, layer)


# --- delta ----------------------------------------------------------------------------------------------


def _output_delta(paper: Paper, layer: Dense) -> Iterator[WorkedStep]:
    l, loss = paper.network.depth, paper.network.loss
    dyhat = dyhat_step(paper)
    if dyhat is not None:
        yield dyhat
    fused = loss is not None and loss.fused(layer.function.name) and "dyhat" not in paper.trace.given
    if _bends(layer) and not (fused and dyhat is None):
        yield derivative_step(paper, l, layer)
    given = given_step(paper, f"delta{l}", "backward", l)
    if given is not None:
        yield given
        return
    chain = through(paper, "dyhat", l, layer) if dyhat is not None else None
    if fused:
        assert loss is not None
        target = paper.symbol(f"delta{l}")
        scalar, left_out = error_scalars(paper, l, layer)
        yield WorkedStep(
            quantity=f"delta{l}",
            part="backward",
            layer=l,
            equation=paper.equation(target, _closed(paper, loss, layer)),
            shapes=paper.shapes("yhat", "y", "omega", f"delta{l}"),
            reason=words(
                "delta_output_fused" if chain is not None else "delta_output_saturated",
                layer=l,
                function=layer.function.name,
                loss=loss.name,
            ),
            scalar=scalar,
            left_out=left_out,
            check=None if chain is None else paper.equation(target, chain),
            route=() if chain is None or layer.function.elementwise else jacobian(paper, l, "dyhat"),
            rule=_closed(paper, loss, layer, any_targets=True),
            remark=words("weighted_delta") if paper.has_weights else None,
        )
    elif chain is not None:
        yield _delta_step(
            paper,
            l,
            layer,
            chain,
            words("delta_output_chain", layer=l, function=layer.function.name),
            "dyhat",
        )


def _bends(layer: Dense) -> bool:
    """True where the layer has a derivative to show: not softmax, whose derivatives mix the units, and not identity."""
    return layer.function.elementwise and layer.function.name != "identity"


def _closed(paper: Paper, loss: Loss, layer: Dense, *, any_targets: bool = False) -> Expression:
    """`yhat - y` and its kin, in the form for these targets or for any."""
    constants: tuple[Expression, ...] = () if loss.scale == 1 else (scale_tree(loss.scale),)
    if loss.outputs == "mean" and paper.network.outputs > 1:
        constants = (*constants, Divide(ONE, Symbol("n")))
    closed, yhat, y = LOSS_FORMS[loss.name].closed[layer.function.name], Symbol("yhat"), Symbol("y")
    # of targets that add up to a little less, 0.333 + 0.333 + 0.333, the longer form alone is right
    classes = np.all(paper.quantities["y"].sum(axis=1) == 1) and not any_targets
    if classes and closed.delta_of_classes is not None:
        return with_constants(constants, paper.counted(closed.delta_of_classes(yhat, y)))
    delta = closed.delta(yhat, y, paper.unit_axis)
    return with_constants(constants, paper.counted(entry_products(paper, paper.network.depth, delta)))


def through(paper: Paper, upstream: str, l: int, layer: Dense) -> Expression:
    """dloss/dz[l] from dloss/d(output of layer l): the chain rule through f_l."""
    da = paper.symbol(upstream)
    if layer.function.name == "identity":
        return da
    if layer.function.elementwise:
        return paper.entrywise(l, da, paper.symbol(f"derivative{l}"))
    a = paper.symbol(output_of(paper, l))
    return Hadamard((a, difference(da, SumOver(Hadamard((da, a)), paper.unit_axis, index="k"))))


def _delta_step(
    paper: Paper, l: int, layer: Dense, chain: Expression, reason: Words, upstream: str
) -> WorkedStep:
    scalar, left_out = delta_scalars(paper, l, layer, upstream)
    of_layer = f"derivative{l}" if layer.function.elementwise else paper.activity(l)
    return WorkedStep(
        quantity=f"delta{l}",
        part="backward",
        layer=l,
        equation=paper.equation(paper.symbol(f"delta{l}"), chain),
        shapes=paper.shapes(
            upstream, *(() if layer.function.name == "identity" else (of_layer,)), f"delta{l}"
        ),
        reason=reason,
        scalar=scalar,
        left_out=left_out,
        route=() if layer.function.elementwise else jacobian(paper, l, upstream),
    )


def _hidden_delta(paper: Paper, l: int, layer: Dense) -> Iterator[WorkedStep]:
    W, above = f"W{l + 1}", f"delta{l + 1}"
    upstream = f"da{l}"
    if paper.has(upstream) and paper.has(above):
        scalar, left_out = back_scalars(paper, l)
        yield given_step(paper, upstream, "backward", l) or WorkedStep(
            quantity=upstream,
            part="backward",
            layer=l,
            equation=paper.equation(paper.symbol(upstream), paper.back(paper.symbol(W), paper.symbol(above))),
            shapes=paper.shapes(*((W, above) if paper.column else (above, W)), upstream),
            reason=words("da" if paper.column else "da_row", layer=l),
            scalar=scalar,
            left_out=left_out,
        )
    if paper.has(f"df{l}"):
        yield _through_dropout(paper, l, layer)
        upstream = f"df{l}"
    if _bends(layer):
        yield derivative_step(paper, l, layer)
    yield given_step(paper, f"delta{l}", "backward", l) or _delta_step(
        paper,
        l,
        layer,
        through(paper, upstream, l, layer),
        words("delta_hidden", layer=l, function=layer.function.name),
        upstream,
    )


def _through_dropout(paper: Paper, l: int, layer: Dense) -> WorkedStep:
    name, mask, da = f"df{l}", f"mask{l}", f"da{l}"
    return WorkedStep(
        quantity=name,
        part="backward",
        layer=l,
        equation=paper.equation(paper.symbol(name), dropped(paper, l, da)),
        shapes=paper.shapes(mask, da, name),
        reason=words("df", layer=l),
    )


# --- the gradients of the parameters --------------------------------------------------------------------


def _weights(paper: Paper, l: int) -> Iterator[WorkedStep]:
    name = f"dW{l}"
    given = given_step(paper, name, "backward", l)
    if given is not None:
        yield given
        return
    if not paper.has(f"{name}_data"):
        yield _weight_gradient(paper, l, name)
        return
    yield _weight_gradient(paper, l, f"{name}_data")
    yield _penalty_gradient(paper, l)
    yield WorkedStep(
        quantity=name,
        part="backward",
        layer=l,
        equation=paper.equation(
            paper.symbol(name), Sum((paper.symbol(f"{name}_data"), paper.symbol(f"{name}_penalty")))
        ),
        shapes=paper.shapes(name),
        reason=words("dW_total"),
    )


def _weight_gradient(paper: Paper, l: int, name: str) -> WorkedStep:
    delta, a = f"delta{l}", paper.activity(l - 1)
    lines: tuple[Line, ...] = (as_outer,)
    if paper.samples > 1:
        lines = (same, sample_by_sample) if paper.samples <= MOST_OUTER else (same,)
    scalar, left_out = weight_scalars(paper, l, name)
    return WorkedStep(
        quantity=name,
        part="backward",
        layer=l,
        equation=paper.equation(
            paper.symbol(name),
            paper.averaged(paper.product(paper.symbol(delta), paper.symbol(a))),
            lines=lines,
        ),
        shapes=paper.shapes(delta, a, name),
        reason=words("dW", layer=l)
        if paper.samples == 1
        else words("dW_batch", layer=l, samples=paper.samples),
        scalar=scalar,
        left_out=left_out,
        factors=factors(paper, l, name, bias=False),
    )


def _penalty_gradient(paper: Paper, l: int) -> WorkedStep:
    name = f"dW{l}_penalty"
    letters = penalty_gradient(paper.regularization, paper.symbol(f"W{l}"))
    assert letters is not None
    return WorkedStep(
        quantity=name,
        part="backward",
        layer=l,
        equation=paper.equation(paper.symbol(name), letters),
        shapes=paper.shapes(f"W{l}", name),
        reason=words("dW_penalty", layer=l),
    )


def _bias(paper: Paper, l: int, layer: Dense) -> WorkedStep:
    name, delta = f"db{l}", f"delta{l}"
    shared = layer.bias == "shared" and layer.units > 1
    target = paper.symbol(name)
    reason = {"shared": "db_shared", "frozen": "db_frozen"}.get(layer.bias, "db")
    if reason == "db" and paper.samples > 1:
        reason = "db_batch"
    scalar, left_out = bias_scalars(paper, l)
    whole = _added_at_once(paper, l, shared=shared)
    return WorkedStep(
        quantity=name,
        part="backward",
        layer=l,
        equation=paper.equation(
            target,
            paper.averaged(_added_up(paper, l, shared=shared)),
            numbers=None if whole is None else paper.averaged(whole),
            result=_of_all_units(paper.value(name)) if shared else None,
        ),
        shapes=() if shared else paper.shapes(delta, name),
        reason=words(reason, layer=l),
        scalar=() if shared else scalar,
        left_out=0 if shared else left_out,
        factors=factors(paper, l, name, bias=True) if layer.bias == "trained" else (),
    )


def _of_all_units(value: Expression) -> Expression:
    """The one number that units share; dust is dust."""
    if not isinstance(value, Matrix):
        return value
    return marked(node(value.values[:1, :1]), None if value.dust is None else value.dust[:1, :1])


def _added_up(paper: Paper, l: int, *, shared: bool) -> Expression:
    """delta of one sample; the sum over samples i of several, and over units j where they share a bias."""
    several = paper.samples > 1
    tree: Expression = Symbol("delta", l, ("j",) if shared else (), "i" if several else None)
    if shared:
        tree = BigSum("j", ONE, paper.letter("n", l), tree)
    return BigSum("i", ONE, Symbol("m"), tree) if several else tree


def _added_at_once(paper: Paper, l: int, *, shared: bool) -> Expression | None:
    """The same as the sum of a matrix, where the terms are not written one by one."""
    if shared:
        return SumOver(Symbol("delta", l), None, index="ij" if paper.samples > 1 else "j")
    return SumOver(Symbol("delta", l), paper.sum_axis, index="i") if paper.samples > MOST_OUTER else None
