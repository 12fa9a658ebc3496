"""Tables on disk: the same schema and the same numbers as in memory, every step opens, and a break changes no bit."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

import handgrad as hg
from handgrad.cli import larger
from handgrad.cli.main import app
from handgrad.data.batches import Windows
from handgrad.data.rows import StoredRows
from handgrad.data.schema import fingerprint
from handgrad.data.scratch import Scratch
from handgrad.data.stored import stored_table
from handgrad.data.tables import read_table
from handgrad.engines import choose, native
from handgrad.errors import DataError, SpecificationError
from handgrad.models.budget import bytes_of
from handgrad.models.model import Model
from handgrad.training.plan import Plan

ROWS = 3000


def table() -> pa.Table:
    """Numbers with gaps, counts, few and very many categories, dates, truth, weights, an identifier."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=ROWS).round(4)
    city = rng.integers(0, 400, ROWS)
    return pa.table(
        {
            "id": [f"row-{k:05d}-{k * 7919 % 10007}" for k in range(ROWS)],
            "x": pa.array([None if k % 41 == 0 else float(v) for k, v in enumerate(x)]),
            "count": rng.poisson(3, ROWS),
            "kind": rng.choice(["a", "b", "c"], ROWS).tolist(),
            "city": [f"city {k}" for k in city],
            "when": pa.array(np.datetime64("2021-01-01") + rng.integers(0, 900, ROWS)),
            "new": rng.choice(["yes", "no"], ROWS).tolist(),
            "w": rng.uniform(0.1, 3.0, ROWS).round(3),
            "y": np.where(x + (city % 2) + rng.normal(size=ROWS) > 0.5, "up", "down").tolist(),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place, made = tmp_path_factory.mktemp("stored"), table()
    pa.parquet.write_table(made, place / "t.parquet", row_group_size=700)
    pa.feather.write_feather(made, place / "t.feather", chunksize=900)
    pa.csv.write_csv(made, place / "t.csv")
    (place / "parts").mkdir()
    for k in range(3):
        pa.parquet.write_table(made.slice(k * 1000, 1000), place / "parts" / f"{k}.parquet")
    return place


def fitted(data, **keywords) -> Model:
    usual = {"epochs": 2, "seed": 7, "hidden": (4,), "weight": "w", "batch_size": 64}
    return hg.fit_table(data, "y", **(usual | keywords))


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("t.parquet", "sparse"),
        ("t.parquet", "effect"),
        ("t.feather", "sparse"),
        ("t.csv", "effect"),
        ("parts", "sparse"),
    ],
)
def test_the_schema_and_the_rows_are_those_of_the_table_in_memory(folder, name, encoding):
    data, encode = str(folder / name), {"city": encoding}
    held, streamed = fitted(data, encode=encode), fitted(data, memory="1MiB", encode=encode)
    assert streamed.schema == held.schema
    assert streamed.origin == held.origin  # with the SHA-256 of every encoded number
    np.testing.assert_array_equal(streamed.hashes, held.hashes)
    np.testing.assert_array_equal(streamed.fit.training_rows, held.fit.training_rows)
    np.testing.assert_array_equal(streamed.fit.validation_rows, held.fit.validation_rows)
    assert streamed.fit.plan.block and not held.fit.plan.block
    assert not len(fitted(data, memory="1MiB", validation=0, early_stopping=None).fit.validation_rows)
    effects = any("effect" in feature for feature in streamed.schema.features)  # cross-fitted on disk too
    assert (effects, bool(streamed.network.gathered)) == (encoding == "effect", encoding == "sparse")


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_a_streamed_training_takes_the_steps_that_its_plan_names(folder, engine):
    if engine == "native" and not native.available():
        pytest.skip("no compiled core")
    data = str(folder / "t.parquet")
    model = fitted(data, memory="1MiB", engine=engine)
    fit = model.fit
    held = read_table(data, single=True)
    dtype = fit.plan.dtype
    Y = model.schema.target.encode(held).astype(dtype)
    X, _ = model.schema.encode_training(held, dtype, fit.training_rows, Y, 7)
    weights = model.schema.weights(held, dtype)
    assert fingerprint(X, Y, weights) == model.origin.fingerprint
    session = choose(engine).start(
        model.network, fit.recipe, fit.snapshots[0].training, X, Y, 7, None, weights
    )
    for part in fit.plan.stretches(1, fit.steps, fit.training_rows, fit.recipe.optimizer.learning_rate):
        session.run(part.rows, fit.batch_size, part.rates, part.first)
    last = fit.snapshots[-1].training.parameters
    for ours, theirs in zip(session.training().parameters, last, strict=True):
        np.testing.assert_array_equal(ours.W, theirs.W)
        np.testing.assert_array_equal(ours.b, theirs.b)


