"""Colours of quantities in a terminal: those of the figures, legible on any ground, and nothing that they alone say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest

from handgrad.diagram.palette import PALETTE
from handgrad.render.document import Document, Formula, Paragraph
from handgrad.render.terminal.colours import DEPTHS, codes, depth_of, ground_of, middle
from handgrad.render.terminal.sheet import to_text
from handgrad.worked.expressions import Gradient, MatMul, Symbol
from handgrad.writing.letter_parts import Notation
from tests.diagram.test_palette import EYES, seen
from tests.render.test_html import contrast
from tests.render.test_lengths import EXAMPLES

SHEET = Document(
    "t",
    "en",
    (
        Formula(Symbol("z", 1), (("=", MatMul(Symbol("W", 1), Symbol("x"))),)),
        Paragraph(("So ", Gradient(Symbol("loss"), Symbol("W", 1)), " follows.")),
    ),
    Notation(),
)


def rgb(code: str) -> str:
    """The colour of a code of 256 colours or of all of them."""
    kind, *numbers = code.split(";")[1:]
    if kind == "2":
        return "#" + "".join(f"{int(number):02x}" for number in numbers)
    index = int(numbers[0]) - 16
    steps = (0, 95, 135, 175, 215, 255)
    return "#" + "".join(f"{steps[index // scale % 6]:02x}" for scale in (36, 6, 1))


@pytest.mark.parametrize("depth", ["256", "truecolor"])
@pytest.mark.parametrize("ground", ["", "light", "dark"])
def test_letters_stand_out_from_the_ground(depth: str, ground: str) -> None:
    grounds = {"light": ["#ffffff"], "dark": ["#000000", "#1e1e1e"], "": ["#ffffff", "#000000"]}[ground]
    for kind in PALETTE:
        for behind in grounds:
            # the cube of 256 colours has none between 95 and 135
            assert contrast(rgb(codes(depth, ground)[kind]), behind) >= (4.5 if depth == "truecolor" else 3.0)


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("ground", ["light", "dark"])
def test_colours_are_told_apart_by_every_eye(eye: str, ground: str) -> None:
    for one, other in combinations(PALETTE, 2):
        pair = [seen(rgb(codes("256", ground)[kind]), eye) for kind in (one, other)]
        assert np.linalg.norm(pair[0] - pair[1]) >= 0.02, (one, other)  # just noticed


def test_middle_shades_are_as_far_from_white_as_from_black() -> None:
    for shade in PALETTE.values():
        assert contrast(middle(shade), "#ffffff") == pytest.approx(
            contrast(middle(shade), "#000000"), rel=0.05
        )


def test_a_quantity_has_its_colour_and_a_derivative_one_for_all_of_it() -> None:
    text = to_text(SHEET, color=True, depth="truecolor", ground="light")
    held = codes("truecolor", "light")
    assert f"\x1b[{held['parameter']}mW[1]\x1b[0m · \x1b[{held['input']}mx\x1b[0m" in text
    pieces = re.findall(r"\x1b\[([\d;]+)m([^\x1b]*)\x1b\[0m", text)
    assert "".join(text for code, text in pieces if code == held["gradient"]) == "∂ℒ/∂W[1]"
    assert "z[1] =" in text  # what has no colour in the figure has none here


@pytest.mark.parametrize("depth", DEPTHS[1:])
def test_with_and_without_colour_the_text_is_the_same(depth: str) -> None:
    coloured = to_text(SHEET, color=True, depth=depth)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == to_text(SHEET)
    assert {"standard": "\x1b[35m", "256": "\x1b[38;5;", "truecolor": "\x1b[38;2;"}[depth] in coloured


def test_the_terminal_says_what_it_can() -> None:
    assert depth_of({"TERM": "xterm-256color"}) == "256"
    assert depth_of({"TERM": "xterm-256color", "COLORTERM": "24bit"}) == "truecolor"
    assert depth_of({}) == "standard"
    assert [ground_of({"COLORFGBG": said}) for said in ("15;0", "0;default;15", "12;8", "x")] == [
        "dark", "light", "dark", "",
    ]  # fmt: skip


def run(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLORTERM")}
    command = [sys.executable, "-m", "handgrad", "explain", str(EXAMPLES / "mazur-2015.toml"), *flags]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**kept, "TERM": "xterm-256color", **environment},
        check=False,
    )


def test_a_pipe_is_not_coloured_unless_it_is_asked_for() -> None:
    assert "\x1b" not in run().stdout
    assert "\x1b[38;5;" in run("--color", "always").stdout
    refused = run("--color", "sometimes")
    assert refused.returncode == 2
    assert "--color is one of auto, always, never, got 'sometimes'" in " ".join(refused.stderr.split())


def test_a_terminal_is_coloured_and_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    from handgrad.cli.consoles import wants_color

    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert wants_color()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_color()
    assert wants_color("always")  # a flag comes before the variable
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not wants_color()
    assert not wants_color("never")
