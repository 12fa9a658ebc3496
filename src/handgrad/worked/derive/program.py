"""The program of a step: from which letters each quantity is computed, in order, whatever the sheet shows of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from handgrad.worked.derive.derivatives import derivative, dyhat
from handgrad.worked.derive.forward import activation, dropped, loss_terms, of_terms
from handgrad.worked.expressions import Expression, Symbol
from handgrad.worked.forms.trees import ZERO
from handgrad.worked.paper import Paper
from handgrad.worked.record import Assignment, WorkedStep

Lines = Iterator[tuple[str, Expression]]


def program(paper: Paper, steps: Iterable[WorkedStep]) -> tuple[Assignment, ...]:
    """The letters of the steps and of what no step shows, in the order in which they were computed."""
    letters = dict(_unshown(paper))
    for step in steps:
        if step.equation.symbols and step.quantity not in letters:
            letters[step.quantity] = step.rule or step.equation.symbols[-1]
    return tuple(
        Assignment(name, letters[name])
        for name in _in_order(paper)
        if name in letters and name not in paper.trace.given
    )


def _unshown(paper: Paper) -> Lines:
    """Quantities without a step of their own, or that training computes in another way than the sheet shows."""
    network, depth = paper.network, paper.network.depth
    yield "yhat", Symbol("a", depth)
    if paper.has(f"z{depth}"):
        last = dropped(paper, depth, f"f{depth}") if paper.has(f"f{depth}") else activation(paper, depth)
        yield f"a{depth}", last
    if network.loss is not None and paper.has("loss"):
        yield "loss_terms", loss_terms(paper, network.loss)
        yield "data_loss", of_terms(paper, network.loss)
        if not paper.regularized:
            yield "loss", Symbol("data_loss")
            yield "penalty", ZERO
    if network.loss is not None and paper.has("y"):
        yield "dyhat", dyhat(paper, network.loss)
    for l, _ in network.numbered():
        yield f"derivative{l}", derivative(paper, l)


def _in_order(paper: Paper) -> list[str]:
    """The names in the order of the trace; derivatives, which it adds at its end, before what needs them."""
    names = [name for name in paper.quantities if not name.startswith("derivative")]
    for l, _ in paper.network.numbered():
        if paper.has(f"derivative{l}"):
            names.insert(names.index(f"delta{l}"), f"derivative{l}")
    return names
