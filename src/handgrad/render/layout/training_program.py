"""The training loop of a network as a program of NumPy: its first step is the step of the sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.nn.losses import Loss
from handgrad.nn.network import Network
from handgrad.nn.optimizers import Optimizer
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe
from handgrad.writing.numpy_lines import FUNCTIONS, FUSED, SIGMOID, SLOPES, SOFTMAX, SOFTPLUS, TERMS, UPDATES

MOST_NUMBERS = 120
"""Inputs, targets and parameters that a program writes out; instead of more it draws some at random."""
STEPS = 10
LONGEST = 66
"""Characters of an array that stands on one line."""
_SLOTS = {"velocity": "v"}


class Wanted(NamedTuple):
    """What the program is made of; `comments` names its parts in the reader's language."""

    network: Network
    recipe: Recipe
    rate: float
    quantities: Mapping[str, Array]
    comments: Mapping[str, str]


def left_out(network: Network, recipe: Recipe | None, quantities: Mapping[str, Array], given: bool) -> str:
    """Why there is no program: a key of a reason, or the name of a function; '' where there is one."""
    if recipe is None or network.loss is None or given or "x" not in quantities or "y" not in quantities:
        return "given"
    if any(layer.dropout is not None for layer in network.layers):
        return "dropout"
    if recipe.clipping:
        return "clipping"
    if "omega" in quantities:
        return "weights"
    if any(layer.bias in ("shared", "frozen") for layer in network.layers):
        return "bias"
    functions = [layer.function.name for layer in network.layers]
    return next((name for name in functions if name not in FUNCTIONS), "")


def is_written_out(network: Network, quantities: Mapping[str, Array]) -> bool:
    """True where the program has the numbers of the sheet."""
    held = int(np.size(quantities["x"]) + np.size(quantities["y"]))
    return network.parameter_count + held <= MOST_NUMBERS


def training_program(wanted: Wanted) -> str:
    """The program; `left_out` says first that there is one."""
    return "\n".join([*_head(wanted), *_data(wanted), "", *_loop(wanted)]) + "\n"


def _head(wanted: Wanted) -> Iterator[str]:
    yield "import numpy as np"
    lines = "".join("".join(FUNCTIONS[layer.function.name]) for layer in wanted.network.layers)
    for name, helper in (("sigmoid(", SIGMOID), ("softmax(", SOFTMAX), ("softplus(", SOFTPLUS)):
        if name in lines:
            yield ""
            yield from helper.rstrip("\n").split("\n")
    yield ""


# --- the numbers --------------------------------------------------------------------------------------------


def _data(wanted: Wanted) -> Iterator[str]:
    network, quantities = wanted.network, wanted.quantities
    biased = [l for l, layer in network.numbered() if layer.bias != "none"]
    if is_written_out(network, quantities):
        yield from _named("X = ", quantities["x"])
        yield from _named("Y = ", quantities["y"])
        yield from _table("W", {l: quantities[f"W{l}"] for l, _ in network.numbered()})
        if biased:
            yield from _table("b", {l: quantities[f"b{l}"] for l in biased})
    else:
        yield from _drawn(wanted, biased)
    yield f"rate = {wanted.rate!r}"
    slots = wanted.recipe.optimizer.slots
    if slots:
        groups = "(W, b)" if biased else "(W,)"
        yield f"state = [{{l: np.zeros(({len(slots)}, *p.shape)) for l, p in group.items()}} for group in {groups}]"


def _named(name: str, values: Array) -> Iterator[str]:
    array = np.asarray(values, np.float64)
    whole = f"{name}np.array({array.tolist()!r})"
    if len(whole) <= LONGEST or array.ndim == 1:
        yield whole
        return
    yield f"{name}np.array(["
    yield from (f"    {row!r}," for row in array.tolist())
    yield "])"


