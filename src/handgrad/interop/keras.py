"""Keras 3 on any backend: a Sequential of Dense, activations and Dropout; its losses; where its optimizer stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from handgrad.errors import ModelError
from handgrad.interop.foreign import Foreign, Layers, Standing, late_epsilon, unknown
from handgrad.models.model import Model
from handgrad.nn.arrays import Array
from handgrad.nn.clipping import Clipping
from handgrad.nn.losses import Loss
from handgrad.nn.optimizers import SGD, Adam, AdamW, Momentum, Nesterov, Optimizer, initial_state
from handgrad.nn.step import Recipe

KNOWN = "InputLayer, Dense, Dropout, Flatten, Activation and the layers of activations"

FUNCTIONS = {
    "linear": "identity",
    "relu": "relu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "elu": "elu",
    "silu": "silu",
    "swish": "silu",
    "softplus": "softplus",
    "softmax": "softmax",
    "relu6": "relu6",
    "hard_sigmoid": "hard_sigmoid",
    "selu": "selu",
    "mish": "mish",
    "exponential": "exponential",
    "gelu": "gelu",
}
"""Keras's name of an activation function, and ours."""


def read(model: Any) -> Foreign:
    """A keras.Sequential as a network of ours.

    Raises ModelError, which names the part, for one that has no counterpart here.
    """
    if type(model).__name__ != "Sequential":
        raise unknown("Keras", f"a {type(model).__name__}", "Sequential")
    layers = Layers("Keras")
    for layer in model.layers:
        _add(layers, f"Keras, layer {layer.name} ({type(layer).__name__})", layer)
    return layers.done()


def _add(layers: Layers, place: str, layer: Any) -> None:
    row = LAYER_ROWS.get(type(layer).__name__)
    if row is None:
        raise unknown(place, type(layer).__name__, KNOWN)
    row(layers, place, layer)


def _dense(layers: Layers, place: str, layer: Any) -> None:
    if not layer.built:
        raise ModelError(f"{place}: it has no weights yet; give the model an input, as in keras.Input((2,))")
    if layer.kernel_regularizer is not None or layer.bias_regularizer is not None:
        raise ModelError(f"{place}: its regularizer is not read; train without it to open a step")
    if not layer.trainable:
        raise ModelError(f"{place}: it is not trainable; handgrad trains all weights")
    kernel = _numbers(layer.kernel)
    layers.dense(place, kernel.T, _numbers(layer.bias) if layer.use_bias else None)
    _function(layers, place, layer.activation)


def _function(layers: Layers, place: str, function: Any) -> None:
    name = getattr(function, "__name__", type(function).__name__)
    if name not in FUNCTIONS:
        raise unknown(place, f"the activation {name!r}", ", ".join(FUNCTIONS))
    layers.activation(place, FUNCTIONS[name])


def _relu_layer(layers: Layers, place: str, layer: Any) -> None:
    if layer.threshold or layer.max_value is not None:
        raise ModelError(f"{place}: max_value and threshold have no counterpart here; leave them out")
    slope = float(layer.negative_slope)
    layers.activation(place, "leaky_relu" if slope else "relu", slope or None)


def _nothing(layers: Layers, place: str, layer: Any) -> None:
    """Passes its input on."""


LAYER_ROWS: dict[str, Callable[[Layers, str, Any], None]] = {
    "InputLayer": _nothing,
    "Flatten": _nothing,
    "Identity": _nothing,
    "Dense": _dense,
    # Keras is told at each call whether it trains; a sheet of a step to come has no masks of it
    "Dropout": lambda layers, place, layer: layers.dropout(place, float(layer.rate), now=True),
    "Activation": lambda layers, place, layer: _function(layers, place, layer.activation),
    "ReLU": _relu_layer,
    "LeakyReLU": lambda layers, place, layer: layers.activation(
        place, "leaky_relu", float(layer.negative_slope)
    ),
    "ELU": lambda layers, place, layer: layers.activation(place, "elu", float(layer.alpha)),
    "Softmax": lambda layers, place, layer: layers.activation(place, "softmax"),
}


def _numbers(variable: Any) -> Array:
    from keras import ops

    value = variable.value if isinstance(variable, keras_variable()) else variable
    return np.array(ops.convert_to_numpy(value), np.float64)


def keras_variable() -> Any:
    """The class of Keras's variables."""
    import keras

    return keras.Variable


def as_array(values: Any) -> Array:
    """Anything that is array-like as an array."""
    return np.asarray(values)


# -- losses


