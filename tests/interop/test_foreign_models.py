"""Models of other libraries: their outputs, their gradients, their next step, beside what they do themselves.

The libraries are the oracle: each takes the step, and the sheet of that step was made before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from sklearn import neural_network

import handgrad as hg
from handgrad.errors import MissingExtraError, ModelError, ShapeError, SpecificationError

jax = pytest.importorskip("jax")
keras = pytest.importorskip("keras")
equinox = pytest.importorskip("equinox")
nnx = pytest.importorskip("flax.nnx")

GENERATOR = np.random.default_rng(7)
X = GENERATOR.normal(size=(6, 3))
CLASSES = np.array([0, 1, 2, 1, 0, 2])
TRUTH = np.array([[0.0], [1.0], [1.0], [0.0], [1.0], [1.0]])
NUMBERS = GENERATOR.normal(size=(6, 2))


def torch_model(*last: Any, outputs: int, hidden: Any = None, bias: bool = True) -> Any:
    torch.manual_seed(1)
    inner = [torch.nn.Linear(3, 5, bias=bias), torch.nn.Tanh() if hidden is None else hidden]
    return torch.nn.Sequential(*inner, torch.nn.Linear(5, outputs), *last).double()


def same(actual: Any, expected: Any, tolerance: float = 1e-6) -> None:
    expected = np.asarray(expected)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


# -- PyTorch

TORCH_LOSSES: dict[str, tuple[Any, Any, Any]] = {
    "mse": (torch_model(outputs=2), torch.nn.MSELoss(), torch.tensor(NUMBERS)),
    "mse sum": (torch_model(outputs=2), torch.nn.MSELoss(reduction="sum"), torch.tensor(NUMBERS)),
    "huber": (torch_model(outputs=2), torch.nn.HuberLoss(delta=0.7), torch.tensor(NUMBERS)),
    "l1": (torch_model(outputs=2), torch.nn.L1Loss(), torch.tensor(NUMBERS)),
    "logits": (torch_model(outputs=1), torch.nn.BCEWithLogitsLoss(), torch.tensor(TRUTH)),
    "bce": (torch_model(torch.nn.Sigmoid(), outputs=1), torch.nn.BCELoss(), torch.tensor(TRUTH)),
    "cross entropy": (torch_model(outputs=3), torch.nn.CrossEntropyLoss(), torch.tensor(CLASSES)),
    "cross entropy sum": (
        torch_model(outputs=3, bias=False),
        torch.nn.CrossEntropyLoss(reduction="sum"),
        torch.tensor(CLASSES),
    ),
}


@pytest.mark.parametrize("name", TORCH_LOSSES)
def test_loss_and_gradients_are_those_of_autograd(name: str) -> None:
    model, loss, y = TORCH_LOSSES[name]
    quantities = hg.explain(model, data=(torch.tensor(X), y), loss=loss).quantities()
    model.zero_grad()
    value = loss(model(torch.tensor(X)), y)
    value.backward()
    assert quantities["loss"] == pytest.approx(value.item(), rel=1e-9)
    linear = [part for part in model if isinstance(part, torch.nn.Linear)]
    for l, part in enumerate(linear, 1):
        same(quantities[f"dW{l}"], part.weight.grad)
        if part.bias is not None:
            same(quantities[f"db{l}"], part.bias.grad)


@pytest.mark.parametrize(
    "module",
    [
        torch.nn.ReLU(),
        torch.nn.Sigmoid(),
        torch.nn.Tanh(),
        torch.nn.LeakyReLU(0.2),
        torch.nn.ELU(0.7),
        torch.nn.GELU(),
        torch.nn.SiLU(),
        torch.nn.Softplus(),
        torch.nn.Softmax(dim=1),
        torch.nn.ReLU6(),
        torch.nn.Hardsigmoid(),
        torch.nn.SELU(),
        torch.nn.Mish(),
        torch.nn.Sequential(torch.nn.Identity(), torch.nn.ReLU()),
    ],
    ids=str,
)
def test_every_activation_of_torch(module: Any) -> None:
    model = torch_model(outputs=2, hidden=module)
    same(hg.load(model).predict(X), model(torch.tensor(X)).detach(), 1e-9)


TORCH_OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1),
    "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, 0.01, betas=(0.8, 0.95), eps=1e-4),
    "amsgrad": lambda p: torch.optim.Adam(p, 0.05, amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.01, alpha=0.8),
    "adagrad": lambda p: torch.optim.Adagrad(p, 0.05, initial_accumulator_value=0.1),
    "adadelta": lambda p: torch.optim.Adadelta(p, 0.5),
}


@pytest.mark.parametrize("name", TORCH_OPTIMIZERS)
@pytest.mark.parametrize("kind", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_the_next_step_of_torch(name: str, kind: Any) -> None:
    model = torch_model(outputs=3).to(kind)
    optimizer = TORCH_OPTIMIZERS[name](model.parameters())
    loss, x, y = torch.nn.CrossEntropyLoss(), torch.tensor(X, dtype=kind), torch.tensor(CLASSES)
    for step in range(1, 5):
        sheet = hg.explain(model, data=(x, y), loss=loss, optimizer=optimizer)
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
        quantities = sheet.quantities()
        tolerance = 1e-10 if kind is torch.float64 else 1e-6
        same(quantities["W1_new"], model[0].weight.detach(), tolerance)
        same(quantities["b2_new"], model[2].bias.detach(), tolerance)
        assert sheet.first == (1 if name in ("sgd", "momentum", "nesterov") else step)
    assert sheet.text()  # laid out, and every number verified


def test_weight_decay_on_the_weights_alone() -> None:
    model, loss = torch_model(outputs=2), torch.nn.MSELoss()
    weights = [p for name, p in model.named_parameters() if name.endswith("weight")]
    biases = [p for name, p in model.named_parameters() if name.endswith("bias")]
    optimizer = torch.optim.SGD([{"params": weights, "weight_decay": 0.2}, {"params": biases}], 0.1)
    quantities = hg.explain(model, data=(X, NUMBERS), loss=loss, optimizer=optimizer).quantities()
    loss(model(torch.tensor(X)), torch.tensor(NUMBERS)).backward()
    optimizer.step()
    same(quantities["W1_new"], model[0].weight.detach(), 1e-10)
    same(quantities["b1_new"], model[0].bias.detach(), 1e-10)


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1)), "module 0 .Conv2d.: Conv2d is not known"),
    (lambda: torch_model(outputs=1, hidden=torch.nn.GELU("tanh")), "approximate"),
    (lambda: torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(3, 1)), "before the first dense layer"),
    (
        lambda: torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.ReLU(), torch.nn.Tanh()),
        "second activation",
    ),
    (lambda: torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Dropout(0.5)), "ends in a dropout"),
    (torch.nn.Sequential, "no dense layer"),
    (neural_network.MLPRegressor, "not been fitted"),
    (neural_network.BernoulliRBM, "BernoulliRBM is not known"),
    (object, "a object cannot be read"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_a_part_that_is_not_known_is_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        hg.load(make())


def test_options_of_optimizers_that_are_not_known() -> None:
    model, loss = torch_model(outputs=3), torch.nn.CrossEntropyLoss()
    for optimizer, message in (
        (torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, dampening=0.5), "dampening"),
        (torch.optim.Adam(model.parameters(), 0.1, weight_decay=0.1), "biases"),
        (torch.optim.RMSprop(model.parameters(), 0.1, centered=True), "centered"),
        (torch.optim.Rprop(model.parameters(), 0.1), "Rprop is not known"),
        (torch.optim.SGD(model[0].parameters(), 0.1), "does not hold all parameters"),
        (torch.optim.SGD(model.parameters(), 0.1, maximize=True), "maximize"),
    ):
        with pytest.raises(ModelError, match=message):
            hg.explain(model, data=(X, CLASSES), loss=loss, optimizer=optimizer)
    with pytest.raises(ModelError, match="label_smoothing"):
        hg.explain(model, data=(X, CLASSES), loss=torch.nn.CrossEntropyLoss(label_smoothing=0.1))
    with pytest.raises(ModelError, match="CTCLoss is not known"):
        hg.explain(model, data=(X, CLASSES), loss=torch.nn.CTCLoss())


def test_what_is_asked_wrongly() -> None:
    model = torch_model(outputs=3)
    with pytest.raises(SpecificationError, match="give the batch"):
        hg.explain(model)
    with pytest.raises(ShapeError, match=r"X must have shape \(samples, 3\)"):
        hg.explain(model, data=X[:, :2])
    with pytest.raises(ShapeError, match="y must have shape"):
        hg.explain(model, data=(X, CLASSES[:4]), loss=torch.nn.CrossEntropyLoss())
    with pytest.raises(SpecificationError, match="step and rows"):
        hg.explain(model, data=(X, CLASSES), step=3)
    with pytest.raises(SpecificationError, match="has its own"):
        hg.explain("examples/relu-sigmoid-2-2-1.toml", optimizer=hg.Adam())
    masked = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 1))
    with pytest.raises(ModelError, match=r"model\.eval\(\)"):
        optimizer = torch.optim.SGD(masked.parameters(), 0.1)
        hg.explain(masked, data=(X, TRUTH), loss=torch.nn.MSELoss(), optimizer=optimizer)


def test_our_own_optimizer_begins_on_their_model() -> None:
    quantities = hg.explain(torch_model(outputs=2), data=(X, NUMBERS), optimizer=hg.SGD(0.5)).quantities()
    same(quantities["W1_new"], quantities["W1"] - 0.5 * quantities["dW1"], 1e-12)
    forward = hg.explain(torch_model(outputs=2), data=X).quantities()
    same(forward["yhat"], torch_model(outputs=2)(torch.tensor(X)).detach(), 1e-12)


# -- Keras

KERAS_OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: keras.optimizers.SGD(0.1),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "nesterov": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True, global_clipnorm=0.2),
    "adam": lambda: keras.optimizers.Adam(0.01, epsilon=1e-3, clipvalue=0.05),
    "amsgrad": lambda: keras.optimizers.Adam(0.05, amsgrad=True),
    "adamw": lambda: keras.optimizers.AdamW(0.01, weight_decay=0.1),
}
KERAS_LOSSES: dict[str, tuple[int, str, Any, Any]] = {
    "mse": (2, "linear", "mse", NUMBERS),
    "huber": (2, "linear", keras.losses.Huber(0.5), NUMBERS),
    "binary": (1, "sigmoid", "binary_crossentropy", TRUTH),
    "binary logits": (1, "linear", keras.losses.BinaryCrossentropy(from_logits=True), TRUTH),
    "sparse": (3, "softmax", "sparse_categorical_crossentropy", CLASSES),
    "categorical": (3, "softmax", keras.losses.CategoricalCrossentropy(), np.eye(3)[CLASSES]),
}


def keras_model(outputs: int, last: str) -> Any:
    keras.utils.set_random_seed(3)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4),
            layers.LeakyReLU(negative_slope=0.1),
            layers.Dense(outputs, last),
        ]
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize(
    ("optimizer", "loss"),
    [
        *((name, "sparse") for name in KERAS_OPTIMIZERS),
        *(("sgd", name) for name in KERAS_LOSSES if name != "sparse"),
    ],
)
def test_the_next_step_of_keras(optimizer: str, loss: str) -> None:
    outputs, last, function, y = KERAS_LOSSES[loss]
    model, going = keras_model(outputs, last), KERAS_OPTIMIZERS[optimizer]()
    model.compile(going, function, run_eagerly=True)
    for _ in range(3 if loss == "sparse" else 1):
        quantities = hg.explain(model, data=(X.astype("f4"), y), optimizer=going).quantities()
        value = model.train_on_batch(X.astype("f4"), y)
        assert quantities["loss"] == pytest.approx(float(np.asarray(value)), rel=1e-5)
        W1, b1, W2, b2 = model.get_weights()
        same(quantities["W1_new"], W1.T, 1e-6)
        same(quantities["b1_new"], b1, 1e-6)
        same(quantities["W2_new"], W2.T, 1e-6)
        same(quantities["b2_new"], b2, 1e-6)


def test_what_keras_has_and_we_do_not() -> None:
    layers = keras.layers
    for made, message in (
        ([layers.Conv1D(2, 1)], "Conv1D is not known"),
        ([layers.Dense(2, "hard_tanh")], "hard_tanh"),
        ([layers.Dense(2, kernel_regularizer="l2")], "regularizer"),
        ([layers.ReLU(max_value=6)], "max_value"),
    ):
        with pytest.raises(ModelError, match=message):
            hg.load(keras.Sequential([keras.Input((4, 3)), layers.Dense(3), *made]))
    model = keras_model(1, "linear")
    with pytest.raises(ModelError, match="RMSprop is not known"):
        hg.explain(model, data=(X, TRUTH), loss="mse", optimizer=keras.optimizers.RMSprop())


# -- scikit-learn, equinox, flax, ours


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"solver": "sgd", "learning_rate_init": 0.05},
        {"solver": "sgd", "nesterovs_momentum": False, "activation": "tanh"},
        {"solver": "sgd", "momentum": 0.0, "activation": "logistic"},
    ],
    ids=str,
)
def test_the_next_step_of_scikit_learn(options: dict[str, Any]) -> None:
    theirs = neural_network.MLPClassifier((5, 4), random_state=0, shuffle=False, alpha=0.1, **options)
    theirs.partial_fit(X, CLASSES, classes=[0, 1, 2])
    for _ in range(3):
        quantities = hg.explain(theirs, data=(X, CLASSES)).quantities()
        theirs.partial_fit(X, CLASSES)
        assert quantities["loss"] == pytest.approx(theirs.loss_, rel=1e-9)
        for l, (coef, intercept) in enumerate(zip(theirs.coefs_, theirs.intercepts_, strict=True), 1):
            same(quantities[f"W{l}_new"], coef.T, 1e-9)
            same(quantities[f"b{l}_new"], intercept, 1e-9)


def test_outputs_of_jax_libraries() -> None:
    key = jax.random.PRNGKey(0)
    x = X.astype("f4")
    mlp = equinox.nn.MLP(3, 2, 4, 2, activation=jax.nn.silu, final_activation=jax.numpy.tanh, key=key)
    same(hg.load(mlp).predict(x[:1])[0], mlp(x[0]))
    chain = equinox.nn.Sequential(
        [mlp.layers[0], equinox.nn.Lambda(jax.nn.relu), mlp.layers[2], equinox.nn.Lambda(jax.nn.softmax)]
    )
    same(hg.load(chain).predict(x[:1])[0], chain(x[0]))
    flax = nnx.Sequential(
        nnx.Linear(3, 4, rngs=nnx.Rngs(0)), nnx.softplus, nnx.Linear(4, 2, rngs=nnx.Rngs(1))
    )
    same(hg.load(flax).predict(x), flax(x))
    with pytest.raises(ModelError, match="gelu"):
        hg.load(equinox.nn.MLP(3, 2, 4, 1, activation=jax.nn.gelu, key=key))


def test_our_own_estimators_become_models() -> None:
    from handgrad.sklearn import MLPClassifier, TableRegressor

    fitted = MLPClassifier(4, solver="lbfgs", random_state=0).fit(X, CLASSES)
    same(hg.load(fitted).predict(X), fitted.predict_proba(X), 1e-9)
    assert hg.explain(fitted, data=(X, CLASSES)).quantities()["loss"] == pytest.approx(fitted.loss_)
    table = TableRegressor(hidden=(2,), epochs=3, validation=0, random_state=0).fit({"a": X[:, 0]}, X[:, 1])
    assert hg.load(table) is table.model_


def test_a_foreign_model_is_saved_as_one_of_ours(tmp_path: Any) -> None:
    model = torch_model(torch.nn.Sigmoid(), outputs=1)
    hg.load(model).save(tmp_path / "theirs.safetensors")
    same(hg.load(tmp_path / "theirs.safetensors").predict(X), model(torch.tensor(X)).detach(), 1e-12)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"handgrad\[onnx\]"):
        hg.load(tmp_path / "net.onnx")
