"""ONNX: a chain of Gemm, MatMul with Add, and activations, read from a file and written to one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from handgrad.errors import MissingExtraError, ModelError
from handgrad.interop.foreign import Foreign, Layers, unknown
from handgrad.models.model import Model
from handgrad.nn.activations import Activation
from handgrad.nn.arrays import Array
from handgrad.nn.forward import predict
from handgrad.version import __version__

KNOWN = "Gemm, MatMul, Add, Flatten, Identity, Dropout, Cast and activations"

# ONNX's operator: our name, ONNX's attribute that is our alpha and its default
ACTIVATION_ROWS: dict[str, tuple[str, float | None]] = {
    "Relu": ("relu", None),
    "Sigmoid": ("sigmoid", None),
    "Tanh": ("tanh", None),
    "LeakyRelu": ("leaky_relu", 0.01),
    "Elu": ("elu", 1.0),
    "Softplus": ("softplus", None),
    "Softmax": ("softmax", None),
    "Mish": ("mish", None),
    "Exp": ("exponential", None),
    "Gelu": ("gelu", None),
}


def library() -> Any:
    """The package onnx. Raises MissingExtraError where it is not installed."""
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("ONNX", "onnx") from None
    return onnx


def load(path: str | os.PathLike[str]) -> Foreign:
    """The network of an .onnx file. Raises ModelError for a file that cannot be read."""
    onnx = library()
    try:
        model = onnx.load(os.fspath(path))
        onnx.checker.check_model(model)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # protobuf's and the checker's own
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"{path} is not a whole ONNX file ({reason})") from error
    return read(model, str(path))


def read(model: Any, source: str = "ONNX") -> Foreign:
    """The network of an onnx.ModelProto.

    Raises ModelError, which names the node, for a graph that is no chain of dense layers.
    """
    graph = model.graph
    constants = {tensor.name: library().numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = library().numpy_helper.to_array(node.attribute[0].t)
    inputs = [entry.name for entry in graph.input if entry.name not in constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        raise ModelError(
            f"{source}: a network has one input and one output, got {len(inputs)} and {len(graph.output)}"
        )
    chain = _Chain(source, constants, inputs[0])
    for node in graph.node:
        if node.op_type != "Constant":
            chain.add(node)
    chain.close()
    if chain.at != graph.output[0].name:
        raise ModelError(f"{source}: its output {graph.output[0].name!r} is not the end of the chain")
    return chain.layers.done()


class _Chain:
    """The nodes one after another: each takes what the one before it made, and constants."""

    def __init__(self, source: str, constants: dict[str, Array], begin: str) -> None:
        self.source, self.constants, self.at = source, constants, begin
        self.layers = Layers("ONNX")
        self.before = ""
        """Where the chain stood before its last node."""
        self.waiting: tuple[str, Array] | None = None
        """W of a MatMul whose Add has not come yet."""

    def add(self, node: Any) -> None:
        """The next node. Raises ModelError where it does not continue the chain."""
        place = f"{self.source}, node {node.name or node.output[0]} ({node.op_type})"
        variable = [name for name in node.input if name and name not in self.constants]
        if node.op_type == "Mul" and sorted(variable) == sorted((self.before, self.at)):
            self.layers.weighs_itself(place)
            self.at = node.output[0]
            return
        if variable != [self.at]:
            raise ModelError(
                f"{place}: it takes {', '.join(variable) or 'constants only'}, the chain is at {self.at!r}"
            )
        if node.op_type != "Add":
            self.close()
        options = {
            attribute.name: library().helper.get_attribute_value(attribute) for attribute in node.attribute
        }
        row = NODE_ROWS.get(node.op_type)
        if row is None:
            raise unknown(place, node.op_type, f"{KNOWN} ({', '.join(ACTIVATION_ROWS)})")
        row(self, place, node, options)
        self.before, self.at = self.at, node.output[0]

    def close(self) -> None:
        """A MatMul that no Add followed is a layer without bias."""
        if self.waiting is not None:
            place, W = self.waiting
            self.layers.dense(place, W, None)
            self.waiting = None

    def constant(self, place: str, node: Any, k: int) -> Array:
        """The constant at input k of the node."""
        if k >= len(node.input) or node.input[k] not in self.constants:
            raise ModelError(f"{place}: its input {k} is not a constant of the graph")
        return np.asarray(self.constants[node.input[k]], np.float64)


def _gemm(chain: _Chain, place: str, node: Any, options: dict[str, Any]) -> None:
    if options.get("transA"):
        raise ModelError(f"{place}: transA has no counterpart here")
    B = chain.constant(place, node, 1)
    W = float(options.get("alpha", 1.0)) * (B if options.get("transB") else B.T)
    b = None
    if len(node.input) > 2 and node.input[2]:
        b = float(options.get("beta", 1.0)) * chain.constant(place, node, 2)
        b = np.broadcast_to(b.reshape(-1), (W.shape[0],))
    chain.layers.dense(place, W, b)


def _matmul(chain: _Chain, place: str, node: Any, options: dict[str, Any]) -> None:
    chain.waiting = (place, chain.constant(place, node, 1).T)


def _add(chain: _Chain, place: str, node: Any, options: dict[str, Any]) -> None:
    if chain.waiting is None:
        raise ModelError(f"{place}: an Add belongs after a MatMul")
    _, W = chain.waiting
    b = chain.constant(place, node, 1 if node.input[0] == chain.at else 0)
    chain.layers.dense(place, W, np.broadcast_to(b.reshape(-1), (W.shape[0],)))
    chain.waiting = None


def _activation(chain: _Chain, place: str, node: Any, options: dict[str, Any]) -> None:
    name, alpha = ACTIVATION_ROWS[node.op_type]
    if name == "softmax" and options.get("axis", -1) not in (1, -1):
        raise ModelError(f"{place}: softmax over axis {options['axis']}; it must be over the outputs")
    if name == "gelu" and options.get("approximate", b"none") != b"none":
        raise ModelError(f"{place}: GELU by tanh is not known here; known is the exact one")
    chain.layers.activation(place, name, None if alpha is None else float(options.get("alpha", alpha)))


def _nothing(chain: _Chain, place: str, node: Any, options: dict[str, Any]) -> None:
    """Passes its input on; an inference graph drops nothing."""


NODE_ROWS: dict[str, Callable[[_Chain, str, Any, dict[str, Any]], None]] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Add": _add,
    **dict.fromkeys(("Flatten", "Identity", "Dropout", "Cast"), _nothing),
    **dict.fromkeys(ACTIVATION_ROWS, _activation),
}


def is_onnx(path: str | os.PathLike[str]) -> bool:
    """True for a file name that ends in .onnx."""
    return Path(path).suffix.lower() == ".onnx"


# -- writing


def write(model: Model) -> bytes:
    """The bytes of an .onnx file that computes what the model predicts from encoded inputs, in float32.

    Input `x` (samples, inputs), output `yhat` (samples, outputs); nothing is dropped. Raises ModelError for an
    activation that ONNX has no operator for, MissingExtraError without the package onnx.
    """
    onnx = library()
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes, constants, at = [], [], "x"
    for (l, layer), (W, b) in zip(model.network.numbered(), model.parameters, strict=True):
        last = l == model.network.depth
        for name, array in ((f"W{l}", W), (f"b{l}", b)):
            constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(array, np.float32), name))
        plain = layer.function.name == "identity"
        z = "yhat" if last and plain else f"z{l}"
        nodes.append(helper.make_node("Gemm", [at, f"W{l}", f"b{l}"], [z], name=f"layer{l}", transB=1))
        at = z
        if not plain:
            a = "yhat" if last else f"a{l}"
            nodes += _function_nodes(helper, layer.function, z, a, l)
            at = a
    graph = helper.make_graph(
        nodes,
        "handgrad",
        [helper.make_tensor_value_info("x", kind, ["samples", model.network.inputs])],
        [helper.make_tensor_value_info("yhat", kind, ["samples", model.network.outputs])],
        constants,
    )
    proto = helper.make_model(
        graph,
        producer_name="handgrad",
        producer_version=__version__,
        opset_imports=[helper.make_opsetid("", 20 if _has(model, "gelu") else 18)],
        ir_version=9,
    )
    if model.schema is not None:
        helper.set_model_props(proto, {"features": json.dumps(model.schema.features)})
    onnx.checker.check_model(proto)
    written: bytes = proto.SerializeToString()
    return written


def _has(model: Model, name: str) -> bool:
    return any(layer.function.name == name for layer in model.network.layers)


def _function_nodes(helper: Any, function: Activation, z: str, a: str, l: int) -> list[Any]:
    """The nodes of a = f(z)."""
    if function.name == "silu":
        return [
            helper.make_node("Sigmoid", [z], [f"s{l}"], name=f"sigmoid{l}"),
            helper.make_node("Mul", [z, f"s{l}"], [a], name=f"silu{l}"),
        ]
    operators = {name: operator for operator, (name, _) in ACTIVATION_ROWS.items()}
    if function.name not in operators:
        raise ModelError(f"layer {l}: ONNX has no operator for the activation {function.name!r}")
    options: dict[str, Any] = {} if function.alpha is None else {"alpha": float(function.alpha)}
    if function.name == "softmax":
        options = {"axis": 1}
    return [helper.make_node(operators[function.name], [z], [a], name=f"{function.name}{l}", **options)]


def difference(written: bytes, model: Model) -> float | None:
    """The largest difference between the outputs of onnxruntime and ours, on 64 normal samples; None without it."""
    try:
        import onnxruntime
    except ImportError:
        return None
    X = np.random.default_rng(0).normal(size=(64, model.network.inputs)).astype(np.float32)
    session = onnxruntime.InferenceSession(written, providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {"x": X})
    ours = predict(model.network, model.parameters, X.astype(np.float64))
    return float(np.abs(theirs - ours).max())