def _plain(loss: Any) -> str:
    name = "".join(f"_{c.lower()}" if c.isupper() else c for c in type(loss).__name__).lstrip("_")
    return getattr(loss, "__name__", name) if not isinstance(loss, str) else loss


def _options(loss: Any, name: str, default: Any) -> Any:
    held = getattr(loss, "_fn_kwargs", {})
    return getattr(loss, name, held.get(name, default))


def with_loss(foreign: Foreign, loss: Any) -> Foreign:
    """The network under a loss of Keras, an object or its name. Raises ModelError for one without counterpart.

    Keras averages over the samples; over the outputs it averages, but for the categorical ones, which add up.
    """
    name = _plain(loss)
    row = LOSS_ROWS.get(name)
    if row is None:
        raise unknown("Keras", f"the loss {name!r}", ", ".join(LOSS_ROWS))
    if _options(loss, "reduction", "sum_over_batch_size") not in ("sum_over_batch_size", "mean"):
        raise ModelError(f"Keras, {name}: its reduction is not the mean; leave it out")
    if _options(loss, "label_smoothing", 0.0):
        raise ModelError(f"Keras, {name}: label_smoothing has no counterpart here; leave it out")
    ours, output = row
    if name == "huber":
        ours = Loss("huber", outputs="mean", threshold=float(_options(loss, "delta", 1.0)))
    logits = bool(_options(loss, "from_logits", False))
    return foreign.with_loss(ours, output if logits else None)


_SQUARED, _BINARY = Loss("squared_error", outputs="mean"), Loss("binary_cross_entropy", outputs="mean")
LOSS_ROWS: dict[str, tuple[Loss, str | None]] = {
    "mse": (_SQUARED, None),
    "mean_squared_error": (_SQUARED, None),
    "binary_crossentropy": (_BINARY, "sigmoid"),
    "categorical_crossentropy": (Loss("cross_entropy"), "softmax"),
    "sparse_categorical_crossentropy": (Loss("cross_entropy"), "softmax"),
    "huber": (Loss("huber", outputs="mean"), None),
}


# -- optimizers


def standing(foreign: Foreign, optimizer: Any, model: Any) -> Standing:
    """Where a Keras optimizer stands: its next step.

    Raises ModelError for an optimizer or an option that has no counterpart here.
    """
    place = f"Keras, {type(optimizer).__name__}"
    row = OPTIMIZER_ROWS.get(type(optimizer).__name__)
    if row is None:
        raise unknown("Keras", f"the optimizer {type(optimizer).__name__}", ", ".join(OPTIMIZER_ROWS))
    for name in ("clipnorm", "use_ema", "loss_scale_factor", "gradient_accumulation_steps"):
        if getattr(optimizer, name, None):
            raise ModelError(f"{place}: {name} has no counterpart here; leave it out")
    t = int(_numbers(optimizer.iterations)) + 1
    ours, slots = row(place, optimizer, t)
    clipping = Clipping(
        None if optimizer.clipvalue is None else float(optimizer.clipvalue),
        None if optimizer.global_clipnorm is None else float(optimizer.global_clipnorm),
    )
    state = _state(foreign, ours, optimizer, model, slots) if optimizer.built and slots else None
    return Standing(
        Recipe(ours, clipping=clipping),
        state if state is not None else initial_state(ours, foreign.network.initial_parameters()),
        t,
    )


Slots = tuple[tuple[Any, float], ...]
"""For each slot of ours: their variables in the order of the trainable ones, and by what they are multiplied."""


def _sgd(place: str, optimizer: Any, t: int) -> tuple[Optimizer, Slots]:
    rate, momentum = _rate(optimizer), float(optimizer.momentum)
    _no_decay(place, optimizer)
    if momentum == 0:
        return SGD(rate), ()
    if optimizer.nesterov:
        # their velocity holds the rate, m = mu m - eta g; ours is v = -m / eta
        return Nesterov(rate, momentum), ((optimizer.momentums, -1 / rate),) if optimizer.built else ()
    heavy = Momentum(rate, momentum, form="heavy_ball")
    return heavy, ((optimizer.momentums, 1.0),) if optimizer.built else ()


def _adam(place: str, optimizer: Any, t: int) -> tuple[Optimizer, Slots]:
    _no_decay(place, optimizer)
    return _of_adam(optimizer, t, Adam, {})


def _adamw(place: str, optimizer: Any, t: int) -> tuple[Optimizer, Slots]:
    return _of_adam(optimizer, t, AdamW, {"weight_decay": float(optimizer.weight_decay)})


