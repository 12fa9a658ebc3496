"""Pages written for the tests: one calculation in several notations, with a number changed where a test wants it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

CASE: dict[str, Any] = {
    "title": "Two tanh units and a sigmoid",
    "network": {
        "inputs": 2,
        "loss": "binary_cross_entropy",
        "layers": [
            {"units": 2, "activation": "tanh", "W": [[0.35, -0.2], [0.15, 0.45]], "b": [0.05, -0.1]},
            {"units": 1, "activation": "sigmoid", "W": [[0.7, -0.4]], "b": [0.25]},
        ],
    },
    "data": {"x": [[0.8, 0.6]], "y": [[0]]},
    "optimizer": {"name": "sgd", "learning_rate": 0.2},
}

Numbers = dict[str, list[str]]


def numbers(decimals: int = 4) -> Numbers:
    """Every quantity of the step in NumPy, as decimal text, entry by entry."""
    x, y, rate = np.array([0.8, 0.6]), 0.0, 0.2
    W1, b1 = np.array([[0.35, -0.2], [0.15, 0.45]]), np.array([0.05, -0.1])
    W2, b2 = np.array([0.7, -0.4]), 0.25
    z1 = W1 @ x + b1
    a1 = np.tanh(z1)
    z2 = W2 @ a1 + b2
    yhat = 1 / (1 + np.exp(-z2))
    delta2 = yhat - y
    delta1 = W2 * delta2 * (1 - a1**2)
    values = {
        "z1": z1, "a1": a1, "z2": z2, "yhat": yhat, "loss": -np.log(1 - yhat), "delta2": delta2,
        "dW2": delta2 * a1, "db2": delta2, "delta1": delta1, "dW1": np.outer(delta1, x), "db1": delta1,
        "W2_new": W2 - rate * delta2 * a1, "b2_new": b2 - rate * delta2, "W1_new": W1 - rate * np.outer(delta1, x),
    }  # fmt: skip
    return {name: [f"{v:.{decimals}f}" for v in np.ravel(value)] for name, value in values.items()}


def planted(held: Numbers, name: str, entry: int) -> Numbers:
    """The numbers with one of them off by three in its second digit from the right."""
    wrong = {key: list(texts) for key, texts in held.items()}
    old = wrong[name][entry]
    wrong[name][entry] = (
        f"{float(old) + (0.003 if len(old.partition('.')[2]) == 4 else 0.03):.{len(old.partition('.')[2])}f}"
    )
    return wrong


def fences(n: Numbers) -> str:
    """Code fences, lowered layers, entries in brackets, a table of the update."""
    return f"""# One step

```
x = [0.8, 0.6]      y = 0
W₁ = | 0.35  -0.20 |     b₁ = | 0.05 |
     | 0.15   0.45 |          | -0.10 |
W₂ = [0.7, -0.4]    b₂ = 0.25
```

**Learning rate:** η = 0.2

## Forward

```
z₁[0] = {n["z1"][0]}
z₁[1] = {n["z1"][1]}
h = [{n["a1"][0]}, {n["a1"][1]}]
z₂ = {n["z2"][0]}
ŷ = {n["yhat"][0]}
L = -log(1 - ŷ) = {n["loss"][0]}
```

## Backward

```
δ₂ = ŷ - y = {n["delta2"][0]}
∂L/∂W₂ = δ₂ × h = [{n["dW2"][0]}, {n["dW2"][1]}]
δ₁ = [{n["delta1"][0]}, {n["delta1"][1]}]
∂L/∂W₁ = | {n["dW1"][0]}  {n["dW1"][1]} |
         | {n["dW1"][2]}  {n["dW1"][3]} |
```

| Parameter | Before | After |
|---|---|---|
| W₁[0,0] | 0.35 | {n["W1_new"][0]} |
| W₁[0,1] | -0.20 | {n["W1_new"][1]} |
| W₁[1,0] | 0.15 | {n["W1_new"][2]} |
| W₁[1,1] | 0.45 | {n["W1_new"][3]} |
| W₂ | [0.7, -0.4] | [{n["W2_new"][0]}, {n["W2_new"][1]}] |
"""


def brackets(n: Numbers) -> str:
    """LaTeX with the layer raised in brackets, columns as matrices."""
    return rf"""## Given

