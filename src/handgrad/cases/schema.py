"""The case file as it is written: one schema for TOML and JSON.

Every key is checked on reading; an error names the key, what it holds and what is expected.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from handgrad.errors import CaseError
from handgrad.files import read_whole

Numbers = Any
"""A number, a list or a list of lists of numbers; the shape is checked where it is known."""


class _Keys(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """Unknown keys are errors: a misspelt key must not be passed over."""


class ActivationKeys(_Keys, frozen=True):
    """`{ name = "leaky_relu", alpha = 0.01 }`."""

    name: str
    alpha: float | None = None


class InitializerKeys(_Keys, frozen=True):
    """`{ name = "he", distribution = "uniform", scale = 1.0, seed = 7 }`."""

    name: str
    distribution: str | None = None
    scale: float | None = None
    seed: int | None = None


class DropoutKeys(_Keys, frozen=True):
    """`{ keep = 0.8, mask = [[1, 0]] }`."""

    keep: float = 1.0
    mask: list[list[int]] | None = None


class LayerKeys(_Keys, frozen=True):
    """One of `[[network.layers]]`."""

    units: int
    activation: str | ActivationKeys = "identity"
    W: Numbers = None
    b: Numbers = None
    initializer: str | InitializerKeys | None = None
    bias: Literal["trained", "frozen", "shared", "none"] = "trained"
    dropout: float | DropoutKeys | None = None


class LossKeys(_Keys, frozen=True):
    """`{ name = "squared_error", scale = 0.5, outputs = "sum", samples = "mean" }`."""

    name: str
    scale: float = 1.0
    outputs: Literal["sum", "mean"] = "sum"
    samples: Literal["sum", "mean"] = "mean"
    threshold: float | None = None


class NetworkKeys(_Keys, frozen=True):
    """`[network]`."""

    inputs: int
    layers: list[LayerKeys]
    loss: str | LossKeys | None = None
    seed: int | None = None


class DataKeys(_Keys, frozen=True):
    """`[data]`."""

    x: Numbers = None
    y: Numbers = None


class ScheduleKeys(_Keys, frozen=True):
    """`[optimizer.schedule]`."""

    name: str = "constant"
    factor: float = 0.5
    every: int = 1
    decay: float = 1.0
    over: int = 100
    floor: float = 0.0
    warmup: int = 0
    per: Literal["epoch", "step"] = "epoch"


class OptimizerKeys(_Keys, frozen=True):
    """`[optimizer]`; which keys belong to which optimizer is checked when it is built."""

    name: str
    learning_rate: float | None = None
    momentum: float | None = None
    form: str | None = None
    decay: float | None = None
    epsilon: float | None = None
    beta1: float | None = None
    beta2: float | None = None
    epsilon_inside: bool | None = None
    amsgrad: bool | None = None
    weight_decay: float | None = None
    schedule: str | ScheduleKeys | None = None
    clip_value: float | None = None
    clip_norm: float | None = None


class L2Keys(_Keys, frozen=True):
    """`{ strength = 0.1, form = "half" }`."""

    strength: float
    form: Literal["half", "half_mean", "full"] = "half"


class L1Keys(_Keys, frozen=True):
    """`{ strength = 0.1 }`."""

    strength: float


class RegularizationKeys(_Keys, frozen=True):
    """`[regularization]`."""

    l2: float | L2Keys = 0.0
    l1: float | L1Keys = 0.0


class TrainingKeys(_Keys, frozen=True):
    """`[training]`."""

    steps: int | None = None
    epochs: int | None = None
    batch_size: int | Literal["full"] = "full"
    shuffle: bool = False
    seed: int | None = None


class RoundingKeys(_Keys, frozen=True):
    """`[rounding]`."""

    digits: int | None = None
    carry: bool = False
    quantities: dict[str, int] = {}


class NotationKeys(_Keys, frozen=True):
    """`[notation]`."""

    layer: Literal["bracket", "superscript", "subscript"] | None = None
    orientation: Literal["column", "row"] | None = None
    names: Literal["az", "hy", "xyz"] | None = None
    first: Literal[0, 1] | None = None


class Significant(_Keys, frozen=True):
    """`{ significant = 9 }`."""

    significant: int


class ClaimKeys(_Keys, frozen=True):
    """One of `[[claims]]`: what somebody says a quantity is."""

    quantity: str
    value: Numbers
    digits: int | Significant | list[Any] | None = None
    step: int = 1
    index: list[int] | None = None
    note: str = ""


class CaseKeys(_Keys, frozen=True):
    """A whole case file."""

    network: NetworkKeys
    title: str = ""
    source: str = ""
    data: DataKeys = DataKeys()
    given: dict[str, Numbers] = {}
    optimizer: OptimizerKeys | None = None
    regularization: RegularizationKeys = RegularizationKeys()
    training: TrainingKeys = TrainingKeys()
    rounding: RoundingKeys = RoundingKeys()
    notation: NotationKeys = NotationKeys()
    claims: list[ClaimKeys] = []


def read_case_file(path: Path) -> CaseKeys:
    """The keys of a TOML or JSON case file, each of its kind.

    Raises CaseError naming the file, the key, what it holds and what is expected.
    """
    try:
        raw = read_whole(path)
    except FileNotFoundError as error:
        raise CaseError(f"{path}: no such file; check the path") from error
    except OSError as error:
        raise CaseError(f"{path}: cannot be read ({error.strerror}); name a case file") from error
    if path.suffix.lower() == ".json":
        return parse_case(_json(raw, path), str(path))
    return parse_case(_toml(raw, path), str(path))


def parse_case(document: Any, place: str = "case") -> CaseKeys:
    """The keys of a case that is already a dictionary; `place` stands at the head of error messages."""
    try:
        return msgspec.convert(document, CaseKeys)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `")
        key = where.rstrip("`").removeprefix("$").removeprefix(".") or "the file"
        raise CaseError(
            f"{place}: {key}: {_plain(message)}{_held(document, key)}{_choices(message, key)}"
        ) from error


def _json(raw: bytes, path: Path) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: not text in UTF-8 (byte {error.start}); save it as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise CaseError(f"{path}: not valid JSON: {error}") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a dictionary; a key that stands twice is an error, as it is in TOML."""
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one table; keep one")
    return made


