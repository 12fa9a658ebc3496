"""Structure-aware mutations: of bytes, of JSON trees, of cells, and of a model file behind its seal.

Each takes a generator of random numbers, so that a seed names one input.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from handgrad.models.seal import OPEN, sealed

Random = random.Random

NUMBERS = (
    *(0, 1, -1, 2, 127, 128, 255, 256, 2**15, 2**16, 2**31 - 1, 2**31, 2**32),
    *(2**53, 2**63 - 1, 2**63, 2**64, -(2**63)),
)
TEXTS = (
    *(
        "",
        " ",
        "\x00",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "=1+1",
        "\x1b[2J",
        "\u202e",
        "\ud800",
        "a" * 5000,
        "\n",
    ),
    *(
        '"',
        "'",
        ",",
        "NA",
        "true",
        "0x10",
        "1_000",
        "\u0663",
        "\u22121",
        "W1",
        "z1",
        "sgd",
        "../x",
        "{}",
        "[]",
    ),
    *("\\", "\r"),
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    0.0,
    -0.0,
    1e308,
    1e-320,
    0.1,
    *NUMBERS,
    *TEXTS,
)


def of_bytes(data: bytes, rng: Random) -> bytes:
    """Bits, bytes, words, pieces and ends."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(out) + 1) if rng.random() < 0.6 else rng.randrange(min(len(out), 200) + 1)
        size = rng.choice((1, 1, 2, 4, 8, 32))
        kind = rng.randrange(7)
        if kind == 0 and out:
            out[at % len(out)] ^= 1 << rng.randrange(8)
        elif kind == 1 and out:
            out[at % len(out)] = rng.randrange(256)
        elif kind == 2:
            width = rng.choice((1, 2, 4, 8))
            out[at : at + width] = (rng.choice(NUMBERS) % 256**width).to_bytes(
                width, rng.choice(("little", "big"))
            )
        elif kind == 3:
            del out[at : at + size]
        elif kind == 4:
            out[at:at] = bytes(rng.randrange(256) for _ in range(size))
        elif kind == 5:
            begin = rng.randrange(len(out) + 1)
            out[at:at] = out[begin : begin + size * 4]
        else:
            out = out[:at] if rng.random() < 0.5 else out[at:]
    return bytes(out)


def of_tree(tree: Any, rng: Random) -> Any:
    """A JSON value with a few of its nodes changed, removed, repeated or exchanged."""
    tree = json.loads(json.dumps(tree))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        holders = [(holder, key) for holder, key in _places(tree)]
        if not holders:
            return rng.choice(VALUES)
        holder, key = rng.choice(holders)
        other_holder, other = rng.choice(holders)
        kind = rng.randrange(8)
        if kind <= 2:
            holder[key] = rng.choice(VALUES)
        elif kind == 3:
            holder[key] = _near(holder[key], rng)
        elif kind == 4 and isinstance(holder, dict):
            holder[rng.choice(TEXTS)] = holder.pop(key)
        elif kind == 5:
            holder[key] = json.loads(json.dumps(other_holder[other]))
        elif kind == 6 and isinstance(holder, list):
            holder.insert(key, holder[key])
        elif len(holder) > 1:
            del holder[key]
    return tree


def _places(tree: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, dict | list):
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            found += [(node, key) for key in keys]
            todo += [node[key] for key in keys]
    return found


def _near(value: Any, rng: Random) -> Any:
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return rng.choice((-value, value + 1, value - 1, value * 1e6, value / 3, str(value), [value]))
    if isinstance(value, str):
        return rng.choice((value[:-1], value + value, value.upper(), value + rng.choice(TEXTS), [value]))
    return [value, value]


def of_model(data: bytes, rng: Random) -> bytes:
    """A model file whose header, table of tensors or tensors are others, usually sealed again."""
    size = int.from_bytes(data[:8], "little")
    outer = json.loads(data[8 : 8 + size])
    body = data[8 + size :]
    kind = rng.randrange(10)
    if kind <= 5:
        header = of_tree({**json.loads(outer["__metadata__"]["handgrad"]), "sha256": OPEN}, rng)
        if isinstance(header, dict) and rng.random() < 0.9:
            header = {"sha256": OPEN, **header}
        outer["__metadata__"]["handgrad"] = json.dumps(header, separators=(",", ":"))
    elif kind == 6:
        metadata = outer.pop("__metadata__")
        outer = of_tree(outer, rng)
        outer = {"__metadata__": metadata, **outer} if isinstance(outer, dict) else outer
    elif kind == 7:
        outer = of_tree(outer, rng)
    else:
        body = of_bytes(body, rng)
    text = json.dumps(outer, separators=(",", ":")).encode()
    if rng.random() < 0.05:
        text = of_bytes(text, rng)
    made = len(text).to_bytes(8, "little") + text + body
    try:
        return sealed(made) if rng.random() < 0.9 else made
    except ValueError:
        return made


def of_cells(data: bytes, rng: Random) -> bytes:
    """A delimited table with other cells, lines, delimiters and quotes."""
    lines = [line.split(b",") for line in data.split(b"\n")]
    for _ in range(rng.choice((1, 2, 5))):
        row = rng.choice(lines)
        at = rng.randrange(len(row))
        kind = rng.randrange(8)
        if kind <= 2:
            text = rng.choice((*TEXTS, *map(str, NUMBERS)))
            row[at] = text.encode("utf-8", "surrogatepass")
        elif kind == 3:
            row.insert(at, row[at])
        elif kind == 4:
            row[at] = b'"' + row[at]
        elif kind == 5:
            lines.insert(rng.randrange(len(lines)), list(row))
        elif kind == 6:
            column = at
            for line in lines[1:]:
                if column < len(line):
                    line[column] = row[at]
        else:
            del row[at]
            row or row.append(b"")
    mark = rng.choice((b",", b",", b",", b";", b"\t", b"|"))
    end = rng.choice((b"\n", b"\n", b"\r\n", b"\r"))
    return end.join(mark.join(line) for line in lines)


def of_json(data: bytes, rng: Random) -> bytes:
    """A JSON file with another tree."""
    return json.dumps(of_tree(json.loads(data), rng)).encode()


def of_toml_lines(data: bytes, rng: Random) -> bytes:
    """Lines `key = value` with other values, in other places, or twice."""
    lines = data.decode().splitlines()
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(lines))
        key, _, value = lines[at].partition(" = ")
        kind = rng.randrange(5)
        if kind <= 2:
            value = json.dumps(
                rng.choice(tuple(text for text in VALUES if text is not None and text != "\ud800"))
            )
        elif kind == 3:
            value = lines[rng.randrange(len(lines))].partition(" = ")[2]
        else:
            lines.insert(at, lines[at])
        lines[at] = f"{key} = {value}"
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def mixed(*mutators: Callable[[bytes, Random], bytes]) -> Callable[[bytes, Random], bytes]:
    """One of the mutators, chosen by the seed, and now and then bytes as well."""

    def mutate(data: bytes, rng: Random) -> bytes:
        made = rng.choice(mutators)(data, rng)
        return of_bytes(made, rng) if rng.random() < 0.1 else made

    return mutate
