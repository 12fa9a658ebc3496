from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.diagram import Captions, DrawingOptions, draw
from handgrad.diagram import scene as scenes
from handgrad.diagram.edges import NEGATIVE, POSITIVE, colour, width
from handgrad.diagram.shapes import Box, Circle, Line, Text, inside, text_width
from handgrad.diagram.symbols import figure_text
from handgrad.errors import ShapeError, SpecificationError
from handgrad.nn.backward import backward
from handgrad.nn.forward import forward
from handgrad.nn.network import Dense, LayerParameters, Network
from handgrad.writing.letter_parts import Notation

SVG = "{http://www.w3.org/2000/svg}"
SMALL = Network(
    2,
    [
        Dense(2, "relu", W=[[0.1, -0.2], [0.3, 0.4]], b=[0.1, 0.2]),
        Dense(1, "sigmoid", W=[[0.5, 0.6]], b=[0.125]),
    ],
    "binary_cross_entropy",
)
WIDE = Network(784, [Dense(128, "relu"), Dense(64, "relu"), Dense(10, "softmax")])


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_a_small_network_shows_every_number() -> None:
    scene = draw(SMALL, SMALL.initial_parameters())
    shown = texts(scene.svg())
    for number in ("0.1", "−0.2", "0.3", "0.4", "0.5", "0.6", "b = 0.1", "b = 0.2", "b = 0.125"):
        assert number in shown
    assert sum(isinstance(shape, Line) for shape in scene.shapes) == 6
    assert {"Input", "Hidden 1", "Output", "2 · ReLU", "1 · sigmoid"} <= set(shown)


def test_inputs_are_green_hidden_units_blue_outputs_red() -> None:
    circles = [shape for shape in draw(SMALL, SMALL.initial_parameters()).shapes if isinstance(shape, Circle)]
    by_place = [circle.fill for circle in sorted(circles, key=lambda circle: circle.cx)]
    assert by_place == [scenes.INPUT] * 2 + [scenes.HIDDEN] * 2 + [scenes.OUTPUT]


def test_the_activations_of_the_chosen_sample_stand_in_the_neurons() -> None:
    parameters = SMALL.initial_parameters()
    activity = forward(SMALL, parameters, np.array([[9.0, 9.0], [0.5, 0.3]]))
    shown = texts(draw(SMALL, parameters, activity=activity, options=DrawingOptions(sample=1)).svg())
    for layer in activity.A:
        for value in layer[1]:
            assert figure_text(float(value), 3) in shown
    assert "9" not in shown


def test_gradients_stand_in_place_of_the_weights() -> None:
    parameters = SMALL.initial_parameters()
    activity = forward(SMALL, parameters, np.array([[0.5, 0.3]]))
    gradients = backward(SMALL, parameters, activity, np.array([[1.0]]))
    shown = texts(draw(SMALL, parameters, gradients=gradients).svg())
    for layer in gradients:
        for value in layer.W.ravel():
            assert figure_text(float(value), 3) in shown
        for value in layer.b:
            assert f"∂ℒ/∂b = {figure_text(float(value), 3)}" in shown
    assert "0.5" not in shown


def test_a_wide_network_is_elided_and_says_so() -> None:
    scene = draw(WIDE, WIDE.initial_parameters())
    shown = texts(scene.svg())
    assert {"775 more", "119 more", "55 more", "784", "128 · ReLU", "10 · softmax"} <= set(shown)
    assert len(scene.svg()) < 100_000
    assert "width: |weight|" in shown


def test_wide_lines_are_in_proportion_to_the_weights() -> None:
    W = np.zeros((10, 10))
    W[0, 0], W[1, 1] = 2.0, -1.0
    network = Network(10, [Dense(10)])
    scene = draw(network, (LayerParameters(W, np.zeros(10)),), options=DrawingOptions(numbers=False))
    edges = [shape for shape in scene.shapes if isinstance(shape, Line) and shape.x1 != shape.x2][:100]
    by_width = sorted(edges, key=lambda line: line.width)
    assert [line.stroke for line in by_width[-2:]] == [NEGATIVE, POSITIVE]
    assert by_width[-1].width == width(2.0, 2.0) > by_width[-2].width > by_width[0].width


def test_a_layer_without_bias_shows_none() -> None:
    network = Network(2, [Dense(1, bias="none")])
    assert not any(
        text.startswith("b =") for text in texts(draw(network, network.initial_parameters()).svg())
    )


def test_only_simple_shapes_in_absolute_places() -> None:
    for network in (SMALL, WIDE):
        root = ET.fromstring(draw(network, network.initial_parameters()).svg())
        for element in root.iter():
            assert element.tag.removeprefix(SVG) in ("svg", "title", "desc", "line", "circle", "rect", "text")
            assert "transform" not in element.attrib
            assert "style" not in element.attrib


def test_it_says_in_words_what_it_shows() -> None:
    root = ET.fromstring(draw(SMALL, SMALL.initial_parameters()).svg())
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Neural network 2-2-1"
    assert root.findtext(f"{SVG}desc") == (
        "A fully connected network of sizes 2-2-1. Hidden 1: 2, ReLU. Output: 1, sigmoid."
    )


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("page", ["#ffffff", "#000000"])
@pytest.mark.parametrize("name", ["INPUT", "HIDDEN", "OUTPUT", "INK", "POSITIVE", "NEGATIVE", "NEUTRAL"])
def test_every_colour_stands_out_from_a_white_and_a_black_page(name: str, page: str) -> None:
    assert contrast(getattr(scenes, name), page) >= 3.0


