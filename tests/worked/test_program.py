"""A worked step is a program: from its leaves alone, its letters give every quantity again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.worked.test_derive import HIDDEN, OUTPUTS, case_of, record_of

from handgrad.cases.case import Case
from handgrad.errors import VerificationError
from handgrad.nn.arrays import Array
from handgrad.worked.bindings import Bindings, bind
from handgrad.worked.evaluate import evaluate
from handgrad.worked.expressions import Number
from handgrad.worked.record import Record, StepRecord
from handgrad.worked.rounding import round_array
from handgrad.worked.substitute import node

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))


def computed(record: Record, step: StepRecord) -> dict[str, Array]:
    """Every quantity of the step by its program, one sample a row."""
    made = {line.quantity for line in step.program}
    values = {name: value for name, value in step.bindings.items() if name not in made}
    column = step.bindings.column
    for name, letters in step.program:
        value = evaluate(letters, Bindings(values, column))
        digits = record.rounding.of(name) if record.carry and not name.startswith("derivative") else None
        values[name] = node(value if digits is None else round_array(value, digits))
    return {name: evaluate(value) for name, value in values.items()}


def assert_whole(record: Record) -> None:
    for step in record.steps:
        values, column = computed(record, step), step.bindings.column
        for name, quantity in step.quantities.items():
            wanted = np.asarray(quantity, float)
            found = values[name]
            if wanted.ndim == 1:
                found = np.broadcast_to(found.reshape(-1), wanted.shape)
            elif wanted.ndim == 2 and column and not name.lstrip("d").startswith("W"):
                found = found.T
            # what cancels to nothing (a bias before softmax) is nothing to within a few units of roundoff of 1
            scale = np.max(np.abs(wanted), initial=1e-4)
            np.testing.assert_allclose(
                found.reshape(wanted.shape), wanted, rtol=1e-12, atol=1e-12 * scale, err_msg=name
            )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("orientation", ["column", "row"])
def test_the_program_of_every_example_gives_its_quantities(path: Path, orientation: str):
    case = Case.load(path)
    if case.symbolic:
        return
    record = record_of(case, last=min(case.steps, 2), orientation=orientation)
    assert_whole(record)
    for step in record.steps:
        assert {line.quantity for line in step.program} <= set(step.quantities)


@pytest.mark.parametrize("place", range(len(HIDDEN) * len(OUTPUTS)))
def test_the_program_of_any_network_gives_its_quantities(place: int):
    hidden, output = HIDDEN[place % len(HIDDEN)], OUTPUTS[place // len(HIDDEN)]
    samples = (1, 2, 5)[place % 3]
    more: dict = {
        "optimizer": {"name": ("adam", "adamw", "sgd", "nesterov", "rmsprop", "momentum")[place % 6]}
    }
    more["optimizer"] |= ({}, {"clip_norm": 0.05}, {"clip_value": 0.01}, {"clip_norm": 9.0})[place % 4]
    if place % 2:
        more["regularization"] = {
            "l2": {"strength": 0.1, "form": ("half", "half_mean", "full")[place % 3]},
            "l1": 0.01,
        }
    if place % 5 == 0:
        more["hidden"] = {"dropout": {"keep": 0.5}}
    elif place % 5 == 1 and hidden != "softmax":  # there db is exactly 0, and Adam divides what is left of it
        more["hidden"] = {"bias": "shared"}
    elif place % 5 == 2:
        more["hidden"] = {"bias": "none"}
    record = record_of(case_of(hidden, output, samples, **more), layers=(1,))
    assert_whole(record)


def test_the_leaves_are_what_a_step_begins_with():
    more = {"regularization": {"l2": 0.1}, "hidden": {"dropout": {"keep": 0.5}}}
    step = record_of(case_of("relu", OUTPUTS[2], 2, {"name": "momentum"}, **more)).steps[0]
    leaves = set(step.bindings) - {line.quantity for line in step.program}
    parameters = {"W1", "b1", "W2", "b2"}
    states = {f"{name}_velocity_old" for name in parameters}
    constants = {"m", "n", "L", "n0", "n1", "n2", "t", "eta", "mu", "lambda", "keep"}
    assert leaves == {"x", "y", "mask1"} | parameters | states | constants


def test_layers_that_differ_in_a_constant_have_a_letter_each():
    layers = [
        {"units": 2, "activation": {"name": "leaky_relu", "alpha": alpha}, "dropout": {"keep": keep}}
        for alpha, keep in ((0.1, 0.5), (0.2, 0.5))
    ]
    case = Case.from_dict(
        {
            "network": {"inputs": 2, "loss": "squared_error", "layers": [*layers, {"units": 1}]},
            "data": {"x": [[1.0, -2.0]], "y": [[1.0]]},
        }
    )
    bindings = record_of(case).steps[0].bindings
    assert {name: bindings[name].value for name in bindings if name[:5] in ("alpha", "keep")} == {
        "alpha1": 0.1,
        "alpha2": 0.2,
        "keep": 0.5,
    }


def test_one_letter_for_two_numbers_is_refused():
    values = {"c": Number(1.0)}
    bind(values, "c", Number(1.0))
    with pytest.raises(VerificationError, match="the letter c stands for"):
        bind(values, "c", Number(2.0))
