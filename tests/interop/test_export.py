"""What is written for other programs: read, run and compiled by those programs."""

from __future__ import annotations

import io
import pickle
import re
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import handgrad as hg
from handgrad.cli.main import status
from handgrad.data.tables import read_table
from handgrad.errors import ModelError, SpecificationError
from handgrad.interop import c_header, numpy_program, onnx
from handgrad.interop import scikit_learn as to_scikit_learn
from handgrad.interop import torch as to_torch
from handgrad.interop.export import FORMATS, Wish, exported
from handgrad.nn.optimizers import Adadelta, Adagrad, Lion, NAdam, Nesterov, RMSprop

ROOT = Path(__file__).parents[2]
GENERATOR = np.random.default_rng(11)
X = GENERATOR.normal(size=(40, 4))
CLASSES = GENERATOR.integers(0, 3, 40)


def model_of(
    *hidden: Any, output: str = "softmax", units: int = 3, loss: Any = "cross_entropy", **options: Any
) -> Any:
    layers = [hg.Dense(5, activation) for activation in hidden]
    network = hg.Network(4, [*layers, hg.Dense(units, output)], loss)
    entropy = network.loss is not None and network.loss.name == "cross_entropy"
    Y = CLASSES if entropy else np.abs(np.sin(X[:, :units]))
    Y = Y if entropy or network.loss.name != "binary_cross_entropy" else Y.round()
    Y = np.sign(X[:, :units]) if network.loss.name == "hinge" else Y
    return hg.Model(hg.fit(network, X, Y, epochs=3, batch_size=16, seed=2, **options)), Y


def same(actual: Any, expected: Any, tolerance: float = 1e-6) -> None:
    expected = np.asarray(expected)
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


# -- ONNX


@pytest.mark.parametrize(
    "hidden",
    [
        ("relu", "tanh"),
        ("sigmoid", hg.Activation("leaky_relu", 0.3)),
        (hg.Activation("elu", 0.5), "softplus"),
        ("mish", "tanh"),
        ("gelu", "silu"),
        ("identity", "softmax"),
    ],
    ids=str,
)
def test_onnx_there_and_back(hidden: tuple[Any, ...], tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    model, _ = model_of(*hidden)
    written = onnx.write(model)
    session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {"x": X.astype(np.float32)})
    same(theirs, model.predict(X), 2e-6)  # float32 throughout
    (tmp_path / "net.onnx").write_bytes(written)
    same(hg.load(tmp_path / "net.onnx").predict(X), model.predict(X))
    sheet = hg.explain(tmp_path / "net.onnx", data=(X[:2], CLASSES[:2]))
    same(sheet.quantities()["yhat"], model.predict(X[:2]))


def graph_of(*nodes: Any, inputs: int = 2, outputs: int = 2) -> Any:
    library = onnx.library()
    helper = library.helper
    constants = [
        library.numpy_helper.from_array(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), "W"),
        library.numpy_helper.from_array(np.array([0.5, -0.5], np.float32), "b"),
    ]
    made = [
        helper.make_node(kind, taken, [given], name=given, **options) for kind, taken, given, options in nodes
    ]
    kind = library.TensorProto.FLOAT
    return helper.make_model(
        helper.make_graph(
            made,
            "g",
            [helper.make_tensor_value_info("x", kind, [None, inputs])],
            [helper.make_tensor_value_info("y", kind, [None, outputs])],
            constants,
        )
    )


