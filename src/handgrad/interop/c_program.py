"""A C program that computes the pass of a golden header again and compares every quantity."""

from __future__ import annotations

import re

import numpy as np

from handgrad.errors import ModelError
from handgrad.interop.c_lines import FUNCTIONS, FUSED, HELPERS, LOSSES, STABLE_TERMS
from handgrad.nn.activations import Activation
from handgrad.nn.losses import Loss
from handgrad.nn.network import Network
from handgrad.version import __version__

TOLERANCE = 1e-9


_FLAT = "(const double *)"  # a matrix as its numbers one after another


def number(value: float) -> str:
    """The shortest digits that give the double back. Raises ModelError for one that is not finite."""
    if not np.isfinite(value):
        raise ModelError("a golden value is not finite; choose other rows")
    return repr(value)


def program(network: Network, word: str, name: str, m: int, learns: bool) -> str:
    """A C program that computes the pass of a header again; `word` begins its names, `m` counts the samples."""
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
    value, slope = (text.replace("alpha", number(function.alpha or 0.0)) for text in FUNCTIONS[function.name])
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
            f"{number(1 / loss.share(samples))}, dW{l}, db{l}, {m}, {inputs}, {n});",
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
    threshold = number(loss.threshold or 0.0)
    term, slope = (text.replace("threshold", threshold) for text in LOSSES[loss.name])
    stable = STABLE_TERMS.get((loss.name, function.name))
    row = f"&z{L}[k / {n} * {n}]"
    term = term if stable is None else stable.replace("z_row", row).replace("N)", f"{n})")
    factor = number(loss.gradient_factor(n))
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
        lines += _fused_lines(loss, function.name, L, n, m, factor)
    elif function.elementwise:
        place = kinds.index(function)
        lines.append(f"for (k = 0; k < {m} * {n}; ++k) delta{L}[k] = da[k] * df{place}(z{L}[k], a{L}[k]);")
    else:
        lines.append(f"softmax_back(a{L}, da, delta{L}, {m}, {n});")
    return [*lines, _compared(word, f"delta{L}", f"{m} * {n}")]


def _fused_lines(loss: Loss, function: str, L: int, n: int, m: str, factor: str) -> list[str]:
    """delta = yhat - y and its kin, which do not divide by a number near 0."""
    delta = FUSED[loss.name, function]
    total = f"int j; double total = 0.0; for (j = 0; j < {n}; ++j) total += targets[k / {n} * {n} + j];"
    return [
        f"for (k = 0; k < {m} * {n}; ++k) {{",
        *([f"    {total}"] if "total" in delta else []),
        f"    const double a = a{L}[k], y = targets[k];",
        f"    delta{L}[k] = {factor} * ({delta});",
        "}",
    ]
