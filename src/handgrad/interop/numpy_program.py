"""A program of NumPy alone that trains a model again: its equations, its batches, its numbers.

Beside the program stands an NPZ file with the encoded samples, the parameters that the training began with and those
that it found; the program ends by comparing.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import ModelError
from handgrad.interop.c_lines import SELU_ALPHA, SELU_SCALE
from handgrad.models.model import Model
from handgrad.models.training_data import TrainingData
from handgrad.nn.activations import Activation
from handgrad.nn.losses import Loss
from handgrad.nn.network import Network
from handgrad.nn.optimizers import Adam, Momentum, Optimizer
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe
from handgrad.training.history import Fit
from handgrad.version import __version__


class Files(NamedTuple):
    """The program, and the samples and parameters that it reads."""

    program: bytes
    data: bytes


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

_SIGMOID = """def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))
"""
_SOFTMAX = """def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
"""

_SOFTPLUS = """def softplus(z):
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

_LETTERS = {"velocity": "v"}


def files(model: Model, seen: TrainingData, name: str) -> Files:
    """The program NAME.py and its data NAME.npz, for the samples that training saw.

    Raises ModelError for a model without a training, or with a part that has no line here.
    """
    fit = model.fit
    if fit.steps == 0:
        raise ModelError("the model has no training that could be run again; it was made elsewhere")
    _check(fit)
    kept = io.BytesIO()
    arrays: dict[str, Any] = {
        "handgrad": np.array(__version__),
        "X": np.asarray(seen.X, fit.plan.dtype),
        "Y": np.asarray(seen.Y, fit.plan.dtype),
        "rows": fit.training_rows,
        "rates": _rates(fit),
    }
    for l, ((W, b), (W_found, b_found)) in enumerate(
        zip(fit.snapshots[0].training.parameters, model.parameters, strict=True), 1
    ):
        arrays |= {f"W{l}": W, f"b{l}": b, f"W{l}_found": W_found, f"b{l}_found": b_found}
    np.savez(kept, **arrays)
    return Files(_program(fit, name).encode(), kept.getvalue())


def _check(fit: Fit) -> None:
    for l, layer in fit.network.numbered():
        if layer.function.name not in FUNCTIONS:
            raise ModelError(
                f"layer {l}: the program has no line for the activation {layer.function.name!r}; it has for "
                f"{', '.join(FUNCTIONS)}"
            )
        if layer.dropout is not None:
            raise ModelError(
                f"layer {l}: the program has no dropout; its masks come from handgrad's own generator"
            )
    if fit.recipe.optimizer.name not in UPDATES:
        raise ModelError(
            f"the program has no line for the optimizer {fit.recipe.optimizer.name!r}; it has for {', '.join(UPDATES)}"
        )
    loss = fit.network.loss
    if loss is None or loss.name not in SLOPES:
        raise ModelError(
            f"the program has no line for the loss {loss and loss.name!r}; it has for {', '.join(SLOPES)}"
        )


def _last_step(fit: Fit) -> int:
    """The step after which the parameters were those of the model."""
    if fit.best_epoch is None:
        return fit.steps
    return next(line.steps for line in fit.history if line.epoch == fit.best_epoch)


def _rates(fit: Fit) -> Any:
    rate, rows = fit.recipe.optimizer.learning_rate, fit.training_rows
    return np.array([step.rate for step in fit.plan.steps(1, _last_step(fit), rows, rate)])


def _program(fit: Fit, name: str) -> str:
    network, plan = fit.network, fit.plan
    activations = " -> ".join(
        [str(network.inputs), *(f"{layer.units} {layer.function.name}" for layer in network.layers)]
    )
    order = (
        "np.random.default_rng([SEED, epoch]).permutation(len(rows))"
        if plan.shuffle
        else "np.arange(len(rows))"
    )
    optimizer = fit.recipe.optimizer
    lines = [
        f'"""Trains a network again, with NumPy alone: {activations}, {optimizer.name}, {_last_step(fit)} steps.',
        "",
        f"Written by handgrad {__version__}. {name}.npz holds the samples and the parameters before and after.",
        '"""',
        "",
        "from pathlib import Path",
        "",
        "import numpy as np",
        "",
        f'with np.load(Path(__file__).with_name("{name}.npz")) as file:',
        "    data = dict(file)",
        'X, Y, rows, rates = data["X"], data["Y"], data["rows"], data["rates"]',
        f"LAYERS, BATCH, SEED = {network.depth}, {fit.batch_size}, {plan.seed}",
        "",
        *_helpers(network),
        "",
        *_forward(network),
        "",
        *_backward(network, fit.recipe),
        "",
        *_update(optimizer),
        "",
        "def train():",
        '    parameters = [[data[f"W{l}"].copy(), data[f"b{l}"].copy()] for l in range(1, LAYERS + 1)]',
        f"    slots = range({len(optimizer.slots)})",
        "    state = [[[np.zeros_like(p) for _ in slots] for p in layer] for layer in parameters]",
        "    t = 0",
        "    for epoch in range(len(rates)):",
        f"        order = rows[{order}]",
        "        for k in range(0, len(order), BATCH):",
        "            if t == len(rates):",
        "                return parameters",
        "            batch = order[k : k + BATCH]",
        "            gradients = backward(parameters, X[batch], Y[batch])",
        "            t += 1",
        "            for layer, grads, held, trained in zip(parameters, gradients, state, TRAINED):",
        "                update(layer[0], grads[0], held[0], t, float(rates[t - 1]))",
        "                if trained:",
        "                    update(layer[1], grads[1], held[1], t, float(rates[t - 1]))",
        "    return parameters",
        "",
        "",
        f"TRAINED = {tuple(layer.bias in ('trained', 'shared') for layer in network.layers)}",
        "",
        'if __name__ == "__main__":',
        "    furthest = 0.0",
        "    for l, layer in enumerate(train(), 1):",
        '        for p, name in zip(layer, ("W", "b")):',
        '            found = data[f"{name}{l}_found"]',
        "            furthest = max(furthest, np.abs(p - found).max() / max(np.abs(found).max(), 1e-300))",
        '    print(f"{len(rates)} steps; the parameters differ by at most {furthest:.1e} of the largest")',
        "",
    ]
    return "\n".join(lines).replace("\n\n\n\n", "\n\n\n")


