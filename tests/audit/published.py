"""What the audit must say about published calculations.

The numbers that the sources print as quantities are the claims of `examples/*.toml`. `BETWEEN` has those that they
print on the way (terms of a sum, exponentials), `NOT_EXACT` every verdict that is not *exact*, found by hand and in
other programs. Every other number of these sources is right.
"""

from __future__ import annotations

from typing import Any

Claims = list[dict[str, Any]]


def claim(quantity: str, value: Any, digits: Any) -> dict[str, Any]:
    return {"quantity": quantity, "value": value, "digits": digits}


_TMP = [
    claim("delta2[0,0] * W2[0,0]", 0.055399425, 9),
    claim("delta2[0,1] * W2[1,0]", -0.019049119, 9),
]

BETWEEN: dict[str, Claims] = {
    "sigmoid-2-2-1": [
        claim("x @ W1.T", [[0.1, 0.3]], 1),
        claim("W2[0,0] * a1[0,0]", 0.11, 2),
        claim("W2[0,1] * a1[0,1]", 0.18, 2),
        claim("b2", [0.1], 1),
    ],
    "relu-sigmoid-2-2-1": [
        claim("x @ W1.T", [[0.11, 0.27]], 2),
        claim("W2 * a1", [[0.105, 0.282]], 3),
        claim("exp(-z2)", [[0.6145]], 4),
        claim("1 + exp(-z2)", [[1.6145]], 4),
        claim("1 - yhat", [[0.3806]], 4),
        claim("dyhat * derivative2", [[-0.3806]], 4),
    ],
    "mazur-2015": _TMP,
    "mazur-2015-retold": [*_TMP, claim("derivative1[0,0] * x[0,0]", 0.012065035, 9)],
    "cs231n-softmax-notes": [claim("exp(z1)", [[0.058, 2.36, 1.32]], [[3, 2, 2]])],
    "cs231n-softmax-slides": [claim("exp(z1)", [[24.5, 164.0, 0.18]], [[1, 1, 2]])],
    "primelearnpoint-2-2-1": [
        claim("W1 * x", [[0.07, 0.14], [0.105, 0.21]], 4),
        claim("exp(-z1)", [[0.8106, 0.7298]], 4),
        claim("W2 * a1", [[0.1657, 0.5203]], 4),
        claim("exp(-z2)", [[0.5037]], 4),
        claim("(yhat - y)^2", [[0.1122]], 4),
    ],
    "micrograd-neuron": [
        claim("W1 * x", [[0.2355, -0.1331]], 4),
        claim("delta1 @ W1", [[0.2355, 0.0665]], 4),
    ],
    "zhou-2019": [
        claim("W2[0,0] * derivative2[0,0]", 0.249, 3),
        claim("x[0,0] * derivative1[0,0]", -0.0904, 4),
    ],
    "trask-2015-three-layers": [
        {**claim("mean(abs(y - yhat))", value, digits), "step": step}
        for value, digits, step in (
            (0.496410031903, 12, 1),
            (0.00858452565325, 14, 10001),
            (0.00578945986251, 14, 20001),
            (0.00462917677677, 14, 30001),
            (0.00395876528027, 14, 40001),
            (0.00351012256786, 14, 50001),
        )
    ],
    "han-kamber-3-2-1": [claim("y - yhat", [[0.526]], 3)],
}

NOT_EXACT: dict[str, dict[tuple[str, int, tuple[int, ...] | None], tuple[str, str | None]]] = {
    "sigmoid-2-2-1": {("dW2", 1, None): ("last-digit", None)},
    "relu-sigmoid-2-2-1": {("loss", 1, None): ("wrong", None)},
    "cs231n-softmax-notes": {
        ("yhat", 1, None): ("rounded", "rounded-carried"),
        ("loss", 1, None): ("wrong", "log10"),
    },
    "cs231n-softmax-slides": {("loss", 1, None): ("wrong", "log10")},
    "han-kamber-3-2-1": {("delta2", 1, None): ("rounded", "rounded-carried")},
    "keras-bce-elements": {("loss_terms", 1, None): ("wrong", "single-precision")},
    "mazur-2015": {
        ("delta2[0,1] * W2[1,0]", 1, None): ("rounded", "rounded-carried"),
        ("loss", 2, None): ("wrong", "updated-weights"),
        ("loss", 10001, None): ("wrong", "step-early"),
        ("yhat", 10001, None): ("wrong", "updated-weights"),
    },
    "mazur-2015-retold": {
        ("delta2[0,1] * W2[1,0]", 1, None): ("rounded", "rounded-carried"),
        ("loss_terms", 1, (0, 0)): ("wrong", "other-quantity"),
        ("loss", 1, None): ("wrong-propagated", None),
        ("loss", 2, None): ("wrong", "updated-weights"),
        ("loss", 10001, None): ("wrong", "updated-weights"),
        ("yhat", 10001, None): ("wrong", "updated-weights"),
    },
    "postnetwork-softmax": {
        ("z2", 1, None): ("wrong", "wrong-index"),
        ("yhat", 1, None): ("wrong", None),
        ("loss", 1, None): ("wrong-propagated", None),
    },
    "primelearnpoint-2-2-1": {("exp(-z2)", 1, None): ("last-digit", None)},
    "zhou-2019": {
        ("dyhat", 1, None): ("rounded", "rounded-carried"),
        ("dW1", 1, (0, 0)): ("rounded", "rounded-carried"),
    },
}
"""By the quantity, the step and the entry: the verdict and the cause. A quantity that a source prints twice, once
wrong, is judged in its order: the wrong one first."""

TWICE = {("cs231n-softmax-notes", "loss"): [0.452], ("cs231n-softmax-slides", "loss"): [0.89]}
"""Of what a source prints twice, the values that are wrong."""