def test_other_ways_to_write_a_dense_layer_in_onnx() -> None:
    x = np.array([[1.0, -1.0], [2.0, 0.5]])
    W, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -0.5])
    added = graph_of(("MatMul", ["x", "W"], "m", {}), ("Add", ["b", "m"], "s", {}), ("Relu", ["s"], "y", {}))
    same(hg.load(added).predict(x), np.maximum(x @ W + b, 0))
    bare = graph_of(("MatMul", ["x", "W"], "m", {}), ("Tanh", ["m"], "y", {}))
    same(hg.load(bare).predict(x), np.tanh(x @ W))
    scaled = graph_of(("Gemm", ["x", "W", "b"], "y", {"alpha": 0.5, "beta": 2.0}))
    same(hg.load(scaled).predict(x), 0.5 * x @ W + 2 * b)


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([("Gemm", ["x", "W", "b"], "h", {}), ("Sin", ["h"], "y", {})], r"node y \(Sin\): Sin is not known"),
        (
            [("Gemm", ["x", "W", "b"], "h", {}), ("Add", ["h", "x"], "y", {})],
            r"node y \(Add\): it takes h, x",
        ),
        ([("Add", ["x", "b"], "y", {})], "an Add belongs after a MatMul"),
        ([("Gemm", ["x", "W", "b"], "y", {"transA": 1})], "transA"),
        ([("Gemm", ["x", "W", "b"], "h", {}), ("Softmax", ["h"], "y", {"axis": 0})], "over axis 0"),
        ([("Gemm", ["x", "W", "b"], "h", {}), ("Mul", ["h", "h"], "y", {})], "takes h, h"),
    ],
    ids=str,
)
def test_a_node_that_is_not_known_is_named(nodes: list[Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        hg.load(graph_of(*nodes))


def test_files_that_are_no_onnx(tmp_path: Path) -> None:
    (tmp_path / "torn.onnx").write_bytes(b"\x08\x09\x12\xff torn")
    with pytest.raises(ModelError, match="not a whole ONNX file"):
        hg.load(tmp_path / "torn.onnx")
    with pytest.raises(ModelError, match="cannot be read"):
        hg.load(tmp_path / "none.onnx")


# -- objects of other libraries


@pytest.mark.parametrize(
    "hidden", [("relu", "gelu"), ("silu", hg.Activation("elu", 0.5)), ("softplus", "leaky_relu")]
)
def test_torch_there_and_back(hidden: tuple[Any, ...]) -> None:
    model, _ = model_of(*hidden)
    made = to_torch.sequential(model)
    same(made(torch.tensor(X)).detach(), model.predict(X), 1e-9)
    same(hg.load(made).predict(X), model.predict(X), 1e-9)
    state = torch.load(io.BytesIO(to_torch.write(model)))
    fresh = to_torch.sequential(model)
    fresh.load_state_dict(state)
    same(fresh[0].weight.detach(), model.parameters[0].W, 1e-12)
    with pytest.raises(ModelError, match="no module for the activation 'step'"):
        to_torch.sequential(model_of("step")[0])


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
def test_keras_there_and_back(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    from handgrad.interop import keras as to_keras

    model, _ = model_of("leaky_relu", "elu", "silu")
    made = to_keras.sequential(model)
    same(made.predict(X.astype("f4"), verbose=0), model.predict(X), 2e-6)
    same(hg.load(made).predict(X), model.predict(X))
    (tmp_path / "m.keras").write_bytes(to_keras.write(model))
    same(hg.load(keras.models.load_model(tmp_path / "m.keras")).predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("output", "units", "loss"),
    [
        ("softmax", 3, "cross_entropy"),
        ("sigmoid", 1, "binary_cross_entropy"),
        ("sigmoid", 2, "binary_cross_entropy"),
        ("identity", 1, "squared_error"),
        ("identity", 2, "squared_error"),
    ],
)
def test_scikit_learn_there_and_back(output: str, units: int, loss: str) -> None:
    model, _ = model_of("tanh", "tanh", output=output, units=units, loss=loss)
    made = pickle.loads(to_scikit_learn.write(model))
    expected = model.predict(X)
    if output == "identity":
        same(made.predict(X), expected[:, 0] if units == 1 else expected, 1e-12)
    elif units == 1:
        same(made.predict_proba(X)[:, 1], expected[:, 0], 1e-12)
        np.testing.assert_array_equal(made.predict(X), expected[:, 0] > 0.5)
    else:
        same(made.predict_proba(X), expected, 1e-12)
        made.predict(X)
    same(hg.load(made).predict(X), expected, 1e-12)
    with pytest.raises(ModelError, match="one hidden activation"):
        to_scikit_learn.estimator(model_of("tanh", "relu")[0])


def test_the_classes_of_a_table_go_to_scikit_learn() -> None:
    table = {"x": X[:, 0], "y": X[:, 1], "kind": np.array(["red", "green", "blue"])[CLASSES]}
    model = hg.fit_table(table, "kind", hidden=(4,), epochs=2, validation=0)
    made = to_scikit_learn.estimator(model)
    encoded, _ = model.schema.encode(read_table(table))
    assert made.classes_.tolist() == ["blue", "green", "red"]
    np.testing.assert_array_equal(made.predict(encoded), model.predict(table))


# -- C

NETWORKS: list[tuple[tuple[Any, ...], str, int, Any]] = [
    (("relu", "tanh"), "softmax", 3, "cross_entropy"),
    (("sigmoid", hg.Activation("leaky_relu", 0.3)), "sigmoid", 2, "binary_cross_entropy"),
    ((hg.Activation("elu", 0.5), "softplus"), "identity", 2, hg.Loss("squared_error", 0.5, "mean", "sum")),
    (("gelu", "silu"), "tanh", 1, hg.Loss("huber", threshold=0.3)),
    (("softmax", "step"), "softmax", 3, "squared_error"),
    ((), "sigmoid", 3, "cross_entropy"),
    (("relu6", "mish"), "exponential", 2, "poisson"),
    (("selu", "hard_sigmoid"), "identity", 2, hg.Loss("absolute_error", 2.0)),
    (("exponential",), "tanh", 1, "hinge"),
]
COMPILERS = [compiler for compiler in ("gcc", "clang") if shutil.which(compiler)]


@pytest.mark.skipif(not COMPILERS, reason="no C compiler")
@pytest.mark.parametrize("case", NETWORKS, ids=str)
@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_golden_program_compiles_and_passes(case: Any, compiler: str, tmp_path: Path) -> None:
    hidden, output, units, loss = case
    model, Y = model_of(*hidden, output=output, units=units, loss=loss)
    Y = np.eye(3)[Y] if Y.ndim == 1 else Y
    made = c_header.files(model.network, model.parameters, X[:3], Y[:3], "net-1", "a test */ of comments")
    (tmp_path / "net-1.h").write_bytes(made.header)
    (tmp_path / "net-1_test.c").write_bytes(made.program)
    assert golden(compiler, tmp_path) == 0
    # a wrong golden value is found
    wrong = made.header.replace(b"z1[3][5] = {\n    {", b"z1[3][5] = {\n    {1e-3 + ", 1)
    wrong = wrong.replace(b"z1[3][%d] = {\n    {" % units, b"z1[3][%d] = {\n    {1e-3 + " % units, 1)
    assert wrong != made.header
    (tmp_path / "net-1.h").write_bytes(wrong)
    assert golden(compiler, tmp_path) == 1


def golden(compiler: str, folder: Path) -> int:
    flags = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"]
    command = [compiler, *flags, "net-1_test.c", "-o", "net-1_test", "-lm"]
    subprocess.run(command, cwd=folder, check=True, timeout=60)
    ended = subprocess.run([folder / "net-1_test"], capture_output=True, text=True, check=False, timeout=60)
    assert ended.stdout.endswith(("0 wrong\n", "1 wrong\n")), ended.stdout
    return ended.returncode


def test_a_golden_header_holds_the_numbers_of_the_sheet(tmp_path: Path) -> None:
    case = hg.Case.load(ROOT / "examples" / "relu-sigmoid-2-2-1.toml")
    header = exported(Wish(case, tmp_path / "g.h")).files[tmp_path / "g.h"].decode()
    quantities = hg.explain(case).quantities()
    assert f"g_delta2[1][1] = {{\n    {{{float(quantities['delta2'][0, 0])!r}}}" in header
    with pytest.raises(SpecificationError, match="C header"):
        exported(Wish(case, tmp_path / "g.onnx"))


@pytest.mark.parametrize("case", NETWORKS, ids=str)
def test_golden_targets_that_nobody_gave_are_targets_of_the_loss(case: Any, tmp_path: Path) -> None:
    hidden, output, units, loss = case
    model, _ = model_of(*hidden, output=output, units=units, loss=loss)
    header = exported(Wish(model, tmp_path / "g.h")).files[tmp_path / "g.h"].decode()
    listed = re.search(r"g_y\[\d+\]\[\d+\] = \{(.*?)\n\};", header, re.DOTALL)
    assert listed is not None
    y = np.array([float(number) for number in re.findall(r"-?\d[\d.e-]*", listed[1])])
    assert np.all(model.network.loss.targets.allowed(y))


# -- the program that trains again

TRAININGS: list[dict[str, Any]] = [
    {"optimizer": hg.SGD(0.1)},
    {"optimizer": hg.Momentum(0.1, 0.8), "regularization": hg.Regularization(l2=0.01, l1=0.001)},
    {"optimizer": hg.Momentum(0.1, form="average"), "clipping": hg.Clipping(norm=0.1)},
    {"optimizer": hg.Momentum(0.1, form="heavy_ball"), "clipping": hg.Clipping(value=0.01)},
    {"optimizer": Nesterov(0.1), "regularization": hg.Regularization(l2=0.1, form="half_mean")},
    {"optimizer": RMSprop(0.01), "schedule": hg.Schedule("cosine", over=2)},
    {"optimizer": hg.Adam(0.01, amsgrad=True), "shuffle": False},
    {
        "optimizer": hg.Adam(0.01, epsilon_inside=True),
        "validation": 0.2,
        "early_stopping": hg.EarlyStopping(1),
    },
    {"optimizer": hg.AdamW(0.01, weight_decay=0.2), "dtype": "float32"},
    {"optimizer": Adagrad(0.1)},
    {"optimizer": Adadelta()},
    {"optimizer": NAdam(0.01)},
    {"optimizer": Lion(0.01, weight_decay=0.1)},
]


@pytest.mark.parametrize("options", TRAININGS, ids=str)
def test_the_program_trains_the_same_parameters(options: dict[str, Any], tmp_path: Path) -> None:
    model, Y = model_of("tanh", hg.Activation("leaky_relu", 0.2), **options)
    made = numpy_program.files(model, model.training_data((X, Y)), "again")
    (tmp_path / "again.npz").write_bytes(made.data)
    (tmp_path / "again.py").write_bytes(made.program)
    found = runpy.run_path(str(tmp_path / "again.py"))["train"]()
    tolerance = 1e-6 if options.get("dtype") == "float32" else 1e-10
    for (W, b), layer in zip(found, model.parameters, strict=True):
        same(W, layer.W, tolerance)
        same(b, layer.b, tolerance)


@pytest.mark.parametrize("case", [case for case in NETWORKS if "gelu" not in case[0]], ids=str)
def test_the_program_has_every_loss_and_activation(case: Any, tmp_path: Path) -> None:
    hidden, output, units, loss = case
    model, Y = model_of(*hidden, output=output, units=units, loss=loss)
    made = numpy_program.files(model, model.training_data((X, Y)), "again")
    (tmp_path / "again.npz").write_bytes(made.data)
    (tmp_path / "again.py").write_bytes(made.program)
    for (W, _), layer in zip(
        runpy.run_path(str(tmp_path / "again.py"))["train"](), model.parameters, strict=True
    ):
        same(W, layer.W, 1e-9)


def test_what_the_program_cannot_say() -> None:
    model, Y = model_of("gelu")
    with pytest.raises(ModelError, match="gelu"):
        numpy_program.files(model, model.training_data((X, Y)), "again")
    foreign = hg.load(to_torch.sequential(model))
    with pytest.raises(ModelError, match="made elsewhere"):
        numpy_program.files(foreign, model.training_data((X, Y)), "again")


# -- the command


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "p.safetensors"
    model = hg.fit_table(ROOT / "examples" / "penguins.csv", "species", hidden=(6,), epochs=3)
    return model.save(path)


@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix != ".keras"])
def test_the_command_writes_each_format(
    suffix: str, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"net{suffix}"
    assert status(["export", str(trained), "-o", str(path)]) == 0
    assert path.stat().st_size > 100
    shown = capsys.readouterr()
    assert f"wrote {path}" in shown.out.replace("\n", "")
    assert "note:" in shown.err
    if suffix in (".onnx", ".h", ".py"):
        assert status(["export", str(trained), "-o", str(path), "--quiet"]) == 0, (
            "its own file may be replaced"
        )
    else:
        assert status(["export", str(trained), "-o", str(path)]) == 2
        assert status(["export", str(trained), "-o", str(path), "--force"]) == 0


def test_rows_of_the_table_become_golden_values(trained: Path, tmp_path: Path) -> None:
    assert status(["export", str(trained), "-o", str(tmp_path / "g.h"), "--rows", "3:6"]) == 0
    assert "#define G_SAMPLES 3" in (tmp_path / "g.h").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["net.safetensors", "-o", "net.onnx"], "net.safetensors cannot be read"),
        (["{trained}", "-o", "net.xyz"], "a model is exported as"),
        (["{trained}", "-o", "{trained}"], "a model is exported as"),
        (["{trained}", "-o", "net.h", "--rows", "100000"], "the data has the rows 0 to"),
        (["missing.onnx", "-o", "net.h"], "missing.onnx cannot be read"),
    ],
)
def test_a_wrong_call_is_one_line(
    arguments: list[str],
    message: str,
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status(["export", *(argument.format(trained=trained) for argument in arguments)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert message in told
