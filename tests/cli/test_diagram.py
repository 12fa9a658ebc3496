from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from handgrad.cli import diagram
from handgrad.errors import HandgradError, OutputError, SpecificationError

SVG = "{http://www.w3.org/2000/svg}"
CASE = """
title = "small"
[network]
inputs = 2
loss = "binary_cross_entropy"
[[network.layers]]
units = 2
activation = "relu"
W = [[0.1, 0.2], [0.3, 0.4]]
b = [0.1, 0.2]
[[network.layers]]
units = 1
activation = "sigmoid"
W = [[0.5, 0.6]]
b = [0.1]
[data]
x = [[0.5, 0.3], [1.0, 2.0]]
y = [[1], [0]]
[optimizer]
name = "sgd"
learning_rate = 1.0
[training]
steps = 2
[notation]
layer = "subscript"
first = 0
"""
FORMULAS = CASE[: CASE.index("[data]")]

app = typer.Typer()
app.command()(diagram.diagram)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    path = tmp_path / "case.toml"
    path.write_text(CASE)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def refused(result: Result, kind: type[HandgradError], words: str) -> None:
    assert isinstance(result.exception, kind)
    assert words in str(result.exception)


def test_svg_is_printed_without_a_file(case: Path) -> None:
    result = run(case)
    assert result.exit_code == 0
    assert {"0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "b = 0.2"} <= set(texts(result.stdout))


@pytest.mark.parametrize(
    ("name", "begins"), [("net.svg", b"<svg"), ("net.PNG", b"\x89PNG"), ("net.pdf", b"%PDF-")]
)
def test_the_suffix_chooses_the_format(case: Path, tmp_path: Path, name: str, begins: bytes) -> None:
    path = tmp_path / name
    result = run(case, "-o", path)
    assert (result.exit_code, result.stdout.split()) == (0, ["wrote", str(path)])
    assert path.read_bytes().startswith(begins)
    first = path.read_bytes()
    assert run(case, "-o", path, "--quiet").stdout == ""
    assert path.read_bytes() == first


def test_activations_of_a_sample(case: Path) -> None:
    shown = texts(run(case, "--sample", 2).stdout)
    # relu of (0.1 + 0.4 + 0.1, 0.3 + 0.8 + 0.2), worked by hand
    assert {"1", "2", "0.6", "1.3"} <= set(shown)


def test_gradients_and_steps(case: Path) -> None:
    weights = texts(run(case).stdout)
    assert texts(run(case, "--step", 1).stdout) == weights
    assert texts(run(case, "--step", 2).stdout) != weights
    gradients = texts(run(case, "--values", "gradients").stdout)
    assert any(text.startswith("∂ℒ/∂b = ") for text in gradients)


def test_the_notation_of_the_case_and_of_the_call(case: Path) -> None:
    assert "[0]" in texts(run(case).stdout)
    assert "[1]" in texts(run(case, "--notation", "bracket", "--first-index", 1).stdout)


def test_the_words_of_another_language(case: Path) -> None:
    assert "Input" in texts(run(case, "--language", "en").stdout)
    shown = texts(run(case, "--language", "bn").stdout)
    assert "Input" not in shown
    assert any("\u0980" <= character <= "\u09ff" for text in shown for character in text)


def test_a_case_without_data_has_its_weights_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "formulas.toml"
    path.write_text(FORMULAS)
    assert "0.6" in texts(run(path).stdout)
    assert isinstance(run(path, "--sample", 1).exception, HandgradError)


def test_what_cannot_be_is_refused(case: Path, tmp_path: Path) -> None:
    refused(run(case, "-o", tmp_path / "net.gif"), SpecificationError, "is written as .svg, .png or .pdf")
    refused(run(case, "-o", tmp_path / "no" / "net.svg"), OutputError, "does not exist")
    refused(run(case, "--sample", 3), SpecificationError, "the batch has the samples 1 to 2")
    refused(run(case, "--sample", 0), SpecificationError, "the batch has the samples 1 to 2")
    refused(run(case, "--step", 3), SpecificationError, "there are the steps 1 to 2")
    refused(run(case, "--values", "both"), SpecificationError, "weights, gradients")
    refused(run(case, "--most-units", 2), SpecificationError, "at least 3 units")
    assert not (tmp_path / "net.gif").exists()


def test_a_trained_model_is_drawn_with_its_columns_and_classes(tmp_path: Path) -> None:
    import numpy as np

    from handgrad.models.fit_table import fit_table
    from handgrad.models.model import Model

    generator = np.random.default_rng(0)
    rows = generator.normal(size=(60, 2))
    kinds = np.where(rows[:, 0] > 0.5, "red", np.where(rows[:, 1] > 0, "green", "blue"))
    table = tmp_path / "data.csv"
    lines = [
        "width,height,colour",
        *(f"{a:.4f},{b:.4f},{kind}" for (a, b), kind in zip(rows, kinds, strict=True)),
    ]
    table.write_text("\n".join(lines) + "\n")
    model = fit_table(table, target="colour", hidden=[3], epochs=2, engine="reference", seed=0)
    assert isinstance(model, Model)
    path = model.save(tmp_path / "model.safetensors")
    shown = texts(run(path).stdout)
    assert {"width", "height", "red", "green", "blue"} <= set(shown)
    assert f"b = {float(model.parameters[0].b[0]):.3g}".replace("-", "−") in shown
    assert texts(run(path, "--values", "gradients", "--step", 1, "--data", table).stdout) != shown
