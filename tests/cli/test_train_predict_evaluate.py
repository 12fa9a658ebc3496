"""The verbs end to end, as a user calls them."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from handgrad.cli.main import status
from handgrad.data.tables import read_table
from handgrad.models.model import Model

PENGUINS = Path(__file__).parents[2] / "examples" / "penguins.csv"
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "80"}
HANDGRAD = [sys.executable, "-m", "handgrad"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "penguins.safetensors"
    assert status(["train", str(PENGUINS), "--target", "species", "-o", str(path), "-q"]) == 0
    return path


@pytest.mark.parametrize("seed", range(5))
def test_penguins_are_told_apart_in_seconds(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.safetensors"
    call = ["train", str(PENGUINS), "--target", "species", "-o", str(path), "--json", "--seed", str(seed)]
    assert status(call) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["judged_on"] == "validation"
    assert result["validation_rows"] == 34
    assert result["metrics"]["accuracy"] >= 0.97
    assert result["seconds"] < 10
    assert len(result["history"]) == len(Model.load(path).fit.history)


def test_train_ends_with_a_table_and_draws_the_loss(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, path = tmp_path / "loss.svg", tmp_path / "m.safetensors"
    call = f"train {PENGUINS} --target species -o {path} --epochs 5 --plot --plot-file {picture}"
    assert status(call.split()) == 0
    out, err = capsys.readouterr()
    for word in ("accuracy", "precision", "Adelie", "Gentoo", "epoch 1 to 5", f"model written to {path}"):
        assert word in out
    assert "epoch 1/5  loss" in err and "\x1b" not in out + err
    assert picture.read_text().startswith("<svg ")
    assert picture.read_text().count("<polyline") == 3  # the axes, and two curves


def test_evaluate_agrees_with_the_model(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["evaluate", str(model), str(PENGUINS), "--json"]) == 0
    judged = json.loads(capsys.readouterr().out)
    assert judged["accuracy"] == Model.load(model).evaluate(PENGUINS).accuracy
    assert status(["evaluate", str(model), str(PENGUINS)]) == 0
    assert "344 rows" in capsys.readouterr().out
    assert status(["evaluate", str(model), str(PENGUINS), "-q"]) == 0
    assert float(capsys.readouterr().out) == judged["accuracy"]


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.parquet", "p.feather"])
def test_predictions_are_written_in_the_format_of_the_name(name: str, model: Path, tmp_path: Path) -> None:
    out = tmp_path / name
    assert status(["predict", str(model), str(PENGUINS), "-o", str(out)]) == 0
    table = read_table(out)
    kinds = ("Adelie", "Chinstrap", "Gentoo")
    assert table.names == ["prediction", *(f"probability_{kind}" for kind in kinds)]
    assert (
        table.column("prediction").cast(pa.string()).to_pylist()
        == Model.load(model).predict(PENGUINS).tolist()
    )


def test_predictions_go_to_the_standard_output(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["predict", str(model), str(PENGUINS)]) == 0
    lines = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(lines) == 344
    assert lines[0]["prediction"] == "Adelie"
    assert status(["predict", str(model), str(PENGUINS), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["prediction"] == "Adelie"


def test_classes_with_commas_and_quotes_survive_csv(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, path = tmp_path / "t.csv", tmp_path / "m.safetensors"
    data.write_text("x,y\n" + '1,"a,\nb"\n3,"say ""no"""\n' * 5)
    assert status(["train", str(data), "--target", "y", "-o", str(path), "--validation", "0", "-q"]) == 0
    assert status(["predict", str(path), str(data)]) == 0
    names = {line["prediction"] for line in csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))}
    assert names <= {"a,\nb", 'say "no"'}


