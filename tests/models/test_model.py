"""Models: what is saved is what is loaded, what is damaged is told, and metrics agree with scikit-learn's."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from handgrad.errors import DataError, ModelError, OutputError, ShapeError, SpecificationError
from handgrad.models.fit_table import fit_table
from handgrad.models.model import Model
from handgrad.models.seal import OPEN, sealed
from handgrad.nn.clipping import Clipping
from handgrad.nn.dropout import Dropout
from handgrad.nn.initializers import Initializer
from handgrad.nn.losses import Loss
from handgrad.nn.network import Dense, Network
from handgrad.nn.optimizers import OPTIMIZERS, Adam
from handgrad.nn.regularization import Regularization
from handgrad.nn.schedules import Schedule
from handgrad.training.fit import fit

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"


@pytest.fixture(scope="module")
def penguins() -> Model:
    options = {"hidden": (64, 32), "epochs": 15, "engine": "reference", "dtype": "float64"}
    return fit_table(PENGUINS, "species", optimizer=Adam(0.001), **options)


@pytest.fixture(scope="module")
def saved(penguins: Model, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return penguins.save(tmp_path_factory.mktemp("model") / "m.safetensors").read_bytes()


def loaded(path: Path, data: bytes) -> Model:
    path.write_bytes(data)
    return Model.load(path)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_model_comes_back_as_it_was(name: str, tmp_path: Path) -> None:
    network = Network(
        2,
        [
            Dense(3, "leaky_relu", initializer=Initializer("lecun", "uniform"), dropout=0.25),
            Dense(2, "tanh", W=[[0.1, 0.2, 0.3], [1, 2, 3]], bias="shared"),
            Dense(2, "gelu", b=[0.5, 0.25], bias="frozen", dropout=Dropout(0.5, ((1, 0),))),
            Dense(1, bias="none"),
        ],
        Loss("huber", scale=0.5, samples="sum", threshold=2.0),
    )
    X = np.random.default_rng(0).normal(size=(9, 2))
    options = {"amsgrad": True} if name in ("adam", "adamw") else {}
    result = fit(
        network, X, X[:, 0], optimizer=OPTIMIZERS[name](learning_rate=0.01, **options), validation=0.2,
        regularization=Regularization(l2=0.1, l1=0.01, form="half_mean"), clipping=Clipping(1.0, 2.0),
        schedule=Schedule("inverse_time", decay=0.5, per="step"), epochs=3, batch_size=2, seed=2**63,
    )  # fmt: skip
    Model(result).save(tmp_path / "m.safetensors")
    again = Model.load(tmp_path / "m.safetensors").fit
    assert (again.network, again.recipe, again.plan) == (result.network, result.recipe, result.plan)
    timeless = tuple(line._replace(seconds=0.0) for line in result.history)  # the file holds no clock
    assert (again.history, again.ended, again.engine, again.steps) == (
        timeless, result.ended, result.engine, result.steps,
    )  # fmt: skip
    assert again.training_rows.tolist() == result.training_rows.tolist()
    for old, new in zip(result.snapshots, again.snapshots, strict=True):
        assert old.step == new.step
        np.testing.assert_equal(new.training, old.training)
    np.testing.assert_equal(again.training, result.training)


def test_a_loaded_model_predicts_and_replays_the_same(penguins: Model, saved: bytes, tmp_path: Path) -> None:
    again = loaded(tmp_path / "m.safetensors", saved)
    np.testing.assert_array_equal(again.predict_proba(PENGUINS), penguins.predict_proba(PENGUINS))
    assert again.schema == penguins.schema
    old, new = penguins.replay(77), again.replay(77)
    np.testing.assert_equal(new.training, old.training)
    assert new.rows.tolist() == old.rows.tolist()


def test_the_training_data_is_known_again(penguins: Model, tmp_path: Path) -> None:
    assert penguins.training_data().X.shape == (344, 15)
    other = tmp_path / "penguins.csv"
    other.write_text(PENGUINS.read_text().replace("39.1", "39.2", 1))
    with pytest.raises(ModelError, match="is not the data of this training"):
        penguins.training_data(other)


def test_rows_without_a_target_are_left_out_and_counted() -> None:
    model = fit_table(PENGUINS, "sex", epochs=5, engine="reference", dtype="float64")
    assert model.origin is not None
    assert (model.origin.rows, model.origin.left_out) == (344, 11)
    data = model.training_data()
    assert len(data.X) == 333
    assert 3 not in data.file_rows
    assert model.evaluate(PENGUINS).left_out == 11


def test_metrics_of_classes_agree_with_scikit_learn(penguins: Model) -> None:
    judged = penguins.evaluate(PENGUINS)
    truth = [line.split(",")[0] for line in PENGUINS.read_text().splitlines()[1:]]
    guess = penguins.predict(PENGUINS)
    assert judged.accuracy == pytest.approx(metrics.accuracy_score(truth, guess))
    assert judged.loss == pytest.approx(metrics.log_loss(truth, penguins.predict_proba(PENGUINS)))
    expected = metrics.precision_recall_fscore_support(truth, guess)
    for place, report in enumerate(judged.classes):
        got = (report.precision, report.recall, report.f1, report.rows)
        assert got == pytest.approx(tuple(column[place] for column in expected))


def test_metrics_of_numbers_are_in_the_units_of_the_file() -> None:
    model = fit_table(
        PENGUINS, ["body_mass_g", "bill_depth_mm"], epochs=15, engine="reference", dtype="float64"
    )
    judged = model.evaluate(PENGUINS)
    data = model.training_data()
    assert model.schema is not None
    truth, guess = model.schema.target.values(data.Y), model.predict(PENGUINS)[data.file_rows]
    assert truth[:, 0].min() > 2500 and truth[:, 0].max() == 6300
    for j, report in enumerate(judged.outputs):
        assert pytest.approx(metrics.r2_score(truth[:, j], guess[:, j])) == report.R2
        assert pytest.approx(metrics.mean_absolute_error(truth[:, j], guess[:, j])) == report.MAE
        assert pytest.approx(metrics.root_mean_squared_error(truth[:, j], guess[:, j])) == report.RMSE
    assert pytest.approx(metrics.r2_score(truth, guess)) == judged.R2


def test_two_classes_and_several_answers_have_probabilities() -> None:
    table = {"a": [0.0, 1, 0, 1, 0.2, 0.9], "p": [0, 1, 0, 1, 0, 1], "q": ["n", "n", "y", "y", "n", "y"]}
    binary = fit_table(table, "p", ignore=["q"], validation=0, epochs=5)
    assert binary.predict_proba(table).shape == (6, 2)
    assert binary.predict(table).dtype == np.int64
    np.testing.assert_allclose(binary.predict_proba(table).sum(axis=1), 1.0)
    several = fit_table(table, ["p", "q"], validation=0, epochs=5)
    assert several.predict(table).shape == several.predict_proba(table).shape == (6, 2)
    names = several.predictions(table)[0].column_names
    assert names == ["prediction_p", "prediction_q", "probability_p=1", "probability_q=y"]
    assert [report.name for report in several.evaluate(table).classes] == ["p=0", "p=1", "q=n", "q=y"]


def test_a_new_category_is_remarked_on_and_a_missing_column_refused(penguins: Model) -> None:
    row = {
        "island": ["Atlantis"], "bill_length_mm": [40.0], "bill_depth_mm": [18.0],
        "flipper_length_mm": [None], "body_mass_g": [4000], "sex": ["male"], "year": [2008],
    }  # fmt: skip
    table, remarks = penguins.predictions(row)
    assert table.num_rows == 1
    assert remarks == ("column 'island': 1 cells hold a category that was not in the training data",)
    with pytest.raises(DataError, match="needs the column 'year'"):
        penguins.predict({name: values for name, values in row.items() if name != "year"})


def test_a_model_of_arrays_takes_arrays() -> None:
    model = Model(fit(Network(2, [Dense(1)], "squared_error"), [[0, 1], [1, 0]], [1, 0], epochs=1))
    assert model.predict([[1, 1]]).shape == (1, 1)
    assert model.predictions([[1, 1]])[0].column_names == ["output1"]
    with pytest.raises(ShapeError, match=r"\(samples, 2\)"):
        model.predict([[1, 2, 3]])
    with pytest.raises(SpecificationError, match="fit_table"):
        model.evaluate(PENGUINS)


def test_a_regression_has_no_probabilities() -> None:
    model = fit_table({"x": [1.0, 2, 4], "y": [1.5, 2.5, 3.0]}, "y", validation=0, epochs=1)
    with pytest.raises(SpecificationError, match="no probabilities"):
        model.predict_proba({"x": [1.0]})


@given(part=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_told(
    part: float, saved: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("torn") / "m.safetensors"
    with pytest.raises(ModelError, match=r"m\.safetensors"):
        loaded(path, saved[: int(len(saved) * part)])


@given(place=st.integers(0), byte=st.integers(0, 255))
def test_a_file_with_a_wrong_byte_is_told(
    place: int, byte: int, saved: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray(saved)
    if data[place % len(data)] == byte:
        return
    data[place % len(data)] = byte
    with pytest.raises(ModelError, match=r"m\.safetensors"):
        loaded(tmp_path_factory.mktemp("bad") / "m.safetensors", bytes(data))


def test_the_seal_is_a_sha_256_of_the_file_with_zeros_in_its_place(saved: bytes) -> None:
    header = json.loads(
        json.loads(saved[8 : 8 + int.from_bytes(saved[:8], "little")])["__metadata__"]["handgrad"]
    )
    assert len(header["sha256"]) == 64
    assert hashlib.sha256(saved.replace(header["sha256"].encode(), b"0" * 64)).hexdigest() == header["sha256"]


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_the_same_seed_gives_the_same_bytes(engine: str, tmp_path: Path) -> None:
    def made(name: str) -> bytes:
        model = fit_table(PENGUINS, "species", hidden=[4], epochs=3, engine=engine, threads=1)
        return model.save(tmp_path / name).read_bytes()

    assert made("a.safetensors") == made("b.safetensors")


def tampered(data: bytes, **changes: Any) -> bytes:
    """The model file, sealed again, with other values in its header or other tensors (names with a dot or a digit)."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["handgrad"])
    tensors = safetensors.numpy.load(data)
    for name, value in changes.items():
        if isinstance(value, np.ndarray):
            tensors[name.replace("_", ".")] = value
        else:
            header[name] = value
    text = json.dumps({**header, "sha256": OPEN}, separators=(",", ":"))
    return sealed(bytes(safetensors.numpy.save(tensors, {"handgrad": text})))


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"format": 1}, "format 1, .* train the model again"),
    ({"format": 3}, "format 3, .* update handgrad"),
    ({"inputs": 14}, "W1 must hold"),
    ({"layers": []}, "layer"),
    ({"snapshots": []}, "index"),
    ({"snapshots": [2, 1]}, "snapshots|step"),
    ({"optimizer": {"name": "warp"}}, "warp"),
    ({"optimizer": {}}, "name"),
    ({"optimizer": {"name": "adam", "speed": 1}}, "optimizer has the keys"),
    ({"loss": {"name": "regret"}}, "regret"),
    ({"schema": None, "inputs": 3}, "input|shape"),
    ({"W1": np.zeros((2, 2))}, "W1 must hold"),
    ({"b1": np.full(64, np.nan)}, "b1 must hold"),
    ({"W2": np.zeros((32, 64), np.float32)}, "W2 must hold"),
    ({"rows_training": np.zeros(3)}, "row numbers"),
    ({"history": 3}, "history"),
    ({"origin": {"rows": "many"}}, "origin"),
    ({"speed": 3}, "speed"),
    ({"best_epoch": 16}, "best epoch"),
    ({"history": []}, "best epoch|steps"),
    ({"rows_training": np.array([5, 5])}, "twice"),
    ({"rows_validation": np.array([344])}, "names row 344"),
    ({"extra": np.zeros(2)}, "the tensors extra"),
]


