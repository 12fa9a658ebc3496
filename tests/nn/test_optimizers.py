"""Optimizers against torch.optim over a hundred steps, and against loops written from the formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from handgrad.errors import SpecificationError
from handgrad.nn.forward import forward
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, LayerParameters, Network
from handgrad.nn.observe import UNOBSERVED
from handgrad.nn.optimizers import (
    OPTIMIZERS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Lion,
    Momentum,
    NAdam,
    Nesterov,
    Optimizer,
    RMSprop,
    initial_state,
    update,
)
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe, Training, training_step
from tests.strategies import Watcher, random_parameters

STEPS = 100

# ours, the class in torch.optim, its arguments
JUDGED = [
    (SGD(0.1), "SGD", {}),
    (Momentum(0.05, momentum=0.9), "SGD", {"momentum": 0.9}),
    (Nesterov(0.05, momentum=0.8), "SGD", {"momentum": 0.8, "nesterov": True}),
    (RMSprop(0.01, decay=0.95, epsilon=1e-7), "RMSprop", {"alpha": 0.95, "eps": 1e-7}),
    (Adam(0.02), "Adam", {}),
    (Adam(0.02, beta1=0.5, beta2=0.9, epsilon=1e-3), "Adam", {"betas": (0.5, 0.9), "eps": 1e-3}),
    (Adam(0.02, amsgrad=True), "Adam", {"amsgrad": True}),
    (AdamW(0.02, weight_decay=0.1), "AdamW", {"weight_decay": 0.1}),
    (AdamW(0.02, weight_decay=0.1, amsgrad=True), "AdamW", {"weight_decay": 0.1, "amsgrad": True}),
    (Adagrad(0.05), "Adagrad", {}),
    (Adagrad(0.05, epsilon=1e-3), "Adagrad", {"eps": 1e-3}),
    (Adadelta(0.5), "Adadelta", {}),
    (Adadelta(decay=0.7, epsilon=1e-3), "Adadelta", {"rho": 0.7, "eps": 1e-3}),
    (
        NAdam(0.02),
        "NAdam",
        {"momentum_decay": math.inf},
    ),  # its schedule at its end: beta1 from the first step
    (
        NAdam(0.02, beta1=0.6, epsilon=1e-4),
        "NAdam",
        {"betas": (0.6, 0.999), "eps": 1e-4, "momentum_decay": math.inf},
    ),
]
IDS = [f"{ours.name}-{k}" for k, (ours, _, _) in enumerate(JUDGED)]


@pytest.fixture
def torch():
    """PyTorch in float64: its NAdam keeps a product of betas in the default precision."""
    torch = pytest.importorskip("torch")
    torch.set_default_dtype(torch.float64)
    yield torch
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(("ours", "theirs", "options"), JUDGED, ids=IDS)
def test_a_hundred_steps_on_drawn_gradients(torch, ours: Optimizer, theirs: str, options: dict) -> None:
    generator = np.random.default_rng(0)
    p = generator.normal(size=(3, 4))
    leaf = torch.tensor(p.copy(), requires_grad=True)
    judge = getattr(torch.optim, theirs)([leaf], lr=ours.learning_rate, **options)
    state = tuple(np.zeros_like(p) for _ in ours.slots)
    for t in range(1, STEPS + 1):
        g = generator.normal(size=p.shape) * 10 ** generator.uniform(-4, 1)
        p, state = ours.step(p, g, state, t, ours.learning_rate, UNOBSERVED)
        leaf.grad = torch.tensor(g)
        judge.step()
        np.testing.assert_allclose(p, leaf.detach().numpy(), rtol=1e-10, atol=1e-12, err_msg=f"step {t}")


@pytest.mark.parametrize(("ours", "theirs", "options"), JUDGED, ids=IDS)
def test_a_hundred_steps_of_a_network(torch, ours: Optimizer, theirs: str, options: dict) -> None:
    network = Network(3, [Dense(4, "tanh"), Dense(2, "softmax")], Loss("cross_entropy"))
    generator = np.random.default_rng(1)
    X, classes = generator.normal(size=(40, 3)), generator.integers(2, size=40)
    parameters = random_parameters(network, generator)
    leaves = [torch.tensor(array.copy(), requires_grad=True) for layer in parameters for array in layer]
    judge = getattr(torch.optim, theirs)(leaves, lr=ours.learning_rate, **options)
    training = Training(parameters, initial_state(ours, parameters))
    for t in range(1, STEPS + 1):
        rows = np.arange(8) + 8 * (t % 5)
        stepped = training_step(
            network, Recipe(ours), training, X[rows], np.eye(2)[classes[rows]], t, ours.learning_rate
        )
        training = stepped.training
        W1, b1, W2, b2 = leaves
        logits = torch.tanh(torch.tensor(X[rows]) @ W1.T + b1) @ W2.T + b2
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(classes[rows]))
        assert float(stepped.loss) == pytest.approx(loss.item(), rel=1e-10)
        judge.zero_grad()
        loss.backward()
        judge.step()
    arrays = [array for layer in training.parameters for array in layer]
    for array, leaf in zip(arrays, leaves, strict=True):
        np.testing.assert_allclose(array, leaf.detach().numpy(), rtol=1e-10)


def test_l2_half_is_the_weight_decay_of_plain_gradient_descent() -> None:
    torch = pytest.importorskip("torch")
    network = Network(2, [Dense(1, "identity")], Loss("squared_error"))
    generator = np.random.default_rng(2)
    X, Y = generator.normal(size=(6, 2)), generator.normal(size=(6, 1))
    parameters = random_parameters(network, generator)
    W, b = (torch.tensor(array.copy(), requires_grad=True) for array in parameters[0])
    judge = torch.optim.SGD([{"params": [W], "weight_decay": 0.3}, {"params": [b]}], lr=0.1)
    recipe = Recipe(SGD(0.1), Regularization(l2=0.3))
    training = Training(parameters, initial_state(recipe.optimizer, parameters))
    for t in range(1, STEPS + 1):
        training = training_step(network, recipe, training, X, Y, t, 0.1).training
        judge.zero_grad()
        ((torch.tensor(X) @ W.T + b - torch.tensor(Y)) ** 2).mean().backward()
        judge.step()
    np.testing.assert_allclose(training.parameters[0].W, W.detach().numpy(), rtol=1e-10)
    np.testing.assert_allclose(training.parameters[0].b, b.detach().numpy(), rtol=1e-10)


def heavy_ball(p: float, gradients: list[float], eta: float, mu: float) -> float:
    v = 0.0
    for g in gradients:
        v = mu * v - eta * g
        p = p + v
    return p


def average(p: float, gradients: list[float], eta: float, mu: float) -> float:
    v = 0.0
    for g in gradients:
        v = mu * v + (1 - mu) * g
        p = p - eta * v
    return p


def epsilon_under_the_root(p: float, gradients: list[float], eta: float, mu: float) -> float:
    m = v = 0.0
    for t, g in enumerate(gradients, 1):
        m = mu * m + (1 - mu) * g
        v = 0.99 * v + 0.01 * g**2
        p = p - eta * (m / (1 - mu**t)) / math.sqrt(v / (1 - 0.99**t) + 1e-4)
    return p


def lion(p: float, gradients: list[float], eta: float, mu: float) -> float:
    m = 0.0
    for g in gradients:
        c = mu * m + (1 - mu) * g
        p = p - eta * ((c > 0) - (c < 0) + 0.1 * p)
        m = 0.95 * m + 0.05 * g
    return p


@pytest.mark.parametrize(
    ("optimizer", "loop"),
    [
        (Momentum(0.05, momentum=0.7, form="heavy_ball"), heavy_ball),
        (Momentum(0.05, momentum=0.7, form="average"), average),
        (Adam(0.05, beta1=0.7, beta2=0.99, epsilon=1e-4, epsilon_inside=True), epsilon_under_the_root),
        (Lion(0.05, beta1=0.7, beta2=0.95, weight_decay=0.1), lion),
    ],
    ids=["heavy_ball", "average", "epsilon_inside", "lion"],
)
def test_other_published_forms(optimizer: Optimizer, loop) -> None:
    gradients = np.random.default_rng(3).normal(size=STEPS).tolist()
    p, state = np.array([2.0]), tuple(np.zeros(1) for _ in optimizer.slots)
    for t, g in enumerate(gradients, 1):
        p, state = optimizer.step(p, np.array([g]), state, t, 0.05, UNOBSERVED)
    assert p[0] == pytest.approx(loop(2.0, gradients, 0.05, 0.7), rel=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs", "options"),
    [
        (NAdam(0.02, beta1=0.8), "nadam", {"b1": 0.8}),
        (Lion(0.01, weight_decay=0.1), "lion", {"weight_decay": 0.1}),
    ],
)
def test_a_hundred_steps_of_optax(ours: Optimizer, theirs: str, options: dict) -> None:
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    with jax.enable_x64(True):
        judge = getattr(optax, theirs)(ours.learning_rate, **options)
        generator = np.random.default_rng(0)
        p = generator.normal(size=(3, 4))
        there, state = jax.numpy.asarray(p), tuple(np.zeros_like(p) for _ in ours.slots)
        memory = judge.init(there)
        for t in range(1, STEPS + 1):
            g = generator.normal(size=p.shape)
            p, state = ours.step(p, g, state, t, ours.learning_rate, UNOBSERVED)
            change, memory = judge.update(jax.numpy.asarray(g), memory, there)
            there = optax.apply_updates(there, change)
            np.testing.assert_allclose(p, np.asarray(there), rtol=1e-9, atol=1e-12, err_msg=f"step {t}")


def test_the_forms_of_momentum_are_one_method_at_a_constant_rate() -> None:
    gradients = np.random.default_rng(4).normal(size=(STEPS, 3))

    def run(optimizer: Momentum) -> np.ndarray:
        p, state = np.ones(3), (np.zeros(3),)
        for t, g in enumerate(gradients, 1):
            p, state = optimizer.step(p, g, state, t, optimizer.learning_rate, UNOBSERVED)
        return p

    velocity = run(Momentum(0.02, momentum=0.75))
    np.testing.assert_allclose(run(Momentum(0.02, momentum=0.75, form="heavy_ball")), velocity, rtol=1e-12)
    np.testing.assert_allclose(run(Momentum(0.08, momentum=0.75, form="average")), velocity, rtol=1e-12)


def test_heavy_ball_keeps_the_rate_of_its_time() -> None:
    # velocity and heavy_ball part ways when the rate changes: the old steps keep the old rate in heavy_ball
    outcomes = []
    for form in ("velocity", "heavy_ball"):
        optimizer, p, state = Momentum(momentum=0.5, form=form), np.zeros(1), (np.zeros(1),)
        for t, eta in enumerate((0.1, 0.01), 1):
            p, state = optimizer.step(p, np.ones(1), state, t, eta, UNOBSERVED)
        outcomes.append(p[0])
    # velocity: -0.1 * 1 - 0.01 * 1.5;   heavy ball: -0.1 + (0.5 * -0.1 - 0.01)
    assert outcomes == pytest.approx([-0.115, -0.16], rel=1e-14)


def network_of_every_bias() -> Network:
    return Network(
        2, [Dense(2, "tanh", bias=bias) for bias in ("trained", "frozen", "shared", "none")], "squared_error"
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_which_biases_move(name: str) -> None:
    network = network_of_every_bias()
    optimizer = OPTIMIZERS[name]()
    parameters = random_parameters(network, np.random.default_rng(0))
    training = Training(parameters, initial_state(optimizer, parameters))
    recipe = Recipe(optimizer)
    X, Y = np.array([[0.3, -0.2]]), np.array([[1.0, -1.0]])
    for t in (1, 2, 3):
        training = training_step(network, recipe, training, X, Y, t, optimizer.learning_rate).training
    trained, frozen, shared, none = (layer.b for layer in training.parameters)
    assert np.all(trained != parameters[0].b)
    assert np.array_equal(frozen, parameters[1].b)
    assert shared[0] == shared[1] != parameters[2].b[0]
    assert np.array_equal(none, [0, 0])


def test_what_is_shown_by_name() -> None:
    network = network_of_every_bias()
    parameters = random_parameters(network, np.random.default_rng(0))
    gradients = tuple(LayerParameters(np.ones_like(W), np.ones_like(b)) for W, b in parameters)
    optimizer = Adam(amsgrad=True)
    watcher = Watcher()
    update(optimizer, network, parameters, gradients, initial_state(optimizer, parameters), 1, 0.1, watcher)
    state = {
        f"{p}_{s}" for p in ("W1", "b1", "b3", "W4") for s in ("m", "v", "v_max", "m_hat", "v_hat", "new")
    }
    assert state <= set(watcher.seen)
    assert {name for name in watcher.seen if name.startswith(("b2", "b4"))} == {"b2_new"}
    assert watcher.seen["W1_m_hat"] == pytest.approx(np.ones((2, 2)), rel=1e-15)


def test_a_step_writes_into_nothing_it_was_given() -> None:
    network = network_of_every_bias()
    for optimizer in (rule() for rule in OPTIMIZERS.values()):
        parameters = random_parameters(network, np.random.default_rng(0))
        state = initial_state(optimizer, parameters)
        for array in [*(a for layer in parameters for a in layer), *(a for l in state for s in l for a in s)]:
            array.setflags(write=False)
        X, Y = np.ones((1, 2)), np.zeros((1, 2))
        training_step(network, Recipe(optimizer), Training(parameters, state), X, Y, 1, 0.1)


def test_a_small_step_downhill_lowers_the_loss() -> None:
    network = Network(2, [Dense(3, "tanh"), Dense(1)], "squared_error")
    X, Y = np.array([[0.5, -1.0], [1.0, 2.0]]), np.array([[1.0], [-1.0]])
    for rule in OPTIMIZERS.values():
        optimizer = rule(learning_rate=1e-4)
        parameters = random_parameters(network, np.random.default_rng(0))
        training = Training(parameters, initial_state(optimizer, parameters))
        before = training_step(network, Recipe(optimizer), training, X, Y, 1, 1e-4)
        after = training_step(network, Recipe(optimizer), before.training, X, Y, 2, 1e-4)
        assert float(after.loss) < float(before.loss), rule.name
        assert forward(network, before.training.parameters, X).yhat.shape == (2, 1)


@pytest.mark.parametrize(
    ("rule", "arguments", "message"),
    [
        (SGD, {"learning_rate": 0.0}, "sgd: learning_rate must be a finite number > 0, got 0.0"),
        (SGD, {"learning_rate": math.nan}, "learning_rate must be a finite number > 0, got nan"),
        (Adam, {"learning_rate": math.inf}, "adam: learning_rate must be a finite number > 0, got inf"),
        (Momentum, {"momentum": 1.0}, "momentum: momentum must be >= 0 and < 1, got 1.0"),
        (Momentum, {"form": "polyak"}, "form must be 'velocity', 'heavy_ball' or 'average', got 'polyak'"),
        (Nesterov, {"momentum": -0.1}, "nesterov: momentum must be >= 0 and < 1, got -0.1"),
        (RMSprop, {"decay": 1.5}, "rmsprop: decay must be >= 0 and < 1, got 1.5"),
        (RMSprop, {"epsilon": -1e-8}, "rmsprop: epsilon must be a finite number >= 0, got -1e-08"),
        (Adam, {"beta1": 1.0}, "adam: beta1 must be >= 0 and < 1, got 1.0"),
        (Adam, {"beta2": math.nan}, "adam: beta2 must be >= 0 and < 1, got nan"),
        (AdamW, {"weight_decay": -0.1}, "adamw: weight_decay must be a finite number >= 0, got -0.1"),
        (Adagrad, {"epsilon": -1e-8}, "adagrad: epsilon must be a finite number >= 0, got -1e-08"),
        (Adadelta, {"epsilon": 0.0}, "adadelta: epsilon must be a finite number > 0, got 0.0"),
        (Adadelta, {"decay": 1.0}, "adadelta: decay must be >= 0 and < 1, got 1.0"),
        (NAdam, {"beta1": 1.0}, "nadam: beta1 must be >= 0 and < 1, got 1.0"),
        (Lion, {"beta2": -0.1}, "lion: beta2 must be >= 0 and < 1, got -0.1"),
        (Lion, {"weight_decay": -0.1}, "lion: weight_decay must be a finite number >= 0, got -0.1"),
    ],
)
def test_errors_name_what_was_expected(rule, arguments: dict, message: str) -> None:
    with pytest.raises(SpecificationError, match=message):
        rule(**arguments)


# As torch.optim has them; Lion and its weight decay as in its paper, without a decay.
USUAL = {
    "sgd": {"learning_rate": 0.01},
    "momentum": {"learning_rate": 0.01, "momentum": 0.9, "form": "velocity"},
    "nesterov": {"learning_rate": 0.01, "momentum": 0.9},
    "rmsprop": {"learning_rate": 0.01, "decay": 0.9, "epsilon": 1e-8},
    "adam": {
        "learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "epsilon_inside": False,
        "amsgrad": False,
    },
    "adamw": {
        "learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "epsilon_inside": False,
        "amsgrad": False,
        "weight_decay": 0.01,
    },
    "adagrad": {"learning_rate": 0.01, "epsilon": 1e-10},
    "adadelta": {"learning_rate": 1.0, "decay": 0.9, "epsilon": 1e-6},
    "nadam": {"learning_rate": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "lion": {"learning_rate": 0.0001, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0},
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_an_optimizer_does_unless_it_is_asked_for_something_else(name: str) -> None:
    assert vars(OPTIMIZERS[name]()) == USUAL[name]


def test_only_plain_gradient_descent_goes_straight_downhill() -> None:
    assert [name for name, kind in OPTIMIZERS.items() if kind.downhill] == ["sgd"]


def test_the_rates_that_tables_are_trained_with() -> None:
    rates = {name: kind.rate_for_tables for name, kind in OPTIMIZERS.items()}
    assert rates == {
        "sgd": 0.05, "momentum": 0.01, "nesterov": 0.01, "rmsprop": 0.001, "adam": 0.001, "adamw": 0.002,
        "adagrad": 0.01, "adadelta": 1.0, "nadam": 0.001, "lion": 0.0003,
    }  # fmt: skip


def test_no_momentum_and_no_memory_are_allowed() -> None:
    p, g, zero = np.array([1.0]), np.array([2.0]), np.zeros(1)
    for optimizer in (
        Momentum(0.1, momentum=0),
        Nesterov(0.1, momentum=0),
        Momentum(0.1, momentum=0, form="average"),
    ):
        assert float(optimizer.step(p, g, (zero,), 1, 0.1, UNOBSERVED)[0][0]) == pytest.approx(0.8, rel=1e-15)
    adam = Adam(0.1, beta1=0, beta2=0, epsilon=0)
    assert float(adam.step(p, g, (zero, zero), 1, 0.1, UNOBSERVED)[0][0]) == pytest.approx(0.9, rel=1e-15)
