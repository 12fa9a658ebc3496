"""Every step of every kind of network is worked out, and every number shown follows from those beside it."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from tests.worked.plain import plain

from handgrad.cases.case import Case
from handgrad.errors import VerificationError
from handgrad.nn.activations import ACTIVATIONS
from handgrad.nn.losses import LOSSES
from handgrad.nn.optimizers import OPTIMIZERS
from handgrad.nn.step import training_step
from handgrad.worked.derive.step import derive
from handgrad.worked.evaluate import map_tree
from handgrad.worked.expressions import Apply, BigSum, Expression, Matrix, Number, Symbol, Transpose
from handgrad.worked.record import Equation, Options, Record, StepRecord, WorkedStep
from handgrad.worked.rounding import round_array
from handgrad.worked.verify import verify
from handgrad.worksheets.case_steps import trace_case

HIDDEN = tuple(ACTIVATIONS)
OUTPUTS = (
    ("sigmoid", "binary_cross_entropy", 1),
    ("sigmoid", "binary_cross_entropy", 2),
    ("softmax", "cross_entropy", 3),
    ("softmax", "squared_error", 3),
    ("identity", "huber", 2),
    ("tanh", "squared_error", 1),
    ("sigmoid", "cross_entropy", 2),
    ("identity", "absolute_error", 2),
    ("tanh", "hinge", 1),
    ("identity", "hinge", 2),
    ("exponential", "poisson", 1),
    ("softplus", "poisson", 2),
)
STEPS = (
    (1, "sgd"),
    (2, "adam"),
    (5, "momentum"),
    (1, "rmsprop"),
    (2, "nesterov"),
    (13, "adamw"),
    (2, "adagrad"),
    (1, "adadelta"),
    (4, "nadam"),
    (1, "lion"),
)


def case_of(
    activation_1: str, output: tuple[str, str, int], samples: int, optimizer: dict, **more: object
) -> Case:
    activation, loss, units = output
    rng = np.random.default_rng(7)
    y = rng.integers(0, 2, (samples, units)).astype(float)
    if loss == "hinge":
        y = 2 * y - 1
    if loss == "poisson":
        y = rng.integers(0, 4, (samples, units)).astype(float)
    if loss == "cross_entropy":
        y = np.eye(units)[rng.integers(0, units, samples)]
    layers = [
        {"units": 3, "activation": activation_1, **more.pop("hidden", {})},
        {"units": units, "activation": activation},
    ]
    return Case.from_dict(
        {
            "network": {"inputs": 2, "loss": loss, "layers": layers},
            "data": {"x": rng.normal(size=(samples, 2)).tolist(), "y": y.tolist()},
            "optimizer": optimizer,
            "training": {"steps": 2},
            **more,
        }
    )


def record_of(case: Case, last: int | None = None, **options: object) -> Record:
    chosen = Options(**options)
    steps = tuple(
        derive(trace, case.network, case.recipe, chosen, case.regularization)
        for trace in trace_case(case, 1, last)
    )
    rounding = case.rounding
    return Record(
        "", "", case.network, case.recipe, steps, rounding.digits, rounding.carry, rounding=rounding
    )


def test_every_row_of_the_equations_is_worked_out():
    assert {loss for _, loss, _ in OUTPUTS} == set(LOSSES)
    assert {optimizer for _, optimizer in STEPS} == set(OPTIMIZERS)


@pytest.mark.parametrize(("hidden", "output"), list(itertools.product(HIDDEN, OUTPUTS)), ids=str)
def test_every_number_follows(hidden, output):
    # each activation with each output meets some of the batches, optimizers, penalties and both orientations
    place = HIDDEN.index(hidden) * len(OUTPUTS) + OUTPUTS.index(output)
    for k in range(2):
        samples, optimizer = STEPS[(place + 3 * k) % len(STEPS)]
        more: dict = {"optimizer": {"name": optimizer, "clip_norm": 0.05, "clip_value": 0.2}}
        if k:
            more["regularization"] = {
                "l2": {"strength": 0.1, "form": ("half", "half_mean", "full")[place % 3]},
                "l1": 0.01,
            }
        if samples == 5:
            more["hidden"] = {"dropout": 0.5}
        case = case_of(hidden, output, samples, **more)
        record = record_of(case, orientation=("column", "row")[place % 2], detail="scalar")
        assert verify(record) > 20


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_step_shown_is_the_step_that_trains(optimizer):
    case = case_of("tanh", OUTPUTS[2], 4, {"name": optimizer, "clip_norm": 0.3}, regularization={"l2": 0.1})
    for trace in trace_case(case):
        stepped = training_step(
            case.network, case.recipe, trace.before, case.X, case.Y, trace.number, trace.learning_rate
        )
        for shown, real in zip(trace.after.parameters, stepped.training.parameters, strict=True):
            np.testing.assert_array_equal(shown.W, real.W)
            np.testing.assert_array_equal(shown.b, real.b)


def step_by_quantity(record: StepRecord, quantity: str) -> WorkedStep:
    return next(step for step in record.steps if step.quantity == quantity)


def steps_of(record: Record) -> StepRecord:
    return record.steps[0]


def test_a_wrong_number_is_found():
    record = record_of(case_of("relu", OUTPUTS[0], 1, {"name": "sgd"}))
    step = steps_of(record)
    for place, worked in enumerate(step.steps):
        result = worked.equation.result
        if isinstance(result, Matrix):
            wrong = Matrix(result.values + 1e-4 * (1 + np.abs(result.values)))
        else:
            assert isinstance(result, Number)
            wrong = Number(result.value * (1 + 1e-4) + 1e-4)
        changed = dataclasses.replace(worked, equation=dataclasses.replace(worked.equation, result=wrong))
        steps = (*step.steps[:place], changed, *step.steps[place + 1 :])
        forged = dataclasses.replace(record, steps=(dataclasses.replace(step, steps=steps),))
        if not worked.equation.numbers:
            continue
        with pytest.raises(VerificationError, match=worked.quantity):
            verify(forged)


def forged(record: Record, place: int, equation: Equation, scalar: tuple[Equation, ...] = ()) -> Record:
    """The record with another equation, or another scalar detail, at one of its steps."""
    (step,) = record.steps[:1]
    changed = dataclasses.replace(step.steps[place], equation=equation, scalar=scalar)
    steps = (*step.steps[:place], changed, *step.steps[place + 1 :])
    return dataclasses.replace(record, steps=(dataclasses.replace(step, steps=steps),))


def exchanged(tree: Expression, old: Expression, new: Expression) -> Expression:
    return map_tree(tree, lambda part: new if part == old else part)


def place_of(record: Record, quantity: str) -> int:
    return [worked.quantity for worked in record.steps[0].steps].index(quantity)


WRONG_LETTERS = (
    # quantity, what stands in its letters, what somebody wrote in its place
    ("z1", Symbol("b", 1), Symbol("b", 1, mark="new")),
    ("a1", Apply("tanh", (Symbol("z", 1),)), Apply("sigmoid", (Symbol("z", 1),))),
    ("delta2", Symbol("y"), Symbol("a", 1)),
    ("dW2", Transpose(Symbol("a", 1)), Symbol("a", 1)),
    ("dW2", Symbol("m"), Symbol("n")),
    ("db1", Symbol("m"), Number(1.0)),
    ("da1", Transpose(Symbol("W", 2)), Symbol("W", 2)),
    ("W1_m", Symbol("beta1"), Symbol("beta2")),
    ("W1_new", Symbol("eta"), Symbol("epsilon")),
)


@pytest.mark.parametrize(("quantity", "old", "new"), WRONG_LETTERS, ids=lambda value: str(value)[:40])
def test_a_wrong_letter_is_found(quantity: str, old: Expression, new: Expression):
    record = record_of(case_of("tanh", ("softmax", "cross_entropy", 3), 2, {"name": "adam"}))
    assert verify(record) > 20
    place = place_of(record, quantity)
    equation = record.steps[0].steps[place].equation
    wrong = tuple(exchanged(tree, old, new) for tree in equation.symbols)
    assert wrong != equation.symbols
    with pytest.raises(VerificationError, match=quantity):
        verify(forged(record, place, dataclasses.replace(equation, symbols=wrong)))


def test_a_wrong_index_is_found():
    # w_jk for w_kj: what comes back to unit j goes over the weights of the units k that it feeds
    record = record_of(case_of("tanh", ("softmax", "cross_entropy", 3), 1, {"name": "sgd"}), detail="scalar")
    place = place_of(record, "delta1")
    worked = record.steps[0].steps[place]

    def turned(part: Expression) -> Expression:
        if isinstance(part, Symbol) and part.letter == "W":
            return dataclasses.replace(part, entry=(part.entry[1], part.entry[0]))
        return part

    scalar = tuple(
        dataclasses.replace(equation, symbols=tuple(map_tree(tree, turned) for tree in equation.symbols))
        for equation in worked.scalar
    )
    assert scalar != worked.scalar
    with pytest.raises(VerificationError, match="delta1"):
        verify(forged(record, place, worked.equation, scalar))


def test_fused_form_and_chain_rule_stand_side_by_side():
    step = steps_of(record_of(case_of("relu", OUTPUTS[0], 1, {"name": "sgd"})))
    delta = step_by_quantity(step, "delta2")
    assert delta.reason is not None
    assert delta.reason.key == "delta_output_fused"
    assert delta.check is not None


def test_order_is_that_of_the_calculation():
    step = steps_of(record_of(case_of("tanh", OUTPUTS[5], 1, {"name": "adam"})))
    names = [worked.quantity for worked in step.steps]
    assert names[:5] == ["z1", "a1", "z2", "yhat", "loss"]
    assert names[5:] == [
        *("dyhat", "derivative2", "delta2", "dW2", "db2"),
        *("da1", "derivative1", "delta1", "dW1", "db1"),
        *(f"{p}_{state}" for p in ("W1", "b1", "W2", "b2") for state in ("m", "v", "m_hat", "v_hat", "new")),
    ]


def test_saturated_output_shows_the_loss_from_z():
    case = Case.from_dict(
        {
            "network": {
                "inputs": 1,
                "loss": "binary_cross_entropy",
                "layers": [{"units": 1, "activation": "sigmoid", "W": [[1000.0]]}],
            },
            "data": {"x": [[1.0]], "y": [[0.0]]},
            "optimizer": {"name": "sgd", "learning_rate": 0.1},
        }
    )
    record = record_of(case)
    assert verify(record) > 5
    step = steps_of(record)
    assert float(step.quantities["loss"]) == 1000.0
    assert step_by_quantity(step, "loss").reason.key == "loss_from_z"
    assert step_by_quantity(step, "delta1").check is None  # dloss/dyhat is infinite there


def test_carried_rounding_is_that_of_paper():
    case = Case.from_dict(
        {
            "network": {
                "inputs": 2,
                "loss": "binary_cross_entropy",
                "layers": [
                    {"units": 2, "activation": "sigmoid", "W": [[0.1, 0.2], [0.3, 0.4]], "b": [0.1, 0.1]},
                    {"units": 1, "activation": "sigmoid", "W": [[0.2, 0.3]], "b": [0.1]},
                ],
            },
            "data": {"x": [[1, 0]], "y": [[1]]},
            "rounding": {"digits": 3, "carry": True, "quantities": {"a1": 2}},
        }
    )
    record = record_of(case)
    quantities = steps_of(record).quantities
    assert quantities["a1"].tolist() == [[0.55, 0.60]]
    assert quantities["z2"].tolist() == [[0.39]]
    assert quantities["yhat"].tolist() == [[0.596]]
    assert float(quantities["loss"]) == 0.518  # -ln 0.596 = 0.5175
    assert quantities["dW2"].tolist() == [[-0.222, -0.242]]
    for name, value in quantities.items():
        if name[0] in "zad" and not name.startswith("derivative"):
            np.testing.assert_array_equal(value, round_array(value, 3))
    assert verify(record) > 10


def test_given_quantities_are_used_and_not_computed():
    case = Case.from_dict(
        {
            "network": {
                "inputs": 1,
                "loss": "squared_error",
                "layers": [{"units": 1, "W": [[2.0]], "bias": "none"}],
            },
            "given": {"dW1": [[4.0]]},
            "optimizer": {"name": "adam", "learning_rate": 0.1, "epsilon": 0.0},
        }
    )
    record = record_of(case)
    assert verify(record) > 3
    quantities = steps_of(record).quantities
    assert quantities["W1_m_hat"].item() == pytest.approx(4.0, rel=1e-15)
    assert quantities["W1_new"].item() == pytest.approx(1.9, rel=1e-15)


def test_the_chain_rule_is_written_factor_by_factor():
    step = steps_of(record_of(case_of("relu", ("sigmoid", "squared_error", 1), 1, {"name": "sgd"})))
    *factors, whole = step_by_quantity(step, "dW1").factors
    assert len(whole.scheme.factors) == 5  # dz1/dW1, da1/dz1, dz2/da1, dyhat/dz2, dL/dyhat
    assert [factor.symbols for factor in factors] == [(Symbol("W", 2),), (Symbol("x"),)]


def test_observation_says_what_the_step_did():
    step = steps_of(record_of(case_of("sigmoid", OUTPUTS[0], 1, {"name": "sgd"})))
    keys = [sentence.key for sentence in step.observation]
    assert keys[0].startswith("prediction_")
    assert keys[1].startswith("weights_")
    assert keys[-1] == "loss_went_down"
    assert step.loss_after < step.loss_before


def test_gradient_check_agrees_with_the_chain_rule():
    case = case_of("gelu", OUTPUTS[2], 5, {"name": "sgd"}, regularization={"l2": 0.3})
    step = steps_of(record_of(case, gradient_check=True))
    assert [check.quantity for check in step.checks] == ["dW1", "db1", "dW2", "db2"]
    assert max(check.largest_relative_error for check in step.checks) < 1e-7


def test_layers_and_neurons_can_be_chosen():
    case = case_of("relu", OUTPUTS[2], 2, {"name": "sgd"})
    step = steps_of(record_of(case, layers=(2,), neuron=1, detail="scalar"))
    assert {worked.layer for worked in step.steps} == {2, None}
    assert len(step_by_quantity(step, "z2").scalar) == 2  # unit 2 of both samples


def test_several_samples_are_added_up_one_by_one():
    case = case_of("relu", OUTPUTS[0], 2, {"name": "sgd"})
    worked = step_by_quantity(steps_of(record_of(case)), "db1")
    (symbols,), (numbers,) = worked.equation.symbols, worked.equation.numbers
    assert [part.index for part in symbols.factors if isinstance(part, BigSum)] == ["i"]  # as in loss and dW
    assert len(numbers.factors[-1].terms) == 2


@pytest.mark.parametrize(("output", "terms"), [(OUTPUTS[0], 1), (OUTPUTS[1], 2)])
def test_of_a_target_0_or_1_one_logarithm_is_left(output, terms):
    case = case_of("tanh", output, 1, {"name": "sgd"})
    long, short = step_by_quantity(steps_of(record_of(case)), "loss").equation.numbers
    logarithms = [part for part in _parts(short) if isinstance(part, Apply)]
    assert len(logarithms) == terms
    assert len([part for part in _parts(long) if isinstance(part, Apply)]) == 2 * terms


def _parts(tree):
    found = []
    map_tree(tree, lambda part: found.append(part) or part)
    return found


def test_before_softmax_the_chain_of_factors_begins_at_delta():
    step = steps_of(record_of(case_of("tanh", OUTPUTS[2], 1, {"name": "sgd"})))
    *identities, whole = step_by_quantity(step, "dW1").factors
    assert [equation.symbols for equation in identities] == [(Symbol("W", 2),), (Symbol("x"),)]
    assert whole.scheme.factors[-1] == Symbol("delta", 2)
    assert step_by_quantity(step, "dW2").factors == ()


@pytest.mark.parametrize(
    "y", [(0.3, 0.300001, 0.4), (0.333, 0.333, 0.333), (0.1, 0.2, 0.7), (0.0, 1.0, 0.0), (0.25, 0.25, 0.5)]
)
def test_targets_that_nearly_add_up_to_1_have_the_form_that_holds_for_any(y):
    case = case_of("tanh", OUTPUTS[2], 1, {"name": "sgd"}, data={"x": [[0.5, -1.0]], "y": [list(y)]})
    record = record_of(case)
    assert verify(record) > 20
    (letters,) = step_by_quantity(steps_of(record), "delta2").equation.symbols
    assert (plain(letters) == "yhat - y") == (sum(y) == 1)


def test_a_saturated_output_leaves_the_chain_rule_and_says_so():
    layers = [{"units": 1, "activation": "sigmoid", "W": [[50.0, 0.0]], "b": [0.0]}]
    case = Case.from_dict(
        {
            "network": {"inputs": 2, "loss": "binary_cross_entropy", "layers": layers},
            "data": {"x": [[30.0, 0.0]], "y": [[0.0]]},
            "optimizer": {"name": "sgd"},
        }
    )
    record = record_of(case)
    step = steps_of(record)
    assert verify(record) > 5
    assert step_by_quantity(step, "delta1").reason.key == "delta_output_saturated"
    assert "derivative1" not in {worked.quantity for worked in step.steps}


def test_a_huber_term_is_written_on_its_branch():
    case = case_of("tanh", OUTPUTS[4], 1, {"name": "sgd"})
    near_or_far = step_by_quantity(steps_of(record_of(case)), "loss").equation.numbers[0]
    assert not [part for part in _parts(near_or_far) if isinstance(part, Apply) and part.function == "min"]