@pytest.mark.parametrize(("change", "said"), CHANGES, ids=str)
def test_a_header_that_lies_is_told(change: dict[str, Any], said: str, saved: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=rf"m\.safetensors.*({said})"):
        loaded(tmp_path / "m.safetensors", tampered(saved, **change))


def test_what_is_only_written_anew_is_whole(saved: bytes, tmp_path: Path) -> None:
    assert loaded(tmp_path / "m.safetensors", tampered(saved)).network.depth == 3


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("schema", "speed"), 1, "does not write"),
        (("schema", "target", "speed"), 1, "does not write"),
        (("schema", "columns", 0, "speed"), 1, "does not write"),
        (("plan", "speed"), 1, "does not write"),
        (("origin", "speed"), 1, "does not write"),
        (("schema", "target", "classes"), [["a", "b"]], "does not fit its network"),
        (("schema", "target", "classes"), [["a", "b", "b"]], "classes"),
        (("schema", "target", "classes"), [], "damaged"),
        (("schema", "columns", 1, "name"), "island", "stands twice"),
    ],
)
def test_a_nested_key_that_lies_is_told(
    path: tuple[str | int, ...], value: Any, said: str, saved: bytes, tmp_path: Path
) -> None:
    text = json.loads(saved[8 : 8 + int.from_bytes(saved[:8], "little")])["__metadata__"]["handgrad"]
    header = json.loads(text)
    inner = header
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ModelError, match=said):
        loaded(tmp_path / "m.safetensors", tampered(saved, **header))


