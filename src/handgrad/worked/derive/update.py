"""Clipping and the optimizer's step, worked out: from the gradient to the new parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np

from handgrad.worked.derive.forward import given_step
from handgrad.worked.evaluate import evaluate, map_tree
from handgrad.worked.expressions import (
    Apply,
    Divide,
    Expression,
    Hadamard,
    Matrix,
    Negative,
    Norm,
    Number,
    Power,
    Root,
    Sum,
    Symbol,
    Times,
)
from handgrad.worked.forms.optimizers import OPTIMIZER_FORMS, Terms
from handgrad.worked.paper import Paper, exact, node
from handgrad.worked.record import Equation, WorkedStep, words


def update_steps(paper: Paper) -> Iterator[WorkedStep]:
    """Clipping where there is one, then each parameter's state and new value."""
    if not paper.trace.updated or paper.recipe is None:
        return
    if paper.recipe.clipping:
        yield from _clipping(paper)
    for l, layer in paper.network.numbered():
        if not paper.wanted(l):
            continue
        yield from _parameter(paper, f"W{l}", l)
        if layer.bias in ("trained", "shared"):
            yield from _parameter(paper, f"b{l}", l)
        elif layer.bias == "frozen":
            yield WorkedStep(
                quantity=f"b{l}_new",
                part="update",
                layer=l,
                equation=Equation(
                    paper.symbol(f"b{l}_new"), (paper.symbol(f"b{l}"),), (), paper.value(f"b{l}_new")
                ),
                reason=words("frozen", layer=l),
            )


# --- clipping -------------------------------------------------------------------------------------------


def _clipping(paper: Paper) -> Iterator[WorkedStep]:
    assert paper.recipe is not None
    value, norm = paper.recipe.clipping.value, paper.recipe.clipping.norm
    names = _gradient_names(paper)

    def limited(name: str, show: Callable[[str], Expression], limit: Expression) -> Expression:
        return show(name) if value is None else Apply("clip", (show(name),), (limit,))

    if norm is not None:
        trained = [name for name in names if not _is_untrained_bias(paper, name)]
        yield WorkedStep(
            quantity="gradient_norm",
            part="update",
            layer=None,
            equation=Equation(
                Symbol("gradient_norm"),
                (_norm([limited(name, paper.symbol, Symbol("limit")) for name in trained]),),
                (_norm([limited(name, paper.value, exact(value or 0)) for name in trained]),)
                if not _has_shared(paper)
                else (),
                paper.value("gradient_norm"),
            ),
            reason=words("gradient_norm"),
        )
    for name in names:
        symbols = limited(name, paper.symbol, Symbol("limit"))
        numbers = limited(name, paper.value, exact(value or 0))
        reason = "clip_value"
        if norm is not None:
            reason = "clip_norm"
            length = float(np.asarray(paper.quantities["gradient_norm"]))
            if length > norm:
                symbols = Times((Divide(Symbol("limit"), Symbol("gradient_norm")), symbols))
                numbers = Times((Divide(exact(norm), Number(length)), numbers))
        yield WorkedStep(
            quantity=f"{name}_clipped",
            part="update",
            layer=None,
            equation=Equation(
                paper.symbol(f"{name}_clipped"), (symbols,), (numbers,), paper.value(f"{name}_clipped")
            ),
            reason=words(reason),
        )


def _gradient_names(paper: Paper) -> list[str]:
    depth = range(1, paper.network.depth + 1)
    return [name for l in depth for name in (f"dW{l}", f"db{l}") if paper.has(name)]


def _is_untrained_bias(paper: Paper, name: str) -> bool:
    return name.startswith("db") and paper.network.layers[int(name[2:]) - 1].bias in ("frozen", "none")


def _has_shared(paper: Paper) -> bool:
    return any(layer.bias == "shared" and layer.units > 1 for layer in paper.network.layers)


def _norm(parts: list[Expression]) -> Expression:
    return Root(Sum(tuple(Power(Norm(part), exact(2)) for part in parts)))


# --- the optimizer's step --------------------------------------------------------------------------------


