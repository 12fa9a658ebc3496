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
from handgrad.nn.activations import Activation
from handgrad.nn.arrays import Array
from handgrad.nn.losses import Loss
from handgrad.nn.network import Network, Parameters
from handgrad.nn.optimizers import OptimizerState
from handgrad.nn.step import Training
from handgrad.version import __version__
from handgrad.worked.trace import trace_step

TOLERANCE = 1e-9
MOST_NUMBERS = 2_000_000


class Files(NamedTuple):
    """The header, and the program that tests it."""

    header: bytes
    program: bytes


# G. Klambauer et al., Self-normalizing neural networks (NIPS 2017), equation 14
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

# f(z) and f'(z), written by z, a and alpha
FUNCTIONS: dict[str, tuple[str, str]] = {
    "identity": ("z", "1.0"),
    "sigmoid": ("sigmoid(z)", "a * (1.0 - a)"),
    "tanh": ("tanh(z)", "1.0 - a * a"),
    "relu": ("z > 0.0 ? z : 0.0", "z > 0.0 ? 1.0 : 0.0"),
    "leaky_relu": ("z > 0.0 ? z : alpha * z", "z > 0.0 ? 1.0 : alpha"),
    "elu": ("z > 0.0 ? z : alpha * expm1(z)", "z > 0.0 ? 1.0 : a + alpha"),
    "gelu": ("z * normal_cdf(z)", "normal_cdf(z) + z * 0.3989422804014327 * exp(-0.5 * z * z)"),
    "silu": ("z * sigmoid(z)", "sigmoid(z) * (1.0 + z * (1.0 - sigmoid(z)))"),
    "softplus": ("softplus(z)", "sigmoid(z)"),
    "step": ("z > 0.0 ? 1.0 : 0.0", "0.0"),
    "relu6": ("fmin(fmax(z, 0.0), 6.0)", "z > 0.0 && z < 6.0 ? 1.0 : 0.0"),
    "hard_sigmoid": ("fmin(fmax(z + 3.0, 0.0), 6.0) / 6.0", "z > -3.0 && z < 3.0 ? 1.0 / 6.0 : 0.0"),
    "selu": (
        f"{SELU_SCALE!r} * (z > 0.0 ? z : {SELU_ALPHA!r} * expm1(z))",
        f"z > 0.0 ? {SELU_SCALE!r} : a + {SELU_SCALE * SELU_ALPHA!r}",
    ),
    "mish": (
        "z * tanh(softplus(z))",
        "tanh(softplus(z)) + z * sigmoid(z) * (1.0 - tanh(softplus(z)) * tanh(softplus(z)))",
    ),
    "exponential": ("exp(z)", "a"),
}

HELPERS = {
    "sigmoid": """static double sigmoid(double z) {
    double e = exp(-fabs(z));
    return z >= 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
}
""",
    "softplus": """static double softplus(double z) { return fmax(z, 0.0) + log1p(exp(-fabs(z))); }
""",
    "log_share": """/* ln of the softmax of z among the n of its row */
static double log_share(double z, const double *row, int n) {
    int j;
    double top = row[0], sum = 0.0;
    for (j = 1; j < n; ++j) top = fmax(top, row[j]);
    for (j = 0; j < n; ++j) sum += exp(row[j] - top);
    return z - top - log(sum);
}
""",
    "normal_cdf": """static double normal_cdf(double z) { return 0.5 * erfc(-z * 0.7071067811865476); }
""",
}

# term of the loss and dloss/da of one output, without the scale, written by a, y and threshold
LOSSES: dict[str, tuple[str, str]] = {
    "squared_error": ("(a - y) * (a - y)", "2.0 * (a - y)"),
    "binary_cross_entropy": (
        "-((y > 0.0 ? y * log(a) : 0.0) + (y < 1.0 ? (1.0 - y) * log(1.0 - a) : 0.0))",
        "(a - y) / (a * (1.0 - a))",
    ),
    "cross_entropy": ("y > 0.0 ? -y * log(a) : 0.0", "-y / a"),
    "huber": (
        "fabs(a - y) <= threshold ? 0.5 * (a - y) * (a - y) : threshold * (fabs(a - y) - 0.5 * threshold)",
        "fmax(-threshold, fmin(threshold, a - y))",
    ),
    "absolute_error": ("fabs(a - y)", "(double)((a > y) - (a < y))"),
    "hinge": ("fmax(1.0 - y * a, 0.0)", "y * a < 1.0 ? -y : 0.0"),
    "poisson": ("a - (y > 0.0 ? y * log(a) : 0.0)", "1.0 - (y > 0.0 ? y / a : 0.0)"),
}