@pytest.mark.parametrize("engine", ["reference", "auto"])
def test_every_option_reaches_the_training(engine: str, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    call = (
        f"train {PENGUINS} --target body_mass_g -o {path} --hidden 7,5 --activation leaky_relu:alpha=0.2 "
        "--optimizer momentum:momentum=0.8,form=heavy_ball --learning-rate 0.002 --batch-size 50 --epochs 4 "
        "--validation 0.25 --no-early-stopping --seed 9 --loss huber:threshold=2 --l2 0.01 --l1 0.001 "
        "--dropout 0.25 --clip-norm 3 --clip-value 2 --schedule step:every=2,factor=0.1 --dtype float32 "
        f"--threads 1 --categorical year --ignore island --engine {engine} -q"
    )
    assert status(call.split()) == 0
    fit, schema = Model.load(path).fit, Model.load(path).schema
    assert schema is not None
    assert fit.network.sizes == (12, 7, 5, 1)
    assert fit.network.layers[0].function.alpha == 0.2
    assert fit.network.layers[0].dropout is not None and fit.network.layers[0].dropout.keep == 0.75
    assert fit.network.loss is not None and fit.network.loss.threshold == 2
    assert (fit.recipe.optimizer.name, fit.recipe.optimizer.learning_rate) == ("momentum", 0.002)
    assert (fit.recipe.regularization.l2, fit.recipe.regularization.l1) == (0.01, 0.001)
    assert (fit.recipe.clipping.norm, fit.recipe.clipping.value) == (3, 2)
    assert (fit.plan.seed, fit.plan.dtype, fit.batch_size, len(fit.history)) == (9, "float32", 50, 4)
    assert [line.rate for line in fit.history] == pytest.approx([0.002, 0.002, 0.0002, 0.0002])
    assert fit.training.parameters[0].W.dtype == np.float32
    assert "year=2007" in schema.features and "island=Biscoe" not in schema.features


def test_a_batch_may_be_everything_and_a_network_without_hidden_layers(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    call = f"train {PENGUINS} --target species -o {path} --hidden none --batch-size full --epochs 3 -q"
    assert status(call.split()) == 0
    assert Model.load(path).fit.network.depth == 1
    assert Model.load(path).fit.steps == 3


def test_parquet_and_csv_make_the_same_model(model: Path, tmp_path: Path) -> None:
    with PENGUINS.open() as file:
        header, *rows = csv.reader(file)
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    texts = ("species", "island", "sex")
    typed = {
        name: [None if v == "NA" else v if name in texts else float(v) for v in values]
        for name, values in columns.items()
    }
    pyarrow.parquet.write_table(pa.table(typed), tmp_path / "p.parquet")
    path = tmp_path / "m.safetensors"
    assert status(["train", str(tmp_path / "p.parquet"), "--target", "species", "-o", str(path), "-q"]) == 0
    np.testing.assert_array_equal(
        Model.load(path).predict_proba(PENGUINS), Model.load(model).predict_proba(PENGUINS)
    )


def test_several_targets_can_be_named_with_a_comma(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    call = f"train {PENGUINS} --target bill_length_mm,bill_depth_mm -o {path} --epochs 2 -q"
    assert status(call.split()) == 0
    schema = Model.load(path).schema
    assert schema is not None and schema.target.names == ("bill_length_mm", "bill_depth_mm")


@pytest.mark.parametrize("verb", ["train", "predict", "evaluate"])
def test_help_has_an_example(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status([verb, "--help"]) == 0
    assert f"Example: handgrad {verb} " in capsys.readouterr().out


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["--version"]) == 0
    assert capsys.readouterr().out.startswith("handgrad ")
    assert status([]) == 2


GOOD = ["train", str(PENGUINS), "--target", "species", "-o", "MODEL"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ([*GOOD, "--hidden", "64,x"], "--hidden must be whole numbers"),
        ([*GOOD, "--hidden", "0"], "whole number of units"),
        ([*GOOD, "--activation", "swash"], "unknown activation 'swash'"),
        ([*GOOD, "--activation", "relu:alpha=1"], "no parameter alpha"),
        ([*GOOD, "--optimizer", "adam:speed=1"], "does not have speed"),
        ([*GOOD, "--optimizer", "adam:beta1"], "KEY=VALUE"),
        ([*GOOD, "--optimizer", "adam:beta1=high"], "--optimizer"),
        ([*GOOD, "--optimizer", "warp"], "unknown optimizer"),
        ([*GOOD, "--learning-rate", "0"], "learning_rate"),
        ([*GOOD, "--learning-rate", "nan"], "learning_rate"),
        ([*GOOD, "--batch-size", "some"], "--batch-size"),
        ([*GOOD, "--batch-size", "0"], "batch size"),
        ([*GOOD, "--epochs", "0"], "epochs"),
        ([*GOOD, "--epochs", "few"], "epochs"),
        ([*GOOD, "--validation", "1"], "validation"),
        ([*GOOD, "--validation", "-1"], "validation"),
        ([*GOOD, "--patience", "0"], "patience"),
        ([*GOOD, "--schedule", "sometimes"], "unknown schedule"),
        ([*GOOD, "--loss", "huber"], "cannot judge"),
        ([*GOOD, "--loss", "regret"], "unknown loss"),
        ([*GOOD, "--l2", "-1"], "l2"),
        ([*GOOD, "--dropout", "1"], "dropout"),
        ([*GOOD, "--clip-norm", "0"], "norm"),
        ([*GOOD, "--task", "regression"], "is not a number"),
        ([*GOOD, "--ignore", "beak"], "no column 'beak'"),
        ([*GOOD, "--seed", "-1"], "seed"),
        ([*GOOD, "--engine", "steam"], "unknown engine"),
        ([*GOOD, "--dtype", "int8"], "dtype"),
        ([*GOOD, "--threads", "0"], "threads"),
        ([*GOOD, "--plot-file", "/none/loss.svg"], "/none"),
        ([*GOOD[:4], "-o", "/none/m.safetensors"], "directory /none does not exist"),
        ([*GOOD[:4], "-o", "."], "is a directory"),
        (["train", str(PENGUINS), "--target", "beak", "-o", "MODEL"], "no column 'beak'"),
        (["train", "none.csv", "--target", "y", "-o", "MODEL"], "none.csv: there is no such file"),
        (["train", str(PENGUINS.parent), "--target", "y", "-o", "MODEL"], "there is no column 'y'"),
        (["predict", str(PENGUINS), str(PENGUINS)], "not a whole .safetensors file"),
        (["predict", "none", str(PENGUINS)], "none cannot be read"),
        (["evaluate", "none", str(PENGUINS)], "none cannot be read"),
        (["frobnicate"], "No such command"),
        (["train"], "Missing"),
        (["train", "--nonsense"], "No such option"),
    ],
    ids=lambda value: " ".join(value[-2:]) if isinstance(value, list) else "",
)
def test_a_wrong_call_is_one_line_and_status_2(
    call: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.safetensors"
    assert status([str(path) if word == "MODEL" else word for word in call]) == 2
    out, err = capsys.readouterr()
    assert err.startswith("handgrad: ") and err.count("\n") == 1
    assert words in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_predictions_that_cannot_be_written_are_told(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for out, words in [(tmp_path / "p.xlsx", "must end in"), (tmp_path / "no" / "p.csv", "does not exist")]:
        assert status(["predict", str(model), str(PENGUINS), "-o", str(out)]) == 2
        assert words in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_defect_is_not_mistaken_for_a_wrong_call(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("handgrad.cli.evaluate.Model.load", broken)
    monkeypatch.delenv("HANDGRAD_TRACEBACK", raising=False)
    assert status(["evaluate", "m", "d"]) == 70
    assert "a defect of handgrad (ZeroDivisionError" in capsys.readouterr().err
    monkeypatch.setenv("HANDGRAD_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        status(["evaluate", "m", "d"])


@pytest.mark.parametrize(("limited", "code"), [(True, 2), (False, 70)])
def test_compiled_code_that_fails_without_a_word_wants_memory_where_that_is_scarce(
    limited: bool, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: object) -> None:
        raise SystemError("error return without exception set")

    monkeypatch.setattr("handgrad.cli.evaluate.Model.load", broken)
    monkeypatch.setattr("handgrad.cli.limits.limited", lambda: limited)
    monkeypatch.delenv("HANDGRAD_TRACEBACK", raising=False)
    assert status(["evaluate", "m", "d"]) == code
    assert ("not enough memory" in capsys.readouterr().err) == limited


def test_ctrl_c_saves_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    call = [*HANDGRAD, "train", str(PENGUINS), "--target", "species", "-o", str(path), "--epochs", "1000000"]
    with subprocess.Popen(
        [*call, "--no-early-stopping"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
        text=True,
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith(f"{PENGUINS}: 344 rows")
        assert process.stderr.readline().startswith("epoch 1/")  # training is under way
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "ended by Ctrl-C, what there is was saved" in out
    assert "Traceback" not in err
    assert Model.load(path).fit.ended == "interrupted"


def test_a_closed_pipe_is_quiet(model: Path) -> None:
    with subprocess.Popen(
        [*HANDGRAD, "predict", str(model), str(PENGUINS)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(timeout=30)
    assert errors == b""


def test_colour_only_on_a_terminal_and_never_with_no_color(model: Path) -> None:
    for environment in (ENVIRONMENT, {**ENVIRONMENT, "NO_COLOR": "1", "TERM": "xterm-256color"}):
        done = subprocess.run(
            [*HANDGRAD, "evaluate", str(model), str(PENGUINS)],
            capture_output=True,
            env=environment,
            check=True,
        )
        assert b"\x1b" not in done.stdout + done.stderr


def test_progress_in_a_log_is_plain_and_rare(tmp_path: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [*HANDGRAD, *f"train {PENGUINS} --target species -o {tmp_path / 'm'} --epochs 30".split()],
        capture_output=True,
        env=ENVIRONMENT,
        check=True,
        text=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("epoch ")]
    assert len(lines) <= 2 + (time.monotonic() - began) / 10
    assert "validation loss" in lines[-1] and "s left" in lines[-1]
