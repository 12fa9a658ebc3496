"""`explain` and `gradcheck` from outside: what they print, and how they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handgrad.cli.main import status

EXAMPLES = Path(__file__).parents[2] / "examples"
RELU_SIGMOID = EXAMPLES / "relu-sigmoid-2-2-1.toml"

GOOD = """
title = "one neuron"
[network]
inputs = 2
loss = "squared_error"
[[network.layers]]
units = 1
activation = "sigmoid"
W = [[0.1, 0.2]]
b = [0.3]
[data]
x = [[1.0, 2.0]]
y = [[1.0]]
[optimizer]
name = "sgd"
learning_rate = 0.1
"""


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of a call that must end with status 2."""
    assert status(list(arguments)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("handgrad: ")
    assert printed.err.count("\n") == 1
    assert "Traceback" not in printed.err
    return printed.err


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("inputs = 2", "inputs = 0", "inputs"),
        ("inputs = 2", 'inputs = "two"', "whole number"),
        ("inputs = 2", "", "inputs"),
        ("units = 1", "units = -3", "units"),
        ("units = 1", "units = 100000000000", "units"),
        ('"sigmoid"', '"sigmoyd"', "sigmoyd"),
        ('"squared_error"', '"square"', "square"),
        ('loss = "squared_error"', "", "loss"),
        ("W = [[0.1, 0.2]]", "W = [[0.1, 0.2], [0.3, 0.4]]", "(1, 2)"),
        ("W = [[0.1, 0.2]]", "W = [[0.1], [0.2, 0.3]]", "equal length"),
        ("W = [[0.1, 0.2]]", "W = [[0.1, nan]]", "finite"),
        ("W = [[0.1, 0.2]]", 'W = [["a", "b"]]', "numbers"),
        ("b = [0.3]", "b = [0.3, 0.4]", "one per unit"),
        ("x = [[1.0, 2.0]]", "x = [[1.0, 2.0, 3.0]]", "data.x"),
        ("x = [[1.0, 2.0]]", "x = []", "data.x"),
        ("x = [[1.0, 2.0]]", "x = [[1.0, inf]]", "finite"),
        ("y = [[1.0]]", "y = [[1.0], [0.0]]", "2 targets for 1 samples"),
        ("learning_rate = 0.1", "learning_rate = -0.1", "learning_rate"),
        ("learning_rate = 0.1", "learning_rate = nan", "learning_rate"),
        ("learning_rate = 0.1", "momentum = 0.9", "momentum does not belong to sgd"),
        ('name = "sgd"', 'name = "sdg"', "sdg"),
        ("[optimizer]", "[training]\nsteps = 0\n[optimizer]", "steps"),
        ("[optimizer]", "[training]\nsteps = 2\nepochs = 3\n[optimizer]", "not both"),
        ("[optimizer]", "[training]\nbatch_size = 0\n[optimizer]", "batch_size"),
        ("[optimizer]", "[training]\nbatch_size = 'half'\n[optimizer]", "batch_size"),
        ("[optimizer]", "[rounding]\ncarry = true\n[optimizer]", "digits"),
        ("[optimizer]", "[given]\nz9 = [[1.0]]\n[optimizer]", "no layer 9"),
        ("[optimizer]", "[given]\nqq = 1\n[optimizer]", "unknown quantity"),
        ("[optimizer]", "[regularization]\nl2 = -1\n[optimizer]", "l2"),
        ("[optimizer]", "[optimiser]\nname = 'sgd'\n[optimizer]", "optimiser"),
        ("title =", "title", "TOML"),
        ("inputs = 2", "inputs = -1\nseed = 1", "network.inputs"),
        ("inputs = 2", "input = 2", "choose from inputs, layers, loss, seed"),
        ("units = 1", "units = 1\nbias = 'free'", "choose from trained, frozen, shared, none"),
        ("W = [[0.1, 0.2]]", "initializer = { name = 'he', seed = -1 }", "initializer.seed"),
        ("W = [[0.1, 0.2]]", "initializer = { name = 'uniform', scale = 1e308 }", "scale"),
        ("W = [[0.1, 0.2]]", "W = [[0.1, 1" + 400 * "0" + "]]", "beyond float64"),
        ("title =", "seed = 1\ntitle =", "unknown key `seed`"),
    ],
)
def test_a_wrong_case_is_refused_in_one_line(tmp_path, capsys, old, new, said):
    path = tmp_path / "case.toml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new, 1))
    line = refused(capsys, "explain", str(path))
    assert said in line
    assert str(path) in line
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"network": {"inputs": 1, "inputs": 2}}', "'inputs' stands twice"),
        ('{"network": {"inputs": NaN}}', "network.inputs"),
        ("[" * 100_000, "not valid JSON"),
        ("\ufeff[]", "expected a table"),  # the mark that some editors put before a text is no mistake
    ],
)
def test_json_that_is_no_case(tmp_path, capsys, content, said):
    (tmp_path / "case.json").write_text(content, encoding="utf-8")
    assert said in refused(capsys, "explain", str(tmp_path / "case.json"))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"[[[[", b"[" * 5000])