def test_a_key_that_stands_twice_is_told(saved: bytes, tmp_path: Path) -> None:
    size = int.from_bytes(saved[:8], "little")
    old = saved[8 : 8 + size].rstrip(b" ")
    for new in (
        old.replace(b'\\"inputs\\":', b'\\"inputs\\":3,\\"inputs\\":', 1),
        old.replace(b'"W1":', b'"W1":{"dtype":"F64","shape":[0],"data_offsets":[0,0]},"W1":', 1),
        old.replace(b'"__metadata__":{', b'"__metadata__":{"other":"x",', 1),
    ):
        assert new != old
        padded = new + b" " * (-len(new) % 8)
        data = sealed(len(padded).to_bytes(8, "little") + padded + saved[8 + size :])
        with pytest.raises(ModelError, match=r"twice|metadata holds"):
            loaded(tmp_path / "m.safetensors", data)


def test_foreign_files_are_told(tmp_path: Path, saved: bytes) -> None:
    foreign = safetensors.numpy.save({"W1": np.zeros((2, 2))})
    for data, words in [
        (foreign, "not written by handgrad"),
        (b"", "safetensors"),
        (b"\x80\x04pickle", "whole"),
    ]:
        with pytest.raises(ModelError, match=words):
            loaded(tmp_path / "m.safetensors", data)
    with pytest.raises(ModelError, match="cannot be read"):
        Model.load(tmp_path / "none.safetensors")
    with pytest.raises(ModelError, match="cannot be read"):
        Model.load(tmp_path)