def _table(name: str, held: Mapping[int, Array]) -> Iterator[str]:
    whole = ", ".join(
        f"{l}: np.array({np.asarray(array, np.float64).tolist()!r})" for l, array in held.items()
    )
    if len(whole) <= LONGEST + 10:
        yield f"{name} = {{{whole}}}"
        return
    yield f"{name} = {{}}"
    for l, values in held.items():
        yield from _named(f"{name}[{l}] = ", values)


def _drawn(wanted: Wanted, biased: list[int]) -> Iterator[str]:
    network, samples = wanted.network, len(wanted.quantities["x"])
    assert network.loss is not None
    targets = network.loss.targets
    yield "draw = np.random.default_rng(0)"
    yield f"X = draw.normal(size=({samples}, {network.inputs}))"
    if targets.classes and network.outputs > 1:
        yield f"Y = np.eye({network.outputs})[draw.integers(0, {network.outputs}, {samples})]"
    elif targets.only is not None:
        yield f"Y = draw.choice({list(targets.only)!r}, size=({samples}, {network.outputs}))"
    elif targets.highest == 1 or targets.lowest == 0:
        yield f"Y = draw.integers(0, 2, ({samples}, {network.outputs})).astype(float)"
    else:
        yield f"Y = draw.normal(size=({samples}, {network.outputs}))"
    sizes = ", ".join(map(str, network.sizes))
    yield f"sizes = [{sizes}]"
    layers = f"range(1, {network.depth + 1})"
    yield f"W = {{l: draw.normal(size=(sizes[l], sizes[l - 1])) / np.sqrt(sizes[l - 1]) for l in {layers}}}"
    if biased:
        yield f"b = {{l: np.zeros(sizes[l]) for l in {biased!r}}}"


# --- the loop -----------------------------------------------------------------------------------------------


def _loop(wanted: Wanted) -> Iterator[str]:
    parts = {
        "forward": _forward(wanted.network),
        "loss": _loss(wanted.network, wanted.recipe.regularization),
        "backward": _backward(wanted.network, wanted.recipe.regularization),
        "update": _update(wanted.network, wanted.recipe.optimizer),
    }
    yield f"for step in range(1, {STEPS + 1}):"
    for name, lines in parts.items():
        yield f"    # {wanted.comments[name]}"
        yield from (f"    {line}" for line in lines)


def _output(network: Network, l: int) -> str:
    return "X" if l == 0 else "yhat" if l == network.depth else f"a{l}"


def _said(network: Network, l: int, which: int) -> str:
    """f or f' of layer l, with the names that its z and its output have here."""
    function = network.layers[l - 1].function
    line = re.sub(r"\balpha\b", repr(function.alpha), FUNCTIONS[function.name][which])
    line = re.sub(r"\bz\b(?!\()", f"z{l}", line.replace(".astype(z.dtype)", ""))
    return re.sub(r"\ba\b", _output(network, l), line)


def _factor(line: str) -> str:
    """The line where it is multiplied: a call or what stands in parentheses of its own needs none."""
    alone = re.fullmatch(r"(np\.)?\w*\([^()]*\)", line) is not None or line.isidentifier()
    return line if alone else f"({line})"


def _forward(network: Network) -> Iterator[str]:
    for l, layer in network.numbered():
        bias = "" if layer.bias == "none" else f" + b[{l}]"
        yield f"z{l} = {_output(network, l - 1)} @ W[{l}].T{bias}"
        yield f"{_output(network, l)} = {_said(network, l, 0)}"


def _share(loss: Loss) -> str:
    return " / len(X)" if loss.samples == "mean" else ""


def _loss(network: Network, penalty: Regularization) -> Iterator[str]:
    loss = network.loss
    assert loss is not None
    factor = loss.gradient_factor(network.outputs)
    scale = "" if factor == 1 else f"{factor!r} * "
    yield f"loss = {scale}np.sum({TERMS[loss.name].format(threshold=loss.threshold)}){_share(loss)}"
    if penalty.l2:
        strength = {"half": "{} / 2", "half_mean": "{} / (2 * len(X))", "full": "{}"}[penalty.form]
        yield f"loss += {strength.format(repr(penalty.l2))} * sum(np.sum(w * w) for w in W.values())"
    if penalty.l1:
        yield f"loss += {penalty.l1!r} * sum(np.sum(abs(w)) for w in W.values())"
    yield 'print(f"{step}: {loss:.6f}")'


