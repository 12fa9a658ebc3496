"""The few lines of Python that compute a worksheet anew: what a notebook runs."""

from __future__ import annotations

import math
import pprint
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec

from handgrad.cases.schema import CaseKeys

_WIDTH = 96


def case_program(keys: CaseKeys, **choices: Any) -> str:
    """A program that opens the case and prints every quantity of its step; `choices` are those of `explain`.

    >>> from handgrad.cases.schema import parse_case
    >>> layer = {"units": 1, "W": [[2.0]]}
    >>> network = {"inputs": 1, "loss": "squared_error", "layers": [layer]}
    >>> keys = parse_case({"network": network, "data": {"x": [[3.0]], "y": [[5.0]]}})
    >>> print(case_program(keys, step=1).splitlines()[-2])
    for name, value in worksheet.quantities().items():
    """
    held = _written(keys)
    held.pop("claims", None)
    asked = "".join(f", {name}={value!r}" for name, value in choices.items() if value is not None)
    imported = "import handgrad as hg\n"
    if not _finite(held):
        imported = f"from math import inf, nan\n\n{imported}"
    return (
        f"{imported}\ncase = {pprint.pformat(held, width=_WIDTH, sort_dicts=False)}\n"
        f"worksheet = hg.explain(case{asked})\n"
        'for name, value in worksheet.quantities().items():\n    print(name, value, sep=" = ")'
    )


def model_program(path: str, **choices: Any) -> str:
    """A program that opens a step of a model's file and prints every quantity of it.

    >>> print(model_program("penguins.safetensors", step=40).splitlines()[2])
    worksheet = hg.explain('penguins.safetensors', step=40)
    """
    asked = "".join(f", {name}={value!r}" for name, value in choices.items() if value is not None)
    return (
        f"import handgrad as hg\n\nworksheet = hg.explain({path!r}{asked})\n"
        'for name, value in worksheet.quantities().items():\n    print(name, value, sep=" = ")'
    )


def _written(held: Any) -> Any:
    """Tables as dictionaries of what is not the default; the name of what has one is always said."""
    if isinstance(held, msgspec.Struct):
        usual = {field.name: _usual(field) for field in msgspec.structs.fields(held)}
        tag = held.__struct_config__.tag
        named = {} if tag is None else {"name": tag}
    elif is_dataclass(held):
        usual = {field.name: field.default for field in fields(held)}
        named = {key: getattr(held, key) for key in usual if key == "name"}
    elif isinstance(held, list | tuple):
        return [_written(entry) for entry in held]
    else:
        return held
    return named | {name: _written(value) for name in usual if (value := getattr(held, name)) != usual[name]}


def _usual(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _finite(held: Any) -> bool:
    if isinstance(held, dict):
        return all(map(_finite, held.values()))
    if isinstance(held, list | tuple):
        return all(map(_finite, held))
    return not isinstance(held, float) or math.isfinite(held)
