"""Clipping and the optimizer's step, worked out: from the gradient to the new parameter."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice, product

from handgrad.nn.clipping import Clipping
from handgrad.worked.derive.forward import given_step
from handgrad.worked.derive.letters import CLIPPING_LETTERS
from handgrad.worked.evaluate import evaluate, map_tree
from handgrad.worked.expressions import (
    Apply,
    Cases,
    Divide,
    Expression,
    Gradient,
    Hadamard,
    Norm,
    Power,
    Relation,
    Root,
    Sum,
    Symbol,
    Times,
)
from handgrad.worked.forms.optimizers import OPTIMIZER_FORMS, Terms
from handgrad.worked.paper import Paper, exact
from handgrad.worked.record import Equation, WorkedStep, words
from handgrad.worked.substitute import change_worked_out, same


def update_steps(paper: Paper) -> Iterator[WorkedStep]:
    """Clipping where there is one, then each parameter's state and new value."""
    if not paper.trace.updated or paper.recipe is None:
        return
    if paper.recipe.clipping:
        yield from _clipping(paper)
    for l, layer in paper.network.numbered():
        yield from _parameter(paper, f"W{l}", l)
        if layer.bias in ("trained", "shared"):
            yield from _parameter(paper, f"b{l}", l)
        elif layer.bias == "frozen":
            yield WorkedStep(
                quantity=f"b{l}_new",
                part="update",
                layer=l,
                equation=paper.equation(paper.symbol(f"b{l}_new"), paper.symbol(f"b{l}"), lines=()),
                reason=words("frozen", layer=l),
            )


# --- clipping -------------------------------------------------------------------------------------------


def _clipping(paper: Paper) -> Iterator[WorkedStep]:
    assert paper.recipe is not None
    clipping, names = paper.recipe.clipping, _gradient_names(paper)
    if clipping.norm is not None:
        trained = [name for name in names if not _is_untrained_bias(paper, name)]
        yield WorkedStep(
            quantity="gradient_norm",
            part="update",
            layer=None,
            equation=paper.equation(
                Symbol("gradient_norm"),
                _norm([_limited(_counted_once(paper, name), clipping) for name in trained]),
            ),
            reason=words("gradient_norm"),
        )
    for name in names:
        limited = _limited(paper.symbol(name), clipping)
        rule = limited if clipping.norm is None else _scaled_back(limited)
        yield WorkedStep(
            quantity=f"{name}_clipped",
            part="update",
            layer=None,
            equation=paper.equation(paper.symbol(f"{name}_clipped"), _holding(paper, rule)),
            reason=words("clip_value" if clipping.norm is None else "clip_norm"),
            rule=rule,
        )


def _limited(gradient: Expression, clipping: Clipping) -> Expression:
    """The gradient with each entry clipped to [-c, c], where there is such a limit."""
    return (
        gradient
        if clipping.value is None
        else Apply("clip", (gradient,), (Symbol(CLIPPING_LETTERS["value"]),))
    )


def _scaled_back(gradient: Expression) -> Cases:
    """c / |g| times the gradient where |g| > c, else the gradient."""
    norm, limit = Symbol("gradient_norm"), Symbol(CLIPPING_LETTERS["norm"])
    return Cases(((Times((Divide(limit, norm), gradient)), Relation(norm, ">", limit)), (gradient, None)))


def _holding(paper: Paper, rule: Expression) -> Expression:
    """The branch of the rule that holds for these numbers."""
    if not isinstance(rule, Cases):
        return rule
    return next(
        value
        for value, condition in rule.branches
        if condition is None or evaluate(condition, paper.bindings).all()
    )


def _counted_once(paper: Paper, name: str) -> Expression:
    """The gradient; of a bias that units share one entry, for it is one parameter."""
    l = int(name[2:])
    layer, symbol = paper.network.layers[l - 1], paper.symbol(name)
    if name[1] == "b" and layer.bias == "shared" and layer.units > 1:
        return Gradient(paper.loss, Symbol("b", l, (0,)))
    return symbol


def _gradient_names(paper: Paper) -> list[str]:
    depth = range(1, paper.network.depth + 1)
    return [name for l in depth for name in (f"dW{l}", f"db{l}") if paper.has(name)]


def _is_untrained_bias(paper: Paper, name: str) -> bool:
    return name.startswith("db") and paper.network.layers[int(name[2:]) - 1].bias in ("frozen", "none")


def _norm(parts: list[Expression]) -> Expression:
    return Root(Sum(tuple(Power(Norm(part), exact(2)) for part in parts)))


# --- the optimizer's step --------------------------------------------------------------------------------


def _parameter(paper: Paper, name: str, l: int) -> Iterator[WorkedStep]:
    assert paper.recipe is not None
    optimizer = paper.recipe.optimizer
    for state, reason, letters in OPTIMIZER_FORMS[optimizer.name].rule(optimizer, _letters(paper, name, l)):
        quantity = f"{name}_{state}"
        given = given_step(paper, quantity, "update", l)
        if given is not None:
            yield given
            continue
        scalar, left_out = _entries(paper, quantity, name, l, letters)
        yield WorkedStep(
            quantity=quantity,
            part="update",
            layer=l,
            equation=paper.equation(paper.symbol(quantity), letters, lines=(same, change_worked_out)),
            shapes=paper.shapes(name, quantity) if state == "new" else (),
            reason=words(reason),
            scalar=scalar,
            left_out=left_out,
        )


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


# --- one entry at a time --------------------------------------------------------------------------------


def _entries(
    paper: Paper, quantity: str, name: str, l: int, letters: Expression
) -> tuple[tuple[Equation, ...], int]:
    """The rule for each entry: every optimizer works entry by entry, so the same tree serves."""
    if paper.options.detail != "scalar" or not paper.wanted(l):
        return (), 0
    shape = paper.array(name).shape
    asked = [range(shape[0]), range(shape[1])]
    if paper.options.neuron is not None:
        axis = 0 if name[0] == "W" or paper.column else 1
        asked[axis] = range(paper.options.neuron, min(paper.options.neuron + 1, shape[axis]))
    equations = (
        paper.equation(
            at_entry(paper.symbol(quantity), (r, c), shape),
            at_entry(letters, (r, c), shape),
            lines=(same, change_worked_out),
        )
        for r, c in product(*asked)
    )
    shown = tuple(islice(equations, paper.options.most_scalar))
    return shown, math.prod(map(len, asked)) - len(shown)


def at_entry(tree: Expression, place: tuple[int, int], shape: tuple[int, ...]) -> Expression:
    """The tree of a rule that works entry by entry, at one entry of its parameters."""

    def pick(part: Expression) -> Expression:
        if isinstance(part, Symbol) and part.letter in ("W", "b") and shape != (1, 1):
            entry = place if part.letter == "W" else (max(place),)
            return Symbol(part.letter, part.layer, entry, part.sample, part.mark, part.old)
        return Times(part.factors) if isinstance(part, Hadamard) else part

    return map_tree(tree, pick)