# the same where the output activation is a sigmoid, by z: a saturated output must not end in ln 0
STABLE_TERMS: dict[tuple[str, str], str] = {
    ("binary_cross_entropy", "sigmoid"): "fmax(z, 0.0) - z * y + log1p(exp(-fabs(z)))",
    ("cross_entropy", "sigmoid"): "y * (fmax(-z, 0.0) + log1p(exp(-fabs(z))))",
    ("poisson", "exponential"): "exp(z) - y * z",
    ("cross_entropy", "softmax"): "-y * log_share(z, z_row, N)",
}


def files(
    network: Network, parameters: Parameters, X: Array, Y: Array | None, name: str, about: str
) -> Files:
    """The header NAME.h and the program NAME_test.c for the batch X (m, n_0), Y (m, n_L); without Y forward only.

    Nothing is dropped, and no penalty is added. Raises ModelError for an activation or a loss that has no line of C
    here, and for a network that is too large to be written out.
    """
    _judge(network)
    training = Training(
        tuple(type(layer)(layer.W.astype(np.float64), layer.b.astype(np.float64)) for layer in parameters),
        OptimizerState(),
    )
    quantities = trace_step(network, None, training, X, Y, 1, 0.0).quantities
    word = _identifier(name)
    learns = Y is not None and network.loss is not None
    header = _header(network, quantities, word, about, len(X), learns)
    return Files(header.encode(), _program(network, word, name, len(X), learns).encode())


def _judge(network: Network) -> None:
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


_FLAT = "(const double *)"  # a matrix as its numbers one after another


def _identifier(name: str) -> str:
    word = re.sub(r"\W", "_", name, flags=re.ASCII).lower()
    return f"net_{word}" if not word or word[0].isdigit() else word


# -- the header


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
        return _number(float(values))
    if values.ndim == 1:
        return "{" + ", ".join(_number(float(value)) for value in values) + "}"
    return "{\n    " + ",\n    ".join(_braces(row) for row in values) + "\n}"


def _number(value: float) -> str:
    if not np.isfinite(value):
        raise ModelError("a golden value is not finite; choose other rows")
    return repr(value)


# -- the program


def _program(network: Network, word: str, name: str, m: int, learns: bool) -> str:
    body = [*_forward_lines(network, word), *(_backward_lines(network, word, m) if learns else [])]
    text = "\n".join(
        [
            *_function_lines(network, "\n".join(body)),
            _COMPARE,
            _DENSE,
            *([_BACK] if learns and network.depth > 1 else []),
            *([_GRADIENT] if learns else []),
            "int main(void) {",
            *(f"    {line}" for line in body),
            '    printf("%d quantities, %d wrong\\n", compared, wrong);',
            "    return wrong != 0;",
            "}",
            "",
        ]
    )
    helpers = [code for helper, code in HELPERS.items() if f"{helper}(" in text]
    head = [
        f"/* Written by handgrad {__version__}: computes the pass of {name}.h again and compares every quantity.",
        "",
        f"   cc -std=c99 -Wall -Wextra -pedantic {name}_test.c -o {name}_test -lm && ./{name}_test */",
        "#include <math.h>",
        "#include <stdio.h>",
        "",
        f'#include "{name}.h"',
        "",
        "static int compared = 0, wrong = 0;",
        "",
    ]
    return "\n".join([*head, *helpers, text])


_COMPARE = f"""static void compare(const char *name, const double *computed, const double *golden, int count) {{
    int i;
    double furthest = 0.0;
    for (i = 0; i < count; ++i)
        furthest = fmax(furthest, fabs(computed[i] - golden[i]) / fmax(1.0, fabs(golden[i])));
    ++compared;
    if (!(furthest <= {TOLERANCE:g})) {{
        ++wrong;
        printf("%s is wrong by %g\\n", name, furthest);
    }}
}}
"""

_DENSE = """/* z = W x + b for m samples, one a row; b may be absent */
static void dense(const double *x, const double *W, const double *b, double *z, int m, int inputs, int units) {
    int i, j, k;
    for (i = 0; i < m; ++i)
        for (j = 0; j < units; ++j) {
            double sum = b ? b[j] : 0.0;
            for (k = 0; k < inputs; ++k) sum += W[j * inputs + k] * x[i * inputs + k];
            z[i * units + j] = sum;
        }
}
"""

_BACK = """/* da = delta W: from the layer after to this one */
static void back(const double *delta, const double *W, double *da, int m, int inputs, int units) {
    int i, j, k;
    for (i = 0; i < m; ++i)
        for (k = 0; k < inputs; ++k) {
            double sum = 0.0;
            for (j = 0; j < units; ++j) sum += delta[i * units + j] * W[j * inputs + k];
            da[i * inputs + k] = sum;
        }
}
"""