$$
x = \begin{{bmatrix}} 0.8 \\ 0.6 \end{{bmatrix}}, \quad
W^{{[1]}} = \begin{{bmatrix}} 0.35 & -0.2 \\ 0.15 & 0.45 \end{{bmatrix}}, \quad
b^{{[1]}} = \begin{{pmatrix}} 0.05 \\ -0.1 \end{{pmatrix}}
$$

The target is $y = 0$ and $\eta = 0.2$.

## The step

$$ z^{{[1]}} = W^{{[1]}} x + b^{{[1]}} = \begin{{bmatrix}} {n["z1"][0]} \\ {n["z1"][1]} \end{{bmatrix}} $$

$$ a^{{[1]}} = \tanh(z^{{[1]}}) \approx \begin{{pmatrix}} {n["a1"][0]} \\ {n["a1"][1]} \end{{pmatrix}} $$

\[ z^{{[2]}} = {n["z2"][0]} \]

$$ \hat{{y}} = \sigma(z^{{[2]}}) = {n["yhat"][0]}, \qquad \mathcal{{L}} = {n["loss"][0]} $$

$$ \delta^{{[2]}} = {n["delta2"][0]}, \quad
\frac{{\partial \mathcal{{L}}}}{{\partial W^{{[2]}}}} = [{n["dW2"][0]}, {n["dW2"][1]}] $$

$$ \delta^{{[1]}}_1 = {n["delta1"][0]}, \quad \delta^{{[1]}}_2 = {n["delta1"][1]} $$

$$ \frac{{\partial \mathcal{{L}}}}{{\partial W^{{[1]}}}} =
\begin{{bmatrix}} {n["dW1"][0]} & {n["dW1"][1]} \\ {n["dW1"][2]} & {n["dW1"][3]} \end{{bmatrix}} $$

$$ W^{{[2]}}_{{new}} = \begin{{bmatrix}} {n["W2_new"][0]} & {n["W2_new"][1]} \end{{bmatrix}} $$
$$ W^{{[1]}}_{{new}} = \begin{{bmatrix}} {n["W1_new"][0]} & {n["W1_new"][1]} \\
 {n["W1_new"][2]} & {n["W1_new"][3]} \end{{bmatrix}} $$
"""


def parentheses(n: Numbers) -> str:
    """LaTeX with the layer in parentheses and entries counted from 1, as in a document of its own."""
    return rf"""\documentclass{{article}}
\begin{{document}}
\section{{Forward}}
The inputs are $x_1 = 0.8$ and $x_2 = 0.6$, the learning rate is $\eta = 0.2$.
\begin{{align*}}
z^{{(1)}}_1 &= 0.35 \cdot 0.8 + (-0.2) \cdot 0.6 + 0.05 = {n["z1"][0]} \\
z^{{(1)}}_2 &= {n["z1"][1]} \\
a^{{(1)}}_1 &= {n["a1"][0]}, & a^{{(1)}}_2 &= {n["a1"][1]}
\end{{align*}}
\begin{{equation}}
z^{{(2)}}_1 = {n["z2"][0]}
\end{{equation}}
so $\hat y = {n["yhat"][0]}$ and the loss is $L = {n["loss"][0]}$.
\section{{Backward}}
\begin{{align}}
\delta^{{(2)}} &= {n["delta2"][0]} \\
\dfrac{{\partial L}}{{\partial w^{{(2)}}_{{11}}}} &= {n["dW2"][0]} \\
\dfrac{{\partial L}}{{\partial w^{{(2)}}_{{12}}}} &= {n["dW2"][1]} \\
\delta^{{(1)}} &= \begin{{bmatrix}} {n["delta1"][0]} & {n["delta1"][1]} \end{{bmatrix}} \\
\dfrac{{\partial L}}{{\partial w^{{(1)}}_{{11}}}} &= {n["dW1"][0]} \\
\dfrac{{\partial L}}{{\partial w^{{(1)}}_{{12}}}} &= {n["dW1"][1]} \\
\dfrac{{\partial L}}{{\partial w^{{(1)}}_{{21}}}} &= {n["dW1"][2]} \\
\dfrac{{\partial L}}{{\partial w^{{(1)}}_{{22}}}} &= {n["dW1"][3]}
\end{{align}}
\begin{{tabular}}{{lrr}}
parameter & old & new \\ \hline
$w^{{(1)}}_{{11}}$ & 0.35 & {n["W1_new"][0]} \\
$w^{{(1)}}_{{12}}$ & -0.2 & {n["W1_new"][1]} \\
$w^{{(1)}}_{{21}}$ & 0.15 & {n["W1_new"][2]} \\
$w^{{(1)}}_{{22}}$ & 0.45 & {n["W1_new"][3]} \\
$w^{{(2)}}_{{11}}$ & 0.7 & {n["W2_new"][0]} \\
$w^{{(2)}}_{{12}}$ & -0.4 & {n["W2_new"][1]}
\end{{tabular}}
\end{{document}}
"""


def hypertext(n: Numbers) -> str:
    """HTML: lowered and raised letters as elements, a table, preformatted text."""
    return f"""<html><body><h1>A step of training</h1>
