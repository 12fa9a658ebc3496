"""The gradients against central differences and against PyTorch's automatic differentiation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from handgrad.nn.backward import backward, batch_loss
from handgrad.nn.dropout import Dropout
from handgrad.nn.forward import dropout_masks, forward
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network, Parameters
from handgrad.nn.regularization import Regularization
from tests.strategies import (
    DIFFERENTIABLE,
    LOSS_AND_OUTPUT,
    Problem,
    entries,
    perturbed,
    problem,
    random_parameters,
)

OUTPUTS = (1, 3)
SAMPLES = (1, 4)
FORMS = (
    (None, "sum", "mean", 1.0),
    (Regularization(l2=0.3), "mean", "sum", 0.5),
    (Regularization(l2=0.3, form="half_mean"), "sum", "mean", 0.5),
    (Regularization(l2=0.2, l1=0.1, form="full"), "mean", "mean", 2.0),
    (Regularization(l1=0.3), "sum", "sum", 1.0),
)


def loss_at(problem: Problem, parameters: Parameters, penalty: Regularization | None, masks=None) -> float:
    activity = forward(problem.network, parameters, problem.X, masks)
    return float(batch_loss(problem.network, parameters, activity, problem.Y, penalty))


def gradients_of(problem: Problem, penalty: Regularization | None, masks=None) -> Parameters:
    activity = forward(problem.network, problem.parameters, problem.X, masks)
    return backward(problem.network, problem.parameters, activity, problem.Y, penalty)


def central_difference(problem: Problem, place, penalty: Regularization | None, masks=None) -> float:
    """(f(p+h) - f(p-h)) / 2h; with h = 1e-5 truncation and rounding both leave about 1e-10."""
    layer, kind, index = place
    up = loss_at(problem, perturbed(problem.parameters, layer, kind, index, 1e-5), penalty, masks)
    down = loss_at(problem, perturbed(problem.parameters, layer, kind, index, -1e-5), penalty, masks)
    return (up - down) / 2e-5


def assert_gradients_match(problem: Problem, penalty, context: str, masks=None) -> None:
    gradients = gradients_of(problem, penalty, masks)
    for place in entries(problem.parameters):
        layer, kind, index = place
        analytic = gradients[layer][kind][index]
        numeric = central_difference(problem, place, penalty, masks)
        assert analytic == pytest.approx(numeric, rel=1e-6, abs=1e-9), (
            f"{context}: d loss / d {'Wb'[kind]}{layer + 1}{list(index)} "
            f"analytic {analytic!r}, central difference {numeric!r}"
        )


@pytest.mark.parametrize(("loss", "output"), LOSS_AND_OUTPUT)
@pytest.mark.parametrize("hidden", DIFFERENTIABLE)
def test_central_differences(hidden: str, loss: str, output: str) -> None:
    for (penalty, over_outputs, over_samples, scale), outputs, samples in product(FORMS, OUTPUTS, SAMPLES):
        case = problem(hidden, output, Loss(loss, scale, over_outputs, over_samples), outputs, samples)
        assert_gradients_match(case, penalty, f"{hidden}, {output}, {case.network.loss}, {penalty}")


@pytest.mark.parametrize("bias", ["frozen", "none"])
def test_biases_that_are_not_trained(bias: str) -> None:
    case = problem("tanh", "sigmoid", Loss("binary_cross_entropy"), 3, 4, bias=bias)
    gradients = gradients_of(case, None)
    for place in entries(case.parameters):
        layer, kind, index = place
        if kind == 1 and bias == "none":
            assert gradients[layer].b[index] == 0
        else:
            assert gradients[layer][kind][index] == pytest.approx(
                central_difference(case, place, None), rel=1e-6, abs=1e-9
            )


def test_a_shared_bias_moves_all_units_of_its_layer() -> None:
    case = problem("tanh", "softmax", Loss("cross_entropy"), 3, 4, bias="shared")
    for layer, (_, db) in enumerate(gradients_of(case, None)):
        together = central_difference(case, (layer, 1, slice(None)), None)
        assert db == pytest.approx(np.full(db.shape, together), rel=1e-6, abs=1e-9)


def test_through_dropout() -> None:
    layers = [
        Dense(5, "silu", dropout=Dropout(0.6)),
        Dense(4, "tanh", dropout=Dropout(0.5, ((1, 0, 1, 1),))),
        Dense(2, "softmax"),
    ]
    network = Network(3, layers, Loss("cross_entropy"))
    generator = np.random.default_rng(5)
    case = Problem(
        network, random_parameters(network, generator), generator.normal(size=(4, 3)), np.eye(2)[[0, 1, 1, 0]]
    )
    masks = dropout_masks(network, seed=3, step=2, samples=4)
    assert masks is not None
    assert not masks[0].all()
    assert_gradients_match(case, Regularization(l2=0.1), "dropout", masks)


def test_a_deep_network() -> None:
    names = ["tanh", "silu", "softplus", "gelu", "elu", "sigmoid"]
    network = Network(2, [*(Dense(3, name) for name in names), Dense(2, "softmax")], Loss("cross_entropy"))
    generator = np.random.default_rng(1)
    case = Problem(
        network, random_parameters(network, generator), generator.normal(size=(3, 2)), np.eye(2)[[0, 1, 1]]
    )
    assert_gradients_match(case, None, "deep")


# --- an independent judge ---------------------------------------------------------------------------------


def torch_loss(torch, case: Problem, leaves, penalty: Regularization | None):
    """The same loss written with PyTorch's own functions."""
    functional = torch.nn.functional
    functions = {
        "identity": lambda z: z,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": torch.relu,
        "leaky_relu": lambda z: functional.leaky_relu(z, 0.01),
        "elu": functional.elu,
        "gelu": functional.gelu,
        "silu": functional.silu,
        "softplus": lambda z: functional.softplus(z, threshold=1000),
        "softmax": lambda z: torch.softmax(z, dim=1),
        "relu6": functional.relu6,
        "hard_sigmoid": lambda z: functional.relu6(z + 3) / 6,  # its own has 1/6 in float32
        "selu": torch.selu,
        "mish": functional.mish,
        "exponential": torch.exp,
    }
    losses = {
        "squared_error": lambda a, y: functional.mse_loss(a, y, reduction="none"),
        "binary_cross_entropy": lambda a, y: functional.binary_cross_entropy(a, y, reduction="none"),
        "cross_entropy": lambda a, y: -y * torch.log(a),
        "huber": lambda a, y: functional.huber_loss(a, y, reduction="none", delta=1.0),
        "absolute_error": lambda a, y: functional.l1_loss(a, y, reduction="none"),
        "hinge": lambda a, y: torch.clamp(1 - y * a, min=0),
        "poisson": lambda a, y: functional.poisson_nll_loss(
            a, y, log_input=False, full=False, eps=0.0, reduction="none"
        ),
    }
    a = torch.tensor(case.X)
    for (_, layer), (W, b) in zip(case.network.numbered(), leaves, strict=True):
        a = functions[layer.function.name](functional.linear(a, W, b))
    loss = case.network.loss
    terms = loss.scale * losses[loss.name](a, torch.tensor(case.Y))
    per_sample = terms.mean(dim=1) if loss.outputs == "mean" else terms.sum(dim=1)
    total = per_sample.mean() if loss.samples == "mean" else per_sample.sum()
    if penalty is None:
        return total
    m = case.X.shape[0]
    coefficient = {"half": 1 / 2, "half_mean": 1 / (2 * m), "full": 1}[penalty.form]
    for W, _ in leaves:
        total = total + coefficient * penalty.l2 * (W**2).sum() + penalty.l1 * W.abs().sum()
    return total


@pytest.mark.parametrize(("loss", "output"), LOSS_AND_OUTPUT)
@pytest.mark.parametrize("hidden", DIFFERENTIABLE)
def test_autograd(hidden: str, loss: str, output: str) -> None:
    torch = pytest.importorskip("torch")
    for (penalty, over_outputs, over_samples, scale), outputs, samples in product(FORMS, OUTPUTS, SAMPLES):
        case = problem(hidden, output, Loss(loss, scale, over_outputs, over_samples), outputs, samples)
        leaves = [[torch.tensor(array, requires_grad=True) for array in layer] for layer in case.parameters]
        judged = torch_loss(torch, case, leaves, penalty)
        judged.backward()
        where = f"{hidden}, {output}, {case.network.loss}, {penalty}, {outputs} outputs, {samples} samples"
        assert loss_at(case, case.parameters, penalty) == pytest.approx(judged.item(), rel=1e-12), where
        for ours, theirs in zip(gradients_of(case, penalty), leaves, strict=True):
            for mine, leaf in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(mine, leaf.grad.numpy(), rtol=1e-10, atol=1e-14, err_msg=where)
