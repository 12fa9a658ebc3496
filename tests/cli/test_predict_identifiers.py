"""Predictions stand behind the columns that name their rows."""

import csv
import random

import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from handgrad.cli.main import app
from handgrad.errors import DataError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place, rng = tmp_path_factory.mktemp("ids"), random.Random(1)
    with (place / "t.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["customer_id", "x", "kind", "y"])
        for k in range(120):
            x = rng.gauss(0, 1)
            writer.writerow(
                [f"{k * 37 % 1000:05d}", round(x, 3), rng.choice("ab"), "up" if x > 0 else "down"]
            )
    made = CliRunner().invoke(
        app,
        [
            "train",
            str(place / "t.csv"),
            "--target",
            "y",
            "--epochs",
            "2",
            "-o",
            str(place / "m.safetensors"),
            "-q",
        ],
    )
    assert made.exit_code == 0, made.output
    return place


def predicted(folder, out: str, *flags: str):
    return CliRunner().invoke(
        app,
        [
            "predict",
            str(folder / "m.safetensors"),
            str(folder / "t.csv"),
            "-o",
            str(folder / out),
            "--force",
            *flags,
        ],
    )


def test_an_identifier_is_passed_through_as_it_is_written(folder):
    assert predicted(folder, "p.csv").exit_code == 0
    lines, data = (
        list(csv.DictReader((folder / name).read_text().splitlines())) for name in ("p.csv", "t.csv")
    )
    assert list(lines[0]) == ["customer_id", "prediction", "probability_down", "probability_up"]
    assert [line["customer_id"] for line in lines] == [line["customer_id"] for line in data]
    assert data[0]["customer_id"].startswith("0")


def test_other_columns_stand_there_where_they_are_asked_for(folder):
    assert predicted(folder, "p.parquet", "--keep", "kind,x", "--keep", "y").exit_code == 0
    names = pyarrow.parquet.read_table(folder / "p.parquet").column_names
    assert names[:4] == ["customer_id", "kind", "x", "y"]


def test_a_column_that_is_not_there_is_one_clear_line(folder):
    made = predicted(folder, "q.csv", "--keep", "nothing")
    assert isinstance(made.exception, DataError) and "there is no column 'nothing'" in str(made.exception)
    assert not (folder / "q.csv").exists()


def test_data_without_the_identifier_is_predicted_all_the_same(folder):
    text = (folder / "t.csv").read_text().splitlines()
    (folder / "bare.csv").write_text("\n".join(line.split(",", 1)[1] for line in text) + "\n")
    made = CliRunner().invoke(app, ["predict", str(folder / "m.safetensors"), str(folder / "bare.csv")])
    assert made.exit_code == 0 and made.output.startswith("prediction,")
