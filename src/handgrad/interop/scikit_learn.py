"""scikit-learn: a fitted MLPClassifier or MLPRegressor, and where its solver stands."""

from __future__ import annotations

from typing import Any

import numpy as np

from handgrad.errors import ModelError
from handgrad.interop.foreign import Foreign, Layers, Standing, late_epsilon, unknown
from handgrad.nn.arrays import Array
from handgrad.nn.losses import Loss
from handgrad.nn.optimizers import SGD, Adam, Momentum, Nesterov, initial_state
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe

HIDDEN = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
OUTPUT = HIDDEN | {"softmax": "softmax"}

# The gradient of their squared error adds the outputs up; the loss that they print averages them.
LOSSES = {
    "identity": Loss("squared_error", scale=0.5),
    "logistic": Loss("binary_cross_entropy"),
    "softmax": Loss("cross_entropy"),
}


def read(model: Any) -> Foreign:
    """A fitted MLPClassifier or MLPRegressor as a network of ours, with its loss.

    Raises ModelError for an estimator of another kind, or that is not fitted.
    """
    place = f"scikit-learn, {type(model).__name__}"
    if type(model).__name__ not in ("MLPClassifier", "MLPRegressor"):
        raise unknown("scikit-learn", f"a {type(model).__name__}", "MLPClassifier, MLPRegressor")
    fitted = vars(model)
    if "coefs_" not in fitted:
        raise ModelError(f"{place}: it has not been fitted; call fit first")
    if model.out_activation_ not in OUTPUT:
        raise unknown(place, f"the output activation {model.out_activation_!r}", ", ".join(OUTPUT))
    layers = Layers("scikit-learn")
    for l, (coef, intercept) in enumerate(zip(model.coefs_, model.intercepts_, strict=True), 1):
        layers.dense(f"{place}, layer {l}", np.asarray(coef).T, intercept)
        last = l == len(model.coefs_)
        layers.activation(place, OUTPUT[model.out_activation_] if last else HIDDEN[model.activation])
    return layers.done().with_loss(LOSSES[model.out_activation_])


def encoded(model: Any, y: Any) -> Array:
    """The targets as its network sees them (samples, outputs)."""
    binarizer = vars(model).get("_label_binarizer")
    Y = np.asarray(y) if binarizer is None else binarizer.transform(y)
    return np.asarray(Y, np.float64).reshape(len(Y), -1)


def standing(foreign: Foreign, model: Any) -> Standing | None:
    """Where its solver stands: the step that partial_fit would take next; None after 'lbfgs'."""
    solver = vars(model).get("_optimizer")
    if solver is None:
        return None
    penalty = Regularization(l2=float(model.alpha), form="half_mean")
    L = foreign.network.depth
    if type(solver).__name__ == "AdamOptimizer":
        t = int(solver.t) + 1
        adam = Adam(
            float(solver.learning_rate_init),
            float(solver.beta_1),
            float(solver.beta_2),
            late_epsilon(float(solver.epsilon), float(solver.beta_2), t),
        )
        held = [solver.ms, solver.vs]
        return Standing(Recipe(adam, penalty), _state(held, (1.0, 1.0), L), t)
    rate, momentum = float(solver.learning_rate), float(solver.momentum)
    if momentum == 0:
        plain = SGD(rate)
        return Standing(Recipe(plain, penalty), initial_state(plain, foreign.network.initial_parameters()), 1)
    if solver.nesterov:  # their velocity holds the rate: ours is v = -m / eta
        return Standing(
            Recipe(Nesterov(rate, momentum), penalty), _state([solver.velocities], (-1 / rate,), L), 1
        )
    heavy = Momentum(rate, momentum, form="heavy_ball")
    return Standing(Recipe(heavy, penalty), _state([solver.velocities], (1.0,), L), 1)


def _state(held: list[list[Array]], factors: tuple[float, ...], L: int) -> Any:
    """Their lists hold the state of all coefficients, then of all intercepts."""
    return tuple(
        (
            tuple(
                factor * np.asarray(slot[l], np.float64).T for slot, factor in zip(held, factors, strict=True)
            ),
            tuple(
                factor * np.asarray(slot[L + l], np.float64)
                for slot, factor in zip(held, factors, strict=True)
            ),
        )
        for l in range(L)
    )