def test_any_step_opens_from_disk_and_from_memory(folder):
    data = str(folder / "t.parquet")
    model = fitted(data, memory="1MiB", engine="reference")
    for step in (1, 5, 50, model.fit.steps):
        from_disk, held = model.replay(step), model.replay(step, read_table(data, single=True))
        np.testing.assert_array_equal(from_disk.rows, held.rows)
        np.testing.assert_array_equal(from_disk.training.parameters[0].W, held.training.parameters[0].W)
    sheet = hg.explain(model, step=50)
    again = hg.explain(model, data=read_table(data, single=True), step=50)
    for name, values in again.quantities().items():
        np.testing.assert_array_equal(sheet.quantities()[name], values)
    assert "omega" in sheet.quantities()


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_a_streamed_training_goes_on_to_the_same_bytes(folder, tmp_path, engine):
    if engine == "native" and not native.available():
        pytest.skip("no compiled core")
    flags = [
        str(folder / "t.csv"),
        "--target",
        "y",
        "--hidden",
        "3",
        "--memory",
        "1MiB",
        "--batch-size",
        "64",
    ]
    flags += ["--engine", engine, "-q", "--force"]
    run = CliRunner()
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    assert run.invoke(app, ["train", *flags, "--epochs", "4", "-o", str(whole)]).exit_code == 0
    assert run.invoke(app, ["train", *flags, "--epochs", "2", "-o", str(broken)]).exit_code == 0
    went_on = run.invoke(app, ["train", *flags, "--epochs", "4", "-o", str(broken), "--resume"])
    assert went_on.exit_code == 0, went_on.output
    assert broken.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "broken.run.toml", "broken.safetensors", "whole.run.toml", "whole.safetensors",
    ]  # fmt: skip


def test_a_model_file_names_the_rows_of_a_streamed_training_once(folder, tmp_path):
    model = fitted(str(folder / "t.parquet"), memory="1MiB")
    path = model.save(tmp_path / "m.safetensors")
    again = Model.load(path)
    np.testing.assert_array_equal(again.fit.training_rows, model.fit.training_rows)
    assert path.read_bytes() == again.save(tmp_path / "n.safetensors").read_bytes()
    tested = fitted(str(folder / "t.parquet"), memory="1MiB", test=0.2)
    assert len(tested.fit.training_rows) + len(tested.fit.validation_rows) < ROWS
    back = Model.load(tested.save(tmp_path / "t.safetensors"))
    np.testing.assert_array_equal(back.fit.training_rows, tested.fit.training_rows)


@pytest.mark.parametrize("rows", [1, 7, 40, 41, 95, 200])
@pytest.mark.parametrize(("block", "blocks"), [(4, 2), (8, 1), (20, 16)])
def test_an_epoch_of_windows_takes_every_row_once_in_whole_batches(rows, block, blocks):
    plan = Plan(epochs=3, batch_size=4, seed=2, block=block, blocks=blocks)
    chosen = np.arange(1000, 1000 + 3 * rows, 3)
    per_epoch = plan.steps_per_epoch(rows)
    steps = list(plan.steps(1, 3 * per_epoch, chosen, 0.1))
    assert [step.number for step in steps] == list(range(1, 3 * per_epoch + 1))
    for epoch in range(3):
        batches = [step.rows for step in steps if step.epoch == epoch + 1]
        assert [len(batch) for batch in batches[:-1]] == [min(4, rows)] * (per_epoch - 1)
        np.testing.assert_array_equal(np.sort(np.concatenate(batches)), chosen)
    for step in (1, per_epoch, 2 * per_epoch + 1):
        np.testing.assert_array_equal(plan.at(step, chosen, 0.1).rows, steps[step - 1].rows)
    windows = plan.windows(rows)
    assert all(len(windows.order(2, 0, w)) <= windows.largest for w in range(windows.total))


def test_blocks_of_an_epoch_come_from_everywhere():
    orders = [Windows(4096, 16, 8).order(0, epoch, 0) for epoch in range(2)]
    assert not np.array_equal(*orders)
    assert all(np.ptp(order) > 2048 for order in orders)


