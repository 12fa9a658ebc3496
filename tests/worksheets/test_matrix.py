"""The matrix calculator: NumPy is the oracle, every operation shows its shapes, what does not fit is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from typer.testing import CliRunner

from handgrad.cli.main import app
from handgrad.errors import SpecificationError
from handgrad.render.media import MEDIA, write
from handgrad.render.terminal.sheet import to_text
from handgrad.worksheets.matrix import MatrixSheet


@pytest.mark.parametrize(
    ("text", "result", "names"),
    [
        ("[10 20 30 40] . [0; 1; 2; 3]", [[200]], ["dot"]),
        ("[1,2,3] . [4,5,6]", [[32]], ["dot"]),
        ("[1;2] · [3;4]", [[11]], ["dot"]),
        ("[10; 20] . [0 1 2]", [[0, 10, 20], [0, 20, 40]], ["product"]),
        ("[1 2] (x) [3 4 5]", [[3, 4, 5], [6, 8, 10]], ["outer"]),
        ("[1 2; 3 4] @ [5; 6]", [[17], [39]], ["product"]),
        ("[[1, 2], [3, 4]] o [[2, 0], [1, -1]]", [[2, 0], [3, -4]], ["hadamard"]),
        ("[1 2; 3 4]'", [[1, 3], [2, 4]], ["transpose"]),
        ("2 * [1 2] - [1 1]", [[1, 3]], ["scaled", "sum"]),
        ("[1 2; 3 4] + [10; 20]", [[11, 12], [23, 24]], ["sum"]),
        ("-([1 2] + [0.5 1/4])", [[-1.5, -2.25]], ["sum", "negative"]),
        ("relu([1 -2; -3 4] . [1; 1])", [[0], [1]], ["product", "applied"]),
        ("−3", [[-3]], []),
    ],
)
def test_a_calculation_is_worked_out_operation_by_operation(
    text: str, result: list[list[float]], names: list[str]
) -> None:
    sheet = MatrixSheet.of(text)
    assert sheet.result.tolist() == result
    assert [operation.name for operation in sheet.operations] == names


numbers = st.integers(-40, 40).map(lambda n: n / 4)


def shaped(rows: int, columns: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.float64, (rows, columns), elements=numbers)


def text_of(array: np.ndarray) -> str:
    return f"[{'; '.join(' '.join(f'{x:g}' for x in row) for row in array)}]"


@given(st.data(), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_products_sums_and_transposes_are_those_of_numpy(data: st.DataObject, m: int, n: int, k: int) -> None:
    A, B, C = (data.draw(shaped(*size)) for size in ((m, n), (n, k), (m, k)))
    if 1 in (A.size, B.size):
        return  # a multiple, not a product
    text = f"({text_of(A)} . {text_of(B)} - {text_of(C)})' o {text_of(C.T)}"
    assert np.allclose(MatrixSheet.of(text).result, (A @ B - C).T * C.T, rtol=1e-12, atol=1e-12)


@given(st.text(alphabet="[]();,.'+-*0123456789 oxrelu/", max_size=40))
def test_any_text_is_read_or_told(text: str) -> None:
    try:
        MatrixSheet.of(text)
    except SpecificationError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1 2 3] . [4 5]", "got 1 x 3 and 1 x 2"),
        ("[1 2; 3 4] . [1 2; 3 4; 5 6]", "2 x 2 and 3 x 2"),
        ("[1 2] o [1 2 3]", "same shape"),
        ("[1 2; 3 4] (x) [1 2]", "two vectors"),
        ("[1 2; 3]", "2, 1 entries"),
        ("[1 2", "character 1"),
        ("2 * * 3", "character 5"),
        ("frob([1])", "no function 'frob'"),
        ("[1 b]", "cannot read"),
        ("[1/0]", "divides by zero"),
        ("", "the end"),
        ("(1 + 2", "expected )"),
        ("1" * 100_001, "characters"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(SpecificationError, match=re.escape(message)):
        MatrixSheet.of(text)


def test_the_sheet_shows_each_entry_and_the_shapes_that_meet() -> None:
    text = to_text(MatrixSheet.of("[1 2; 3 4] . [5; 6]").document(), 80, False)
    for piece in ("1 × 5 + 2 × 6", "3 × 5 + 4 × 6", "2 × 2, 2 × 1 → 2 × 1", "17", "39"):
        assert piece in text
    bengali = to_text(MatrixSheet.of("[1 2; 3 4] . [5; 6]").document(language="bn"), 80, False)
    assert "ম্যাট্রিক্স গুণফল" in bengali


@pytest.mark.parametrize("medium", MEDIA)
def test_every_medium_takes_it(medium: str) -> None:
    assert len(write(medium, MatrixSheet.of("[1 2; 3 4] . [5; 6]'' + [1;1]").document())) > 500


def test_the_command_prints_json_and_writes_a_file(tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["matrix", "[1 2] (x) [3 4]", "--json"])
    assert json.loads(run.stdout) == {
        "calculation": "[1 2] (x) [3 4]",
        "shape": [2, 2],
        "result": [[3.0, 4.0], [6.0, 8.0]],
        "steps": [
            {
                "operation": "outer",
                "operands": [[1, 2], [1, 2]],
                "shape": [2, 2],
                "result": [[3.0, 4.0], [6.0, 8.0]],
            }
        ],
    }
    assert CliRunner().invoke(app, ["matrix", "[1 2]'", "-o", str(tmp_path / "m.md")]).exit_code == 0
    assert "Transpose" in (tmp_path / "m.md").read_text()