_GRADIENT = """/* dW = share delta^T a, db = share sum of delta */
static void gradient(const double *delta, const double *a, double share, double *dW, double *db, int m, int inputs,
                     int units) {
    int i, j, k;
    for (j = 0; j < units; ++j) {
        db[j] = 0.0;
        for (i = 0; i < m; ++i) db[j] += share * delta[i * units + j];
        for (k = 0; k < inputs; ++k) {
            double sum = 0.0;
            for (i = 0; i < m; ++i) sum += delta[i * units + j] * a[i * inputs + k];
            dW[j * inputs + k] = share * sum;
        }
    }
}
"""

_SOFTMAX = """static void softmax(const double *z, double *a, int m, int units) {
    int i, j;
    for (i = 0; i < m; ++i) {
        double top = z[i * units], sum = 0.0;
        for (j = 1; j < units; ++j) top = fmax(top, z[i * units + j]);
        for (j = 0; j < units; ++j) sum += a[i * units + j] = exp(z[i * units + j] - top);
        for (j = 0; j < units; ++j) a[i * units + j] /= sum;
    }
}
"""

_SOFTMAX_BACK = """/* delta = a (da - sum da a): da times the Jacobian of softmax */
static void softmax_back(const double *a, const double *da, double *delta, int m, int units) {
    int i, j;
    for (i = 0; i < m; ++i) {
        double sum = 0.0;
        for (j = 0; j < units; ++j) sum += da[i * units + j] * a[i * units + j];
        for (j = 0; j < units; ++j) delta[i * units + j] = a[i * units + j] * (da[i * units + j] - sum);
    }
}
"""


def _function_lines(network: Network, body: str) -> list[str]:
    """f and its derivative for each kind of activation in the network, as far as `body` calls them."""
    kinds = dict.fromkeys(layer.function for layer in network.layers)
    pieces = [("softmax", _SOFTMAX), ("softmax_back", _SOFTMAX_BACK)]
    for place, kind in enumerate(kinds):
        if kind.elementwise:
            pieces += _pair(place, kind)
    return [code for called, code in pieces if re.search(rf"\b{called}\(", body)]


def _pair(place: int, function: Activation) -> list[tuple[str, str]]:
    value, slope = (
        text.replace("alpha", _number(function.alpha or 0.0)) for text in FUNCTIONS[function.name]
    )
    unused = "".join(f"    (void){letter};\n" for letter in "za" if not re.search(rf"\b{letter}\b", slope))
    return [
        (f"f{place}", f"/* {function.name} */\nstatic double f{place}(double z) {{ return {value}; }}\n"),
        (f"df{place}", f"static double df{place}(double z, double a) {{\n{unused}    return {slope};\n}}\n"),
    ]


def _forward_lines(network: Network, word: str) -> list[str]:
    kinds = list(dict.fromkeys(layer.function for layer in network.layers))
    sizes, m = network.sizes, f"{word.upper()}_SAMPLES"
    lines = ["int i;"] if any(layer.function.elementwise for layer in network.layers) else []
    for l in range(1, network.depth + 1):
        lines.append(f"static double z{l}[{m} * {sizes[l]}], a{l}[{m} * {sizes[l]}];")
    for l, layer in network.numbered():
        x = f"{_FLAT}{word}_x" if l == 1 else f"a{l - 1}"
        b = "0" if layer.bias == "none" else f"{word}_b{l}"
        lines.append(f"dense({x}, {_FLAT}{word}_W{l}, {b}, z{l}, {m}, {sizes[l - 1]}, {sizes[l]});")
        if layer.function.elementwise:
            place = kinds.index(layer.function)
            lines.append(f"for (i = 0; i < {m} * {sizes[l]}; ++i) a{l}[i] = f{place}(z{l}[i]);")
        else:
            lines.append(f"softmax(z{l}, a{l}, {m}, {sizes[l]});")
        lines += [_compared(word, name, f"{m} * {sizes[l]}") for name in (f"z{l}", f"a{l}")]
    return lines


def _compared(word: str, name: str, count: str, flat: bool = False) -> str:
    return f'compare("{name}", {name}, {"" if flat else _FLAT}{word}_{name}, {count});'


