"""What a network is: its layers, its loss, and the parameters that it begins with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from handgrad.errors import ShapeError, SpecificationError
from handgrad.nn.activations import Activation
from handgrad.nn.arrays import Array
from handgrad.nn.dropout import Dropout, dropping
from handgrad.nn.gathering import MOST_CATEGORIES, columns_of
from handgrad.nn.initializers import Initializer
from handgrad.nn.losses import Loss

BIASES = ("trained", "frozen", "shared", "none")
MOST_UNITS = 10_000_000


class LayerParameters(NamedTuple):
    """W of shape (units, inputs) and b of shape (units,); b is zeros where a layer has no bias."""

    W: Array
    b: Array


Parameters = tuple[LayerParameters, ...]


@dataclass(frozen=True)
class Dense:
    """A fully connected layer: z = W x + b, a = f(z), then dropout.

    `W` (units x inputs) and `b` (units) may be given; otherwise `initializer` draws W (by default the one that
    suits the activation) and b is zero. `bias`: 'trained'; 'frozen' (used, never updated);
    'shared' (one number for all units of the layer); 'none'. `dropout`: the part of the units that is
    dropped, or a `Dropout`, which says the part that is kept.

    >>> Dense(2, "relu")
    Dense(units=2, activation='relu')
    >>> Dense(2, "relu", dropout=0.2) == Dense(2, "relu", dropout=Dropout(keep=0.8))
    True

    Raises SpecificationError for units below 1 or an unknown kind of bias, ShapeError for a W or b that does
    not fit.
    """

    units: int
    activation: Activation | str = "identity"
    W: Array | None = None
    b: Array | None = None
    initializer: Initializer | str | None = None
    bias: str = "trained"
    dropout: Dropout | None = None

    def __init__(
        self,
        units: int,
        activation: Activation | str = "identity",
        *,
        W: Any = None,
        b: Any = None,
        initializer: Initializer | str | None = None,
        bias: str = "trained",
        dropout: Dropout | float | None = None,
    ) -> None:
        if isinstance(units, bool) or not isinstance(units, int) or not 1 <= units <= MOST_UNITS:
            raise SpecificationError(
                f"a layer needs a whole number of units, 1 to {MOST_UNITS:,}, got {units!r}"
            )
        if bias not in BIASES:
            raise SpecificationError(f"bias must be one of {', '.join(BIASES)}, got {bias!r}")
        chosen = activation if isinstance(activation, Activation) else Activation(activation)
        if initializer is None:
            initializer = Initializer(chosen.rule.initializer)
        elif isinstance(initializer, str):
            initializer = Initializer(initializer)
        if not isinstance(dropout, Dropout | None):
            dropout = dropping(dropout)
        for name, value in (
            ("units", units),
            ("activation", chosen),
            ("W", _frozen(W, f"W of a layer of {units} units")),
            ("b", _frozen(b, f"b of a layer of {units} units")),
            ("initializer", initializer),
            ("bias", bias),
            ("dropout", dropout),
        ):
            object.__setattr__(self, name, value)
        if self.W is not None and (self.W.ndim != 2 or self.W.shape[0] != units):
            raise ShapeError(f"W must have shape ({units}, inputs), got {self.W.shape}")
        if self.b is not None and self.b.shape != (units,):
            raise ShapeError(f"b must have shape ({units},), got {self.b.shape}")
        if self.b is not None and bias == "none" and self.b.any():
            raise SpecificationError(
                f"a layer with bias 'none' has no b, got {self.b.tolist()}; leave b out, or choose 'frozen'"
            )
        if self.b is not None and bias == "shared" and np.unique(self.b).size > 1:
            raise SpecificationError(
                f"a shared bias is one number for the whole layer, got {self.b.tolist()}"
            )

    @property
    def function(self) -> Activation:
        """The activation, never a bare name."""
        assert isinstance(self.activation, Activation)
        return self.activation

    def __repr__(self) -> str:
        parts = [f"units={self.units}", f"activation={self.function.name!r}"]
        if self.bias != "trained":
            parts.append(f"bias={self.bias!r}")
        if self.dropout is not None:
            parts.append(f"dropout=Dropout(keep={self.dropout.keep:g})")
        return f"Dense({', '.join(parts)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dense):
            return NotImplemented
        return (
            (self.units, self.activation, self.initializer, self.bias, self.dropout)
            == (other.units, other.activation, other.initializer, other.bias, other.dropout)
            and _same(self.W, other.W)
            and _same(self.b, other.b)
        )

    def __hash__(self) -> int:
        return hash((self.units, self.activation, self.bias, self.dropout))


@dataclass(frozen=True)
class Network:
    """A feed-forward network: `inputs` features, then its layers, then a loss (None: forward only).

    `gathered` counts the categories of each column of X that holds their numbers (`handgrad.nn.gathering`): they are
    the last of the inputs, one for each category.

    >>> network = Network(2, [Dense(2, "relu"), Dense(1, "sigmoid")], Loss("binary_cross_entropy"))
    >>> network.sizes
    (2, 2, 1)
    >>> network.parameter_count
    9

    Raises SpecificationError for a network without layers or inputs, ShapeError for given weights that do
    not fit.
    """

    inputs: int
    layers: tuple[Dense, ...] = field(default=())
    loss: Loss | None = None
    gathered: tuple[int, ...] = ()

    def __init__(
        self,
        inputs: int,
        layers: Sequence[Dense],
        loss: Loss | str | None = None,
        gathered: Sequence[int] = (),
    ) -> None:
        if isinstance(inputs, bool) or not isinstance(inputs, int) or inputs < 1:
            raise SpecificationError(f"a network needs at least one input, got {inputs!r}")
        if not layers:
            raise SpecificationError("a network needs at least one layer")
        for number, layer in enumerate(layers, 1):
            if not isinstance(layer, Dense):
                raise SpecificationError(f"layer {number}: expected a Dense(...), got {layer!r}")
        if not all(1 <= count <= MOST_CATEGORIES for count in gathered) or sum(gathered) > inputs:
            raise SpecificationError(
                f"gathered must count 1 to {MOST_CATEGORIES:,} categories for each column, and not more than there "
                f"are inputs, {inputs}, got {list(gathered)}"
            )
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "gathered", tuple(gathered))
        object.__setattr__(self, "layers", tuple(layers))
        object.__setattr__(self, "loss", Loss(loss) if isinstance(loss, str) else loss)
        if self.layers[-1].dropout is not None:
            raise SpecificationError(
                f"layer {len(self.layers)} is the output; dropout belongs to hidden layers only"
            )
        for number, (layer, width) in enumerate(zip(self.layers, self.sizes, strict=False), 1):
            if layer.W is not None and layer.W.shape != (layer.units, width):
                raise ShapeError(
                    f"layer {number}: W must have shape (units, inputs) = ({layer.units}, {width}), "
                    f"got {layer.W.shape}"
                )

    @property
    def columns(self) -> int:
        """How many columns X has: one for each input, but one alone for the categories that are gathered."""
        return columns_of(self.inputs, self.gathered)

    @property
    def depth(self) -> int:
        """L, the number of layers."""
        return len(self.layers)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Widths from the inputs to the outputs: (n_0, n_1, ..., n_L)."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property
    def outputs(self) -> int:
        """n_L, the number of outputs."""
        return self.layers[-1].units

    @cached_property
    def parameter_count(self) -> int:
        """How many numbers training may change."""
        return sum(
            layer.units * width + {"trained": layer.units, "shared": 1}.get(layer.bias, 0)
            for layer, width in zip(self.layers, self.sizes, strict=False)
        )

    def numbered(self) -> Iterator[tuple[int, Dense]]:
        """(l, layer) for l = 1..L."""
        return enumerate(self.layers, 1)

    def initial_parameters(self, seed: int = 0, dtype: Any = np.float64) -> Parameters:
        """The given parameters, or drawn ones where none are given; the same for the same seed.

        Raises SpecificationError for a seed below 0.
        """
        if seed < 0:
            raise SpecificationError(f"a seed is a whole number >= 0, got {seed}")
        generator = np.random.default_rng(seed)
        parameters = []
        for layer, width in zip(self.layers, self.sizes, strict=False):
            assert isinstance(layer.initializer, Initializer)
            W = layer.W if layer.W is not None else layer.initializer.draw(generator, layer.units, width)
            b = layer.b if layer.b is not None else np.zeros(layer.units)
            parameters.append(LayerParameters(W.astype(dtype), b.astype(dtype)))
        return tuple(parameters)


def _frozen(values: Any, what: str) -> Array | None:
    if values is None:
        return None
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{what} must be a table of numbers with rows of equal length") from error
    if not np.all(np.isfinite(array)):
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise SpecificationError(f"{what} holds {array[place]} at {list(place)}; give finite numbers")
    array.setflags(write=False)
    return array


def _same(left: Array | None, right: Array | None) -> bool:
    if left is None or right is None:
        return left is right
    return left.shape == right.shape and bool(np.all(left == right))
