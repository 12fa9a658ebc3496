"""A C header with the golden values of one forward and backward pass, and a C program that computes them again.

For whoever ports a network to C or to a chip: every intermediate quantity is there, under the names that the sheets
have. The program is C99, needs `math.h` alone, and compares each quantity with the header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from handgrad.errors import ModelError
from handgrad.interop.c_lines import FUNCTIONS, LOSSES
from handgrad.interop.c_program import number, program
from handgrad.nn.arrays import Array
from handgrad.nn.network import Network, Parameters
from handgrad.nn.optimizers import OptimizerState
from handgrad.nn.step import Training
from handgrad.version import __version__
from handgrad.worked.trace import trace_step

MOST_NUMBERS = 2_000_000


class Files(NamedTuple):
    """The header, and the program that tests it."""

    header: bytes
    program: bytes


def files(
    network: Network, parameters: Parameters, X: Array, Y: Array | None, name: str, about: str
) -> Files:
    """The header NAME.h and the program NAME_test.c for the batch X (m, n_0), Y (m, n_L); without Y forward only.

    Nothing is dropped, and no penalty is added. Raises ModelError for an activation or a loss that has no line of C
    here, and for a network that is too large to be written out.
    """
    _check(network)
    training = Training(
        tuple(type(layer)(layer.W.astype(np.float64), layer.b.astype(np.float64)) for layer in parameters),
        OptimizerState(),
    )
    quantities = trace_step(network, None, training, X, Y, 1, 0.0).quantities
    word = _identifier(name)
    learns = Y is not None and network.loss is not None
    header = _header(network, quantities, word, about, len(X), learns)
    return Files(header.encode(), program(network, word, name, len(X), learns).encode())


def _check(network: Network) -> None:
    for l, layer in network.numbered():
        if layer.function.name not in (*FUNCTIONS, "softmax"):
            raise ModelError(
                f"layer {l}: there is no line of C for the activation {layer.function.name!r}; there is for "
                f"{', '.join((*FUNCTIONS, 'softmax'))}"
            )
    if network.loss is not None and network.loss.name not in LOSSES:
        raise ModelError(
            f"there is no line of C for the loss {network.loss.name!r}; there is for {', '.join(LOSSES)}"
        )
    numbers = 2 * sum(
        layer.units * width for layer, width in zip(network.layers, network.sizes, strict=False)
    )
    if numbers > MOST_NUMBERS:
        raise ModelError(
            f"a header of {numbers:,} numbers is too large to be of use; the most is {MOST_NUMBERS:,}"
        )


def _identifier(name: str) -> str:
    word = re.sub(r"\W", "_", name, flags=re.ASCII).lower()
    return f"net_{word}" if not word or word[0].isdigit() else word


def _header(
    network: Network, quantities: Mapping[str, Array], word: str, about: str, m: int, learns: bool
) -> str:
    guard = f"{word.upper()}_H"
    lines = [
        f"/* Written by handgrad {__version__}: {_comment(about)}",
        "",
        "   The golden values of one forward"
        + (" and backward" if learns else "")
        + " pass, in double precision.",
        "   A batch has one sample a row. W[unit][input]; z = W x + b, a = f(z); delta = d(loss of the sample)/dz;",
        "   dW and db are the gradients of the batch, without penalties; nothing is dropped. */",
        f"#ifndef {guard}",
        f"#define {guard}",
        "",
        f"#define {word.upper()}_SAMPLES {m}",
        f"#define {word.upper()}_LAYERS {network.depth}",
        *(f"#define {word.upper()}_N{l} {n}" for l, n in enumerate(network.sizes)),
        "",
    ]
    for name in _names(network, learns):
        lines.append(_array(f"{word}_{name}", np.asarray(quantities[name], np.float64)))
    return "\n".join([*lines, f"#endif /* {guard} */", ""])


def _comment(text: str) -> str:
    return text.replace("*/", "* /").replace("\n", " ")


def _names(network: Network, learns: bool) -> list[str]:
    layers = range(1, network.depth + 1)
    names = ["x", *(["y"] if learns else [])]
    for l in layers:
        names += [f"W{l}", *([] if network.layers[l - 1].bias == "none" else [f"b{l}"])]
    for l in layers:
        names += [f"z{l}", f"a{l}"]
    if learns:
        names.append("data_loss")
        for l in reversed(layers):
            names += [f"delta{l}", f"dW{l}", *([] if network.layers[l - 1].bias == "none" else [f"db{l}"])]
    return names


def _array(name: str, values: Array) -> str:
    """A definition; the shortest digits that give every double back."""
    sizes = "".join(f"[{size}]" for size in values.shape)
    return f"static const double {name}{sizes} = {_braces(values)};\n"


def _braces(values: Array) -> str:
    if values.ndim == 0:
        return number(float(values))
    if values.ndim == 1:
        return "{" + ", ".join(number(float(value)) for value in values) + "}"
    return "{\n    " + ",\n    ".join(_braces(row) for row in values) + "\n}"
