"""Quantities on paper: their symbols, which way round their numbers stand, and the letters beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.worked.plain import plain
from tests.worked.test_sheets import CASES, SOFTMAX, TANH, X1, X2, layer, net

from handgrad.cases.case import Case
from handgrad.worked.derive.letters import constants_of
from handgrad.worked.expressions import Matrix, Number
from handgrad.worked.paper import Paper
from handgrad.worked.record import Options
from handgrad.worksheets.case_steps import trace_case


def paper_of(made: dict[str, Any], orientation: str = "column", **options: Any) -> Paper:
    case = Case.from_dict(made)
    trace = list(trace_case(case))[-1]
    constants = constants_of(trace, case.network, case.recipe, case.regularization)
    chosen = Options(orientation=orientation, **options)
    return Paper(trace, case.network, case.recipe, chosen, case.regularization, constants)


def one(samples: int = 1, **more: Any) -> dict[str, Any]:
    return net(
        "squared_error",
        TANH,
        layer([[1.0, -0.5]], "sigmoid"),
        x=X2[:samples],
        y=[[1.0], [0.0]][:samples],
        **more,
    )


SYMBOLS = {
    "x": "x", "y": "y", "omega": "omega", "loss": "loss", "data_loss": "data_loss", "W1": "W1", "b2_new": "b2.new",
    "W1_v_max": "W1.v_max", "dW1": "dloss/dW1", "dW2_data": "ddata_loss/dW2", "dW2_penalty": "dpenalty/dW2",
    "db1_clipped": "dloss.clipped/db1", "z1": "z1", "a1": "a1", "a2": "yhat", "yhat": "yhat", "delta2": "delta2",
    "da1": "dloss/da1", "df1": "dloss/df1", "dyhat": "dloss/dyhat",
    "derivative1": "da1/dz1", "derivative2": "dyhat/dz2",
    "mask1": "mask1", "f1": "f1", "loss_terms": "loss", "gradient_norm": "gradient_norm",
}  # fmt: skip
OF_SEVERAL = {
    "da1": "dloss(i)/da1",
    "df1": "dloss(i)/df1",
    "dyhat": "dloss(i)/dyhat",
    "loss_terms": "loss(i)",
}


@pytest.mark.parametrize("samples", [1, 2])
def test_each_quantity_has_its_symbol(samples: int):
    paper = paper_of(one(samples))
    wanted = SYMBOLS if samples == 1 else SYMBOLS | OF_SEVERAL
    assert {name: plain(paper.symbol(name)) for name in SYMBOLS} == wanted


def test_before_dropout_the_output_has_a_symbol_of_its_own():
    paper = paper_of(CASES["dropout"][0])
    assert plain(paper.symbol("derivative1")) == "df1/dz1"
    assert plain(paper.symbol("derivative2")) == "dyhat/dz2"


@pytest.mark.parametrize("orientation", ["column", "row"])
def test_samples_stand_as_columns_or_as_rows_and_weights_as_they_are(orientation: str):
    paper = paper_of(one(2, optimizer={"name": "momentum"}), orientation)
    column = orientation == "column"
    for name, quantity in paper.quantities.items():
        found, array = paper.array(name), np.asarray(quantity)
        weight = name.lstrip("d").startswith("W")
        wanted = array.reshape(1, 1) if array.ndim == 0 else np.atleast_2d(array)
        if column and not weight:
            wanted = wanted.T
        np.testing.assert_array_equal(found, wanted, err_msg=name)
        assert found.dtype == np.float64
    assert paper.bindings.column is column
    assert (paper.sum_axis, paper.unit_axis) == ((1, 0) if column else (0, 1))
    velocity = paper.bindings["b1_velocity_old"]
    assert isinstance(velocity, Matrix)
    assert velocity.shape == ((2, 1) if column else (1, 2))
    shape = paper.shape("z1")
    assert (plain(shape.symbol), shape.rows, shape.columns) == ("z1", 2, 2)


def numbers(paper: Paper) -> dict[str, float]:
    constants = set(paper.bindings) - set(paper.quantities)
    return {
        name: value.value
        for name, value in paper.bindings.items()
        if name in constants and isinstance(value, Number) and value.exact
    }


SIZES = {"m": 1, "n": 1, "L": 2, "n0": 2, "n1": 2, "n2": 1}
STEP = {"eta": 0.01, "t": 1}
LETTERS: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "none but sizes": (one(), SIZES),
    "a batch": (one(2), SIZES | {"m": 2}),
    "descent": (one(optimizer={"name": "sgd"}), SIZES | STEP),
    "the second step": (one(optimizer={"name": "sgd"}, training={"steps": 2}), SIZES | STEP | {"t": 2}),
    "penalties": (one(regularization={"l2": 0.1, "l1": 0.2}), SIZES | {"lambda": 0.1, "lambda1": 0.2}),
    "one penalty": (one(regularization={"l1": 0.2}), SIZES | {"lambda1": 0.2}),
    "limits": (
        one(optimizer={"name": "sgd", "clip_value": 2, "clip_norm": 3}),
        SIZES | STEP | {"limit_value": 2, "limit_norm": 3},
    ),
    "one limit": (one(optimizer={"name": "sgd", "clip_norm": 3}), SIZES | STEP | {"limit_norm": 3}),
    "adamw": (
        one(optimizer={"name": "adamw", "learning_rate": 0.01, "weight_decay": 0.3}),
        SIZES | STEP | {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "lambda_w": 0.3},
    ),
    "a threshold": (
        net({"name": "huber", "threshold": 0.5}, TANH, layer([[1.0, -0.5]]), y=[[1.0]]), SIZES | {"threshold": 0.5},
    ),
    "one alpha": (
        net("squared_error", layer(TANH["W"], "leaky_relu"), layer([[1.0, -0.5]], "leaky_relu"), y=[[1.0]]),
        SIZES | {"alpha": 0.01},
    ),
    "two alphas": (
        net("squared_error", layer(TANH["W"], "leaky_relu"), layer([[1.0, -0.5]], "elu"), y=[[1.0]]),
        SIZES | {"alpha1": 0.01, "alpha2": 1.0},
    ),
    "what is kept": (CASES["dropout"][0] | {"optimizer": {"name": "sgd"}}, SIZES | STEP | {"keep": 0.5}),
    "classes": (
        net("cross_entropy", TANH, SOFTMAX, y=[1]), SIZES | {"n": 3, "n2": 3},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LETTERS)
def test_every_constant_of_a_step_has_its_letter(name: str):
    case, wanted = LETTERS[name]
    assert numbers(paper_of(case)) == wanted


def test_layers_have_an_alpha_of_their_own_where_they_differ():
    same, apart = (paper_of(LETTERS[name][0]) for name in ("one alpha", "two alphas"))
    assert [plain(same.letter("alpha", l)) for l in (1, 2)] == ["alpha", "alpha"]
    assert [plain(apart.letter("alpha", l)) for l in (1, 2)] == ["alpha1", "alpha2"]


@pytest.mark.parametrize(("samples", "reduction", "share"), [(1, "mean", 1), (2, "mean", 2), (2, "sum", 1)])
def test_a_mean_over_several_samples_divides_by_them(samples: int, reduction: str, share: int):
    loss = {"name": "squared_error", "samples": reduction}
    paper = paper_of(net(loss, layer([[1.0, -0.5]]), x=X2[:samples], y=[[1.0], [0.0]][:samples]))
    assert paper.share() == share
    assert plain(paper.averaged(paper.symbol("x"))) == ("x" if share == 1 else "1 / m x")


def test_a_network_without_a_loss_divides_by_nothing():
    case = net(None, layer([[1.0, -0.5]]), x=X1)
    del case["network"]["loss"]
    assert paper_of(case).share() == 1


def test_layers_that_were_asked_for():
    assert [paper_of(one(), layers=layers).wanted(2) for layers in (None, (2,), (1,))] == [True, True, False]
