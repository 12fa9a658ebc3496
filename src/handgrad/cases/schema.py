"""The case file as it is written: one schema for TOML and JSON.

Activation, loss, dropout, schedule and the optimizers' numbers are those of `nn`; the schema adds what only a file has.
Every key is checked on reading; an error names the key, what it holds and what is expected.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import msgspec

from handgrad.errors import CaseError
from handgrad.files import read_whole
from handgrad.nn.activations import Activation
from handgrad.nn.dropout import Dropout
from handgrad.nn.initializers import Initializer
from handgrad.nn.losses import Loss
from handgrad.nn.optimizers import OPTIMIZERS, Optimizer
from handgrad.nn.schedules import Schedule

Numbers = Any
"""A number, a list or a list of lists of numbers; the shape is checked where it is known."""


class _Keys(msgspec.Struct, forbid_unknown_fields=True, frozen=True, omit_defaults=True):
    """Unknown keys are errors: a misspelt key must not be passed over."""


@dataclass(frozen=True)
class InitializerKeys(Initializer):
    """`{ name = "he", distribution = "uniform", scale = 1.0, seed = 7 }`."""

    seed: int | None = None


_NAMED = (Activation, Loss, InitializerKeys)  # their defaults are for Python; a file says which one it means


class LayerKeys(_Keys, frozen=True):
    """One of `[[network.layers]]`."""

    units: int
    activation: str | Activation = "identity"
    W: Numbers = None
    b: Numbers = None
    initializer: str | InitializerKeys | None = None
    bias: Literal["trained", "frozen", "shared", "none"] = "trained"
    dropout: float | Dropout | None = None


class NetworkKeys(_Keys, frozen=True):
    """`[network]`."""

    inputs: int
    layers: list[LayerKeys]
    loss: str | Loss | None = None
    seed: int | None = None


class DataKeys(_Keys, frozen=True):
    """`[data]`."""

    x: Numbers = None
    y: Numbers = None


def _optimizer_keys(rule: type[Optimizer]) -> type[msgspec.Struct]:
    """`[optimizer]` of one rule: its own numbers, and what belongs to every optimizer."""
    kinds = get_type_hints(rule)
    own = [(field.name, kinds[field.name], field.default) for field in fields(rule)]
    others = [
        ("schedule", str | Schedule | None, None),
        ("clip_value", float | None, None),
        ("clip_norm", float | None, None),
    ]
    head = {"__doc__": f'`[optimizer]` with `name = "{rule.name}"`.'}
    return msgspec.defstruct(
        f"{rule.__name__}Keys", [*own, *others], bases=(_Keys,), namespace=head, module=__name__,
        frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="name", tag=rule.name,
    )  # fmt: skip


if TYPE_CHECKING:
    OptimizerKeys: TypeAlias = Any
else:
    OptimizerKeys = Union[tuple(map(_optimizer_keys, OPTIMIZERS.values()))]  # noqa: UP007


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
    names: Literal["az", "hy", "xyz", "capital"] | None = None
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
    for where, what in _wrong_keys(document, CaseKeys):
        raise CaseError(f"{place}: {where or 'the file'}: {what}")
    try:
        return msgspec.convert(document, CaseKeys)
    except msgspec.ValidationError as error:
        message, _, where = str(error).partition(" - at `")
        key = where.rstrip("`").removeprefix("$").removeprefix(".") or "the file"
        raise CaseError(
            f"{place}: {key}: {_plain(message)}{_held(document, key)}{_choices(message, key)}"
        ) from error


def published_schema() -> dict[str, Any]:
    """The JSON schema of a case file, as docs/case.schema.json has it."""
    schema = msgspec.json.schema(CaseKeys)
    for name in (kind.__name__ for kind in _NAMED):
        schema["$defs"][name]["required"] = ["name"]
    for table in schema["$defs"].values():
        table["description"] = table["description"].split("\n")[0]
        table["additionalProperties"] = False
    return schema


def _json(raw: bytes, path: Path) -> Any:
    try:
        document = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_once)
        if (
            b"\\ud" in raw.lower()
        ):  # halves of characters: in pairs they are text, alone they can be written nowhere
            json.dumps(document, ensure_ascii=False).encode()
        return document
    except UnicodeEncodeError as error:
        half = ord(error.object[error.start])
        raise CaseError(f"{path}: \\u{half:04x} is half a character; write the whole one") from error
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
    message = message.replace("Object missing required field", "missing key")
    message = message.replace("Invalid enum value", "unknown value").replace(" | null`", "`")
    message = message.replace("Invalid value", "unknown value")
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


def _wrong_keys(held: Any, kind: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Keys that the schema's tables do not have, and names that are missing: (the table's place, what is wrong)."""
    if isinstance(held, list | tuple):
        entry = next((get_args(option)[0] for option in _options(kind) if get_origin(option) is list), None)
        for place, value in enumerate(held):
            yield from _wrong_keys(value, entry, f"{where}[{place}]")
    tables = [option for option in _options(kind) if _keys(option)] if isinstance(held, Mapping) else []
    if tables:
        table = next((t for t in tables if _tag(t) and _tag(t) == held.get("name")), tables[0])
        known = _keys(table)
        if table in _NAMED and "name" not in held:
            yield where, "missing key `name`"
        for key, value in held.items():
            if key not in known:
                elsewhere = any(key in _keys(other) for other in tables)
                what = f"{key} does not belong to {_tag(table)}" if elsewhere else f"unknown key `{key}`"
                yield where, f"{what}; choose from {', '.join(known)}"
            else:
                yield from _wrong_keys(value, known[key], f"{where}.{key}".removeprefix("."))


