"""The run file: every flag of `train` in one TOML, read with --config and written beside the model.

File names in it are relative to the file itself.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from handgrad.data.weights import BALANCED
from handgrad.errors import DataError, SpecificationError
from handgrad.files import read_whole

_HEAD = "# handgrad train --config THIS_FILE does this training again\n"
FILES = ("data", "model", "plot_file", "validation_file")
"""Keys that hold names of files; `test` does where it is no number, `class_weight` where it is not 'balanced'."""


def beside(model: Path) -> Path:
    """The run file of a model: penguins.safetensors has penguins.run.toml."""
    return model.parent / f"{model.stem}.run.toml"


def written(values: Mapping[str, Any], folder: Path) -> bytes:
    """The TOML of these flags; what is None has no line.

    >>> written({"target": ["y"], "epochs": 3, "quiet": None}, Path()).decode().splitlines()[1:]
    ['target = ["y"]', 'epochs = 3']
    """
    lines = []
    for key, value in values.items():
        shown = _relative(value, folder) if _names_a_file(key, value) else value
        if shown is not None and shown != []:
            lines.append(f"{key} = {_toml(shown)}")
    return (_HEAD + "\n".join(lines) + "\n").encode()


def _names_a_file(key: str, value: Any) -> bool:
    if key == "class_weight":
        return value not in (None, BALANCED)
    if key != "test" or value is None:
        return key in FILES
    try:
        float(value)
    except ValueError:
        return True
    return False


def _relative(value: Any, folder: Path) -> Any:
    if isinstance(value, list | tuple):
        return [_relative(one, folder) for one in value]
    if value is None or str(value) == "-":
        return None if value is None else "-"
    return os.path.relpath(value, folder.resolve()) if not Path(value).is_absolute() else str(value)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, int | float):
        return repr(value)
    # a JSON string is a TOML string, but for the DEL that TOML wants escaped
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def read(path: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    """The flags that a run file gives; `known` are those there are.

    Raises DataError for a file that cannot be read, SpecificationError for a key that is no flag.
    """
    try:
        values = tomllib.loads(read_whole(path).decode("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{path} is no TOML: {error}") from error
    except (OSError, ValueError) as error:  # UnicodeDecodeError, or a name with a NUL
        raise DataError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    except RecursionError as error:
        raise DataError(f"{path} is no TOML: {error}") from error
    found = {key.replace("-", "_"): value for key, value in values.items()}
    for key in found:
        if key not in known:
            raise SpecificationError(f"{path}: there is no flag {key!r}; `handgrad train --help` lists them")
    return {key: _found(path, value) if _names_a_file(key, value) else value for key, value in found.items()}


def _found(path: Path, value: Any) -> Any:
    if isinstance(value, list):
        return [_found(path, one) for one in value]
    return value if value == "-" else str(path.parent / str(value))


def apply(context: typer.Context, path: Path | None) -> Path | None:
    """The callback of --config: its values stand for the flags that the command line does not give."""
    if path is not None:
        known = {str(parameter.name): parameter for parameter in context.command.params}
        values = read(path, known)
        for key, value in values.items():
            if known[key].multiple or known[key].nargs == -1:
                values[key] = value if isinstance(value, list) else [value]
        context.default_map = {**(context.default_map or {}), **values}
    return path
