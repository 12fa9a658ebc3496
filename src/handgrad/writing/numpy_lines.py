"""How activations, losses and optimizers are written in NumPy, for programs that are read and run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handgrad.nn.activations import SELU_ALPHA, SELU_SCALE
from handgrad.nn.optimizers import Adam, Momentum

# f(z) and f'(z), written by z, a and alpha
FUNCTIONS: dict[str, tuple[str, str]] = {
    "identity": ("z", "np.ones_like(z)"),
    "sigmoid": ("sigmoid(z)", "a * (1 - a)"),
    "tanh": ("np.tanh(z)", "1 - a * a"),
    "relu": ("np.maximum(z, 0)", "(z > 0).astype(z.dtype)"),
    "leaky_relu": ("np.where(z > 0, z, alpha * z)", "np.where(z > 0, 1, alpha).astype(z.dtype)"),
    "elu": ("np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0)))", "np.where(z > 0, 1, a + alpha)"),
    "silu": ("z * sigmoid(z)", "sigmoid(z) * (1 + z * (1 - sigmoid(z)))"),
    "softplus": ("softplus(z)", "sigmoid(z)"),
    "softmax": ("softmax(z)", ""),
    "step": ("(z > 0).astype(z.dtype)", "np.zeros_like(z)"),
    "relu6": ("np.clip(z, 0, 6)", "((z > 0) & (z < 6)).astype(z.dtype)"),
    "hard_sigmoid": ("np.clip(z + 3, 0, 6) / 6", "((z > -3) & (z < 3)).astype(z.dtype) / 6"),
    "selu": (
        f"{SELU_SCALE!r} * np.where(z > 0, z, {SELU_ALPHA!r} * np.expm1(np.minimum(z, 0)))",
        f"np.where(z > 0, {SELU_SCALE!r}, a + {SELU_SCALE * SELU_ALPHA!r})",
    ),
    "mish": (
        "z * np.tanh(softplus(z))",
        "np.tanh(softplus(z)) + z * sigmoid(z) * (1 - np.tanh(softplus(z)) ** 2)",
    ),
    "exponential": ("np.exp(z)", "a"),
}

SIGMOID = """def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))
"""
SOFTMAX = """def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""

SOFTPLUS = """def softplus(z):
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
"""

# dloss/da of one sample and output, without the scale
SLOPES: dict[str, str] = {
    "squared_error": "2 * (yhat - Y)",
    "binary_cross_entropy": "(yhat - Y) / (yhat * (1 - yhat))",
    "cross_entropy": "-Y / yhat",
    "huber": "np.clip(yhat - Y, -{threshold!r}, {threshold!r})",
    "absolute_error": "np.sign(yhat - Y)",
    "hinge": "np.where(Y * yhat < 1, -Y, 0)",
    "poisson": "1 - Y / yhat",
}
FUSED: dict[tuple[str, str], str] = {
    ("binary_cross_entropy", "sigmoid"): "yhat - Y",
    ("cross_entropy", "softmax"): "yhat * Y.sum(axis=1, keepdims=True) - Y",
    ("cross_entropy", "sigmoid"): "Y * (yhat - 1)",
    ("poisson", "exponential"): "yhat - Y",
}


def _momentum(rule: Momentum) -> list[str]:
    weight = f"{1 - rule.momentum!r} * " if rule.form == "average" else ""
    if rule.form == "heavy_ball":
        return [f"v[...] = {rule.momentum!r} * v - rate * g", "p += v"]
    return [f"v[...] = {rule.momentum!r} * v + {weight}g", "p -= rate * v"]


def _adam(rule: Adam) -> list[str]:
    largest = "v_max" if rule.amsgrad else "v"
    root = "np.sqrt(v_hat + {e!r})" if rule.epsilon_inside else "np.sqrt(v_hat) + {e!r}"
    decay = float(vars(rule).get("weight_decay", 0.0))
    return [
        f"m[...] = {rule.beta1!r} * m + {1 - rule.beta1!r} * g",
        f"v[...] = {rule.beta2!r} * v + {1 - rule.beta2!r} * g * g",
        *(["v_max[...] = np.maximum(v_max, v)"] if rule.amsgrad else []),
        f"m_hat = m / (1 - {rule.beta1!r} ** t)",
        f"v_hat = {largest} / (1 - {rule.beta2!r} ** t)",
        *([f"p -= rate * {decay!r} * p"] if decay else []),
        f"p -= rate * m_hat / ({root.format(e=rule.epsilon)})",
    ]


UPDATES: dict[str, Callable[[Any], list[str]]] = {
    "sgd": lambda rule: ["p -= rate * g"],
    "momentum": _momentum,
    "nesterov": lambda rule: [
        f"v[...] = {rule.momentum!r} * v + g",
        f"p -= rate * (g + {rule.momentum!r} * v)",
    ],
    "rmsprop": lambda rule: [
        f"s[...] = {rule.decay!r} * s + {1 - rule.decay!r} * g * g",
        f"p -= rate * g / (np.sqrt(s) + {rule.epsilon!r})",
    ],
    "adagrad": lambda rule: ["s += g * g", f"p -= rate * g / (np.sqrt(s) + {rule.epsilon!r})"],
    "adadelta": lambda rule: [
        f"s[...] = {rule.decay!r} * s + {1 - rule.decay!r} * g * g",
        f"step = np.sqrt(u + {rule.epsilon!r}) / np.sqrt(s + {rule.epsilon!r}) * g",
        f"u[...] = {rule.decay!r} * u + {1 - rule.decay!r} * step * step",
        "p -= rate * step",
    ],
    "nadam": lambda rule: [
        f"m[...] = {rule.beta1!r} * m + {1 - rule.beta1!r} * g",
        f"v[...] = {rule.beta2!r} * v + {1 - rule.beta2!r} * g * g",
        f"m_hat = {rule.beta1!r} * m / (1 - {rule.beta1!r} ** (t + 1)) "
        f"+ {1 - rule.beta1!r} * g / (1 - {rule.beta1!r} ** t)",
        f"p -= rate * m_hat / (np.sqrt(v / (1 - {rule.beta2!r} ** t)) + {rule.epsilon!r})",
    ],
    "lion": lambda rule: [
        f"c = {rule.beta1!r} * m + {1 - rule.beta1!r} * g",
        f"m[...] = {rule.beta2!r} * m + {1 - rule.beta2!r} * g",
        f"p -= rate * (np.sign(c) + {rule.weight_decay!r} * p)",
    ],
    "adam": _adam,
    "adamw": _adam,
}
"""The lines that change a parameter p in place, given its gradient g, the rate, the step t and the state."""

# one term of the loss, without the scale
TERMS: dict[str, str] = {
    "squared_error": "(yhat - Y) ** 2",
    "binary_cross_entropy": "-(Y * np.log(yhat) + (1 - Y) * np.log(1 - yhat))",
    "cross_entropy": "-Y * np.log(yhat)",
    "huber": "np.where(abs(yhat - Y) <= {threshold!r}, (yhat - Y) ** 2 / 2, "
    "{threshold!r} * (abs(yhat - Y) - {threshold!r} / 2))",
    "absolute_error": "abs(yhat - Y)",
    "hinge": "np.maximum(0, 1 - Y * yhat)",
    "poisson": "yhat - Y * np.log(yhat)",
}
