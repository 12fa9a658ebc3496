"""From the reader's own cell to the reader's own answer: shown, recorded and verified."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import handgrad as hg
from handgrad.errors import VerificationError
from handgrad.worked.expressions import Number
from handgrad.worked.verify import verify

CITIES = ["Dhaka", "Sylhet", "Khulna"]
TABLE = {
    "size": [40.0, None, 60.0, 80.0, 100.0, 120.0, 70.0, 90.0],
    "city": [CITIES[i % 3] for i in range(8)],
    "sold": [f"2024-0{1 + i}-1{i}" for i in range(8)],
    "price": [41.5, 52.25, 60.0, 85.5, 99.0, 125.75, 68.5, 91.0],
}


def flat(sheet: hg.Worksheet) -> str:
    return " ".join(sheet.text().split())


@pytest.fixture(scope="module")
def model():
    return hg.fit_table(TABLE, "price", hidden=(3,), epochs=3, validation=0, engine="reference")


def test_a_cell_becomes_an_input_by_numbers_that_can_be_followed(model):
    sheet = hg.explain(model, data=TABLE, rows="0:1")
    prepared = sheet.record.preparation
    present = np.array([value for value in TABLE["size"] if value is not None])
    cells = {cell.column: cell for cell in prepared.cells}
    size = cells["size"].inputs[0]
    mean, deviation = present.mean(), present.std()
    assert size.value == pytest.approx((40.0 - mean) / deviation, rel=1e-6)
    numbers = size.equation.numbers[0]
    assert numbers.numerator.terms[0].value == 40.0
    assert numbers.denominator.value == pytest.approx(deviation, rel=1e-6)
    assert cells["size"].value == "40.0"
    assert [part.value for part in cells["city"].inputs] == [1.0]
    assert cells["city"].inputs[0].name == "city=Dhaka"
    assert cells["city"].zeros == 2
    text = flat(sheet)
    assert "From the cells to the inputs" in text
    assert "Row 1 of the data" in text
    assert text.index("From the cells") < text.index("ℒ_new")


def test_an_empty_cell_is_said_and_filled(model):
    sheet = hg.explain(model, data=TABLE, rows="1:2")
    size = sheet.record.preparation.cells[0]
    assert size.value is None
    assert [part.value for part in size.inputs] == [0.0, 1.0]
    assert size.inputs[0].equation is None
    assert "(empty)" in flat(sheet)
    assert "the column's middle stands in for it" in flat(sheet)


@pytest.mark.parametrize("orientation", ["column", "row"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_sheet_ends_in_the_unit_of_the_file(orientation, dtype):
    model = hg.fit_table(TABLE, "price", hidden=(3,), epochs=3, validation=0, engine="reference", dtype=dtype)
    sheet = hg.explain(model, data=TABLE, rows="2:3", orientation=orientation)
    (answer,) = sheet.record.preparation.answers
    wanted = model.predict({name: values[2:3] for name, values in TABLE.items()})[0]
    assert answer.result.value == pytest.approx(float(wanted), rel=1e-5)
    text = flat(sheet)
    assert "The row itself says 60.0." in text
    assert text.rindex("The answer") > text.index("From the cells")
    assert verify(sheet.record) > 10


def test_several_targets_each_have_their_unit():
    table = {**TABLE, "rent": [value / 7 for value in TABLE["price"]]}
    model = hg.fit_table(table, ["price", "rent"], hidden=(3,), epochs=3, validation=0, engine="reference")
    sheet = hg.explain(model, data=table, rows="0:1")
    wanted = model.predict({name: values[:1] for name, values in table.items()})
    found = [answer.result.value for answer in sheet.record.preparation.answers]
    np.testing.assert_allclose(found, np.ravel(wanted), rtol=1e-5)


def test_a_class_is_said_by_its_name():
    table = {"x": [0.0, 1.0, 2.0, 3.0] * 4, "kind": ["no", "no", "yes", "yes"] * 4}
    model = hg.fit_table(
        table, "kind", hidden=(), epochs=80, validation=0, optimizer=hg.Adam(0.1), engine="reference"
    )
    said = flat(hg.explain(model, data=table, rows="3:4"))
    probability = model.predict_proba({"x": [3.0]})[0]
    assert probability[1] > 0.5
    assert f"So the prediction of kind is yes, with a probability of {probability[1]:.4f}." in said
    other = flat(hg.explain(model, data=table, rows="0:1"))
    assert f"is no, with a probability of {model.predict_proba({'x': [0.0]})[0, 0]:.4f}." in other
    assert "The row itself says no." in other


def test_a_step_that_happened_begins_with_its_first_row(model):
    sheet = hg.explain(model, data=TABLE, step=2)
    row = sheet.record.steps[0].rows[0]
    prepared = sheet.record.preparation
    assert prepared.row == row
    assert prepared.cells[1].value == TABLE["city"][row]


@pytest.mark.parametrize("scaling", ["standard", "robust", "quantile"])
def test_every_scaling_has_its_line(scaling):
    model = hg.fit_table(
        TABLE, "price", hidden=(2,), epochs=1, validation=0, engine="reference", scaling=scaling
    )
    sheet = hg.explain(model, data=TABLE, rows="3:4")
    size = sheet.record.preparation.cells[0].inputs[0]
    assert (size.equation is None) is (scaling == "quantile")
    assert size.value == sheet.quantities()["x"][0, 0]


def test_a_wrong_preparation_is_found(model):
    record = hg.explain(model, data=TABLE, rows="0:1").record
    proof = record.preparation.proof
    worked = proof.steps[0]
    wrong = replace(worked, equation=replace(worked.equation, result=Number(0.25)))
    broken = replace(record.preparation, proof=replace(proof, steps=(wrong, *proof.steps[1:])))
    with pytest.raises(VerificationError, match=r"0\.25"):
        verify(replace(record, preparation=broken))


def test_the_sheet_says_from_where_it_counts(model):
    assert "entries are counted from 1; the command line" in flat(hg.explain(model, data=TABLE, rows="0:1"))
    zero = flat(hg.explain(model, data=TABLE, rows="0:1", first_index=0))
    assert "entries are counted from 0; rows, steps and layers are counted from 1" in zero


def test_arrays_have_no_cells():
    line = hg.Network(1, [hg.Dense(1, W=[[0.0]])], "squared_error")
    result = hg.fit(line, [[0.0], [1.0]], [1.0, 3.0], epochs=1)
    assert hg.explain(result, data=([[0.0], [1.0]], [1.0, 3.0])).record.preparation is None
