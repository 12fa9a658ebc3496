"""A calculation as somebody does it with pencil and paper, with a slip in it if one is asked for.

Written anew in plain NumPy, apart from the package: it is what plants mistakes for the audit to find. `style` says
how results are rounded on the way: full (only for printing), carried (each result), mixed (now the number on the
sheet is used again, now the one in the calculator), cut and cut-carried (digits cut off in place of rounding).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = Any
STYLES = ("full", "carried", "mixed", "cut", "cut-carried")

F: dict[str, tuple[Callable[[Array], Array], Callable[[Array, Array], Array]]] = {
    "identity": (lambda z: z, lambda z, a: np.ones_like(z)),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z, a: a * (1 - a)),
    "tanh": (np.tanh, lambda z, a: 1 - a**2),
    "relu": (lambda z: np.where(z > 0, z, 0.0), lambda z, a: np.where(z > 0, 1.0, 0.0)),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z, a: np.where(z > 0, 1.0, 0.01)),
    "softplus": (lambda z: np.log(1 + np.exp(z)), lambda z, a: 1 / (1 + np.exp(-z))),
    "elu": (
        lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1),
        lambda z, a: np.where(z > 0, 1.0, a + 1),
    ),
    "softmax": (lambda z: np.exp(z) / np.exp(z).sum(1, keepdims=True), lambda z, a: a * (1 - a)),
}


def half_up(value: Array, digits: int) -> Array:
    scale = 10.0**digits
    return np.copysign(np.floor(np.abs(value) * scale + 0.5 + 1e-6) / scale, value) + 0.0


def cut(value: Array, digits: int) -> Array:
    scale = 10.0**digits
    return np.copysign(np.floor(np.abs(value) * scale + 1e-6) / scale, value) + 0.0


@dataclass
class Problem:
    """What is given."""

    X: Array
    Y: Array
    weights: list[Array]
    biases: list[Array]
    functions: list[str]
    loss: str
    scale: float = 1.0
    outputs: str = "sum"
    samples: str = "mean"
    optimizer: dict[str, Any] = field(default_factory=dict)
    l2: float = 0.0
    l2_form: str = "half"
    keep: float | None = None
    mask: list[list[int]] | None = None
    steps: int = 1

    @property
    def fused(self) -> bool:
        return (self.loss, self.functions[-1]) in (
            ("binary_cross_entropy", "sigmoid"),
            ("cross_entropy", "softmax"),
        )

    def document(self) -> dict[str, Any]:
        """The case file."""
        layers: list[dict[str, Any]] = [
            {"units": len(W), "activation": f, "W": W.tolist(), "b": b.tolist()}
            for W, b, f in zip(self.weights, self.biases, self.functions, strict=True)
        ]
        if self.keep is not None:
            layers[0]["dropout"] = {"keep": self.keep, "mask": self.mask}
        document: dict[str, Any] = {
            "network": {
                "inputs": self.X.shape[1],
                "loss": {
                    "name": self.loss,
                    "scale": self.scale,
                    "outputs": self.outputs,
                    "samples": self.samples,
                },
                "layers": layers,
            },
            "data": {"x": self.X.tolist(), "y": self.Y.tolist()},
            "training": {"steps": self.steps},
        }
        if self.optimizer:
            document["optimizer"] = self.optimizer
        if self.l2:
            document["regularization"] = {"l2": {"strength": self.l2, "form": self.l2_form}}
        return document


class Pencil:
    """Works a problem out; `printed` has what stands on the sheet, by step and quantity, in order."""

    def __init__(
        self,
        problem: Problem,
        digits: int,
        style: str = "full",
        slip: str = "",
        layer: int = 0,
        seed: int = 0,
        carry: int | None = None,
        single: bool = False,
        keep: float = 1.0,
    ) -> None:
        self.p, self.digits, self.style, self.slip, self.layer = problem, digits, style, slip, layer
        self.random = np.random.default_rng(seed)
        self.keep, self.written = keep, set[tuple[int, str]]()
        self.carry, self.single = carry, single
        self.printed: dict[tuple[int, str], Array] = {}
        self.t = 1
        kind = np.float32 if single else np.float64
        self.W = [W.astype(kind) for W in problem.weights]
        self.b = [b.astype(kind) for b in problem.biases]
        self.X, self.Y = problem.X.astype(kind), problem.Y.astype(kind)
        self.state: dict[str, list[Array]] = {}
        for self.t in range(1, problem.steps + 1):
            self.step()

    def here(self, name: str, l: int = 0) -> bool:
        """True where the slip is this one, in this layer (0: in every layer)."""
        return self.slip == name and self.layer in (0, l)

    def put(self, name: str, value: Array) -> Array:
        """Writes a result down; gives what is used from here on."""
        shorten = cut if self.style.startswith("cut") else half_up
        if self.carry is not None:
            value = half_up(value, self.carry)
        short = shorten(np.asarray(value, dtype=np.float64), self.digits)
        self.printed[self.t, name] = short
        written, again = self.random.random() < self.keep, self.random.random() < 0.5
        if written:
            self.written.add((self.t, name))
        if self.style in ("carried", "cut-carried") or (self.style == "mixed" and written and again):
            return short
        return value

    def step(self) -> None:
        p, L, m = self.p, len(self.W), len(self.X)
        A, Z, G = [self.X], [self.X], [self.X]
        for l in range(1, L + 1):
            b = 0 if self.here("bias-forgotten", l) else self.b[l - 1]
            z = self.put(f"z{l}", A[-1] @ self.W[l - 1].T + b)
            f = F[p.functions[l - 1]][0](z)
            if l == 1 and p.keep is not None:
                f = self.put("f1", f)
                scale = 1 if self.slip == "dropout-not-scaled" else p.keep
                a = self.put("a1", f * np.array(p.mask) / scale)
            else:
                a = f = self.put("yhat" if l == L else f"a{l}", f)
            Z.append(z)
            G.append(f)
            A.append(a)
        self.losses(A[-1])
        self.backward(A, Z, G, m)

    def losses(self, yhat: Array) -> None:
        p, y = self.p, self.Y
        with np.errstate(divide="ignore", invalid="ignore"):
            if p.loss == "squared_error":
                terms = (1 if self.slip == "half-missing" else p.scale) * (yhat - y) ** 2
            elif p.loss == "binary_cross_entropy":
                terms = -p.scale * (y * np.log(yhat) + (1 - y) * np.log(1 - yhat))
            else:
                terms = -p.scale * np.where(y > 0, y * np.log(np.where(y > 0, yhat, 1)), 0.0)
        if self.slip in ("log10", "log2"):
            terms = terms / math.log(10 if self.slip == "log10" else 2)
        terms = self.put("loss_terms", terms)
        averaged = p.outputs == "mean" and self.slip != "outputs-not-averaged"
        each = terms.mean(1) if averaged else terms.sum(1)
        loss = each.mean() if p.samples == "mean" else each.sum()
        if p.l2:
            loss = self.put("data_loss", loss)
            penalty = self.put("penalty", self.coefficient(loss=True) * sum((W**2).sum() for W in self.W))
            loss = loss + penalty
        self.put("loss", loss)

    def coefficient(self, loss: bool = False) -> float:
        p, m = self.p, len(self.X)
        plain = {"half": 0.5, "half_mean": 0.5 / m, "full": 1.0}[p.l2_form] * p.l2
        return plain * 2 if self.slip == "l2-factor" and not loss else plain

    def backward(self, A: list[Array], Z: list[Array], G: list[Array], m: int) -> None:
        p, L, yhat = self.p, len(self.W), A[-1]
        divide = len(yhat[0]) if p.outputs == "mean" and self.slip != "outputs-not-averaged" else 1
        sign = -1 if self.slip == "error-sign" else 1
        if p.loss == "squared_error":
            two = 1 if self.slip == "factor-2-missing" else 2
            dyhat = sign * two * p.scale * (yhat - self.Y) / divide
        elif p.loss == "binary_cross_entropy":
            dyhat = sign * p.scale * (yhat - self.Y) / (yhat * (1 - yhat)) / divide
        else:
            dyhat = sign * -p.scale * self.Y / yhat / divide
        dyhat = self.put("dyhat", dyhat)
        delta = None
        for l in range(L, 0, -1):
            name, z, f = p.functions[l - 1], Z[l], G[l]
            if l == L and p.fused:
                delta = sign * p.scale * (yhat - self.Y) / divide
            else:
                if l == L:
                    d = dyhat
                else:
                    W = self.W[l]
                    if self.here("updated-weights", l):
                        W = self.moved("W", l, W, self.dW)[0]
                    d = self.put(f"da{l}", delta @ (W.T if self.here("not-transposed", l) else W))
                    if l == 1 and p.keep is not None:
                        keep = 1 if self.slip == "dropout-not-scaled" else p.keep
                        d = self.put("df1", d * np.array(p.mask) / keep)
                if self.here("derivative-forgotten", l):
                    delta = d
                elif name == "softmax" and self.slip != "softmax-diagonal":
                    delta = f * (d - (d * f).sum(1, keepdims=True))
                elif self.here("derivative-at-z", l):
                    delta = d * F[name][1](z, z)
                else:
                    delta = d * F[name][1](z, f)
            delta = self.put(f"delta{l}", delta)
            share = m if p.samples == "mean" and self.slip != "batch-not-averaged" else 1
            dW, db = delta.T @ A[l - 1] / share, delta.sum(0) / share
            if p.l2:
                dW = self.put(f"dW{l}_data", dW)
                extra = 0 if self.here("l2-not-in-gradient", l) else 2 * self.coefficient()
                dW = dW + self.put(f"dW{l}_penalty", extra * self.W[l - 1])
            self.dW = self.put(f"dW{l}", dW)
            if self.here("bias-shared", l):
                db = np.full_like(db, db.sum())
            self.gradients = getattr(self, "gradients", {})
            self.gradients[l] = self.dW, self.put(f"db{l}", db)
        if p.optimizer:
            self.update()

    def update(self) -> None:
        for l in range(1, len(self.W) + 1):
            for letter, held, g in (("W", self.W, self.gradients[l][0]), ("b", self.b, self.gradients[l][1])):
                old = held[l - 1]
                new, state = self.moved(letter, l - 1, old, g, write=True)
                if self.here("update-sign", l):
                    new = 2 * old - new
                if letter == "b" and self.here("bias-not-updated", l):
                    new = old
                held[l - 1] = self.put(f"{letter}{l}_new", new)
                self.state[f"{letter}{l}"] = state

    def moved(
        self, letter: str, index: int, old: Array, g: Array, write: bool = False
    ) -> tuple[Array, list[Array]]:
        """One step of the optimizer for one parameter."""
        o, key, t = self.p.optimizer, f"{letter}{index + 1}", self.t
        put = self.put if write else (lambda name, value: value)
        rate, kind = o["learning_rate"], o["name"]
        state = self.state.get(key, [np.zeros_like(old), np.zeros_like(old)])
        if kind == "sgd":
            return old - rate * g, []
        if kind == "momentum":
            mu, form = o["momentum"], o["form"]
            if self.slip == "momentum-form":
                form = {"velocity": "average", "average": "velocity", "heavy_ball": "average"}[form]
            if form == "heavy_ball":
                v = put(f"{key}_velocity", mu * state[0] - rate * g)
                return old + v, [v]
            v = put(f"{key}_velocity", mu * state[0] + (1 - mu if form == "average" else 1) * g)
            return old - rate * v, [v]
        if kind == "rmsprop":
            s = put(f"{key}_s", o["decay"] * state[0] + (1 - o["decay"]) * g**2)
            if self.slip == "epsilon-place":
                return old - rate * g / np.sqrt(s + o["epsilon"]), [s]
            return old - rate * g / (np.sqrt(s) + o["epsilon"]), [s]
        m = put(f"{key}_m", o["beta1"] * state[0] + (1 - o["beta1"]) * g)
        v = put(f"{key}_v", o["beta2"] * state[1] + (1 - o["beta2"]) * g**2)
        n = t + 1 if self.slip == "adam-step-counter" else t
        one = 1.0 if self.slip == "adam-no-correction" else 1 - o["beta1"] ** n
        two = 1.0 if self.slip == "adam-no-correction" else 1 - o["beta2"] ** n
        m_hat, v_hat = put(f"{key}_m_hat", m / one), put(f"{key}_v_hat", v / two)
        inside = self.slip == "epsilon-place"
        root = np.sqrt(v_hat + o["epsilon"]) if inside else np.sqrt(v_hat) + o["epsilon"]
        return old - rate * m_hat / root, [m, v]
