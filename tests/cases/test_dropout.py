"""A bare number is the part that is dropped, wherever it is said; keep says keep."""

from __future__ import annotations

import numpy as np
import pytest

import handgrad as hg
from handgrad.data.tables import read_table
from handgrad.models.fit_table import network_for, prepare

KEPT = hg.Dropout(keep=0.8)


def in_a_case(dropout) -> hg.Dropout | None:
    hidden = {"units": 2, "W": [[0.1], [0.2]], "dropout": dropout}
    network = {"inputs": 1, "layers": [hidden, {"units": 1, "W": [[1.0, 1.0]]}], "loss": "squared_error"}
    case = hg.Case.from_dict({"network": network, "data": {"x": [[1.0]], "y": [[1.0]]}})
    return case.network.layers[0].dropout


def in_a_file(text: str, folder) -> hg.Dropout | None:
    path = folder / "case.toml"
    path.write_text(
        "[network]\ninputs = 1\n[[network.layers]]\nunits = 2\n"
        f"dropout = {text}\n[[network.layers]]\nunits = 1\n[data]\nx = [[1.0]]\n"
    )
    return hg.Case.load(path).network.layers[0].dropout


def of_a_table(dropout: float) -> hg.Dropout | None:
    table = read_table({"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.0, 7.0]})
    return network_for(prepare(table, ["y"]).schema, (3,), dropout=dropout).layers[0].dropout


def test_a_fifth_dropped_is_four_fifths_kept_everywhere(tmp_path):
    assert hg.Dense(2, dropout=0.2).dropout == KEPT
    assert hg.Dense(2, dropout=np.float64(0.2)).dropout == KEPT
    assert in_a_case(0.2) == in_a_case({"keep": 0.8}) == KEPT
    assert in_a_file("0.2", tmp_path) == in_a_file("{ keep = 0.8 }", tmp_path) == KEPT
    assert of_a_table(0.2) == KEPT


def test_nothing_dropped_is_no_dropout():
    assert hg.Dense(2, dropout=0).dropout is in_a_case(0) is of_a_table(0.0) is None


@pytest.mark.parametrize("wrong", [1, 1.0, -0.1, float("nan"), True, "0.2"], ids=str)
def test_what_cannot_be_dropped_is_refused_with_the_word_for_keeping(wrong):
    with pytest.raises(hg.HandgradError, match=r"part of the units that is dropped.* keep = 0\.8"):
        hg.Dense(2, dropout=wrong)


def test_a_bare_one_in_an_old_case_file_kept_everything_and_is_refused(tmp_path):
    with pytest.raises(hg.HandgradError, match=r"layers\[0\]: dropout: .* is dropped.* keep = 0\.8"):
        in_a_file("1.0", tmp_path)