def _parameter(paper: Paper, name: str, l: int) -> Iterator[WorkedStep]:
    assert paper.recipe is not None
    optimizer = paper.recipe.optimizer
    rule = OPTIMIZER_FORMS[optimizer.name].rule
    letters = rule(optimizer, _letters(paper, name, l))
    numbers = rule(optimizer, _numbers(paper, name, l))
    for (state, reason, symbol), (_, _, number) in zip(letters, numbers, strict=True):
        quantity = f"{name}_{state}"
        given = given_step(paper, quantity, "update", l)
        if given is not None:
            yield given
            continue
        scalar, left_out = _entries(paper, quantity, name, l, symbol, number)
        yield WorkedStep(
            quantity=quantity,
            part="update",
            layer=l,
            equation=Equation(paper.symbol(quantity), (symbol,), _worked_out(number), paper.value(quantity)),
            shapes=paper.shapes(name, quantity) if state == "new" else (),
            reason=words(reason, quantity=paper.symbol(name)),
            scalar=scalar,
            left_out=left_out,
        )


def _worked_out(number: Expression) -> tuple[Expression, ...]:
    """p - eta g, and the same with eta g worked out (0.5 - 0.1 x (-0.0799) = 0.5 + 0.00799)."""
    if not (isinstance(number, Sum) and len(number.terms) == 2 and isinstance(number.terms[1], Negative)):
        return (number,)
    change = -evaluate(number.terms[1].operand)
    return number, Sum((number.terms[0], node(change)))


def _gradient(paper: Paper, name: str) -> str:
    return f"d{name}_clipped" if paper.has(f"d{name}_clipped") else f"d{name}"


def _letters(paper: Paper, name: str, l: int) -> Terms:
    letter = name[0]
    return Terms(
        p=paper.symbol(name),
        g=paper.symbol(_gradient(paper, name)),
        eta=Symbol("eta"),
        old=lambda state: Symbol(letter, l, mark=state, old=True),
        new=lambda state: Symbol(letter, l, mark=state),
        constant=lambda key, value: Symbol(key),
        t=Symbol("t"),
    )


def _numbers(paper: Paper, name: str, l: int) -> Terms:
    assert paper.recipe is not None
    slots = paper.recipe.optimizer.slots
    before = paper.trace.before.state[l - 1][0 if name[0] == "W" else 1]
    states = dict(zip(slots, before, strict=True))
    return Terms(
        p=paper.value(name),
        g=paper.value(_gradient(paper, name)),
        eta=exact(paper.trace.learning_rate),
        old=lambda state: node(paper.lay(name, states[state])),
        new=lambda state: paper.value(f"{name}_{state}"),
        constant=lambda key, value: exact(value),
        t=exact(paper.trace.number),
    )


# --- one entry at a time --------------------------------------------------------------------------------


def _entries(
    paper: Paper, quantity: str, name: str, l: int, symbol: Expression, number: Expression
) -> tuple[tuple[Equation, ...], int]:
    """The rule for each entry: every optimizer works entry by entry, so the same trees serve."""
    if paper.options.detail != "scalar":
        return (), 0
    shape = paper.array(name).shape
    rows = range(shape[0])
    places = [(r, c) for r in rows for c in range(shape[1]) if _asked(paper, name, r, c)]
    equations = (
        Equation(
            at_entry(paper.symbol(quantity), (r, c), shape),
            (at_entry(symbol, (r, c), shape),),
            _worked_out(at_entry(number, (r, c), shape)),
            Number(float(paper.array(quantity)[r, c])),
        )
        for r, c in places
    )
    shown = tuple(islice(equations, paper.options.most_scalar))
    return shown, len(places) - len(shown)


def _asked(paper: Paper, name: str, r: int, c: int) -> bool:
    neuron = paper.options.neuron
    return neuron is None or neuron == (r if name[0] == "W" or paper.column else c)


def at_entry(tree: Expression, place: tuple[int, int], shape: tuple[int, ...]) -> Expression:
    """The tree of a rule that works entry by entry, at one entry of its matrices and parameters."""

    def pick(part: Expression) -> Expression:
        if isinstance(part, Matrix):
            return Number(float(part.values[place]))
        if isinstance(part, Symbol) and part.layer is not None and shape != (1, 1):
            entry = place if part.letter == "W" else (max(place),)
            return Symbol(part.letter, part.layer, entry, part.sample, part.mark, part.old)
        if isinstance(part, Hadamard):
            return Times(part.factors, sign=True)
        return part

    return map_tree(tree, pick)
