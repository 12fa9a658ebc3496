"""The commands as their parsers know them: what the reference and the manual page are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_type_hints

import typer

from handgrad.cli.main import app
from handgrad.cli.verbs import VERBS


class Parameter(NamedTuple):
    """An argument or an option: how it is written, what it means, its default."""

    written: str
    means: str
    default: str


class Verb(NamedTuple):
    """A verb: its name, its call, what it does in paragraphs, its examples, arguments and options."""

    name: str
    call: str
    does: tuple[str, ...]
    examples: tuple[str, ...]
    arguments: tuple[Parameter, ...]
    options: tuple[Parameter, ...]


def verbs() -> list[Verb]:
    """Every verb, in the order of the help."""
    group: Any = typer.main.get_command(app)
    return [_verb(group.get_command(None, name), _kinds(name)) for name in VERBS]


_KINDS = {Path: "FILE", int: "N", float: "NUMBER", str: "TEXT"}
"""How a value is written whose option has no word of its own for it."""


def _kinds(name: str) -> dict[str, str]:
    """The value of each parameter of a verb, by the annotation of its function: one Typer does not tell."""
    module, _, function = VERBS[name].partition(".")
    hints = get_type_hints(getattr(import_module(f"handgrad.cli.{module}"), function))
    return {
        name: next((_KINDS[kind] for kind in _within(hint) if kind in _KINDS), "TEXT")
        for name, hint in hints.items()
    }


def _within(hint: Any) -> Iterator[Any]:
    """The kinds that an annotation such as `list[Path] | None` is made of."""
    yield hint
    for part in get_args(hint):
        yield from _within(part)


def _verb(command: Any, kinds: dict[str, str]) -> Verb:
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", command.help or "")]
    arguments = [part for part in command.params if part.param_type_name == "argument"]
    options = [part for part in command.params if part.param_type_name == "option" and not part.hidden]
    needed = [f"{part.opts[0]} {part.metavar or kinds[part.name]}" for part in options if part.required]
    return Verb(
        command.name,
        " ".join(["handgrad", command.name, *map(_place, arguments), *needed]),
        tuple(part for part in paragraphs if not part.startswith("Example:")),
        tuple(part.removeprefix("Example: ") for part in paragraphs if part.startswith("Example:")),
        tuple(Parameter(_place(part), part.help or "", "") for part in arguments),
        tuple(_option(part, kinds) for part in options),
    )


def _place(argument: Any) -> str:
    name = (argument.metavar or argument.name.upper()).strip("[].")
    name = f"{name} ..." if argument.nargs == -1 else name
    return name if argument.required else f"[{name}]"


def _option(option: Any, kinds: dict[str, str]) -> Parameter:
    names = ", ".join(sorted(option.opts, key=lambda name: name.startswith("--")))
    names = "/".join([names, *option.secondary_opts])
    written = names if option.is_flag else f"{names} {option.metavar or kinds[option.name]}"
    held = option.default
    plain = isinstance(held, str | int | float | Path) and not isinstance(held, bool) and held != ""
    return Parameter(written, option.help or "", str(held) if plain and not option.required else "")
