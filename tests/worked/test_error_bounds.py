"""Error bounds: they hold against exact arithmetic, and every step of a training opens, however small its loss."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handgrad.nn.network import Dense, LayerParameters, Network
from handgrad.nn.optimizers import Adam, initial_state
from handgrad.nn.step import Recipe, Training, training_step
from handgrad.worked.bindings import Bindings
from handgrad.worked.computed import roundoff
from handgrad.worked.derive.step import derive
from handgrad.worked.evaluate import evaluate, evaluate_bounded
from handgrad.worked.expressions import (
    Divide,
    Expression,
    MatMul,
    Matrix,
    Negative,
    Number,
    Power,
    Sum,
    SumOver,
    Symbol,
    Times,
)
from handgrad.worked.record import Options, Record
from handgrad.worked.trace import Trace, trace_step
from handgrad.worked.verify import verify

UNIT = roundoff(np.dtype(np.float64))
_numbers = st.floats(-8, 8, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-6).map(Number)


def _nested(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(
        several.map(Sum),
        several.map(Times),
        inner.map(Negative),
        st.tuples(inner, inner).map(lambda pair: Divide(*pair)),
        inner.map(lambda base: Power(base, Number(2.0, exact=True))),
    )


trees = st.recursive(_numbers, _nested, max_leaves=12)


def exactly(tree: Expression) -> Fraction:
    """The value of a tree without any rounding."""
    match tree:
        case Number(value):
            return Fraction(value)
        case Sum(terms):
            return sum((exactly(term) for term in terms), Fraction(0))
        case Times(factors):
            product = Fraction(1)
            for factor in factors:
                product *= exactly(factor)
            return product
        case Negative(operand):
            return -exactly(operand)
        case Divide(numerator, denominator):
            return exactly(numerator) / exactly(denominator)
        case Power(base, _):
            return exactly(base) ** 2
    raise AssertionError(tree)


@settings(max_examples=200, deadline=None)
@given(trees)
def test_no_value_is_further_off_than_its_bound(tree: Expression):
    found = evaluate_bounded(tree, Bindings(), UNIT)
    try:
        exact = exactly(tree)
    except ZeroDivisionError:
        return
    bound = float(np.max(found.error))
    if np.isfinite(found.value.item()) and np.isfinite(bound):
        assert abs(Fraction(found.value.item()) - exact) <= Fraction(bound) + Fraction(1e-300)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_of_matrices_is_within_its_bound_in_either_precision(dtype):
    rng = np.random.default_rng(0)
    A, B = (rng.normal(size=shape).astype(dtype) for shape in ((7, 300), (300, 5)))
    tree = SumOver(MatMul(Symbol("a"), Symbol("b")), 0)
    bindings = Bindings({"a": Matrix(A.astype(float)), "b": Matrix(B.astype(float))})
    found = evaluate_bounded(tree, bindings, roundoff(np.dtype(dtype)))
    off = np.abs((A @ B).sum(axis=0, keepdims=True) - evaluate(tree, bindings))
    assert np.all(off <= found.error)
    assert np.all(found.error <= 1e4 * roundoff(np.dtype(dtype)) * 300)


def test_an_error_of_a_quantity_comes_through():
    bindings = Bindings({"a": Number(2.0), "b": Number(3.0)})
    tree = Divide(Times((Symbol("a"), Symbol("b"))), Sum((Symbol("a"), Negative(Symbol("b")))))
    bound = evaluate_bounded(tree, bindings, UNIT, {"a": np.array([[1e-6]])}).error.item()
    moved = [abs(a * 3 / (a - 3) + 6) for a in (2 - 1e-6, 2 + 1e-6)]
    assert max(moved) <= bound <= 1.001 * (3 + 6) * 1e-6


def trained(dtype: type, steps: int, every: int) -> list[Trace]:
    """Some steps of a training that goes on until hardly any loss is left."""
    rng = np.random.default_rng(1)
    network = Network(4, [Dense(12, "relu"), Dense(12, "leaky_relu"), Dense(3, "softmax")], "cross_entropy")
    X = rng.normal(size=(24, 4)).astype(dtype)
    Y = np.eye(3, dtype=dtype)[(X @ rng.normal(size=(4, 3))).argmax(1)]
    parameters = tuple(
        LayerParameters(W.astype(dtype), b.astype(dtype)) for W, b in network.initial_parameters(0)
    )
    recipe = Recipe(Adam(0.02))
    training, traces = Training(parameters, initial_state(recipe.optimizer, parameters)), []
    for number in range(1, steps + 1):
        rate = 0.02 * 1.007**number  # ever faster, so that the test is short
        rows = slice(6 * (number % 4), 6 * (number % 4) + 6)
        if number % every == 0:
            trace = trace_step(network, recipe, training, X[rows], Y[rows], number, rate)
            verify(Record("", "", network, recipe, (derive(trace, network, recipe, Options()),)))
            traces.append(trace)
        training = training_step(network, recipe, training, X[rows], Y[rows], number, rate).training
    return traces


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_step_of_a_long_training_opens(dtype):
    traces = trained(dtype, 1200, 49)
    losses = [float(trace.quantities["loss"]) for trace in traces]
    assert losses[0] > 1e-2
    assert losses[-1] < 1e-7
    if dtype is np.float32:
        return
    # by a tolerance relative to the largest error, as verification had before, some would have been refused
    apart = []
    for trace in traces:
        a, da = (np.asarray(trace.quantities[name], float) for name in ("yhat", "dyhat"))
        delta = np.asarray(trace.quantities["delta3"], float)
        chain = a * (da - (da * a).sum(axis=1, keepdims=True))
        apart.append(np.max(np.abs(chain - delta)) / np.max(np.abs(delta)))
    assert max(apart) > 1e-9


def test_what_is_wrong_late_in_a_training_is_found():
    # errors of a millionth of delta are far below what a constant tolerance has to let pass
    trace = trained(np.float64, 800, 800)[-1]
    quantities = dict(trace.quantities)
    quantities["dW2"] = quantities["dW2"] * (1 + 1e-6)
    assert np.max(np.abs(quantities["dW2"])) < 1e-3
    network = Network(4, [Dense(12, "relu"), Dense(12, "leaky_relu"), Dense(3, "softmax")], "cross_entropy")
    forged = Trace(trace.number, 0.02, quantities, trace.before, trace.after, (), samples=6)
    with pytest.raises(Exception, match="dW2"):
        verify(Record("", "", network, None, (derive(forged, network, None, Options()),)))