def _backward(network: Network, penalty: Regularization) -> Iterator[str]:
    loss = network.loss
    assert loss is not None
    yield from _output_delta(network, loss)
    share = _share(loss)
    for l in range(network.depth, 0, -1):
        below = _output(network, l - 1)
        if l < network.depth:
            yield f"da{l} = delta{l + 1} @ W[{l + 1}]"
            yield f"delta{l} = {_through(network, l)}"
        yield f"dW{l} = delta{l}.T @ {below}{share}{_pull(penalty, l)}"
        if network.layers[l - 1].bias != "none":
            yield f"db{l} = delta{l}.sum(axis=0){share}"


def _output_delta(network: Network, loss: Loss) -> Iterator[str]:
    l, function = network.depth, network.layers[-1].function
    factor = loss.gradient_factor(network.outputs)
    fused = FUSED.get((loss.name, function.name))
    if fused is not None:
        yield f"delta{l} = {fused}" if factor == 1 else f"delta{l} = {factor!r} * ({fused})"
        return
    slope = SLOPES[loss.name].format(threshold=loss.threshold)
    yield f"dyhat = {slope}" if factor == 1 else f"dyhat = {factor!r} * ({slope})"
    if function.name == "identity":
        yield f"delta{l} = dyhat"
    elif function.elementwise:
        yield f"delta{l} = dyhat * {_factor(_said(network, l, 1))}"
    else:
        yield f"delta{l} = yhat * (dyhat - (dyhat * yhat).sum(axis=1, keepdims=True))"


def _through(network: Network, l: int) -> str:
    function, a = network.layers[l - 1].function, _output(network, l)
    if function.name == "identity":
        return f"da{l}"
    if function.elementwise:
        return f"da{l} * {_factor(_said(network, l, 1))}"
    return f"{a} * (da{l} - (da{l} * {a}).sum(axis=1, keepdims=True))"


def _pull(penalty: Regularization, l: int) -> str:
    """What the penalties add to a gradient."""
    written = ""
    if penalty.l2:
        form = {"half": "{} * W[{}]", "half_mean": "{} / len(X) * W[{}]", "full": "2 * {} * W[{}]"}[
            penalty.form
        ]
        written += " + " + form.format(repr(penalty.l2), l)
    return written + (f" + {penalty.l1!r} * np.sign(W[{l}])" if penalty.l1 else "")


def _update(network: Network, optimizer: Optimizer) -> Iterator[str]:
    weights = [f"{l}: dW{l}" for l, _ in network.numbered()]
    biases = [f"{l}: db{l}" for l, layer in network.numbered() if layer.bias != "none"]
    gradients = [("W", weights), *([("b", biases)] if biases else [])]
    lines = UPDATES[optimizer.name](optimizer)
    if not optimizer.slots:
        for letter, held in gradients:
            yield f"for l, gradient in {{{', '.join(held)}}}.items():"
            yield f"    {letter}[l] -= rate * gradient"
        return
    yield "t = step"
    groups = ", ".join(letter for letter, _ in gradients)
    dictionaries = ", ".join(f"{{{', '.join(held)}}}" for _, held in gradients)
    comma = "," if len(gradients) == 1 else ""
    yield f"for group, gradients, held in zip(({groups}{comma}), ({dictionaries}{comma}), state):"
    yield "    for l, g in gradients.items():"
    names = ", ".join(_SLOTS.get(slot, slot) for slot in optimizer.slots)
    yield f"        p, ({names},) = group[l], held[l]"
    yield from (f"        {line}" for line in lines)
