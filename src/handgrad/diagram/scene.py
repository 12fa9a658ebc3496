"""The network as a picture: inputs green, hidden layers blue, outputs red, each connection with its number or
width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from handgrad.diagram.arrangement import Arrangement, Column, Neuron, Spacing, arrange
from handgrad.diagram.edges import (
    LABEL_SIZE,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    THICKEST,
    Chip,
    Edge,
    colour,
    place_chips,
    width,
)  # fmt: skip
from handgrad.diagram.palette import PALETTE
from handgrad.diagram.shapes import Box, Circle, Line, Scene, Shape, Text, text_width
from handgrad.diagram.symbols import figure_text, symbol_text
from handgrad.errors import ShapeError, SpecificationError
from handgrad.nn.activations import Activation
from handgrad.nn.forward import Activity
from handgrad.nn.network import Network, Parameters
from handgrad.worked.bindings import name_of
from handgrad.worked.expressions import Symbol
from handgrad.writing.letter_parts import Notation
from handgrad.writing.letters import written

# Fills dark enough for white text on them, and all of them, with the grey of the words, at least 3 : 1 away
# from both a white and a black page: the ground stays transparent.
INPUT, HIDDEN, OUTPUT = (PALETTE[kind].light for kind in ("input", "hidden", "output"))
INK = "#767676"
CHIP, CHIP_INK, ON_NEURON = "#f7f7f5", "#1f1f1f", "#ffffff"

_LABELLED = Spacing(column=210, row=104, radius=27, left=46, right=46, top=64, bottom=40)
_COMPACT = Spacing(column=170, row=62, radius=18, left=46, right=46, top=64, bottom=66)
_MOST_LABELLED = 40


@dataclass(frozen=True)
class Captions:
    """The words in the picture; each place in braces is filled in.

    `title` knows {sizes} (2-2-1); `description` {sizes} and {layers}, a list made with `described`, which
    knows {name}, {units} and {activation}; `hidden` {number}; `more` and `more_layers` {count}.
    """

    title: str = "Neural network {sizes}"
    description: str = "A fully connected network of sizes {sizes}. {layers}"
    described: str = "{name}: {units}, {activation}."
    input: str = "Input"
    hidden: str = "Hidden {number}"
    output: str = "Output"
    more: str = "{count} more"
    more_layers: str = "{count} more layers"
    weights: str = "width: |weight|"
    gradients: str = "width: |gradient|"
    positive: str = "positive"
    negative: str = "negative"
    activations: tuple[tuple[str, str], ...] = ()
    """Name and caption of activations; those that are not here have their English names."""


@dataclass(frozen=True)
class DrawingOptions:
    """Choices for a drawing.

    `sample`: zero-based row of the activity shown in the neurons. `digits`: significant digits.
    `most_units`: neurons shown of one layer, the rest become dots. `numbers`: True writes a number on every
    connection where there is room; False always uses width and colour. `inputs`, `outputs`: names beside the
    outer neurons.
    """

    sample: int = 0
    digits: int = 3
    most_units: int = 10
    numbers: bool = True
    notation: Notation = field(default_factory=Notation)
    captions: Captions = field(default_factory=Captions)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def draw(
    network: Network,
    parameters: Parameters,
    *,
    activity: Activity | None = None,
    gradients: Parameters | None = None,
    options: DrawingOptions | None = None,
) -> Scene:
    """The network as a scene; `gradients` (in the shapes of the parameters) stand in place of the weights.

    Parameters W[l] (n_l, n_{l-1}) and b[l] (n_l,); `activity` of a batch puts one sample's values in the
    neurons.

    >>> from handgrad.nn.network import Dense
    >>> network = Network(2, [Dense(2, "relu"), Dense(1, "sigmoid")])
    >>> scene = draw(network, network.initial_parameters())
    >>> scene.title
    'Neural network 2-2-1'
    >>> scene.svg().count("<circle")
    5

    Raises ShapeError for parameters or gradients that do not fit the network, SpecificationError for a sample
    that the activity does not have, or fewer than three units to show.
    """
    options = options or DrawingOptions()
    _require_fit(network, parameters, "parameters")
    if gradients is not None:
        _require_fit(network, gradients, "gradients")
    if options.most_units < 3:
        raise SpecificationError(f"a drawing shows at least 3 units of a layer, got {options.most_units}")
    samples = 1 if activity is None else activity.A[0].shape[0]
    if not 0 <= options.sample < samples:
        raise SpecificationError(
            f"there is no sample {options.sample} in the activity; it has the samples 0 to {samples - 1}"
        )
    return _Drawing(network, gradients or parameters, activity, gradients is not None, options).scene()


def _require_fit(network: Network, parameters: Parameters, what: str) -> None:
    expected = [(units, inputs) for inputs, units in pairwise(network.sizes)]
    shapes = [layer.W.shape for layer in parameters]
    if shapes != expected or any(layer.b.shape != layer.W.shape[:1] for layer in parameters):
        raise ShapeError(
            f"{what} of a {_sizes(network)} network must have W of shapes (units, inputs) = {expected}, "
            f"got {shapes}"
        )


def _sizes(network: Network) -> str:
    return "-".join(str(size) for size in network.sizes)


@dataclass(frozen=True)
class _Drawing:
    network: Network
    values: Parameters
    activity: Activity | None
    are_gradients: bool
    options: DrawingOptions

    def scene(self) -> Scene:
        arrangement, chips = self._arranged()
        spacing = _COMPACT if chips is None else _LABELLED
        shapes = [
            *self._edges(arrangement, chips),
            *(shape for column in arrangement.columns for shape in self._column(column, spacing)),
            *self._left_out_layers(arrangement),
            *(self._legend(arrangement) if chips is None else ()),
        ]
        captions = self.options.captions
        described = " ".join(
            captions.described.format(
                name=self._layer_name(layer), units=size, activation=self._activation_name(layer)
            )
            for layer, size in enumerate(self.network.sizes)
            if layer
        )
        sizes = _sizes(self.network)
        return Scene(
            arrangement.width,
            arrangement.height,
            captions.title.format(sizes=sizes),
            captions.description.format(sizes=sizes, layers=described),
            tuple(shapes),
        )

    def _arranged(self) -> tuple[Arrangement, tuple[Chip, ...] | None]:
        """Roomy with numbers where they fit, else compact without them."""
        options, sizes = self.options, self.network.sizes
        connections = sum(a * b for a, b in pairwise(sizes))
        if options.numbers and connections <= _MOST_LABELLED and max(sizes) <= options.most_units:
            roomy = arrange(sizes, options.most_units, self._with_names(_LABELLED))
            chips = place_chips(list(self._connections(roomy)), _neurons(roomy), _LABELLED.radius)
            if chips is not None and not roomy.left_out:
                return roomy, chips
        return arrange(sizes, options.most_units, self._with_names(_COMPACT)), None

    def _with_names(self, spacing: Spacing) -> Spacing:
        """Margins wide enough for the names beside the outer neurons."""
        left = max((text_width(_short(name), LABEL_SIZE) for name in self.options.inputs), default=0.0)
        right = max((text_width(_short(name), LABEL_SIZE) for name in self.options.outputs), default=0.0)
        return Spacing(
            spacing.column, spacing.row, spacing.radius,
            max(spacing.left, left + 20), max(spacing.right, right + 20), spacing.top, spacing.bottom,
        )  # fmt: skip

    def _connections(self, arrangement: Arrangement) -> Iterator[Edge]:
        columns = arrangement.columns
        for place, (left, right) in enumerate(pairwise(columns), 1):
            if arrangement.left_out and place == arrangement.gap_before:
                continue
            W = self.values[right.layer - 1].W
            for target in right.neurons:
                for source in left.neurons:
                    value = float(W[target.unit, source.unit])
                    yield Edge(source, target, value, self._figure(value))

    def _edges(self, arrangement: Arrangement, chips: tuple[Chip, ...] | None) -> Iterator[Shape]:
        largest = [float(np.max(np.abs(layer.W), initial=0.0)) for layer in self.values]
        edges = sorted(self._connections(arrangement), key=lambda edge: abs(edge.value))
        for edge in edges:
            thickness = width(edge.value, largest[edge.target.layer - 1]) if chips is None else 1.4
            ends = (edge.source.x, edge.source.y, edge.target.x, edge.target.y)
            yield Line(*ends, colour(edge.value), thickness, _weight(edge))
        for chip in chips or ():
            box = (chip.x - chip.width / 2, chip.y - chip.height / 2, chip.width, chip.height)
            yield Box(*box, 4, CHIP, colour(chip.edge.value), _weight(chip.edge))
            yield Text(chip.x, chip.y + LABEL_SIZE * 0.36, chip.edge.label, LABEL_SIZE, CHIP_INK)

    def _column(self, column: Column, spacing: Spacing) -> Iterator[Shape]:
        layer, last = column.layer, self.network.depth
        fill = INPUT if layer == 0 else OUTPUT if layer == last else HIDDEN
        yield Text(column.x, 22, self._layer_name(layer), 13, INK, bold=True)
        size = str(self.network.sizes[layer])
        activation = self._activation_name(layer)
        yield Text(column.x, 40, f"{size} · {activation}" if layer else size, 12, INK)
        for neuron in column.neurons:
            yield Circle(neuron.x, neuron.y, spacing.radius, fill, of=self._unit(neuron))
            yield from self._inside(neuron, spacing.radius)
            yield from self._beside(neuron, spacing)
        if column.left_out:
            yield from _dots(column.x, column.gap_y, self.options.captions.more.format(count=column.left_out))

    def _inside(self, neuron: Neuron, radius: float) -> Iterator[Shape]:
        roomy = radius >= 24
        label = written(self._symbol(neuron), self.options.notation)
        if self.activity is None:
            yield from symbol_text(label, neuron.x, neuron.y + 5, 16 if roomy else 12, ON_NEURON)
            return
        value = self._figure(float(self.activity.A[neuron.layer][self.options.sample, neuron.unit]))
        size = min(12.0 if roomy else 10.0, 12.0 * (1.8 * radius) / max(text_width(value, 12), 1.0))
        if roomy:
            yield from symbol_text(label, neuron.x, neuron.y - 4, 13, ON_NEURON)
        yield Text(neuron.x, neuron.y + (14 if roomy else 4), value, size, ON_NEURON)

    def _beside(self, neuron: Neuron, spacing: Spacing) -> Iterator[Shape]:
        """The bias under a neuron, and the name of an input or output beside it."""
        layer = neuron.layer
        names = self.options.inputs if layer == 0 else self.options.outputs
        if neuron.unit < len(names) and layer in (0, self.network.depth):
            x = neuron.x + (spacing.radius + 8) * (-1 if layer == 0 else 1)
            name = _short(names[neuron.unit])
            yield Text(x, neuron.y + 4, name, LABEL_SIZE, INK, "end" if layer == 0 else "start")
        if layer == 0 or self.network.layers[layer - 1].bias == "none":
            return
        roomy = spacing.radius >= 24
        letter = "∂ℒ/∂b" if self.are_gradients else "b"
        bias = f"{letter} = {self._figure(float(self.values[layer - 1].b[neuron.unit]))}"
        size = LABEL_SIZE if roomy else 9.0
        y = neuron.y + spacing.radius + size + 4
        box = text_width(bias, size) + 6
        yield Box(neuron.x - box / 2, y - size, box, size + 4, 3, CHIP, "none", f"b{layer} {neuron.unit}")
        yield Text(neuron.x, y, bias, size, CHIP_INK)

    def _left_out_layers(self, arrangement: Arrangement) -> Iterator[Shape]:
        if not arrangement.left_out:
            return
        y = _middle(arrangement)
        words = self.options.captions.more_layers.format(count=arrangement.left_out)
        for shift in (-14.0, 0.0, 14.0):
            yield Circle(arrangement.gap_x + shift, y - 10, 3, INK)
        yield Text(arrangement.gap_x, y + 14, words, LABEL_SIZE, INK)

    def _legend(self, arrangement: Arrangement) -> Iterator[Shape]:
        captions = self.options.captions
        y = arrangement.height - 16
        x = arrangement.width / 2
        words = captions.gradients if self.are_gradients else captions.weights
        parts = [(captions.positive, POSITIVE), (captions.negative, NEGATIVE)]
        lengths = [text_width(words, LABEL_SIZE) + 18]
        lengths += [text_width(text, LABEL_SIZE) + 46 for text, _ in parts]
        x -= sum(lengths) / 2
        yield Text(x, y, words, LABEL_SIZE, INK, "start")
        x += lengths[0]
        for (text, stroke), length in zip(parts, lengths[1:], strict=True):
            yield Line(x, y - 4, x + 22, y - 4, stroke, THICKEST * 0.7)
            yield Text(x + 28, y, text, LABEL_SIZE, INK, "start")
            x += length

    def _unit(self, neuron: Neuron) -> str:
        """What the neuron gives, by its public name and the number of the unit."""
        symbol = self._symbol(neuron)
        return " ".join([name_of(symbol), *map(str, symbol.entry)])

    def _symbol(self, neuron: Neuron) -> Symbol:
        if neuron.layer == 0:
            return Symbol("x", entry=(neuron.unit,))
        if neuron.layer == self.network.depth:
            return Symbol("yhat", entry=(neuron.unit,) if self.network.outputs > 1 else ())
        return Symbol("a", neuron.layer, entry=(neuron.unit,))

    def _layer_name(self, layer: int) -> str:
        captions = self.options.captions
        if layer == 0:
            return captions.input
        return captions.output if layer == self.network.depth else captions.hidden.format(number=layer)

    def _activation_name(self, layer: int) -> str:
        if layer == 0:
            return ""
        function: Activation = self.network.layers[layer - 1].function
        return dict(self.options.captions.activations).get(function.name, function.rule.label)

    def _figure(self, value: float) -> str:
        return figure_text(value, self.options.digits, self.options.notation.decimal)


def _weight(edge: Edge) -> str:
    return f"W{edge.target.layer} {edge.target.unit},{edge.source.unit}"


def _neurons(arrangement: Arrangement) -> list[Neuron]:
    return [neuron for column in arrangement.columns for neuron in column.neurons]


def _middle(arrangement: Arrangement) -> float:
    heights = [neuron.y for neuron in _neurons(arrangement)]
    return (min(heights) + max(heights)) / 2


def _dots(x: float, y: float, words: str) -> Iterator[Shape]:
    """Dots above and below the count of what is left out."""
    for shift in (-24.0, -16.0, 16.0, 24.0):
        yield Circle(x, y + shift, 2.4, NEUTRAL)
    size = 10.0
    box = text_width(words, size) + 8
    yield Box(x - box / 2, y - 8, box, 16, 4, CHIP, "none")
    yield Text(x, y + size * 0.36, words, size, CHIP_INK)


def _short(name: str, most: int = 22) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
