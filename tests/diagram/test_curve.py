"""The one drawer of curves: every point where its value belongs, every number beside the axis that it belongs to."""

from __future__ import annotations

import math

import pytest

from handgrad.cli.plots.loss_curve import as_svg, in_terminal
from handgrad.diagram.curve import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Curve, Scale, Words, draw_curves
from handgrad.diagram.shapes import Circle, Polyline, Scene, Text, inside
from handgrad.training.history import Epoch

WORDS = Words("title", "description", "epoch", "log")
FLOOR, END = HEIGHT - BOTTOM, WIDTH - RIGHT


def drawn(*curves: list[float], mark: int | None = None) -> Scene:
    named = [Curve(f"curve {place}", values) for place, values in enumerate(curves)]
    scene = draw_curves(named, WORDS, lambda value: f"{value:g}", mark)
    assert inside(scene.shapes, WIDTH, HEIGHT)
    return scene


def lines(scene: Scene) -> list[Polyline]:
    return [shape for shape in scene.shapes if isinstance(shape, Polyline)][1:]


def labels(scene: Scene) -> dict[str, tuple[float, float]]:
    return {shape.text: (shape.x, shape.y) for shape in scene.shapes if isinstance(shape, Text)}


def test_a_short_fall_is_linear():
    scene = drawn([4.0, 2.0, 3.0], mark=2)
    (line,) = lines(scene)
    middle = (LEFT + END) / 2
    assert line.points == ((LEFT, TOP), (middle, FLOOR), (END, (TOP + FLOOR) / 2))
    (dot,) = [shape for shape in scene.shapes if isinstance(shape, Circle)]
    assert (dot.cx, dot.cy) == (middle, FLOOR)
    assert "log" not in labels(scene)


def test_a_long_fall_is_logarithmic_and_says_so():
    scene = drawn([1.0, 0.1, 0.01])
    (line,) = lines(scene)
    assert [y for _, y in line.points] == pytest.approx([TOP, (TOP + FLOOR) / 2, FLOOR])
    assert "log" in labels(scene)


def test_each_label_stands_where_its_value_is_drawn():
    scene = drawn([0.75, 0.5, 3.0, 2.0])
    places = labels(scene)
    assert places["3"][1] == TOP + 4 and places["0.5"][1] == FLOOR + 4
    assert places["3"][0] < LEFT and places["0.5"][0] < LEFT
    assert places["1"] == (LEFT, FLOOR + 16)
    assert places["4"] == (END, FLOOR + 16)
    assert places["epoch"] == ((LEFT + END) / 2, FLOOR + 32)
    assert set(places) == {"3", "0.5", "1", "4", "epoch"}


def test_several_curves_share_the_scale_and_bear_their_names():
    scene = drawn([3.0, 2.0], [1.0, 2.0])
    first, second = lines(scene)
    assert [y for _, y in first.points] == [TOP, (TOP + FLOOR) / 2]
    assert [y for _, y in second.points] == [FLOOR, (TOP + FLOOR) / 2]
    assert (first.dashed, second.dashed) == (False, True)
    colours = {shape.text: shape.fill for shape in scene.shapes if isinstance(shape, Text)}
    assert (colours["curve 0"], colours["curve 1"]) == (first.stroke, second.stroke)


def test_what_is_not_finite_breaks_the_line():
    scene = drawn([math.inf, 3.0, 2.0, math.nan, 2.5, 2.25], mark=1)
    assert [len(line.points) for line in lines(scene)] == [2, 2]
    assert not any(isinstance(shape, Circle) for shape in scene.shapes)
    assert {"3", "2", "6"} <= set(labels(scene))
    assert drawn([math.nan, math.inf]).width == WIDTH


def test_a_flat_curve_runs_in_the_middle():
    scene = drawn([2.0, 2.0])
    assert [y for _, y in lines(scene)[0].points] == [(TOP + FLOOR) / 2] * 2
    assert labels(scene)["2"] in ((END, FLOOR + 16), (LEFT - 6, (TOP + FLOOR) / 2 + 4))


def test_a_long_curve_keeps_its_peaks():
    values = [1.0 + 0.001 * (k % 7) for k in range(30_000)]
    values[12_345], values[20_001] = 5.0, 0.6
    (line,) = lines(drawn(values))
    assert 400 <= len(line.points) <= 802
    assert min(y for _, y in line.points) == TOP and max(y for _, y in line.points) == FLOOR
    assert line.points[0][0] == LEFT and line.points[-1][0] == END
    across = [x for x, _ in line.points]
    assert across == sorted(across)


@pytest.mark.parametrize(
    ("values", "logarithmic"),
    [([1.0, 10.0], False), ([1.0, 10.1], True), ([0.0, 100.0], False), ([5.0], False)],
)
def test_which_axis_is_logarithmic(values, logarithmic):
    scale = Scale.of(values)
    assert scale.logarithmic is logarithmic
    assert [scale(min(values)), scale(max(values))] == ([0.5, 0.5] if len(values) == 1 else [0.0, 1.0])


def history(losses, validation=None):
    held = validation or [None] * len(losses)
    return [Epoch(e, a, b, None, 0.1, 0.0, e) for e, (a, b) in enumerate(zip(losses, held, strict=True), 1)]


def test_the_plot_of_a_training_names_its_curves_and_its_numbers():
    svg = as_svg(history([1.0, 0.5, 0.25], [1.5, 0.75, 0.875]))
    assert ">loss</text>" in svg and ">validation loss</text>" in svg
    assert ">1.5</text>" in svg and ">0.25</text>" in svg and ">3</text>" in svg and ">epoch</text>" in svg
    assert "loss from 1 to 0.25; validation loss from 1.5 to 0.875" in svg
    assert "logarithmic" not in svg
    assert "loss, logarithmic" in as_svg(history([1.0, 0.01]))


def test_the_terminal_bears_the_largest_above_and_the_least_below():
    shown = in_terminal(history([8.0, 4.0, 2.0], [4.0, 4.0, 6.0]), width=30, height=4).splitlines()
    assert shown[0] == "loss" and shown[5] == "validation loss"
    for top, bottom in ((1, 4), (6, 9)):
        assert shown[top].startswith("8 ") and shown[bottom].startswith("2 ")
        assert not any(line.strip()[:1].isdigit() for line in shown[top + 1 : bottom])
    assert shown[-1] == "     epoch 1 to 3"
    assert in_terminal(history([8.0, 0.2])).startswith("loss (logarithmic)")


def test_the_terminal_draws_a_fall_from_the_top_left_to_the_bottom_right():
    rows = in_terminal(history([4.0, 3.0, 2.0, 1.0]), width=24, height=4).splitlines()[1:5]
    starts = [len(row) - len(row[2:].lstrip()) for row in rows]
    assert starts == sorted(starts) and len(set(starts)) == 4
    assert "\u2800" not in "".join(rows)
    broken = in_terminal(history([4.0, math.inf, 2.0]), width=24, height=4)
    assert broken.splitlines()[1].startswith("4 ")