@pytest.mark.parametrize("suffix", ["toml", "json", "safetensors"])
def test_files_that_are_no_cases(tmp_path, capsys, content, suffix):
    path = tmp_path / f"case.{suffix}"
    path.write_bytes(content)
    assert str(path) in refused(capsys, "explain", str(path))


def test_files_that_are_not_there(tmp_path, capsys):
    assert "no such file" in refused(capsys, "explain", str(tmp_path / "absent.toml"))
    assert str(tmp_path) in refused(capsys, "explain", str(tmp_path))
    assert "absent.safetensors" in refused(capsys, "explain", str(tmp_path / "absent.safetensors"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--step", "x"), "--step"),
        (("--step", "7"), "step 7"),
        (("--detail", "all"), "detail"),
        (("--to", "papyrus"), "papyrus"),
        (("--with", "magic"), "magic"),
        (("--digits", "-2"), "digits"),
        (("--digits", "99"), "digits"),
        (("--notation", "middle"), "middle"),
        (("--language", "tlh"), "tlh"),
        (("--layer", "5"), "layer 5"),
        (("--neuron", "0"), "neuron"),
        (("--rows", "0:2"), "model"),
        (("--width", "3"), "width"),
        (("--orientation", "diagonal"), "orientation"),
        (("--first-index", "2"), "first"),
        (("--names", "abc"), "names"),
        (("--neuron", "3", "--detail", "scalar"), "neuron 3"),
        (("--sample", "2", "--detail", "scalar"), "sample 2"),
        (("--digits", "3", "--significant", "5"), "exclude"),
        (("--step", "9" * 5000), "--step"),
    ],
)
def test_a_wrong_choice_is_refused_in_one_line(capsys, arguments, said):
    assert said in refused(capsys, "explain", str(RELU_SIGMOID), *arguments)


@pytest.mark.parametrize(
    ("training", "arguments", "said"),
    [
        ("steps = 10000000", ("--to", "json"), "of json"),
        ("steps = 2000", ("--step", "1:1500"), "at most 1,000"),
        ("steps = 10000001", (), "10,000,000"),
    ],
)
def test_a_sheet_that_would_not_fit_into_memory_is_refused(tmp_path, capsys, training, arguments, said):
    (tmp_path / "case.toml").write_text(f"{GOOD}[training]\n{training}\n")
    assert said in refused(capsys, "explain", str(tmp_path / "case.toml"), *arguments)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("learning_rate = 0.1", "learning_rate = 1e300\n[training]\nsteps = 4"),
        ("y = [[1.0]]", "y = [[1e308]]"),
        ('"sigmoid"', '"gelu"'),
    ],
)
def test_numbers_beyond_float64_are_shown_without_warnings(tmp_path, capsys, old, new):
    path = tmp_path / "case.toml"
    path.write_text(GOOD.replace(old, new, 1).replace("x = [[1.0, 2.0]]", "x = [[1e300, -1e300]]"))
    for medium in ("terminal", "json"):
        assert status(["explain", str(path), "-o", str(tmp_path / "sheet"), "--to", medium, "--quiet"]) == 0
        assert capsys.readouterr().err == ""


def test_no_output_replaces_the_input(tmp_path, capsys):
    case, table = tmp_path / "case.json", tmp_path / "table.csv"
    case.write_text('{"network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1}]}}')
    table.write_text("x,y\n" + "\n".join(f"{i * 0.3},{i % 2}" for i in range(30)))
    model = tmp_path / "m.safetensors"
    assert status(["train", str(table), "--target", "y", "--epochs", "1", "-o", str(model), "--quiet"]) == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    (tmp_path / "link.csv").symlink_to(table)
    for call in (
        ("explain", case, "-o", case),
        ("explain", model, "--to", "md", "-o", model),
        ("train", table, "--target", "y", "-o", table),
        ("train", table, "--target", "y", "-o", model, "--plot-file", tmp_path / "link.csv"),
        ("predict", model, table, "-o", tmp_path / "link.csv"),
    ):
        assert "the input itself" in refused(capsys, *map(str, call))
    (tmp_path / "link.csv").unlink()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("task", ["multilabel", "binary", "multiclass", "regression"])
