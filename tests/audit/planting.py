"""Random problems, and slips planted in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from tests.audit.pencil import STYLES, Array, Pencil, Problem

HIDDEN = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "elu")
ENDS = (
    ("squared_error", "identity"),
    ("squared_error", "sigmoid"),
    ("squared_error", "tanh"),
    ("squared_error", "softmax"),
    ("binary_cross_entropy", "sigmoid"),
    ("cross_entropy", "softmax"),
)
Random = np.random.Generator


def problem(random: Random, **fixed: Any) -> Problem:
    """A random problem with friendly numbers."""
    depth = int(random.integers(1, 5))
    sizes = [int(random.integers(1, 4)) for _ in range(depth + 1)]
    samples = int(random.choice([1, 1, 2, 3]))
    loss, end = ENDS[int(random.integers(len(ENDS)))]
    if end == "softmax" and sizes[-1] == 1:
        sizes[-1] = 2
    if fixed.get("square"):
        sizes = [2] * (depth + 1) if depth > 1 else [2, 2, 2]
    sizes = fixed.get("sizes", sizes)
    samples = fixed.get("samples_count", samples)
    loss, end = fixed.get("end", (loss, end))
    if end == "softmax" and sizes[-1] == 1:
        sizes[-1] = 2
    places = int(random.integers(1, 3))

    def draw(*shape: int) -> Array:
        return np.round(random.uniform(-1, 1, shape), places)

    weights = [draw(out, into) for into, out in pairwise(sizes)]
    weights = [np.where(W == 0, 0.3, W) for W in weights]
    X = draw(samples, sizes[0])
    X = np.where(X == 0, 0.7, X)
    if loss == "binary_cross_entropy":
        Y = random.integers(0, 2, (samples, sizes[-1])).astype(float)
    elif loss == "cross_entropy":
        Y = np.eye(sizes[-1])[random.integers(0, sizes[-1], samples)]
    else:
        Y = np.round(random.uniform(0, 1, (samples, sizes[-1])), places)
    hidden = [str(random.choice(fixed.get("hidden", HIDDEN))) for _ in sizes[1:-1]]
    made = Problem(
        X=X,
        Y=Y,
        weights=weights,
        biases=[draw(out) for out in sizes[1:]],
        functions=[*hidden, end],
        loss=loss,
        scale=float(random.choice([0.5, 1.0])) if loss == "squared_error" else 1.0,
        outputs=str(random.choice(["sum", "mean"])),
        samples=str(random.choice(["sum", "mean"])),
        optimizer=_optimizer(random, fixed.get("optimizer")),
        steps=1,
    )
    if made.optimizer and random.random() < 0.4:
        made.steps = int(random.integers(2, 4))
    if fixed.get("l2") or random.random() < 0.15:
        made.l2, made.l2_form = 0.1, str(random.choice(["half", "half_mean", "full"]))
    if fixed.get("dropout") and len(sizes) > 2:
        made.keep, made.mask = 0.8, [[1] * (sizes[1] - 1) + [1 if sizes[1] == 1 else 0]]
    for name in ("scale", "outputs", "samples", "steps"):
        if name in fixed:
            setattr(made, name, fixed[name])
    return made


def _optimizer(random: Random, name: str | None) -> dict[str, Any]:
    name = name or str(random.choice(["sgd", "sgd", "momentum", "rmsprop", "adam"]))
    rate = float(random.choice([0.1, 0.5, 0.05]))
    if name == "momentum":
        form = str(random.choice(["velocity", "heavy_ball", "average"]))
        return {"name": name, "learning_rate": rate, "momentum": 0.9, "form": form}
    if name == "rmsprop":
        return {"name": name, "learning_rate": rate, "decay": 0.9, "epsilon": 0.01}
    if name == "adam":
        return {"name": name, "learning_rate": rate, "beta1": 0.9, "beta2": 0.99, "epsilon": 0.01}
    return {"name": name, "learning_rate": rate}


NEEDS: dict[str, dict[str, Any]] = {
    "updated-weights": {"sizes": [2, 2, 2]},
    "not-transposed": {"square": True},
    "derivative-forgotten": {},
    "derivative-at-z": {"hidden": ("sigmoid", "tanh")},
    "error-sign": {},
    "update-sign": {},
    "factor-2-missing": {"end": ("squared_error", "sigmoid"), "scale": 1.0},
    "half-missing": {"end": ("squared_error", "sigmoid"), "scale": 0.5},
    "batch-not-averaged": {"samples_count": 3, "samples": "mean"},
    "outputs-not-averaged": {"sizes": [2, 2, 3], "outputs": "mean"},
    "bias-forgotten": {},
    "bias-not-updated": {},
    "bias-shared": {"sizes": [2, 3, 2]},
    "log10": {"end": ("cross_entropy", "softmax")},
    "log2": {"end": ("binary_cross_entropy", "sigmoid")},
    "dropout-not-scaled": {"sizes": [2, 3, 1], "dropout": True},
    "l2-not-in-gradient": {"l2": True},
    "l2-factor": {"l2": True},
    "softmax-diagonal": {"end": ("squared_error", "softmax")},
    "adam-no-correction": {"optimizer": "adam"},
    "adam-step-counter": {"optimizer": "adam"},
    "epsilon-place": {"optimizer": "adam"},
    "momentum-form": {"optimizer": "momentum", "steps": 2},
    "single-precision": {},
    "rounded-carried": {},
    "entries-swapped": {"sizes": [2, 3, 2]},
    "wrong-index": {"sizes": [2, 3, 2]},
    "other-quantity": {},
    "step-early": {"steps": 3},
    "step-late": {"steps": 3},
    "other-sample": {"samples_count": 3},
    "miscopied-input": {},
}
LAYERED = ("derivative-forgotten", "derivative-at-z", "bias-forgotten", "update-sign", "bias-shared")
MISREADINGS = ("entries-swapped", "wrong-index", "other-quantity", "step-early", "step-late", "other-sample")


@dataclass
class Planted:
    """A sheet with a slip: its case, what it prints, the code, and the claims that the slip changes first."""

    document: dict[str, Any]
    code: str
    root: tuple[int, str]
    digits: int
    problem: Problem
    same: tuple[str, ...] = ()


def sheet(
    printed: dict[tuple[int, str], Array], digits: int, keep: set[tuple[int, str]] | None = None
) -> list[dict[str, Any]]:
    """The claims of a sheet."""
    return [
        {"quantity": name, "step": t, "value": np.asarray(value).tolist(), "digits": digits}
        for (t, name), value in printed.items()
        if keep is None or (t, name) in keep
    ]


def plant(code: str, random: Random, digits: int, style: str = "full") -> Planted | None:
    """A random problem with this slip in it; None where the slip changes nothing that is printed."""
    given = problem(random, **NEEDS[code])
    seed = int(random.integers(1 << 30))
    whole = Pencil(given, digits, style, seed=seed, keep=0.8)
    right, keep = whole.printed, set(whole.written)
    layer = (
        int(random.integers(1, len(given.weights) + 1)) if code in LAYERED and random.random() < 0.5 else 0
    )
    wrong = _slipped(code, given, right, digits, style, layer, seed, random)
    if wrong is None:
        return None
    least = (0.5 if code == "single-precision" else 2.5) * 10.0**-digits
    changed = [key for key in right if np.any(np.abs(right[key] - wrong[key]) > least)]
    if not changed or not all(np.all(np.isfinite(value)) for value in wrong.values()):
        return None
    first = next((key for key in changed if key in keep), None)
    if first is None:
        return None
    document = given.document()
    document["claims"] = sheet(wrong, digits, keep)
    return Planted(document, code, first, digits, given)


def _slipped(
    code: str,
    given: Problem,
    right: dict[tuple[int, str], Array],
    digits: int,
    style: str,
    layer: int,
    seed: int,
    random: Random,
) -> dict[tuple[int, str], Array] | None:
    if code == "single-precision":
        return Pencil(given, digits, style, seed=seed, single=True, keep=0.8).printed
    if code == "rounded-carried":
        return Pencil(given, digits, style, seed=seed, carry=max(1, digits - 2), keep=0.8).printed
    if code == "miscopied-input":
        return Pencil(_miscopied(given, random), digits, style, seed=seed, keep=0.8).printed
    if code in MISREADINGS:
        return _misread(code, given, right, digits, random)
    return Pencil(given, digits, style, slip=code, layer=layer, seed=seed, keep=0.8).printed


def _miscopied(given: Problem, random: Random) -> Problem:
    arrays = [given.X, *given.weights, *given.biases]
    which = int(random.integers(len(arrays)))
    changed = [array.copy() for array in arrays]
    place = tuple(int(random.integers(n)) for n in changed[which].shape)
    old = changed[which][place]
    others = [float(v) for array in given.weights for v in array.ravel() if v not in (old, 0)]
    changed[which][place] = random.choice([-old if old else 0.4, old * 10 or 0.2, *others[:3]])
    count = len(given.weights)
    return replace(
        given, X=changed[0], weights=changed[1 : count + 1], biases=changed[count + 1 :], Y=given.Y
    )


def _misread(  # noqa: PLR0911  one misreading after another
    code: str, given: Problem, right: dict[tuple[int, str], Array], digits: int, random: Random
) -> dict[tuple[int, str], Array] | None:
    """One quantity of the sheet misread at its end: nothing follows from it."""
    wrong = {key: np.array(value, dtype=float) for key, value in right.items()}
    last = given.steps
    arrays = [
        key for key in right if np.size(right[key]) > 1 and key[1].startswith(("dW", "W", "z", "delta", "a"))
    ]
    if code in ("step-early", "step-late"):
        t = 2
        wrong[t, "loss"] = right[t + (1 if code == "step-late" else -1), "loss"]
        return wrong
    if code == "other-quantity":
        if np.size(right[last, "loss_terms"]) == 1:
            return None
        wrong[last, "loss_terms"].ravel()[0] = right[last, "loss"]
        return wrong
    if not arrays:
        return None
    key = arrays[int(random.integers(len(arrays)))]
    array = wrong[key]
    if code == "other-sample":
        per_sample = [k for k in arrays if k[1][0] in "zad" and not k[1].startswith("dW")]
        if not per_sample:
            return None
        key = per_sample[int(random.integers(len(per_sample)))]
        array = wrong[key]
        array[0] = right[key][1]
        return wrong
    flat = array.reshape(-1)
    i, j = (int(k) for k in random.choice(flat.size, 2, replace=False))
    if code == "entries-swapped":
        flat[i], flat[j] = flat[j], flat[i]
    else:
        flat[i] = flat[j]
    wrong[key] = flat.reshape(array.shape)
    return wrong


def correct(random: Random, digits: int, style: str) -> dict[str, Any]:
    """A right sheet, printed in a style; sometimes only a part of it."""
    given = problem(random, dropout=bool(random.random() < 0.15))
    share = 1.0 if random.random() < 0.5 else 0.6
    pencil = Pencil(given, digits, style, seed=int(random.integers(1 << 30)), keep=share)
    document = given.document()
    document["claims"] = sheet(pencil.printed, digits, pencil.written)
    return document


__all__ = ["NEEDS", "STYLES", "Planted", "correct", "plant"]
