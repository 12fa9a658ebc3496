"""Pages of the reference that are read off the program: its commands, the keys of a case file, JSON, Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import handgrad as hg
from docs.site.parsers import Parameter, verbs
from handgrad.cases.schema import published_schema

ROOT = Path(__file__).resolve().parents[2]
STATUSES = (
    ("0", "done"),
    ("1", "done, and something was found: a wrong number, an altered file, a question without an answer"),
    (
        "2",
        "the call or its input is wrong; one line says what, where and the remedy, and nothing was written",
    ),
    ("70", "a defect of handgrad"),
    ("130, 143, 129", "ended by Ctrl-C, SIGTERM, SIGHUP"),
)
"""Exit statuses, as `handgrad.cli.main` says them."""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("[[", "\\[\\[").replace("*", "\\*")


def _table(parts: tuple[Parameter, ...], heading: str) -> Iterator[str]:
    if not parts:
        return
    yield from (f"| {heading} | meaning | default |", "| --- | --- | --- |")
    for part in parts:
        written = part.written.replace("|", "\\|")
        yield f"| `{written}` | {_cell(part.means)} | {f'`{part.default}`' if part.default else ''} |"
    yield ""


def commands_page() -> str:
    """Every verb with its arguments, options and examples, as `handgrad VERB --help` has them."""
    lines = ["# Commands", "", "What `handgrad VERB --help` says, on one page.", ""]
    lines += ["| exit status | meaning |", "| --- | --- |"]
    lines += [f"| {code} | {meaning} |" for code, meaning in STATUSES]
    lines += ["", "`NO_COLOR` turns colours off, `HANDGRAD_TRACEBACK=1` shows where a defect is.", ""]
    for verb in verbs():
        lines += [f"## {verb.name}", "", "```text", verb.call, "```", ""]
        for paragraph in verb.does:
            lines += [_cell(paragraph), ""]
        lines += _table(verb.arguments, "argument")
        lines += _table(verb.options, "option")
        if verb.examples:
            lines += ["```text", *verb.examples, "```", ""]
    return "\n".join(lines)


def case_page() -> str:
    """Every key of a case file with its kind and default, from the schema that reads it."""
    schema = published_schema()
    lines = ["# Keys of a case file", ""]
    lines += [
        "Read off the [JSON schema](../case.schema.json); what they mean is told in [files](../files.md).",
        "",
    ]
    for name, table in schema["$defs"].items():
        says = table.get("description", "").split("\n")[0]
        lines += [f"## {name.removesuffix('Keys')}", "", _cell(says), ""]
        needed = table.get("required", [])
        lines += ["| key | kind | default |", "| --- | --- | --- |"]
        for key, held in table["properties"].items():
            default = json.dumps(held["default"]) if "default" in held else "needed" if key in needed else ""
            lines.append(
                f"| `{key}` | {_cell(_kind(held))} | {default if default in ('needed', '') else f'`{default}`'} |"
            )
        lines.append("")
    return "\n".join(lines)


def _kind(held: dict[str, Any]) -> str:
    """The kind of a key in words."""
    if "$ref" in held:
        name = held["$ref"].rpartition("/")[2]
        return f"[{name.removesuffix('Keys')}](#{name.removesuffix('Keys').lower()})"
    if "anyOf" in held:
        return " or ".join(dict.fromkeys(map(_kind, held["anyOf"])))
    if "enum" in held:
        return ", ".join(f"`{choice}`" for choice in held["enum"])
    if held.get("type") == "array":
        return f"list of {_kind(held['items'])}" if held.get("items") else "list"
    kinds = {"object": "table", "null": "nothing", None: "numbers, in one or two dimensions"}
    return kinds.get(held.get("type"), str(held.get("type")))


def json_page() -> str:
    """The JSON of the verbs, with the answer that each gives in an example."""
    page = (Path(__file__).parent / "json.md").read_text(encoding="utf-8")
    schema = (ROOT / "docs" / "worksheet.schema.json").read_text(encoding="utf-8")
    return f"{page}\n## The schema of a worksheet\n\n```json\n{schema}```\n"


PARTS = {
    "estimators": ("Estimators", ("handgrad.sklearn",), "scikit-learn's interface; [the guide](../scikit-learn.md)."),
    "training": (
        "Training, further",
        ("handgrad.training.loggers", "handgrad.training.rate_range", "handgrad.models.search"),
        "Loggers, the range test of the learning rate, and the search for settings.",
    ),
    "interop": (
        "Other libraries",
        ("handgrad.interop.opening", "handgrad.interop.watching", "handgrad.interop.export"),
        "Their models in, ours out; [the guide](../interop.md).",
    ),
    "nn": (
        "The mathematics",
        (
            "handgrad.nn.activations", "handgrad.nn.losses", "handgrad.nn.descent", "handgrad.nn.adaptive",
            "handgrad.nn.adam", "handgrad.nn.forward", "handgrad.nn.backward", "handgrad.nn.step",
        ),
        "The equations, written once over the arrays of any library.",
    ),
    "audit": (
        "Audit and exercises",
        (
            "handgrad.audit.check", "handgrad.audit.page.check", "handgrad.audit.page.draft",
            "handgrad.exercises.exercise",
        ),
        "Judging printed numbers, setting exercises; [the audit](../audit.md), [exercises](../exercises.md).",
    ),
}  # fmt: skip
"""Pages of modules: their title, what is on them, and the sentence on top."""


def python_pages() -> dict[str, Callable[[], str]]:
    """The pages of the Python interface by name; mkdocstrings fills them in from the docstrings."""
    return {"handgrad": _root_page, **{name: partial(_modules_page, *part) for name, part in PARTS.items()}}


def _root_page() -> str:
    lines = [
        "# handgrad",
        "",
        "`import handgrad as hg`: the names of `hg`, in the order of the alphabet.",
        "",
    ]
    for name in sorted(hg.__all__, key=str.lower):
        home = next(home for home, names in hg._HOMES.items() if name in names)
        lines += [f"::: {home}.{name}", "    options:", f'      heading: "{name}"', ""]
    return "\n".join(lines)


def _modules_page(title: str, modules: tuple[str, ...], says: str) -> str:
    lines = [f"# {title}", "", says, ""]
    for module in modules:
        lines += [f"::: {module}", "    options:", "      show_root_full_path: true", ""]
    return "\n".join(lines)
