"""How each activation and each loss is one line of C."""

from __future__ import annotations

# G. Klambauer et al., Self-normalizing neural networks (NIPS 2017): alpha and lambda of the fixed point (0, 1)
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

# delta of the output layer where loss and output activation belong together: nothing near 0 is divided by
FUSED: dict[tuple[str, str], str] = {
    ("binary_cross_entropy", "sigmoid"): "a - y",
    ("cross_entropy", "sigmoid"): "y * (a - 1.0)",
    ("cross_entropy", "softmax"): "a * total - y",
    ("poisson", "exponential"): "a - y",
}