def test_saving_leaves_no_half_file(penguins: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "m.safetensors"
    target.write_bytes(b"before")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        penguins.save(target)
    assert [path.name for path in tmp_path.iterdir()] == ["m.safetensors"]
    assert target.read_bytes() == b"before"
    for place in (tmp_path / "no" / "m.safetensors", tmp_path):
        with pytest.raises(OutputError):
            penguins.save(place)


def test_a_model_shows_itself(penguins: Model) -> None:
    bundle = penguins._repr_mimebundle_()
    assert "15 -> 64 relu -> 32 relu -> 3 softmax" in bundle["text/plain"]
    assert "species (multiclass)" in bundle["text/html"]
    assert "accuracy" in penguins.evaluate(PENGUINS)._repr_mimebundle_()["text/plain"]
    assert repr(penguins) == f"Model(target='species', sizes=(15, 64, 32, 3), steps={penguins.fit.steps})"


def test_a_regression_without_means_is_told(tmp_path: Path) -> None:
    data = fit_table({"x": [1.0, 2, 4], "y": [1.5, 2.5, 3.0]}, "y", validation=0, epochs=1).save(
        tmp_path / "m"
    )
    whole = data.read_bytes()
    text = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])["__metadata__"]["handgrad"]
    schema = json.loads(text)["schema"]
    for name in ("means", "deviations"):
        target = {key: value for key, value in schema["target"].items() if key != name}
        with pytest.raises(ModelError, match="mean and deviation"):
            loaded(tmp_path / "m.safetensors", tampered(whole, schema={**schema, "target": target}))


def test_tables_are_trained_in_float32_unless_float64_is_asked_for() -> None:
    table = {"x": [1.0, 2.0, 4.0, 8.0], "kind": ["a", "b", "c", "a"]}
    for asked, dtype in (
        ({}, "float32"),
        ({"dtype": "float64"}, "float64"),
        ({"dtype": np.float64}, "float64"),
    ):
        model = fit_table(table, "kind", hidden=(3,), validation=0, epochs=2, **asked)
        assert model.fit.plan.dtype == model.parameters[0].W.dtype == dtype
        np.testing.assert_allclose(model.predict_proba(table).sum(axis=1), 1, rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "value"), [("callbacks", 3), ("callbacks", [3]), ("progress", 1), ("shuffle", "yes")]
)
def test_a_wrong_argument_is_one_error_that_names_it(name: str, value: object) -> None:
    with pytest.raises(SpecificationError, match=name.rstrip("s")):
        fit_table({"x": [1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.5]}, "y", validation=0, epochs=1, **{name: value})


def test_rows_and_files_that_are_none_are_told() -> None:
    table = {"x": [1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.5]}
    model = fit_table(table, "y", hidden=(), validation=0, epochs=1)
    for rows in ([3], [-1], ["a"], 2):
        with pytest.raises(SpecificationError, match="rows must be numbers of rows, 0 to 2"):
            model.evaluate_rows(table, rows)
    with pytest.raises(OutputError, match="named by text or a path, got 3"):
        model.save(3)  # type: ignore[arg-type]
    with pytest.raises(SpecificationError, match="named by text or a path, got 3"):
        Model.load(3)  # type: ignore[arg-type]