def _toml(raw: bytes, path: Path) -> Any:
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: not text in UTF-8 (byte {error.start}); save it as UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CaseError(f"{path}: not valid TOML: {error}") from error


def _plain(message: str) -> str:
    """msgspec's message in the words of a case file."""
    message = message.replace("Object contains unknown field", "unknown key")
    message = message.replace("Object missing required field", "missing key")
    message = message.replace("Invalid enum value", "unknown value").replace(" | null`", "`")
    for python, plain in (
        ("`int | float`", "a number"),
        ("`int | str`", "a whole number or text"),
        ("`str | object`", "text or a table"),
        ("`float | object`", "a number or a table"),
        ("`float`", "a number"),
        ("`int`", "a whole number"),
        ("`str`", "text"),
        ("`bool`", "true or false"),
        ("`array`", "a list"),
        ("`object`", "a table"),
        ("`null`", "nothing"),
    ):
        message = message.replace(python, plain)
    return message[0].lower() + message[1:]


def _choices(message: str, key: str) -> str:
    """'; choose from ...' for an unknown key of a table or an unknown word; '' for other errors."""
    kind: Any = CaseKeys
    for part in key.replace("[", ".[").split("."):
        if key != "the file":
            kind = next(filter(None, (_member(option, part) for option in _options(kind))), None)
    if message.startswith("Object contains unknown field"):
        tables = [option for option in _options(kind) if _is_table(option)]
        known = [name for table in tables for name in table.__struct_fields__]
    elif message.startswith("Invalid enum value"):
        known = [str(v) for o in _options(kind) if get_origin(o) is Literal for v in get_args(o)]
    else:
        known = []
    return f"; choose from {', '.join(known)}" if known else ""


def _options(kind: Any) -> tuple[Any, ...]:
    """The members of a union; a kind that is none stands alone."""
    return get_args(kind) if get_origin(kind) not in (None, list, dict, Literal) else (kind,)


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, _Keys)


def _member(kind: Any, part: str) -> Any:
    """The kind of a key or of an entry of a list; None where there is no such thing."""
    if part.startswith("["):
        return get_args(kind)[0] if get_origin(kind) is list else None
    return get_type_hints(kind).get(part) if _is_table(kind) else None


def _held(document: Any, key: str) -> str:
    """' (it holds ...)' for a path such as network.layers[0].units; '' where there is nothing to show."""
    held = document
    for part in key.replace("[", ".[").split("."):
        try:
            held = held[int(part[1:-1])] if part.startswith("[") else held[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return ""
    return f" (it holds {str(held)[:60]!r})" if isinstance(held, str | int | float) else ""
