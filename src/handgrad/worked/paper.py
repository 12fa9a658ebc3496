"""Quantities as they stand on paper: their symbols, and their numbers the right way round.

In arithmetic one sample is a row. On paper, with column orientation, it is a column: X is (features, samples) and
z = W x + b. With row orientation arrays stay as they are and Z = A W^T + b.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from handgrad.nn.arrays import Array
from handgrad.nn.network import Network
from handgrad.nn.regularization import Regularization
from handgrad.nn.step import Recipe
from handgrad.worked.bindings import Bindings, Value, bind
from handgrad.worked.evaluate import leaves
from handgrad.worked.expressions import (
    Divide,
    Expression,
    Gradient,
    Hadamard,
    MatMul,
    Negative,
    Number,
    Sum,
    Symbol,
    Times,
    Transpose,
)
from handgrad.worked.record import Equation, Options, Shape
from handgrad.worked.substitute import Line, marked, node, same, substitute
from handgrad.worked.trace import Trace

_PARAMETER = re.compile(r"([Wb])(\d+)(?:_(\w+))?")
_GRADIENT = re.compile(r"d([Wb])(\d+)(?:_(\w+))?")
_LAYERED = re.compile(r"(z|a|f|mask|delta|da|df|derivative)(\d+)")
NO_PENALTY = Regularization()
ONE = Number(1.0, exact=True)


def exact(value: float) -> Number:
    """A constant of a formula."""
    return Number(float(value), exact=True)


class Paper:
    """The step of a trace as a derivation needs it: symbols and numbers by public name.

    `constants` are the letters of the step besides its quantities: hyperparameters, m, n, t. `dust` says which
    entries of quantities are nothing but rounding; `known` has what letters stand for in real numbers, on paper.
    """

    def __init__(
        self,
        trace: Trace,
        network: Network,
        recipe: Recipe | None,
        options: Options,
        regularization: Regularization = NO_PENALTY,
        constants: Mapping[str, Value] | None = None,
        dust: Mapping[str, Array] | None = None,
        known: Mapping[str, Array] | None = None,
    ) -> None:
        self.trace, self.network, self.recipe, self.options = trace, network, recipe, options
        self.column = options.orientation == "column"
        self.samples, self.sizes = trace.samples, network.sizes
        self.quantities: Mapping[str, Array] = trace.quantities
        self.loss = Symbol("loss")
        self.regularization = recipe.regularization if recipe is not None else regularization
        self.regularized = bool(self.regularization)
        self.constants = constants or {}
        self.dust = dust or {}
        self.known = known or {}

    @cached_property
    def bindings(self) -> Bindings:
        """Every letter of the step with its value: quantities, states before the step, constants."""
        values = {name: marked(node(self.array(name)), self.dust.get(name)) for name in self.quantities}
        if self.trace.updated and self.recipe is not None:
            slots = self.recipe.optimizer.slots
            for l, states in enumerate(self.trace.before.state, 1):
                for letter, held in zip("Wb", states, strict=True):
                    for slot, array in zip(slots, held, strict=True):
                        bind(values, f"{letter}{l}_{slot}_old", node(self.lay(f"{letter}{l}", array)))
        for name, value in self.constants.items():
            bind(values, name, value)
        values |= {
            name: node(self.known[name])
            for name in self.known.keys() & (values.keys() - self.constants.keys())
        }
        return Bindings(values, self.column)

    def equation(
        self,
        target: Expression,
        *letters: Expression,
        numbers: Expression | None = None,
        lines: tuple[Line, ...] = (same,),
        result: Expression | None = None,
        scheme: Expression | None = None,
    ) -> Equation:
        """target = letters = numbers = result: the numbers are put in, and worked out line by line.

        They are put into the last of the letters, or into `numbers`, another form of it. The result is what the
        target stands for.
        """
        put_in = substitute(letters[-1] if numbers is None else numbers, self.bindings)
        forms = dict.fromkeys(line(put_in) for line in lines)
        stated = substitute(target, self.bindings) if result is None else result
        return Equation(target, letters, tuple(forms), stated, scheme)

    def letter(self, name: str, l: int) -> Symbol:
        """The letter of a constant of layer l: its own where the layers differ in it."""
        return Symbol(name, l if f"{name}{l}" in self.constants else None)

    def has(self, name: str) -> bool:
        """True where the step has this quantity."""
        return name in self.quantities

    def array(self, name: str) -> Array:
        """A quantity on paper: two dimensions, a column where a sample or a bias is one."""
        return self.lay(name, self.quantities[name])

    def lay(self, name: str, values: Array) -> Array:
        """`values` of the kind of quantity `name`, turned as on paper."""
        array = np.asarray(values, dtype=np.float64)
        if array.ndim == 0:
            return array.reshape(1, 1)
        if array.ndim == 1:
            return array.reshape(-1, 1) if self.column else array.reshape(1, -1)
        weights = re.match(r"d?W\d", name) is not None
        return array if weights or not self.column else array.T

    def value(self, name: str) -> Value:
        """The numbers of a quantity."""
        return self.bindings[name]

    def activity(self, l: int) -> str:
        """Public name of what layer l gives: x, a1, ..., yhat."""
        return "x" if l == 0 else "yhat" if l == self.network.depth else f"a{l}"

    def symbol(self, name: str) -> Expression:
        """The symbol of a quantity, gradients as derivatives."""
        if matched := _GRADIENT.fullmatch(name):
            letter, layer, mark = matched.group(1), int(matched.group(2)), matched.group(3) or ""
            whole = {"data": "data_loss", "penalty": "penalty"}.get(mark, "loss")
            top = Symbol(whole, mark="clipped" if mark == "clipped" else "")
            return Gradient(top, Symbol(letter, layer))
        if matched := _PARAMETER.fullmatch(name):
            return Symbol(matched.group(1), int(matched.group(2)), mark=matched.group(3) or "")
        if matched := _LAYERED.fullmatch(name):
            return self._layered(matched.group(1), int(matched.group(2)))
        if name == "dyhat":
            return Gradient(self.sample_loss, Symbol("yhat"))
        if name == "loss_terms":
            return self.sample_loss
        return Symbol(name)

    @property
    def sample_loss(self) -> Symbol:
        """The loss of one sample; where there is only one, the loss."""
        return self.loss if self.samples == 1 else Symbol("loss", sample="i")

    def _layered(self, kind: str, l: int) -> Expression:
        if kind == "da":
            return Gradient(self.sample_loss, self.symbol(self.activity(l)))
        if kind == "df":
            return Gradient(self.sample_loss, Symbol("f", l))
        if kind == "derivative":
            return Gradient(self._output_of(l), Symbol("z", l))
        if kind == "a" and l == self.network.depth:
            return Symbol("yhat")
        return Symbol(kind, l)

    def _output_of(self, l: int) -> Expression:
        return Symbol("f", l) if self.has(f"f{l}") else self.symbol(self.activity(l))

    def shape(self, name: str) -> Shape:
        """The symbol of a quantity with its rows and columns."""
        rows, columns = self.array(name).shape
        return Shape(self.symbol(name), rows, columns)

    def shapes(self, *names: str) -> tuple[Shape, ...]:
        """Shapes of several quantities; numbers without rows and columns are left out."""
        return tuple(self.shape(name) for name in names if self.has(name) and np.ndim(self.quantities[name]))

    def weighted(self, W: Expression, a: Expression) -> Expression:
        """W a, or a W^T with samples as rows."""
        return MatMul(W, a) if self.column else MatMul(a, Transpose(W))

    def back(self, W: Expression, delta: Expression) -> Expression:
        """W^T delta, or delta W with samples as rows."""
        return MatMul(Transpose(W), delta) if self.column else MatMul(delta, W)

    def product(self, delta: Expression, a: Expression) -> Expression:
        """delta a^T, or delta^T a with samples as rows: the gradient of the weights before any mean."""
        return MatMul(delta, Transpose(a)) if self.column else MatMul(Transpose(delta), a)

    def entrywise(self, l: int, *factors: Expression) -> Expression:
        """The product entry by entry of quantities of layer l: of numbers, where it has one unit and one sample."""
        if self.samples * self.sizes[l] > 1:
            return Hadamard(factors)
        return Times(factors, sign=any(isinstance(leaf, Number) for leaf in leaves(factors)))

    @property
    def has_weights(self) -> bool:
        """True where samples have weights."""
        return self.has("omega")

    def counted(self, tree: Expression) -> Expression:
        """omega times a quantity of the outputs, where samples have weights."""
        return self.entrywise(self.network.depth, Symbol("omega"), tree) if self.has_weights else tree

    def share(self) -> int:
        """m where the loss is a mean over the samples, else 1."""
        return 1 if self.network.loss is None else self.network.loss.share(self.samples)

    def averaged(self, tree: Expression) -> Expression:
        """1/m tree where the loss is a mean over several samples."""
        return tree if self.share() == 1 else Times((Divide(ONE, Symbol("m")), tree))

    @property
    def sum_axis(self) -> int:
        """The axis of the samples on paper."""
        return 1 if self.column else 0

    @property
    def unit_axis(self) -> int:
        """The axis of the units on paper."""
        return 0 if self.column else 1

    def wanted(self, l: int) -> bool:
        """True for a layer that the reader asked for."""
        return self.options.layers is None or l in self.options.layers


def difference(left: Expression, right: Expression) -> Sum:
    """left - right."""
    return Sum((left, Negative(right)))
