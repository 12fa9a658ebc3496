"""A program of NumPy alone that trains a model again: its equations, its batches, its numbers.

Beside the program stands an NPZ file with the encoded samples, the parameters that the training began with and those
that it found; the program ends by comparing.
"""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import ModelError
from handgrad.models.model import Model
from handgrad.models.training_data import TrainingData
from handgrad.nn.activations import Activation
from handgrad.nn.losses import Loss
from handgrad.nn.network import Network
from handgrad.nn.optimizers import Optimizer
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe
from handgrad.training.history import Fit
from handgrad.version import __version__
from handgrad.writing.numpy_lines import FUNCTIONS, FUSED, SIGMOID, SLOPES, SOFTMAX, SOFTPLUS, UPDATES


class Files(NamedTuple):
    """The program, and the samples and parameters that it reads."""

    program: bytes
    data: bytes


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
        *([SIGMOID, ""] if "sigmoid(" in pairs else []),
        *([SOFTMAX, ""] if "softmax(" in pairs else []),
        *([SOFTPLUS, ""] if "softplus(" in pairs else []),
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
