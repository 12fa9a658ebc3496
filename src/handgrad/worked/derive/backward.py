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
    with_constants,
)
from handgrad.worked.derive.forward import given_step
from handgrad.worked.derive.scalars import bias_scalars, delta_scalars, error_scalars, weight_scalars
from handgrad.worked.expressions import (
    Apply,
    BigSum,
    Divide,
    Expression,
    Hadamard,
    Sum,
    SumOver,
    Symbol,
    Times,
)
from handgrad.worked.forms.losses import LOSS_FORMS, scale_tree
from handgrad.worked.paper import ONE, Paper, difference, exact, node
from handgrad.worked.record import Equation, Words, WorkedStep, words

MOST_OUTER = 4  # up to so many samples, dW is also written as a sum of one outer product each


def backward_steps(paper: Paper) -> Iterator[WorkedStep]:
    """dyhat, then for each layer from the last: derivative, delta, dW, db, and da of the layer before."""
    depth = paper.network.depth
    if not paper.has(f"delta{depth}") and (first := dyhat_step(paper)) is not None:
        yield first  # of outputs given by hand, without what led to them
    for l in range(depth, 0, -1):
        layer = paper.network.layers[l - 1]
        if paper.has(f"delta{l}") and paper.wanted(l):
            if l == depth:
                yield from _output_delta(paper, layer)
            else:
                yield from _hidden_delta(paper, l, layer)
        if paper.has(f"dW{l}") and paper.wanted(l):
            yield from _weights(paper, l)
        if paper.has(f"db{l}") and paper.wanted(l):
            yield given_step(paper, f"db{l}", "backward", l) or _bias(paper, l, layer)


# --- delta ----------------------------------------------------------------------------------------------


