"""Categories that are gathered: the same numbers as with inputs of 0 and 1, in NumPy, JAX and PyTorch's namespace."""

from __future__ import annotations

import numpy as np
import pytest

from handgrad.data.arrays import inputs
from handgrad.errors import ShapeError, SpecificationError
from handgrad.nn.attribution import integrated_gradients
from handgrad.nn.backward import backward
from handgrad.nn.forward import forward
from handgrad.nn.gathering import gathered_gradient, one_hot
from handgrad.nn.in_play import MOST_INPUTS, in_play, whole
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import Adam, initial_state
from handgrad.nn.step import Recipe, Training, training_step

LAYERS = [Dense(6, "tanh"), Dense(2, "softmax")]
COUNTS = (4, 7)
SPARSE = Network(3 + 11, LAYERS, Loss("cross_entropy"), COUNTS)
DENSE = Network(3 + 11, LAYERS, Loss("cross_entropy"))


def data(rows: int = 19, numbers: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, then categories of which some are none (-1), and classes."""
    rng = np.random.default_rng(0)
    codes = [rng.integers(-1, count, rows) for count in COUNTS]
    return np.column_stack([rng.normal(size=(rows, numbers)), *codes]), np.eye(2)[rng.integers(0, 2, rows)]


def by_hand(X: np.ndarray) -> np.ndarray:
    """One-hot with a loop."""
    numbers = X.shape[1] - len(COUNTS)
    out = np.zeros((len(X), numbers + sum(COUNTS)))
    out[:, :numbers] = X[:, :numbers]
    for i, row in enumerate(X):
        for j, first in enumerate((numbers, numbers + COUNTS[0])):
            if row[numbers + j] >= 0:
                out[i, first + int(row[numbers + j])] = 1
    return out


def test_one_hot_is_the_loops() -> None:
    X, _ = data()
    np.testing.assert_array_equal(one_hot(X, COUNTS), by_hand(X))


@pytest.mark.parametrize("numbers", [3, 0])
def test_forward_and_backward_are_those_of_one_hot(numbers: int) -> None:
    X, Y = data(numbers=numbers)
    sparse = Network(numbers + 11, LAYERS, Loss("cross_entropy"), COUNTS)
    dense = Network(numbers + 11, LAYERS, Loss("cross_entropy"))
    parameters = dense.initial_parameters(2)
    ours, theirs = forward(sparse, parameters, X), forward(dense, parameters, by_hand(X))
    np.testing.assert_allclose(ours.yhat, theirs.yhat, rtol=1e-13)
    for left, right in zip(
        backward(sparse, parameters, ours, Y), backward(dense, parameters, theirs, Y), strict=True
    ):
        np.testing.assert_allclose(left.W, right.W, rtol=1e-12, atol=1e-16)
        np.testing.assert_allclose(left.b, right.b, rtol=1e-12, atol=1e-16)


def test_the_gradient_of_jax_is_numpys() -> None:
    jax = pytest.importorskip("jax")
    X, _ = data()
    delta = np.random.default_rng(1).normal(size=(len(X), 6))
    with jax.enable_x64(True):
        found = gathered_gradient(jax.numpy.asarray(delta), jax.numpy.asarray(X), COUNTS)
        differentiated = jax.grad(
            lambda W: (
                forward(SPARSE, ((W, np.zeros(6)), *PARAMETERS[1:]), jax.numpy.asarray(X)).Z[1] * delta
            ).sum()
        )(jax.numpy.asarray(PARAMETERS[0].W))
    np.testing.assert_allclose(found, delta.T @ by_hand(X), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(differentiated, found, rtol=1e-12, atol=1e-15)


PARAMETERS = DENSE.initial_parameters(3)


def test_another_library_takes_the_product() -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("array_api_compat")
    X, _ = data()
    delta = np.random.default_rng(1).normal(size=(len(X), 6))
    found = gathered_gradient(torch.asarray(delta), torch.asarray(X), COUNTS)
    np.testing.assert_allclose(found.numpy(), delta.T @ by_hand(X), rtol=1e-12, atol=1e-15)


def test_the_part_in_play_takes_the_same_step() -> None:
    X, Y = data(rows=5)
    recipe = Recipe(Adam(0.01))
    training = Training(PARAMETERS, initial_state(recipe.optimizer, PARAMETERS))
    part = in_play(SPARSE, X)
    assert part.network.inputs == len(part.columns) < SPARSE.inputs and not part.network.gathered
    whole_step = training_step(SPARSE, recipe, training, X, Y, 1, 0.01)
    part_step = training_step(part.network, recipe, part.training(training), part.inputs(X), Y, 1, 0.01)
    assert float(part_step.loss) == pytest.approx(float(whole_step.loss), rel=1e-14)
    expected = part.training(whole_step.training)
    np.testing.assert_allclose(part_step.training.parameters[0].W, expected.parameters[0].W, rtol=1e-13)
    np.testing.assert_allclose(
        part_step.training.state[0][0][0], expected.state[0][0][0], rtol=1e-12, atol=1e-18
    )
    others = np.setdiff1d(np.arange(14), part.columns)
    np.testing.assert_array_equal(whole_step.training.parameters[0].W[:, others], PARAMETERS[0].W[:, others])


def test_contributions_are_those_of_one_hot() -> None:
    X, _ = data(rows=1)
    part = in_play(SPARSE, X)
    ours = integrated_gradients(
        part.network, part.parameters(PARAMETERS), part.inputs(X)[0], np.zeros(part.network.inputs), 0
    )
    theirs = integrated_gradients(DENSE, PARAMETERS, by_hand(X)[0], np.zeros(14), 0)
    np.testing.assert_allclose(ours.contributions, theirs.contributions[part.columns], rtol=1e-10)


def test_a_row_without_any_known_category_has_a_part() -> None:
    network = Network(4, [Dense(2)], gathered=(4,))
    X = np.array([[-1.0]])
    part, parameters = in_play(network, X), network.initial_parameters()
    z = forward(part.network, part.parameters(parameters), part.inputs(X)).yhat
    np.testing.assert_array_equal(z, forward(network, parameters, X).yhat)


def test_penalties_are_written_down_whole_or_not_at_all() -> None:
    assert whole(SPARSE).network == Network(14, LAYERS, Loss("cross_entropy"))
    with pytest.raises(SpecificationError, match="counts every weight"):
        whole(Network(MOST_INPUTS + 1, LAYERS, gathered=(MOST_INPUTS,)))


def test_a_number_that_is_no_category_is_named() -> None:
    X, _ = data()
    X[4, 3] = 4.0
    with pytest.raises(ShapeError, match=r"X holds 4 at \[4, 3\], a column of 4 categories"):
        inputs(SPARSE, X, "float64")
    X[4, 3] = 0.5
    with pytest.raises(ShapeError, match=r"X holds 0\.5"):
        inputs(SPARSE, X, "float64")
    with pytest.raises(ShapeError, match=r"\(samples, 5\)"):
        inputs(SPARSE, by_hand(data()[0]), "float64")


@pytest.mark.parametrize("gathered", [(0,), (15,), (1 << 25,)])
def test_counts_that_cannot_be(gathered: tuple[int, ...]) -> None:
    with pytest.raises(SpecificationError, match="gathered must count"):
        Network(14, LAYERS, gathered=gathered)