def test_rows_on_disk_are_found_by_their_numbers():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(50, 3))
    order = rng.permutation(50)
    from handgrad.data.batches import Split

    split = Split(np.sort(order[:35]), np.sort(order[35:45]))
    scratch = Scratch(None, 3, "float64")
    scratch.write(0, values[split.training])
    scratch.write(35, values[split.validation])
    stored = StoredRows(scratch, 2, 1, split)
    for rows in (split.training, split.validation, order[:45], split.validation[[3, 1]]):
        X, Y, weights = stored.of(rows).arrays()
        np.testing.assert_array_equal(np.column_stack([X, Y]), values[rows])
        assert weights is None


@pytest.mark.parametrize(
    ("text", "size"), [("1GiB", 1 << 30), ("1.5 MB", 1_500_000), ("2g", 2 * 10**9), (1 << 20, 1 << 20)]
)
def test_an_amount_of_memory_is_read(text, size):
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["much", "-1GiB", "1 KiB", True, "1 TiBB", ""])
def test_what_is_no_amount_of_memory_is_refused(text):
    with pytest.raises(SpecificationError, match="memory must be a number of bytes"):
        bytes_of(text)


@pytest.mark.parametrize(
    ("keywords", "error", "match"),
    [
        ({"batch_size": None}, SpecificationError, "a batch of all rows needs all of them in memory"),
        (
            {"batch_size": 100_000, "hidden": ()},
            SpecificationError,
            "two windows of a batch of 100,000 rows take",
        ),
        ({"engine": "jax"}, Exception, "holds the whole table|JAX|jax"),
        ({"validation": "t.csv"}, SpecificationError, "memory is for a training on files|no file"),
    ],
)
def test_what_cannot_be_streamed_is_refused(folder, keywords, error, match):
    with pytest.raises(error, match=match):
        fitted(str(folder / "t.parquet"), **{"memory": "1MiB", **keywords})


def test_more_rows_than_the_memory_can_decide_about_are_refused(folder, monkeypatch):
    monkeypatch.setattr("handgrad.models.stored_table.HELD", 1 << 12)
    with pytest.raises(
        DataError, match="3,000 rows: to decide about one of its columns takes some 12,288,000"
    ):
        fitted(str(folder / "t.parquet"), memory="1MiB")


def test_a_table_in_python_cannot_be_streamed():
    with pytest.raises(SpecificationError, match="memory is for a training on files"):
        fitted({"w": [1.0, 2.0], "y": ["a", "b"]}, memory="1MiB")


def test_files_of_one_table_must_be_alike(tmp_path):
    pa.parquet.write_table(pa.table({"a": [1.0]}), tmp_path / "1.parquet")
    pa.parquet.write_table(pa.table({"b": [1.0]}), tmp_path / "2.parquet")
    with pytest.raises(DataError, match="does not have the columns of"):
        stored_table(tmp_path)
    pa.parquet.write_table(pa.table({"a": ["x"]}), tmp_path / "2.parquet")
    with pytest.raises(DataError, match="column 'a' is double and string"):
        stored_table(tmp_path).columns["a"]


def test_a_table_that_does_not_fit_is_streamed_and_said(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(larger, "available", lambda: 100_000.0)
    monkeypatch.setattr(larger, "bytes_of", bytes_of)
    out = tmp_path / "m.safetensors"
    made = CliRunner().invoke(
        app,
        [
            "train",
            str(folder / "t.parquet"),
            "--target",
            "y",
            "--epochs",
            "1",
            "--hidden",
            "3",
            "-o",
            str(out),
        ],
    )
    said = " ".join(made.output.split())
    if made.exit_code == 0:
        assert Model.load(out).fit.plan.block
    assert "it is streamed" in said, said


def test_memory_is_asked_of_this_machine():
    assert larger.available() > 0


@pytest.mark.parametrize("flags", [["--folds", "3"], ["--validation-file", "t.csv"]])
def test_flags_that_need_the_table_in_memory_are_one_clear_line(folder, tmp_path, flags):
    flags = [flags[0], str(folder / flags[1])] if flags[1] == "t.csv" else flags
    made = CliRunner().invoke(
        app,
        [
            "train",
            str(folder / "t.csv"),
            "--target",
            "y",
            "--memory",
            "1MiB",
            "-o",
            str(tmp_path / "m.safetensors"),
            *flags,
        ],
    )
    assert isinstance(made.exception, SpecificationError)
    assert not list(tmp_path.iterdir())
