"""`draft_case`: a case file off a page, with a comment at every guess, for the author to correct."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from typing import Any

from handgrad.audit.page.check import claim_keys
from handgrad.audit.page.fitting import Draft
from handgrad.audit.page.guesses import guess
from handgrad.audit.page.opening import page_of
from handgrad.audit.page.reading import Reading, Stated, read
from handgrad.audit.page.script import Page
from handgrad.cases.case import Case
from handgrad.cases.schema import Significant
from handgrad.errors import CaseError, HandgradError
from handgrad.rich_repr import printable

_MOST_LISTED = 200
_MARK = "# handgrad read: drafted from"


@dataclass(frozen=True)
class Drafted:
    """The text of a case file in TOML, and what it lacks."""

    text: str
    missing: tuple[str, ...]
    claims: int


def draft_case(page: Page | str | os.PathLike[str]) -> Drafted:
    """Drafts the case file of a page: layers, activations, weights, data, loss, optimizer, claims.

    >>> from handgrad.audit.page.opening import read_page
    >>> drafted = draft_case(read_page("`x = [1, 2]`, `y = 1`, `W1 = [[0.5, -0.25]]`, `b1 = 0.1`, sigmoid: `z1 = 0.1`"))
    >>> "W = [[0.5, -0.25]]" in drafted.text, drafted.missing
    (True, ('network.loss',))

    Raises CaseError for a page that cannot be read, or that has no number in a calculation.
    """
    page = page_of(page)
    found = guess(page)
    try:
        case = Case.from_dict(found.keys)
        reading = read(page, case)
    except HandgradError as error:
        raise CaseError(f"{page.name}: no case can be drafted from this page ({error})") from error
    if not reading.stated and {"data.x", "W1"} <= set(found.missing):
        raise CaseError(
            f"{page.name}: there are neither weights, inputs nor results on this page; give one with a calculation "
            "in numbers"
        )
    text = _toml(page, found, reading)
    Case.from_dict(tomllib.loads(text))  # what is written can be read
    return Drafted(text, tuple(found.missing), len(reading.stated))


def _toml(page: Page, found: Draft, reading: Reading) -> str:
    title = next((one for one in page.source if one.strip().startswith("# ")), page.name).lstrip("# ").strip()
    lines = [
        f"{_MARK} {printable(page.name)}. Look at every line with a comment: it was guessed or is missing."
    ]
    lines += [f"title = {_value(printable(title)[:120])}", f"source = {_value(printable(page.name))}", ""]
    lines += [*_network(found), *_data(found)]
    for said in reading.stated:
        lines += _claim(said)
    lines += [
        f"# line {one.line}: {one.text} could not be placed"
        for one in reading.account.unplaced[:_MOST_LISTED]
    ]
    if len(reading.account.unplaced) > _MOST_LISTED:
        lines.append(f"# and {len(reading.account.unplaced) - _MOST_LISTED} more numbers")
    return "\n".join(lines).rstrip() + "\n"


def _network(found: Draft) -> list[str]:
    remarks, missing, network = found.remarks, found.missing, found.keys["network"]
    lines = [
        "[network]",
        f"inputs = {network['inputs']}" + _absent("data.x" in missing, "inputs are not given"),
    ]
    if "loss" in network:
        lines += [f"loss = {_value(network['loss'])}  # {remarks['loss']}", ""]
    else:
        lines += ["# loss = ...  # MISSING: the page names none, and prints no number of one", ""]
    for l, layer in enumerate(network["layers"], 1):
        lines += ["[[network.layers]]", f"units = {layer['units']}" + _absent(f"W{l}" in missing, "a guess")]
        lines.append(f"activation = {_value(layer['activation'])}  # {remarks[f'activation{l}']}")
        for letter in ("W", "b"):
            if letter in layer:
                lines.append(f"{letter} = {_value(layer[letter])}  # {remarks[f'{letter}{l}']}")
            else:
                absent = letter == "b" and layer.get("bias") == "none"
                lines.append(f"# {letter} = ...  # MISSING: {_LACKS[letter]}" if not absent else "# no bias")
        if "bias" in layer:
            said = remarks.get(f"bias{l}", remarks.get("bias", ""))
            lines.append(f"bias = {_value(layer['bias'])}  # {said}")
        lines.append("")
    return lines


def _data(found: Draft) -> list[str]:
    keys, remarks = found.keys, found.remarks
    lines = ["[data]"]
    for key in ("x", "y"):
        if key in keys["data"]:
            lines.append(f"{key} = {_value(keys['data'][key])}  # {remarks[f'data.{key}']}")
        else:
            lines.append(f"# {key} = [[...]]  # MISSING: not found on the page")
    lines.append("")
    if "given" in keys:
        lines += _table("given", keys["given"], remarks)
    for table in ("optimizer", "regularization", "training"):
        if table in keys:
            lines += _table(table, keys[table], remarks)
    if "optimizer" not in keys:
        lines += ["# [optimizer]  # no learning rate was found on the page: gradients only", ""]
    return [
        *lines,
        "[notation]  # as the names were read",
        *(f"{k} = {_value(v)}" for k, v in keys["notation"].items()),
        "",
    ]


def _table(name: str, keys: dict[str, Any], remarks: dict[str, str]) -> list[str]:
    """A table of the file, each key with how it was found."""
    lines = [f"[{name}]"]
    for key, value in keys.items():
        said = remarks.get(f"{name}.{key}", remarks.get(name, "") if key == "name" else "")
        lines.append(f"{key} = {_value(value)}" + (f"  # {said}" if said else ""))
    return [*lines, ""]


def _claim(said: Stated) -> list[str]:
    claim = claim_keys(said)
    more = ", ".join(map(str, said.also))
    lines = [f"[[claims]]  # line {said.line}{f', also {more}' if more else ''}: {printable(said.text)[:60]}"]
    lines.append(f"quantity = {_value(claim.quantity)}")
    if claim.index is not None:
        lines.append(f"index = {_value(claim.index)}")
    lines.append(f"value = {_value(claim.value)}")
    if claim.step != 1:
        lines.append(f"step = {claim.step}")
    return [*lines, f"digits = {_value(claim.digits)}", ""]


_LACKS = {
    "W": "not found on the page; without it what depends on it cannot be checked",
    "b": "not found on the page; zeros are taken",
}


def _absent(missing: bool, words: str) -> str:
    return f"  # {words}" if missing else ""


def _value(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, Significant):
        return f"{{ significant = {value.significant} }}"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