def _output_delta(paper: Paper, layer: Dense) -> Iterator[WorkedStep]:
    l, loss = paper.network.depth, paper.network.loss
    dyhat = dyhat_step(paper)
    if dyhat is not None:
        yield dyhat
    fused = loss is not None and loss.fused(layer.function.name) and "dyhat" not in paper.trace.given
    if layer.function.elementwise and not (fused and dyhat is None):
        yield derivative_step(paper, l, layer)
    given = given_step(paper, f"delta{l}", "backward", l)
    if given is not None:
        yield given
        return
    chain = _through(paper, "dyhat", l, layer) if dyhat is not None else None
    if fused:
        assert loss is not None
        target, equation = paper.symbol(f"delta{l}"), _fused(paper, loss, layer)
        scalar, left_out = error_scalars(paper, l, layer)
        yield WorkedStep(
            quantity=f"delta{l}",
            part="backward",
            layer=l,
            equation=Equation(target, *equation, paper.value(f"delta{l}")),
            shapes=paper.shapes("yhat", "y", f"delta{l}"),
            reason=words(
                "delta_output_fused" if chain is not None else "delta_output_saturated",
                layer=l,
                function=layer.function.name,
                loss=loss.name,
            ),
            scalar=scalar,
            left_out=left_out,
            check=None if chain is None else Equation(target, *chain, paper.value(f"delta{l}")),
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


def _fused(paper: Paper, loss: Loss, layer: Dense) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    """`yhat - y` and its kin: symbols and numbers."""
    constants: tuple[Expression, ...] = () if loss.scale == 1 else (scale_tree(loss.scale),)
    if loss.outputs == "mean" and paper.network.outputs > 1:
        constants = (*constants, Divide(ONE, exact(paper.network.outputs)))
    closed = LOSS_FORMS[loss.name].closed[layer.function.name]
    classes = np.allclose(paper.quantities["y"].sum(axis=1), 1, atol=1e-12)

    def tree(yhat: Expression, y: Expression) -> Expression:
        if classes and closed.delta_of_classes is not None:
            return closed.delta_of_classes(yhat, y)
        return entry_products(paper, paper.network.depth, closed.delta(yhat, y, paper.unit_axis))

    symbols = with_constants(constants, tree(Symbol("yhat"), Symbol("y")))
    return (symbols,), (with_constants(constants, tree(paper.value("yhat"), paper.value("y"))),)


def _through(
    paper: Paper, upstream: str, l: int, layer: Dense
) -> tuple[tuple[Expression, ...], tuple[Expression, ...]]:
    """dloss/dz[l] from dloss/d(output of layer l), symbols and numbers: the chain rule through f_l."""
    if layer.function.elementwise:
        derivative = f"derivative{l}"
        return (
            (paper.entrywise(l, paper.symbol(upstream), paper.symbol(derivative)),),
            (paper.entrywise(l, paper.value(upstream), paper.value(derivative)),),
        )
    output = f"f{l}" if paper.has(f"f{l}") else paper.activity(l)

    def tree(da: Expression, a: Expression) -> Expression:
        return Hadamard((a, difference(da, SumOver(Hadamard((da, a)), paper.unit_axis, index="k"))))

    return (
        (tree(paper.symbol(upstream), paper.symbol(output)),),
        (tree(paper.value(upstream), paper.value(output)),),
    )


def _delta_step(
    paper: Paper,
    l: int,
    layer: Dense,
    chain: tuple[tuple[Expression, ...], tuple[Expression, ...]],
    reason: Words,
    upstream: str,
) -> WorkedStep:
    scalar, left_out = delta_scalars(paper, l, layer, upstream)
    of_layer = f"derivative{l}" if layer.function.elementwise else paper.activity(l)
    return WorkedStep(
        quantity=f"delta{l}",
        part="backward",
        layer=l,
        equation=Equation(paper.symbol(f"delta{l}"), *chain, paper.value(f"delta{l}")),
        shapes=paper.shapes(upstream, of_layer, f"delta{l}"),
        reason=reason,
        scalar=scalar,
        left_out=left_out,
    )


def _hidden_delta(paper: Paper, l: int, layer: Dense) -> Iterator[WorkedStep]:
    W, above = f"W{l + 1}", f"delta{l + 1}"
    upstream = f"da{l}"
    if paper.has(upstream) and paper.has(above):
        yield given_step(paper, upstream, "backward", l) or WorkedStep(
            quantity=upstream,
            part="backward",
            layer=l,
            equation=Equation(
                paper.symbol(upstream),
                (paper.back(paper.symbol(W), paper.symbol(above)),),
                (paper.back(paper.value(W), paper.value(above)),),
                paper.value(upstream),
            ),
            shapes=paper.shapes(*((W, above) if paper.column else (above, W)), upstream),
            reason=words("da" if paper.column else "da_row", layer=l),
        )
    if paper.has(f"df{l}"):
        yield _through_dropout(paper, l, layer)
        upstream = f"df{l}"
    if layer.function.elementwise:
        yield derivative_step(paper, l, layer)
    yield given_step(paper, f"delta{l}", "backward", l) or _delta_step(
        paper,
        l,
        layer,
        _through(paper, upstream, l, layer),
        words("delta_hidden", layer=l, function=layer.function.name),
        upstream,
    )


def _through_dropout(paper: Paper, l: int, layer: Dense) -> WorkedStep:
    assert layer.dropout is not None
    name, mask, da = f"df{l}", f"mask{l}", f"da{l}"
    return WorkedStep(
        quantity=name,
        part="backward",
        layer=l,
        equation=Equation(
            paper.symbol(name),
            (Divide(Hadamard((paper.symbol(mask), paper.symbol(da))), Symbol("keep")),),
            (Divide(Hadamard((paper.value(mask), paper.value(da))), exact(layer.dropout.keep)),),
            paper.value(name),
        ),
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
        equation=Equation(
            paper.symbol(name),
            (Sum((paper.symbol(f"{name}_data"), paper.symbol(f"{name}_penalty"))),),
            (Sum((paper.value(f"{name}_data"), paper.value(f"{name}_penalty"))),),
            paper.value(name),
        ),
        shapes=paper.shapes(name),
        reason=words("dW_total"),
    )


def _weight_gradient(paper: Paper, l: int, name: str) -> WorkedStep:
    delta, a = f"delta{l}", paper.activity(l - 1)
    symbols = paper.averaged_symbol(paper.product(paper.symbol(delta), paper.symbol(a)))
    deltas, inputs = paper.quantities[delta], paper.quantities[a]
    outers = (
        tuple(paper.outer(d, x) for d, x in zip(deltas, inputs, strict=True))
        if paper.samples <= MOST_OUTER
        else ()
    )
    numbers: tuple[Expression, ...]
    if paper.samples == 1:
        numbers = outers
        reason = words("dW", layer=l)
    else:
        numbers = (paper.averaged(paper.product(paper.value(delta), paper.value(a))),)
        if outers:
            numbers += (paper.averaged(Sum(outers)),)
        reason = words("dW_batch", layer=l, samples=paper.samples)
    scalar, left_out = weight_scalars(paper, l, name)
    return WorkedStep(
        quantity=name,
        part="backward",
        layer=l,
        equation=Equation(paper.symbol(name), (symbols,), numbers, paper.value(name)),
        shapes=paper.shapes(delta, a, name),
        reason=reason,
        scalar=scalar,
        left_out=left_out,
        factors=factors(paper, l, name, bias=False),
    )


def _penalty_gradient(paper: Paper, l: int) -> WorkedStep:
    regularization, name = paper.regularization, f"dW{l}_penalty"
    symbols: list[Expression] = []
    numbers: list[Expression] = []
    W, value = paper.symbol(f"W{l}"), paper.value(f"W{l}")
    if regularization.l2:
        symbols.append(_l2_gradient(Symbol("lambda"), regularization.form, Symbol("m"), W))
        numbers.append(
            _l2_gradient(exact(regularization.l2), regularization.form, exact(paper.samples), value)
        )
    if regularization.l1:
        symbols.append(Times((Symbol("lambda1"), Apply("sign", (W,)))))
        numbers.append(Times((exact(regularization.l1), Apply("sign", (value,))), sign=True))
    return WorkedStep(
        quantity=name,
        part="backward",
        layer=l,
        equation=Equation(
            paper.symbol(name),
            (symbols[0] if len(symbols) == 1 else Sum(tuple(symbols)),),
            (numbers[0] if len(numbers) == 1 else Sum(tuple(numbers)),),
            paper.value(name),
        ),
        shapes=paper.shapes(f"W{l}", name),
        reason=words("dW_penalty", layer=l),
    )


def _l2_gradient(strength: Expression, form: str, samples: Expression, W: Expression) -> Expression:
    if form == "full":
        return Times((exact(2), strength, W))
    return Times((Divide(strength, samples) if form == "half_mean" else strength, W))


def _bias(paper: Paper, l: int, layer: Dense) -> WorkedStep:
    name, delta = f"db{l}", f"delta{l}"
    shared = layer.bias == "shared" and layer.units > 1
    numbers = paper.averaged(_added_up(paper, l, shared=shared))
    result = paper.value(name)
    if shared:
        result = node(np.atleast_2d(paper.quantities[name])[:1, :1])
    reason = {"shared": "db_shared", "frozen": "db_frozen"}.get(layer.bias, "db")
    if reason == "db" and paper.samples > 1:
        reason = "db_batch"
    scalar, left_out = bias_scalars(paper, l)
    return WorkedStep(
        quantity=name,
        part="backward",
        layer=l,
        equation=Equation(
            paper.symbol(name),
            (paper.averaged_symbol(_letters_added_up(paper, l, shared=shared)),),
            (numbers,),
            result,
        ),
        shapes=() if shared else paper.shapes(delta, name),
        reason=words(reason, layer=l),
        scalar=() if shared else scalar,
        left_out=0 if shared else left_out,
        factors=factors(paper, l, name, bias=True) if layer.bias == "trained" else (),
    )


def _letters_added_up(paper: Paper, l: int, *, shared: bool) -> Expression:
    """delta of one sample; the sum over samples i of several, and over units j where they share a bias."""
    several = paper.samples > 1
    tree: Expression = Symbol("delta", l, ("j",) if shared else (), "i" if several else None)
    if shared:
        tree = BigSum("j", ONE, Symbol("n", l), tree)
    return BigSum("i", ONE, Symbol("m"), tree) if several else tree


def _added_up(paper: Paper, l: int, *, shared: bool) -> Expression:
    """The numbers of delta added up over the samples: one by one where they are few."""
    delta = paper.array(f"delta{l}")
    if shared:
        return SumOver(node(delta), None, index="ij" if paper.samples > 1 else "j")
    if paper.samples == 1:
        return node(delta)
    if paper.samples > MOST_OUTER:
        return SumOver(node(delta), paper.sum_axis, index="i")
    return Sum(tuple(node(sample) for sample in np.split(delta, paper.samples, axis=paper.sum_axis)))
