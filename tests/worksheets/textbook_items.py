"""The items of docs/textbook.md: in which document each stands, and what must be found there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
HALF_MEAN: dict[str, Any] = {
    "network": {
        "inputs": 2,
        "loss": {"name": "squared_error", "scale": 0.5},
        "layers": [{"units": 1, "activation": "tanh", "W": [[0.3, -0.2]], "b": [0.1]}],
    },
    "data": {"x": [[1.0, 2.0], [0.5, -1.0]], "y": [[1.0], [0.0]]},
    "optimizer": {"name": "sgd", "learning_rate": 0.1},
}
SHEETS: dict[str, tuple[Any, dict[str, Any]]] = {
    "relu": (EXAMPLES / "relu-sigmoid-2-2-1.toml", {"detail": "scalar"}),
    "sigmoid": (
        EXAMPLES / "sigmoid-2-2-1.toml",
        {"digits": 3, "carry": True, "digits_of": {"a1": 2, "z2": 2}, "layer_notation": "bracket"},
    ),
    "layers": (EXAMPLES / "sigmoid-2-2-1.toml", {"names": "xyz", "layer_notation": "superscript"}),
    "figure": (EXAMPLES / "forward-figure.toml", {"names": "xyz"}),
    "reference": (HALF_MEAN, {}),
    "capital": (EXAMPLES / "chain-rule.toml", {"names": "capital", "layer_notation": "subscript"}),
}
CALCULATIONS = {
    "dot": "[10 20 30 40] . [0; 1; 2; 3]",
    "outer": "[10; 20; 30; 40] (x) [0 1 2 3]",
    "turned": "[1 2 3 4]'",
    "product": "[0.05629 0.596 0.238; 0.303 0.421 0.855; 0.655 0.457 0.618] . [0.5; 0.2; 0.8]",
    "hadamard": "[-0.1903; -0.2284] o [1; 1]",
}

ITEMS: dict[str, tuple[str, tuple[str, ...]]] = {
    # two sigmoid layers, forward and back
    "architecture": ("sigmoid", ("2 → 2 → 1", "A fully connected network of sizes 2-2-1")),
    "given-matrices": (
        "sigmoid",
        (r"W^{[1]} = \begin{bmatrix} 0.1 & 0.2 \cr 0.3 & 0.4 \end{bmatrix}", "y = 1"),
    ),
    "row-and-column": (
        "sigmoid",
        ("Column vector | Row vector", r"x^{\top}$ = $\begin{bmatrix} x_{1} & x_{2}"),
    ),
    "general-shapes": (
        "sigmoid",
        ("$x$ is n×1 as a column and 1×n as a row", "is m×n, and $b^{[l]}$ is m×1"),
    ),
    "hidden-layer": ("sigmoid", (r"z^{[1]} = W^{[1]} x + b^{[1]} =", r"a^{[1]} = \sigma(z^{[1]})")),
    "output-layer": (
        "sigmoid",
        (r"z^{[2]} = W^{[2]} a^{[1]} + b^{[2]} =", r"\hat{y} = \sigma(z^{[2]}) = \sigma(0.39)"),
    ),
    "binary-cross-entropy": ("sigmoid", (r"\mathcal{L} = -(y \ln(\hat{y}) + (1 - y) \ln(1 - \hat{y}))",)),
    "loss-by-prediction": ("sigmoid", (r"\frac{\hat{y} - y}{\hat{y} \times (1 - \hat{y})}",)),
    "prediction-by-sum": (
        "sigmoid",
        (r"\frac{\partial \hat{y}}{\partial z^{[2]}} = \hat{y} \times (1 - \hat{y})",),
    ),
    "output-delta": ("sigmoid", (r"\delta^{[2]} = \hat{y} - y = 0.596 - 1 = -0.404",)),
    "sum-by-weights": ("layers", (r"\frac{\partial s^{2}}{\partial W^{2}} = y^{1}",)),
    "output-gradient": ("sigmoid", (r"W^{[2]}} = \delta^{[2]} a^{[1] \top}", r"-0.222 & -0.242")),
    "back-to-hidden": ("sigmoid", (r"\partial a^{[1]}} = W^{[2] \top} \delta^{[2]}",)),
    "hidden-slope": ("sigmoid", (r"a^{[1]} \odot (1 - a^{[1]})",)),
    "hidden-delta": ("sigmoid", (r"\begin{bmatrix} -0.020 \cr -0.029 \end{bmatrix}",)),
    "hidden-gradient": ("sigmoid", (r"W^{[1]}} = \delta^{[1]} x^{\top}", r"-0.020 & 0 \cr -0.029 & 0")),
    "rounded-forward": ("sigmoid", (r"0.55 \cr 0.60", "0.39", "0.596", "0.518")),
    "descent-for-all": ("relu", tuple(f"{p}_{{{n}}} \\mathrel{{:=}}" for n in (1, 2) for p in "Wb")),
    "summary-of-steps": (
        "sigmoid",
        ("| Step | What happens | Here |", "| Forward pass |", "| Backward pass |"),
    ),
    "contents": ("sigmoid", ("**Contents**", "[Backward pass](#backward)")),
    # the layers of a network
    "layer-roles": (
        "layers",
        (
            "| Layer | Symbol | Units | Role |",
            "takes in the features of a sample",
            "its outputs are the predictions",
        ),
    ),
    "parameters-between": (
        "layers",
        ("$W^{1}$ and $b^{1}$ lead from the inputs to layer 1.", "lead from layer 1 to the output layer"),
    ),
    "chained-layers": ("layers", (r"y^{1} = \sigma(W^{1} x + b^{1})", r"z = \sigma(W^{2} y^{1} + b^{2})")),
    "combined-form": ("layers", (r"z = \sigma(W^{2} \sigma(W^{1} x + b^{1}) + b^{2}) = \sigma\left(",)),
    "own-parameters": (
        "layers",
        ("Each layer has weights and biases of its own, and an activation follows every weighted sum.",),
    ),
    "fully-connected": ("layers", ("Every unit of a layer is connected with all units of the next one",)),
    "coloured-layers": ("layers", ("The network: inputs green, hidden units blue, outputs red.",)),
    "how-forward-works": ("layers", ("multiplies by its weights, adds its biases, applies its activation",)),
    "unit-with-sum": (
        "layers",
        (
            r"s_{j}^{l} = \sum_{k = 1}^{n^{l - 1}} W_{jk}^{l} y_{k}^{l - 1} + b_{j}^{l}",
            r"y_{1}^{1} = \sigma\left( \sum_{k = 1}",
        ),
    ),
    "error-table": (
        "figure",
        (
            "| Output | Prediction | Target | Error |",
            "| $z_{1}$ | 2.9 | 3.2 | -0.3 |",
            "| $z_{2}$ | 0.2 | 0.2 | 0 |",
        ),
    ),
    "error-to-gradient": (
        "figure",
        ("From the errors come the gradients, which say how each weight should change.",),
    ),
    "why-a-loss": (
        "figure",
        ("A loss makes one number of all errors, so that training knows what to lower.",),
    ),
    "two-losses": (
        "figure",
        (
            "For regression: mean squared error (MSE), with its derivative",
            "For classification: cross-entropy (CE), with its derivative",
            r"-\sum_{k = 1}^{n} t_{k} \ln(z_{k})",
        ),
    ),
    "loss-here": ("figure", (r"\frac{1}{2} \times ((2.9 - 3.2)^{2} + (0.2 - 0.2)^{2}) = 0.045",)),
    "whole-loop": (
        "layers",
        (
            "Forward pass: each sample goes through",
            "Repeat, for each batch of every epoch.",
            "until the loss no longer falls",
        ),
    ),
    # a whole step with ReLU and sigmoid
    "flow": (
        "relu",
        ("Input (2\\) → Hidden (2, ReLU) → Output (1, sigmoid) → Loss", "Loss → Output → Hidden → Input"),
    ),
    "learning-rate": ("relu", (r"\eta = 0.1",)),
    "sum-entry-by-entry": ("relu", (r"= 0.1 \times 0.5 + 0.2 \times 0.3 + 0.1 = 0.05 + 0.06 + 0.1 = 0.21",)),
    "relu": ("relu", (r"ReLU(z)$ = $\max(0, z)", r"\max(0, 0.47) = 0.47")),
    "sigmoid-worked-out": (
        "relu",
        (r"\frac{1}{1 + e^{-0.487}} \approx \frac{1}{1 + 0.6145} \approx \frac{1}{1.6145} \approx 0.6194",),
    ),
    "as-probability": ("relu", ("Read as a probability, the prediction says: class 1 with 61.9 %.",)),
    "loss-of-a-one": ("relu", (r"\approx -\ln(0.6194) \approx 0.4790",)),
    "two-terms": (
        "relu",
        (r"\hat{y}} = -\frac{y}{\hat{y}} + \frac{1 - y}{1 - \hat{y}} = \frac{\hat{y} - y}",),
    ),
    "combined-gradient": (
        "relu",
        (r"(-1.6145) \times 0.2357 \approx -0.3806", r"\delta_{2} = \hat{y} - y = 0.6194 - 1"),
    ),
    "weight-entries": (
        "relu",
        (r"(-0.3806) \times 0.21 \approx -0.0799", r"(-0.3806) \times 0.47 \approx -0.1789"),
    ),
    "bias-gradient": ("relu", (r"\frac{\partial \mathcal{L}}{\partial b_{2}} = \delta_{2} \approx -0.3806",)),
    "back-entries": (
        "relu",
        (
            r"\partial h_{1}[0]} = W_{2}[0, 0] \delta_{2} = 0.5 \times (-0.3806) \approx -0.1903",
            r"0.6 \times (-0.3806) \approx -0.2284",
        ),
    ),
    "slope-entries": (
        "relu",
        (
            r"\partial z_{1}[0]} = ReLU^{\prime}(z_{1}[0]) = ReLU^{\prime}(0.21) = 1",
            r"\begin{cases} 1 & z \gt 0 \cr 0 & otherwise",
        ),
    ),
    "delta-entries": ("relu", (r"0.6 \times (-0.3806) \times 1 \approx -0.2284",)),
    "outer-entries": (
        "relu",
        (
            r"\delta_{1} \otimes x = \begin{bmatrix} \delta_{1}[0] x[0] & \delta_{1}[0] x[1]",
            r"-0.0952 & -0.0571 \cr -0.1142 & -0.0685",
        ),
    ),
    "update-rule": ("relu", (r"\theta_{new} = \theta - \eta g",)),
    "updates-worked-out": ("relu", (r"0.508 & 0.618", r"0.110 & 0.206 \cr 0.311 & 0.407", "0.138")),
    "before-and-after": ("relu", ("| Parameter | Before | Gradient | Change | After |",)),
    "what-happened": (
        "relu",
        ("The prediction 0.6194 was below the target 1, so it had to rise. All weights grew",),
    ),
    "scalar-form": (
        "relu",
        ("Unit by unit, layer 1 computes", "As a matrix, it is one equation for all units"),
    ),
    "row-by-row": (
        "relu",
        (r"\begin{bmatrix} 0.1 & 0.2 \end{bmatrix} \begin{bmatrix} 0.5 \cr 0.3 \end{bmatrix} + 0.1 =",),
    ),
    "rows-are-units": (
        "relu",
        (
            "Each row of $W_{1}$ holds the weights of one unit",
            "Each column of $W_{1}$ holds the connections of one input",
        ),
    ),
    "operations-counted": ("relu", ("| Layer | Multiplications | Additions |",)),
    "timing": (
        "relu",
        (
            "time of a layer of 1000 inputs and 500 units, on this machine",
            "Measured when this sheet was made",
        ),
    ),
    "transpose-in-use": ("relu", ("Going back, the weights are read the other way.",)),
    "hadamard-in-use": ("relu", ("⊙ multiplies entry by entry",)),
    "shapes-of-weights": (
        "relu",
        (
            "In general, m×n times n×p gives m×p.",
            "$W_{2}$ is 1×2: its layer has 1 unit and receives 2 inputs.",
        ),
    ),
    "scalar-against-matrix": (
        "relu",
        ("| Aspect | Scalar way | Matrix way |", "one after another | many at once"),
    ),
    "takeaway-chain-rule": ("relu", ("The chain rule carries backpropagation:",)),
    "takeaway-activations": (
        "relu",
        ("ReLU has the simple derivative 0 or 1", "The sigmoid presses every number between 0 and 1"),
    ),
    "takeaway-flow": ("relu", ("Gradients flow back through the network: Loss → Output → Hidden → Input.",)),
    "takeaway-learning": ("relu", ("Hidden layers find useful features by themselves",)),
    "takeaway-matrices": ("relu", ("graphics processors are built for the products",)),
    "takeaway-process": ("relu", ("repeated thousands of times over many samples",)),
    "takeaway-practice": (
        "relu",
        ("optimizers such as RMSprop and Adam, regularization by dropout or weight decay",),
    ),
    # the quick reference
    "layer-rule": ("reference", (r"z^{[l]} = W^{[l]} a^{[l - 1]} + b^{[l]}", r"a^{[l]} = f(z^{[l]})")),
    "half-mean-loss": ("reference", (r"\frac{1}{2} \times \frac{1}{m} \sum_{i = 1}^{m}",)),
    "delta-of-output": ("reference", (r"\delta^{[L]} = (\hat{y} - y) \odot f^{\prime}(z^{[L]})",)),
    "delta-of-hidden": ("relu", (r"\delta_{l} = (W_{l + 1}^{\top} \delta_{l + 1}) \odot f^{\prime}(z_{l})",)),
    "gradients-of-batch": (
        "reference",
        (r"\frac{1}{m} \delta^{[l]} a^{[l - 1] \top}", r"\frac{1}{m} \sum_{i = 1}^{m} \delta^{[l](i)}"),
    ),
    "assignments": (
        "reference",
        (
            r"W^{[1]} \mathrel{:=} W^{[1]} - \eta",
            r"b^{[1]} \mathrel{:=} b^{[1]} - \eta",
            r"$\eta$ is the learning rate",
        ),
    ),
    "single-neuron": (
        "reference",
        (
            r"\mathcal{L} = \frac{1}{2} (y - \hat{y})^{2}",
            r"(\hat{y} - y) f^{\prime}(z) x",
            r"b \mathrel{:=} b - \eta",
        ),
    ),
    "activation-table": (
        "reference",
        ("| sigmoid |", "| tanh |", "| ReLU |", "| leaky ReLU |", "| softmax |"),
    ),
    "variant-table": (
        "reference",
        (
            "| batch gradient descent: all samples of the data |",
            "| stochastic gradient descent: one sample |",
            "| mini-batch gradient descent: a small part of the data |",
        ),
    ),
    "variant-rules": (
        "reference",
        (
            "| momentum | $v_{t} = \\mu v_{t - 1} + g$",
            "| RMSprop |",
            "| Adam | $m_{t} = \\beta_{1} m_{t - 1}",
        ),
    ),
    "loop-program": (
        "reference",
        ("```python import numpy as np", "for step in range(1, 11):", "# backward pass"),
    ),
    # capital letters and matrices
    "capital-letters": (
        "capital",
        (
            "C = (A_{2} - Y)^{2}",
            r"A_{2} = \sigma(Z_{2})",
            "Z_{2} = W_{2} A_{1} + B_{2}",
            "A_{1} = ReLU(Z_{1})",
            "Z_{1} = W_{1} X + B_{1}",
        ),
    ),
    "chain-rule": (
        "capital",
        (
            "the derivatives are multiplied:",
            r"\frac{\partial C}{\partial A_{2}} \times \frac{\partial A_{2}}{\partial Z_{L}}",
        ),
    ),
    "chain-of-second-weights": (
        "capital",
        (r"W_{2}} \times \frac{\partial A_{2}}{\partial Z_{2}} \times \frac{\partial C}{\partial A_{2}}",),
    ),
    "braces": (
        "capital",
        (
            r"\underbrace{(2 A_{2} - 2 Y)}_{derivative of the loss} \times \underbrace{\sigma(Z_{2})}_{sigmoid}",
            r"_{sigmoid} \times \underbrace{(1 - \sigma(Z_{2}))}",
        ),
    ),
    "bias-brace": ("capital", (r"\times \underbrace{1}_{derivative of the sum by the bias}",)),
    "open-or-shut": (
        "capital",
        (r"\underbrace{(Z_{1} \gt 0)}_{derivative of ReLU}", r"\underbrace{W_{2}^{\top}}_{weights}"),
    ),
    "chain-of-first-bias": (
        "capital",
        (
            r"B_{1}} \times \frac{\partial A_{1}}{\partial Z_{1}} \times \frac{\partial Z_{2}}{\partial A_{1}}",
        ),
    ),
    "meaning-of-letters": (
        "capital",
        (
            "$W_{l}$: a weight says how much an input counts",
            "$C$: the loss measures how far the prediction is",
            "before its activation",
        ),
    ),
    "unit-sums": (
        "capital",
        (r"Z_{1}[1] = W_{1}[1, 1] X[1] + W_{1}[1, 2] X[2] + W_{1}[1, 3] X[3] + B_{1}[1]",),
    ),
    "hidden-and-input-size": ("capital", ("$W_{1}$ has the shape (hidden size, input size) = (3, 3)",)),
    "dot-product": (
        "dot",
        (
            r"= 10 \times 0 + 20 \times 1 + 30 \times 2 + 40 \times 3 = 0 + 20 + 60 + 120 = 200",
            "1 × 4, 4 × 1 → 1 × 1",
        ),
    ),
    "outer-product": ("outer", (r"40 \times 0 & 40 \times 1", r"0 & 40 & 80 & 120", "4 × 1, 1 × 4 → 4 × 4")),
    "transpose": ("turned", ("Rows become columns", "1 × 4 → 4 × 1")),
    "matrix-product": ("product", ("Matrix product", "3 × 3, 3 × 1 → 3 × 1")),
    "entry-by-entry": ("hadamard", ("Product entry by entry", "2 × 1, 2 × 1 → 2 × 1")),
}
"""Item of docs/textbook.md: the document, and what must stand in it (Markdown, its LaTeX plain)."""
