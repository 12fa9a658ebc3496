"""scikit-learn's parameters judged, and said again as a network and an optimizer.

A parameter is judged when `fit` is called, not before: `clone` and `set_params` must be able to carry anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from handgrad.engines import ENGINES
from handgrad.errors import SpecificationError
from handgrad.nn.activations import Activation
from handgrad.nn.arrays import Array
from handgrad.nn.dropout import Dropout
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, LayerParameters, Network, Parameters
from handgrad.nn.optimizers import OPTIMIZERS, Momentum, Nesterov, Optimizer

ACTIVATION_NAMES = {"logistic": "sigmoid"}
"""Where scikit-learn calls an activation by another name than handgrad."""

OUTPUT_NAMES = {"identity": "identity", "logistic": "sigmoid", "softmax": "softmax", "exp": "exponential"}
"""`out_activation_` and its activation here."""

# scikit-learn's squared error is half the square; it averages the loss over the outputs, but not its gradient.
# Here both add them up: the steps are the same, and the loss is the one whose gradient they follow.
LOSSES = {
    "identity": Loss("squared_error", scale=0.5),
    "logistic": Loss("binary_cross_entropy"),
    "softmax": Loss("cross_entropy"),
    "exp": Loss("poisson"),
}
"""The loss that belongs to each `out_activation_`."""

SOLVERS = ("lbfgs", *OPTIMIZERS)


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _truth(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


RANGES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "alpha": (lambda v: _number(v) and 0 <= v < np.inf, "a finite number >= 0"),
    "batch_size": (
        lambda v: (isinstance(v, str) and v == "auto") or _whole(1)(v),
        "'auto' or a whole number >= 1",
    ),
    "learning_rate": (
        lambda v: v in ("constant", "invscaling", "adaptive"),
        "'constant', 'invscaling' or 'adaptive'",
    ),
    "learning_rate_init": (lambda v: _number(v) and 0 < v < np.inf, "a finite number > 0"),
    "power_t": (lambda v: _number(v) and v >= 0, "a number >= 0"),
    "max_iter": (_whole(1), "a whole number >= 1"),
    "shuffle": (_truth, "True or False"),
    "tol": (lambda v: _number(v) and v >= 0, "a number >= 0"),
    "verbose": (lambda v: _truth(v) or _whole(0)(v), "True, False or a whole number >= 0"),
    "warm_start": (_truth, "True or False"),
    "momentum": (lambda v: _number(v) and 0 <= v < 1, "a number >= 0 and < 1"),
    "nesterovs_momentum": (_truth, "True or False"),
    "early_stopping": (_truth, "True or False"),
    "validation_fraction": (lambda v: _number(v) and 0 <= v < 1, "a number >= 0 and < 1"),
    "beta_1": (lambda v: _number(v) and 0 <= v < 1, "a number >= 0 and < 1"),
    "beta_2": (lambda v: _number(v) and 0 <= v < 1, "a number >= 0 and < 1"),
    "epsilon": (lambda v: _number(v) and 0 < v < np.inf, "a finite number > 0"),
    "n_iter_no_change": (lambda v: _whole(1)(v) or v == np.inf, "a whole number >= 1 or infinity"),
    "max_fun": (_whole(1), "a whole number >= 1"),
    "engine": (lambda v: isinstance(v, str) and v in ENGINES, f"one of {', '.join(ENGINES)}"),
    "loss": (lambda v: v in ("squared_error", "poisson"), "'squared_error' or 'poisson'"),
}
"""For each parameter: is the value one that it may have, and what it must be."""


def remember(estimator: Any, names: dict[str, Any]) -> None:
    """Keeps the arguments of a constructor as they are, as scikit-learn's `clone` expects."""
    for name, value in names.items():
        if name not in ("self", "__class__"):
            setattr(estimator, name, value)


def check_ranges(parameters: dict[str, Any]) -> None:
    """Raises SpecificationError, which is a ValueError, for the first parameter outside its range."""
    for name, value in parameters.items():
        accepts, wanted = RANGES.get(name, (None, ""))
        if accepts is not None and not accepts(value):
            raise SpecificationError(f"the parameter {name!r} must be {wanted}, got {value!r}")


def hidden_widths(hidden_layer_sizes: Any) -> tuple[int, ...]:
    """Units of each hidden layer, from a number or a sequence of numbers.

    >>> hidden_widths(5), hidden_widths([4, 2])
    ((5,), (4, 2))
    """
    sizes = np.atleast_1d(np.asarray(hidden_layer_sizes)).tolist()
    for size in sizes:
        if not _whole(1)(size):
            raise SpecificationError(f"hidden_layer_sizes must be > 0, got {list(sizes)}")
    return tuple(sizes)