<p>Inputs x<sub>1</sub> = 0.8, x<sub>2</sub> = 0.6; target y = 0.</p>
<h2>Forward</h2>
<pre>
z1 = [{n["z1"][0]} {n["z1"][1]}]
a1 = [{n["a1"][0]} {n["a1"][1]}]
z2 = {n["z2"][0]}
</pre>
<p>The prediction is {n["yhat"][0]}, and the loss is
{n["loss"][0]}.</p>
<h2>Backward</h2>
<p>δ<sub>2</sub> = {n["delta2"][0]}.</p>
<table><tr><th>Quantity</th><th>Value</th></tr>
<tr><td>∂L/∂W<sub>2</sub>[0,0]</td><td>{n["dW2"][0]}</td></tr>
<tr><td>∂L/∂W<sub>2</sub>[0,1]</td><td>{n["dW2"][1]}</td></tr>
<tr><td>δ<sub>1</sub></td><td>[{n["delta1"][0]}, {n["delta1"][1]}]</td></tr>
</table>
<pre>
dW1 = [[{n["dW1"][0]}, {n["dW1"][1]}],
       [{n["dW1"][2]}, {n["dW1"][3]}]]
W2_new = [{n["W2_new"][0]}, {n["W2_new"][1]}]
W1_new = [[{n["W1_new"][0]}, {n["W1_new"][1]}],
          [{n["W1_new"][2]}, {n["W1_new"][3]}]]
</pre></body></html>
"""


def bengali(n: Numbers) -> str:
    """A Bengali page with Bengali digits."""
    text = f"""# এক ধাপের হিসাব

শেখার হার η = 0.2, লক্ষ্যমান y = 0.

## সামনের দিকে

```
z₁ = [{n["z1"][0]}, {n["z1"][1]}]
a₁ = [{n["a1"][0]}, {n["a1"][1]}]
z₂ = {n["z2"][0]}
ŷ = {n["yhat"][0]}
```

ক্ষতি হলো {n["loss"][0]}।

## পিছনের দিকে

- δ₂ = {n["delta2"][0]}
- ∂L/∂W₂ = [{n["dW2"][0]}, {n["dW2"][1]}]
- δ₁ = [{n["delta1"][0]}, {n["delta1"][1]}]

```
dW₁ = | {n["dW1"][0]}  {n["dW1"][1]} |
      | {n["dW1"][2]}  {n["dW1"][3]} |
```

| প্যারামিটার | আগে | পরে |
|---|---|---|
| W₂ | [0.7, -0.4] | [{n["W2_new"][0]}, {n["W2_new"][1]}] |
| W₁[0,0] | 0.35 | {n["W1_new"][0]} |
| W₁[0,1] | -0.2 | {n["W1_new"][1]} |
| W₁[1,0] | 0.15 | {n["W1_new"][2]} |
| W₁[1,1] | 0.45 | {n["W1_new"][3]} |
"""
    return text.translate(str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯"))


STYLES: Mapping[str, tuple[Callable[[Numbers], str], str]] = {
    "fences": (fences, ".md"),
    "brackets": (brackets, ".md"),
    "parentheses": (parentheses, ".tex"),
    "hypertext": (hypertext, ".html"),
    "bengali": (bengali, ".md"),
}
"""Each with the suffix of its format."""

PRINTED = ("z1", "a1", "z2", "yhat", "loss", "delta2", "dW2", "delta1", "dW1", "W2_new", "W1_new")