def test_every_task_of_one_target_predicts(tmp_path, capsys, task):
    table, model = tmp_path / "table.csv", tmp_path / "m.safetensors"
    table.write_text("x,y\n" + "\n".join(f"{i * 0.3},{i % 2}" for i in range(30)))
    asked = [
        "train",
        str(table),
        "--target",
        "y",
        "--epochs",
        "1",
        "-o",
        str(model),
        "--quiet",
        "--task",
        task,
    ]
    assert status(asked) == 0
    assert status(["predict", str(model), str(table)]) == 0
    assert capsys.readouterr().out.count("\n") == 31
    bad = [*asked[:-3], "--optimizer", "adam:amsgrad=3"]
    assert "true or false" in refused(capsys, *bad)


def test_a_title_commands_no_terminal(tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text(GOOD.replace("one neuron", "one \\u001b[31m\\u202eneuron\\u0007\\n", 1))
    assert status(["explain", str(path), "-o", str(tmp_path / "sheet.docx"), "--quiet"]) == 0
    assert status(["explain", str(path)]) == 0
    assert capsys.readouterr().out.startswith("one \\x1b[31m\\u202eneuron\\x07\n")


def test_output_is_written_whole_or_not_at_all(tmp_path, capsys):
    absent = tmp_path / "no" / "sheet.md"
    assert str(absent.parent) in refused(capsys, "explain", str(RELU_SIGMOID), "-o", str(absent))
    assert "xyz" in refused(capsys, "explain", str(RELU_SIGMOID), "-o", str(tmp_path / "sheet.xyz"))
    assert list(tmp_path.iterdir()) == []
    assert status(["explain", str(RELU_SIGMOID), "-o", str(tmp_path / "sheet.json")]) == 0
    assert json.loads((tmp_path / "sheet.json").read_bytes())["steps"][0]["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.json"]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("detail", ["brief", "matrix", "scalar"])
def test_lines_stay_within_the_width_and_have_no_control_codes(capsys, width, detail):
    assert status(["explain", str(RELU_SIGMOID), "--width", str(width), "--detail", detail]) == 0
    text = capsys.readouterr().out
    assert "\x1b" not in text
    if width >= 60:
        assert max(map(len, text.splitlines())) <= width
    assert "0.6194" in text
    assert "0.4493" in text  # the loss after the step


def test_published_digits_of_the_relu_sigmoid_example(capsys):
    assert status(["explain", str(RELU_SIGMOID)]) == 0
    text = capsys.readouterr().out
    for number in ("0.21", "0.47", "0.487", "−1.6145", "0.2357", "−0.3806", "−0.1789", "−0.2284", "0.618"):
        assert number in text
    assert "below the target" in text


def test_gradcheck_passes_and_fails(capsys):
    assert status(["gradcheck", str(RELU_SIGMOID)]) == 0
    assert "dW2" in capsys.readouterr().out
    assert status(["gradcheck", str(RELU_SIGMOID), "--tolerance", "1e-18", "--json"]) == 1
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert [check["quantity"] for check in checks] == ["dW1", "db1", "dW2", "db2"]
    assert status(["gradcheck", str(RELU_SIGMOID), "--tolerance", "1e-18", "--quiet"]) == 1
    assert capsys.readouterr().out == ""
    assert "tolerance" in refused(capsys, "gradcheck", str(RELU_SIGMOID), "--tolerance", "0")


_WORDS = st.sampled_from(("relu", "adam", "full", "x"))
_LEAVES = st.none() | st.booleans() | st.integers(-3, 9) | st.floats(-9, 9) | _WORDS
_TREES = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
_PLACES = st.sampled_from(
    [
        ("network", "inputs"), ("network", "loss"), ("network", "layers"), ("data", "x"), ("data", "y"),
        ("optimizer", "name"), ("optimizer", "learning_rate"), ("training", "steps"), ("training", "batch_size"),
        ("rounding", "digits"), ("given", "z1"), ("given", "dW1"), ("regularization", "l2"), ("notation", "layer"),
        ("claims", "value"),
    ]
)  # fmt: skip


@given(place=_PLACES, value=_TREES)
def test_made_up_cases_end_in_zero_or_two(tmp_path_factory, place, value):
    case = {
        "network": {"inputs": 1, "loss": "squared_error", "layers": [{"units": 1, "W": [[0.5]], "b": [0.1]}]},
        "data": {"x": [[1.0]], "y": [[0.0]]},
        "optimizer": {"name": "sgd"},
    }
    table, key = place
    case.setdefault(table, {})[key] = value
    folder = tmp_path_factory.mktemp("made-up")
    (folder / "case.json").write_text(json.dumps(case))
    assert status(["explain", str(folder / "case.json"), "-o", str(folder / "sheet.txt"), "--quiet"]) in (
        0,
        2,
    )
    assert {path.name for path in folder.iterdir()} <= {"case.json", "sheet.txt"}