def _choices(message: str, key: str) -> str:
    """'; choose from ...' for an unknown word; '' for other errors."""
    kind: Any = CaseKeys
    *parts, last = key.replace("[", ".[").split(".")
    for part in parts:
        kind = next(filter(None, (_member(option, part) for option in _options(kind))), None)
    if message.startswith("Invalid value"):
        return f"; choose from {', '.join(filter(None, map(_tag, _options(kind))))}"
    if not message.startswith("Invalid enum value"):
        return ""
    words = next(filter(None, (_member(option, last) for option in _options(kind))), None)
    known = [str(v) for option in _options(words) if get_origin(option) is Literal for v in get_args(option)]
    return f"; choose from {', '.join(known)}"


def _options(kind: Any) -> tuple[Any, ...]:
    """The members of a union; a kind that is none stands alone."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


@cache
def _keys(kind: Any) -> dict[str, Any]:
    """The keys of a table and their kinds, that which names it first; nothing where the kind is no table."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return {field.name: hints[field.name] for field in fields(kind)}
    if isinstance(kind, type) and issubclass(kind, _Keys):
        tag = {"name": str} if _tag(kind) else {}
        hints = get_type_hints(kind)
        return tag | {name: hints[name] for name in kind.__struct_fields__}
    return {}


def _tag(kind: Any) -> str | None:
    tag = kind.__struct_config__.tag if isinstance(kind, type) and issubclass(kind, _Keys) else None
    return None if tag is None else str(tag)


def _member(kind: Any, part: str) -> Any:
    """The kind of a key or of an entry of a list; None where there is no such thing."""
    if part.startswith("["):
        return get_args(kind)[0] if get_origin(kind) is list else None
    return _keys(kind).get(part)


def _held(document: Any, key: str) -> str:
    """' (it holds ...)' for a path such as network.layers[0].units; '' where there is nothing to show."""
    held = document
    for part in key.replace("[", ".[").split("."):
        try:
            held = held[int(part[1:-1])] if part.startswith("[") else held[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return ""
    return f" (it holds {str(held)[:60]!r})" if isinstance(held, str | int | float) else ""
