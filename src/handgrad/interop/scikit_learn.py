"""scikit-learn: a fitted MLPClassifier or MLPRegressor, and where its solver stands."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

from handgrad.errors import ModelError
from handgrad.interop.foreign import Foreign, Layers, Standing, late_epsilon, unknown
from handgrad.models.model import Model
from handgrad.nn.arrays import Array
from handgrad.nn.losses import Loss
from handgrad.nn.optimizers import SGD, Adam, Momentum, Nesterov, initial_state
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe

HIDDEN = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
OUTPUT = HIDDEN | {"softmax": "softmax", "exp": "exponential"}

# The gradient of their squared error adds the outputs up; the loss that they print averages them.
LOSSES = {
    "identity": Loss("squared_error", scale=0.5),
    "logistic": Loss("binary_cross_entropy"),
    "softmax": Loss("cross_entropy"),
    "exp": Loss("poisson"),
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


# -- writing


def estimator(model: Model) -> Any:
    """The model as a fitted MLPClassifier or MLPRegressor, on encoded inputs.

    Raises ModelError for a network that scikit-learn cannot hold: hidden layers of different activations, or of
    one that it lacks.
    """
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import LabelBinarizer

    network = model.network
    theirs = {ours: name for name, ours in OUTPUT.items()}
    hidden = {layer.function.name for layer in network.layers[:-1]} or {"identity"}
    last = network.layers[-1].function.name
    if (
        len(hidden) > 1
        or not hidden <= set(HIDDEN.values())
        or last not in ("identity", "sigmoid", "softmax")
    ):
        raise ModelError(
            "scikit-learn's MLP has one hidden activation of identity, logistic, tanh and relu, and an output of "
            f"identity, logistic or softmax; this network has {', '.join(sorted(hidden))} and {last}"
        )
    widths = [layer.units for layer in network.layers[:-1]]
    rule = MLPRegressor if last == "identity" else MLPClassifier
    made = rule(hidden_layer_sizes=widths, activation=theirs[hidden.pop()])
    made.coefs_ = [np.array(W, np.float64).T.copy() for W, _ in model.parameters]
    made.intercepts_ = [np.array(b, np.float64) for _, b in model.parameters]
    made.out_activation_ = theirs[last]
    made.n_layers_, made.n_outputs_ = network.depth + 1, network.outputs
    made.n_features_in_, made.n_iter_ = network.inputs, len(model.fit.history)
    made.t_, made.loss_curve_ = 0, [line.loss for line in model.fit.history]
    made.loss_ = made.loss_curve_[-1] if made.loss_curve_ else float("nan")
    if rule is MLPClassifier:
        made._label_binarizer = LabelBinarizer().fit(_known_labels(model))
        made.classes_ = made._label_binarizer.classes_
    return made


def _known_labels(model: Model) -> Array:
    """Labels of which LabelBinarizer makes one column for each output."""
    network = model.network
    if network.layers[-1].function.name == "softmax":
        known = model.schema.target.classes[0] if model.schema is not None else ()
        # in the order of the outputs, which must be that of numpy.unique
        ordered = list(known) == sorted(known)
        return np.array(known) if known and ordered else np.arange(network.outputs)
    if network.outputs == 1:
        return np.arange(2)
    return np.eye(network.outputs, dtype=np.int64)


def write(model: Model) -> bytes:
    """The bytes of the pickled estimator; joblib.load and pickle.load read them."""
    return pickle.dumps(estimator(model))