def _backward_lines(network: Network, word: str, samples: int) -> list[str]:
    loss = network.loss
    assert loss is not None
    kinds = list(dict.fromkeys(layer.function for layer in network.layers))
    sizes, m, L = network.sizes, f"{word.upper()}_SAMPLES", network.depth
    lines = ["{", *(f"    {line}" for line in _loss_lines(loss, network, word)), "}"]
    for l in range(L, 0, -1):
        layer, n, inputs = network.layers[l - 1], sizes[l], sizes[l - 1]
        lines += [
            "{",
            f"    static double dW{l}[{n} * {inputs}], db{l}[{n}];",
            f"    gradient(delta{l}, {f'{_FLAT}{word}_x' if l == 1 else f'a{l - 1}'}, "
            f"{_number(1 / loss.share(samples))}, dW{l}, db{l}, {m}, {inputs}, {n});",
            *([f"    {_shared(l, n)}"] if layer.bias == "shared" else []),
            f"    {_compared(word, f'dW{l}', f'{n} * {inputs}')}",
            *([] if layer.bias == "none" else [f"    {_compared(word, f'db{l}', str(n), flat=True)}"]),
            "}",
        ]
        if l > 1:
            function = network.layers[l - 2].function
            count = f"{m} * {inputs}"
            slope = f"df{kinds.index(function)}(z{l - 1}[i], a{l - 1}[i])" if function.elementwise else ""
            lines += [
                f"back(delta{l}, {_FLAT}{word}_W{l}, delta{l - 1}, {m}, {inputs}, {n});",
                f"for (i = 0; i < {count}; ++i) delta{l - 1}[i] *= {slope};"
                if slope
                else f"softmax_back(a{l - 1}, delta{l - 1}, delta{l - 1}, {m}, {inputs});",
                _compared(word, f"delta{l - 1}", count),
            ]
    declared = [f"static double delta{l}[{m} * {sizes[l]}];" for l in range(1, L + 1)]
    return declared + lines


def _shared(l: int, units: int) -> str:
    return (
        f"{{ int j; double sum = 0.0; for (j = 0; j < {units}; ++j) sum += db{l}[j]; "
        f"for (j = 0; j < {units}; ++j) db{l}[j] = sum; }}"
    )


def _loss_lines(loss: Loss, network: Network, word: str) -> list[str]:
    """The loss of the batch, and delta of the output layer from dloss/da."""
    L, n, m = network.depth, network.outputs, f"{word.upper()}_SAMPLES"
    function = network.layers[-1].function
    kinds = list(dict.fromkeys(layer.function for layer in network.layers))
    threshold = _number(loss.threshold or 0.0)
    term, slope = (text.replace("threshold", threshold) for text in LOSSES[loss.name])
    stable = STABLE_TERMS.get((loss.name, function.name))
    row = f"&z{L}[k / {n} * {n}]"
    term = term if stable is None else stable.replace("z_row", row).replace("N)", f"{n})")
    factor = _number(loss.gradient_factor(n))
    fused = loss.fused(function.name)
    lines = [
        "int k;",
        f"const double *targets = {_FLAT}{word}_y;",
        *([] if fused else [f"static double da[{m} * {n}];"]),
        "double data_loss = 0.0;",
        f"for (k = 0; k < {m} * {n}; ++k) {{",
        f"    double {'a' if stable is None else 'z'} = {'a' if stable is None else 'z'}{L}[k], y = targets[k];",
        f"    data_loss += {factor} * ({term});",
        *([] if fused else [f"    da[k] = {factor} * ({slope});"]),
        "}",
        *([f"data_loss /= {m};"] if loss.samples == "mean" else []),
        f'compare("data_loss", &data_loss, &{word}_data_loss, 1);',
    ]
    if fused:
        lines += _fused_lines(loss, function.name, word, L, n, m, factor)
    elif function.elementwise:
        place = kinds.index(function)
        lines.append(f"for (k = 0; k < {m} * {n}; ++k) delta{L}[k] = da[k] * df{place}(z{L}[k], a{L}[k]);")
    else:
        lines.append(f"softmax_back(a{L}, da, delta{L}, {m}, {n});")
    return [*lines, _compared(word, f"delta{L}", f"{m} * {n}")]


def _fused_lines(loss: Loss, function: str, word: str, L: int, n: int, m: str, factor: str) -> list[str]:
    """delta = yhat - y and its kin, which do not divide by a number near 0."""
    y = "targets"
    if function == "softmax":
        return [
            f"for (k = 0; k < {m}; ++k) {{",
            "    int j;",
            "    double sum = 0.0;",
            f"    for (j = 0; j < {n}; ++j) sum += {y}[k * {n} + j];",
            f"    for (j = 0; j < {n}; ++j)",
            f"        delta{L}[k * {n} + j] = {factor} * (a{L}[k * {n} + j] * sum - {y}[k * {n} + j]);",
            "}",
        ]
    difference = loss.name in ("binary_cross_entropy", "poisson")
    written = f"a{L}[k] - {y}[k]" if difference else f"{y}[k] * (a{L}[k] - 1.0)"
    return [f"for (k = 0; k < {m} * {n}; ++k) delta{L}[k] = {factor} * ({written});"]