def test_words_are_readable_on_what_they_stand_on() -> None:
    for fill in (scenes.INPUT, scenes.HIDDEN, scenes.OUTPUT):
        assert contrast(scenes.ON_NEURON, fill) >= 4.5
    assert contrast(scenes.CHIP_INK, scenes.CHIP) >= 4.5
    assert min(contrast(scenes.INK, page) for page in ("#ffffff", "#000000")) >= 4.5


@given(st.lists(st.integers(1, 5), min_size=2, max_size=5), st.integers(0, 9))
def test_numbers_overlap_neither_each_other_nor_a_neuron(sizes: list[int], seed: int) -> None:
    network = Network(sizes[0], [Dense(units) for units in sizes[1:]])
    scene = draw(network, network.initial_parameters(seed))
    boxes = [shape for shape in scene.shapes if isinstance(shape, Box) and shape.stroke != "none"]
    circles = [shape for shape in scene.shapes if isinstance(shape, Circle)]
    for place, box in enumerate(boxes):
        for other in boxes[place + 1 :]:
            apart_x = box.x + box.width <= other.x or other.x + other.width <= box.x
            apart_y = box.y + box.height <= other.y or other.y + other.height <= box.y
            assert apart_x or apart_y
        for circle in circles:
            dx = max(box.x - circle.cx, circle.cx - box.x - box.width, 0.0)
            dy = max(box.y - circle.cy, circle.cy - box.y - box.height, 0.0)
            assert dx * dx + dy * dy >= circle.r * circle.r


@given(
    st.lists(st.integers(1, 40), min_size=2, max_size=14),
    st.sampled_from([1e-300, 1e-9, 1.0, 1e9, 1e300]),
    st.booleans(),
)
def test_everything_stands_inside_the_picture(sizes: list[int], scale: float, numbers: bool) -> None:
    network = Network(sizes[0], [Dense(units, "tanh") for units in sizes[1:]])
    parameters = tuple(
        LayerParameters(layer.W * scale, layer.b + scale) for layer in network.initial_parameters()
    )
    scene = draw(network, parameters, options=DrawingOptions(numbers=numbers))
    assert inside(scene.shapes, scene.width, scene.height)
    assert ET.fromstring(scene.svg()).tag == f"{SVG}svg"


def test_numbers_that_are_not_finite_are_drawn() -> None:
    network = Network(2, [Dense(1)])
    parameters = (LayerParameters(np.array([[np.nan, np.inf]]), np.array([-np.inf])),)
    for numbers in (True, False):
        scene = draw(network, parameters, options=DrawingOptions(numbers=numbers))
        assert "nan" not in [str(shape.width) for shape in scene.shapes if isinstance(shape, Line)]
        assert "b = −inf" in texts(scene.svg())


def test_the_same_network_gives_the_same_text() -> None:
    assert draw(WIDE, WIDE.initial_parameters()).svg() == draw(WIDE, WIDE.initial_parameters()).svg()


def test_hostile_names_stay_text() -> None:
    hostile = ("<script>&\"'", "x" * 100)
    options = DrawingOptions(inputs=hostile, outputs=("]]>",), captions=Captions(title="<b>{sizes}"))
    shown = texts(draw(SMALL, SMALL.initial_parameters(), options=options).svg())
    assert hostile[0] in shown
    assert "]]>" in shown
    assert max(map(len, shown)) <= 22


def test_notation_and_decimal_comma() -> None:
    options = DrawingOptions(notation=Notation(layer="subscript", first=0, decimal=","))
    shown = texts(draw(SMALL, SMALL.initial_parameters(), options=options).svg())
    assert {"0,1", "−0,2", "[0]", "[1]"} <= set(shown)


def test_words_of_another_script_begin_with_its_fonts() -> None:
    text = Text(0, 0, "ইনপুট", 12, "#000000")
    assert "Noto Sans Bengali" in text.svg()
    assert "Bengali" not in Text(0, 0, "Input", 12, "#000000").svg()


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (-0.5, "−0.5"), (1234.4, "1234"), (1.2e6, "1.2e6"), (1e-9, "1e−9"), (float("inf"), "inf")],
)
def test_figures(value: float, shown: str) -> None:
    assert figure_text(value, 3) == shown


def test_colours_tell_the_sign() -> None:
    assert len({colour(1.0), colour(-1.0), colour(0.0)}) == 3
    assert text_width("wide words", 12) > text_width("ill", 12) > 0


def test_parameters_that_do_not_fit_are_refused() -> None:
    parameters = SMALL.initial_parameters()
    with pytest.raises(ShapeError, match=r"parameters of a 2-2-1 network must have W of shapes"):
        draw(SMALL, parameters[:1])
    with pytest.raises(ShapeError, match="gradients of a 2-2-1 network"):
        draw(SMALL, parameters, gradients=WIDE.initial_parameters())
    with pytest.raises(ShapeError):
        draw(SMALL, (parameters[0], LayerParameters(parameters[1].W, np.zeros(3))))


def test_choices_that_cannot_be_are_refused() -> None:
    parameters = SMALL.initial_parameters()
    activity = forward(SMALL, parameters, np.array([[0.5, 0.3]]))
    with pytest.raises(SpecificationError, match="there is no sample 1"):
        draw(SMALL, parameters, activity=activity, options=DrawingOptions(sample=1))
    with pytest.raises(SpecificationError, match="at least 3 units"):
        draw(SMALL, parameters, options=DrawingOptions(most_units=2))