def _helpers(network: Network) -> list[str]:
    pairs = "".join("".join(FUNCTIONS[layer.function.name]) for layer in network.layers)
    return [
        "",
        *([_SIGMOID, ""] if "sigmoid(" in pairs else []),
        *([_SOFTMAX, ""] if "softmax(" in pairs else []),
        *([_SOFTPLUS, ""] if "softplus(" in pairs else []),
    ]


def _said(function: Activation, which: int) -> str:
    return FUNCTIONS[function.name][which].replace("alpha", repr(function.alpha))


def _forward(network: Network) -> list[str]:
    lines = ["def forward(parameters, x):", "    Z, A = [None], [x]"]
    for l, layer in network.numbered():
        lines += [
            f"    z = A[-1] @ parameters[{l - 1}][0].T + parameters[{l - 1}][1]",
            "    Z.append(z)",
            f"    A.append({_said(layer.function, 0)})",
        ]
    return [*lines, "    return Z, A", ""]


def _backward(network: Network, recipe: Recipe) -> list[str]:
    loss = network.loss
    assert loss is not None
    lines = [
        "def backward(parameters, x, Y):",
        "    Z, A = forward(parameters, x)",
        "    yhat, m = A[-1], len(x)",
        *_output_delta(network, loss),
        "    gradients = []",
    ]
    share = " / m" if loss.samples == "mean" else ""
    for l in range(network.depth, 0, -1):
        layer = network.layers[l - 1]
        db = f"delta.sum(axis=0){share}"
        lines += [
            f"    W = parameters[{l - 1}][0]",
            f"    dW = delta.T @ A[{l - 1}]{share}{_penalty(recipe.regularization)}",
            f"    db = np.full(len(W), ({db}).sum(), W.dtype)"
            if layer.bias == "shared"
            else f"    db = {db}",
            "    gradients.insert(0, [dW, db])",
        ]
        if l > 1:
            lines += _through(network, l)
    return [*lines, *_clipping(network, recipe), "    return gradients", ""]


def _output_delta(network: Network, loss: Loss) -> list[str]:
    function = network.layers[-1].function
    factor = loss.gradient_factor(network.outputs)
    scale = "" if factor == 1 else f"{factor!r} * "
    fused = FUSED.get((loss.name, function.name))
    if fused is not None:
        return [f"    delta = {scale}({fused})"]
    slope = SLOPES[loss.name].format(threshold=loss.threshold)
    lines = [f"    da = {scale}({slope})"]
    if function.elementwise:
        return [*lines, "    z, a = Z[-1], A[-1]", f"    delta = da * ({_said(function, 1)})"]
    return [*lines, "    delta = yhat * (da - (da * yhat).sum(axis=1, keepdims=True))"]


def _through(network: Network, l: int) -> list[str]:
    function = network.layers[l - 2].function
    lines = ["    da = delta @ W"]
    if function.elementwise:
        return [*lines, f"    z, a = Z[{l - 1}], A[{l - 1}]", f"    delta = da * ({_said(function, 1)})"]
    return [*lines, f"    a = A[{l - 1}]", "    delta = a * (da - (da * a).sum(axis=1, keepdims=True))"]


def _penalty(penalty: Regularization) -> str:
    written = ""
    if penalty.l2:
        written += {
            "half": f" + {penalty.l2!r} * W",
            "half_mean": f" + {penalty.l2!r} / m * W",
            "full": f" + {2 * penalty.l2!r} * W",
        }[penalty.form]
    return written + (f" + {penalty.l1!r} * np.sign(W)" if penalty.l1 else "")


def _clipping(network: Network, recipe: Recipe) -> list[str]:
    clipping, lines = recipe.clipping, []
    if clipping.value is not None:
        limit = repr(clipping.value)
        lines.append(
            f"    gradients = [[np.clip(g, -{limit}, {limit}) for g in layer] for layer in gradients]"
        )
    if clipping.norm is not None:
        counted = {"trained": "(db * db).sum()", "shared": "db[0] * db[0]"}
        parts = tuple(counted.get(layer.bias, "0.0") for layer in network.layers)
        squares = " + ".join(
            f"(gradients[{k}][0] ** 2).sum() + {part.replace('db', f'gradients[{k}][1]')}"
            for k, part in enumerate(parts)
        )
        lines += [
            f"    norm = np.sqrt({squares})",
            f"    scale = {clipping.norm!r} / norm if norm > {clipping.norm!r} else 1.0",
            "    gradients = [[g * scale for g in layer] for layer in gradients]",
        ]
    return lines


def _update(optimizer: Optimizer) -> list[str]:
    letters = [_LETTERS.get(slot, slot) for slot in optimizer.slots]
    unpacked = [f"    {', '.join(letters)}{',' if len(letters) == 1 else ''} = slots"] if letters else []
    body = UPDATES[optimizer.name](optimizer)
    return ["def update(p, g, slots, t, rate):", *unpacked, *(f"    {line}" for line in body), ""]