def hidden_activations(activation: Any, count: int) -> list[Activation]:
    """The activation of each of the hidden layers, from one for all of them or one for each.

    >>> [function.name for function in hidden_activations(["logistic", "relu"], 2)]
    ['sigmoid', 'relu']
    """
    if isinstance(activation, str | Activation):
        chosen = [activation] * count
    elif isinstance(activation, Sequence) and len(activation) == count:
        chosen = list(activation)
    else:
        raise SpecificationError(
            f"activation must be a name, an Activation, or one for each of the {count} hidden layers, "
            f"got {activation!r}"
        )
    return [
        name if isinstance(name, Activation) else Activation(ACTIVATION_NAMES.get(name, name))
        for name in chosen
    ]


def network_of(parameters: dict[str, Any], inputs: int, outputs: int, out_activation: str) -> Network:
    """The network that the parameters describe, for so many features and outputs."""
    widths = hidden_widths(parameters["hidden_layer_sizes"])
    functions = hidden_activations(parameters["activation"], len(widths))
    dropped = _dropped(parameters["dropout"], len(widths))
    hidden = [
        Dense(units, function, dropout=Dropout(keep=1 - part) if part else None)
        for units, function, part in zip(widths, functions, dropped, strict=True)
    ]
    output = Dense(outputs, OUTPUT_NAMES[out_activation])
    return Network(inputs, [*hidden, output], LOSSES[out_activation])


def _dropped(dropout: Any, count: int) -> list[float]:
    """The part of the units of each hidden layer that is dropped."""
    parts = [dropout] * count if _number(dropout) else list(dropout) if np.iterable(dropout) else []
    if len(parts) != count or not all(_number(part) and 0 <= part < 1 for part in parts):
        raise SpecificationError(
            f"dropout is the part of the hidden units that is dropped, >= 0 and < 1, or one part for each of "
            f"the {count} hidden layers, got {dropout!r}"
        )
    return parts


def drawn_parameters(network: Network, random: np.random.RandomState, dtype: Any) -> Parameters:
    """The beginning that scikit-learn draws: the same numbers from the same `random`.

    Glorot's uniform distribution with half-width sqrt(6 / (inputs + units)), sqrt(2 / (inputs + units)) for a
    sigmoid, for W and b alike; the output layer takes that of the last hidden layer.

    Source: X. Glorot, Y. Bengio (2010), equation 16.
    """
    drawn = []
    function = "relu"
    for l, layer in network.numbered():
        inputs, units = network.sizes[l - 1], layer.units
        function = layer.function.name if l < network.depth else function
        bound = np.sqrt((2.0 if function == "sigmoid" else 6.0) / (inputs + units))
        W = random.uniform(-bound, bound, (inputs, units)).T
        b = random.uniform(-bound, bound, units)
        drawn.append(LayerParameters(np.ascontiguousarray(W, dtype), b.astype(dtype)))
    return tuple(drawn)


def optimizer_of(parameters: dict[str, Any]) -> Optimizer:
    """The optimizer that the parameters describe.

    scikit-learn's 'sgd' has momentum with the rate inside the velocity; ours has it outside for Nesterov's, and
    `stochastic` converts the velocity when the rate changes, so that the steps are the same.
    """
    solver = parameters["solver"]
    if isinstance(solver, Optimizer):
        return solver
    rate, momentum = float(parameters["learning_rate_init"]), float(parameters["momentum"])
    if solver in ("sgd", "momentum", "nesterov"):
        if momentum == 0 and solver == "sgd":
            return OPTIMIZERS["sgd"](rate)
        nesterov = solver == "nesterov" or (solver == "sgd" and parameters["nesterovs_momentum"])
        return Nesterov(rate, momentum) if nesterov else Momentum(rate, momentum, form="heavy_ball")
    rule = OPTIMIZERS[solver]
    of_adam = {
        "beta1": float(parameters["beta_1"]),
        "beta2": float(parameters["beta_2"]),
        "epsilon": float(parameters["epsilon"]),
    }
    # the others have defaults of their own; who wants different ones gives an optimizer
    return rule(rate, **(of_adam if of_adam.keys() <= rule.__dataclass_fields__.keys() else {}))


def is_stochastic(solver: Any) -> bool:
    """True for all solvers but 'lbfgs'."""
    return not (isinstance(solver, str) and solver == "lbfgs")


def check_solver(solver: Any) -> None:
    """Raises SpecificationError for a solver that is not known."""
    if not isinstance(solver, Optimizer) and solver not in SOLVERS:
        raise SpecificationError(
            f"solver must be one of {', '.join(SOLVERS)}, or an optimizer such as AdamW(0.001), got {solver!r}"
        )


def coefficients(parameters: Parameters) -> tuple[list[Array], list[Array]]:
    """`coefs_` of shape (inputs, units) and `intercepts_` of shape (units,), from W of shape (units, inputs)."""
    return [W.T for W, _ in parameters], [b for _, b in parameters]


def from_coefficients(coefs: Sequence[Array], intercepts: Sequence[Array], dtype: Any) -> Parameters:
    """The parameters that `coefs_` and `intercepts_` hold."""
    return tuple(
        LayerParameters(np.ascontiguousarray(np.asarray(coef).T, dtype), np.array(intercept, dtype))
        for coef, intercept in zip(coefs, intercepts, strict=True)
    )