def _of_adam(optimizer: Any, t: int, rule: type[Adam], options: dict[str, Any]) -> tuple[Optimizer, Slots]:
    beta2 = float(optimizer.beta_2)
    ours = rule(
        _rate_of_adam(optimizer, t),
        beta1=float(optimizer.beta_1),
        beta2=beta2,
        epsilon=late_epsilon(float(optimizer.epsilon), beta2, t),
        amsgrad=bool(optimizer.amsgrad),
        **options,
    )
    slots: Slots = ((optimizer._momentums, 1.0), (optimizer._velocities, 1.0)) if optimizer.built else ()
    return ours, (*slots, (optimizer._velocity_hats, 1.0)) if optimizer.amsgrad and slots else slots


def _rate_of_adam(optimizer: Any, t: int) -> float:
    """The rate that makes our step theirs: they form sqrt(1 - beta2^t) in the precision of the variables.

    In float32 it is off by up to 3e-5 at the first steps, and their parameters with it.
    """
    from keras import ops

    kind = optimizer.iterations.dtype if not optimizer.built else optimizer._momentums[0].dtype
    kind = kind if str(kind).startswith("float") else "float32"
    step = ops.cast(t, kind)
    powers = [ops.power(ops.cast(beta, kind), step) for beta in (optimizer.beta_1, optimizer.beta_2)]
    theirs = float(_numbers(ops.cast(_rate(optimizer), kind) * ops.sqrt(1 - powers[1]) / (1 - powers[0])))
    exactly = float(np.sqrt(1 - float(optimizer.beta_2) ** t) / (1 - float(optimizer.beta_1) ** t))
    return theirs / exactly


def _rate(optimizer: Any) -> float:
    return float(_numbers(optimizer.learning_rate))


def _no_decay(place: str, optimizer: Any) -> None:
    if optimizer.weight_decay:
        raise ModelError(f"{place}: weight_decay; handgrad has it for AdamW")


OPTIMIZER_ROWS: dict[str, Callable[[str, Any, int], tuple[Optimizer, Slots]]] = {
    "SGD": _sgd,
    "Adam": _adam,
    "AdamW": _adamw,
}
"""RMSprop is not among them: Keras has its epsilon under the root."""


def _state(foreign: Foreign, ours: Optimizer, optimizer: Any, model: Any, slots: Slots) -> Any:
    """For each layer the state of W, turned, and of b."""
    places = {id(variable): k for k, variable in enumerate(model.trainable_variables)}
    dense = [layer for layer in model.layers if type(layer).__name__ == "Dense"]
    state = []
    for layer, units in zip(dense, foreign.network.sizes[1:], strict=True):
        of_W = tuple(factor * _numbers(held[places[id(layer.kernel)]]).T for held, factor in slots)
        of_b = (
            tuple(factor * _numbers(held[places[id(layer.bias)]]) for held, factor in slots)
            if layer.use_bias
            else tuple(np.zeros(units) for _ in slots)
        )
        state.append((of_W, of_b))
    return tuple(state)


# -- writing


def sequential(model: Model) -> Any:
    """The model as a keras.Sequential on whatever backend Keras runs, in Keras's own precision (float32).

    Raises ModelError for an activation that Keras has no layer for.
    """
    import keras

    layers: list[Any] = [keras.Input((model.network.inputs,))]
    for l, layer in model.network.numbered():
        function = layer.function
        layers.append(keras.layers.Dense(layer.units, use_bias=layer.bias != "none"))
        if function.name == "leaky_relu":
            layers.append(keras.layers.LeakyReLU(negative_slope=function.alpha))
        elif function.name == "elu":
            layers.append(keras.layers.ELU(alpha=function.alpha))
        elif function.name not in FUNCTIONS.values():
            raise ModelError(f"layer {l}: Keras has no layer for the activation {function.name!r}")
        elif function.name != "identity":
            layers.append(keras.layers.Activation(function.name))
        if layer.dropout is not None:
            layers.append(keras.layers.Dropout(1 - layer.dropout.keep))
    made = keras.Sequential(layers)
    weights: list[Array] = []
    for layer, (W, b) in zip(model.network.layers, model.parameters, strict=True):
        weights += [np.asarray(W, np.float64).T] + (
            [] if layer.bias == "none" else [np.asarray(b, np.float64)]
        )
    made.set_weights(weights)
    return made


def write(model: Model) -> bytes:
    """The bytes of a .keras file of `sequential`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        sequential(model).save(path)
        return path.read_bytes()
