"""What is fed: for each kind of file its seeds, its mutator, and what is done with the mutated file.

A target runs verbs of the command line in this process. Right is: status 0 or 1, or status 2 with one line; no
warning, nothing that commands a terminal, no file but those asked for.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tempfile
import tomllib
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

from handgrad.cli.main import status
from handgrad.models.fit_table import fit_table
from handgrad.models.seal import is_whole
from tests.fuzz import mutators

ROOT = Path(__file__).parents[2]
PENGUINS = ROOT / "examples" / "penguins.csv"
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Finding(Exception):
    """Something that must not be."""


class Target(NamedTuple):
    """`seeds` are whole files; `run` takes the path of a mutated one."""

    suffix: str
    seeds: Callable[[], tuple[bytes, ...]]
    mutate: Callable[[bytes, Random], bytes]
    run: Callable[[Path, Random], None]


def verb(*arguments: str) -> int:
    """Runs the command line; raises Finding for what it must not do."""
    out, errors = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors), warnings.catch_warnings():
        warnings.simplefilter("error")
        code = status(list(arguments))
    said = errors.getvalue()
    if code not in (0, 1, 2):
        raise Finding(f"status {code}: {said.strip()[:300]}")
    if code == 2 and (said.count("\n") != 1 or not said.startswith("handgrad: ")):
        raise Finding(f"status 2 says {said[:300]!r}")
    out.seek(0)
    harm = HARMFUL.search(out.read() + said)
    if harm and arguments[0] != "predict":
        raise Finding(f"{arguments[0]} hands on {harm[0]!r}")
    return code


@cache
def table_seed() -> pa.Table:
    """The first 30 penguins and the last, so that there are three species."""
    table = pyarrow.csv.read_csv(PENGUINS)
    return pa.concat_tables([table.slice(0, 30), table.slice(200, 15), table.slice(table.num_rows - 15)])


def delimited() -> tuple[bytes, ...]:
    lines = PENGUINS.read_bytes().split(b"\n")
    plain = b"x,y,when\n" + b"".join(
        b"%d,%s,2020-01-%02d\n" % (k, b"ab"[k % 2 :][:1], k + 1) for k in range(12)
    )
    return b"\n".join([*lines[:31], *lines[-40:]]), plain


def written(write: Callable[[pa.Table, io.BytesIO], object]) -> bytes:
    sink = io.BytesIO()
    write(table_seed(), sink)
    return sink.getvalue()


def parquet() -> tuple[bytes, ...]:
    return tuple(
        written(lambda table, sink, c=codec: pyarrow.parquet.write_table(table, sink, compression=c))  # type: ignore[misc]
        for codec in ("none", "snappy")
    )


def feather() -> tuple[bytes, ...]:
    return tuple(
        written(lambda table, sink, c=codec: pyarrow.feather.write_feather(table, sink, compression=c))  # type: ignore[misc]
        for codec in ("uncompressed", "lz4")
    )


def npz() -> tuple[bytes, ...]:
    made = []
    for save in (np.savez, np.savez_compressed):
        sink = io.BytesIO()
        save(sink, X=np.arange(60.0).reshape(20, 3), species=np.arange(20) % 3)
        made.append(sink.getvalue())
    return tuple(made)


def json_rows() -> tuple[bytes, ...]:
    rows = table_seed().to_pylist()
    nested = [{"a": {"b": k, "c": [k]}, "y": "uv"[k % 2]} for k in range(20)]
    return (
        json.dumps(rows).encode(),
        "\n".join(map(json.dumps, rows)).encode(),
        "\n".join(map(json.dumps, nested)).encode(),
    )


def cases() -> tuple[bytes, ...]:
    names = (
        "relu-sigmoid-2-2-1",
        "adam-parabola",
        "cs231n-softmax-notes",
        "mazur-2015-retold",
        "han-kamber-3-2-1",
    )
    return tuple(
        json.dumps(tomllib.loads((ROOT / "examples" / f"{name}.toml").read_text())).encode() for name in names
    )


def toml_cases() -> tuple[bytes, ...]:
    return tuple(
        (ROOT / "examples" / f"{name}.toml").read_bytes() for name in ("relu-sigmoid-2-2-1", "mazur-2015")
    )


@cache
def models() -> tuple[bytes, ...]:
    made = []
    with tempfile.TemporaryDirectory() as folder:
        for target in ("species", "body_mass_g", "sex"):
            model = fit_table(table_seed(), target, hidden=[2], epochs=2, engine="reference")
            made.append(model.save(Path(folder) / "m.safetensors").read_bytes())
    return tuple(made)


def use_table(path: Path, rng: Random) -> None:
    """Trains for one epoch; then the model must be usable on the same file."""
    model = path.with_name("m.safetensors")
    target = rng.choice(("species", "species", "y", "sex", "X1", "body_mass_g"))
    options = ["--hidden", "2", "--epochs", "1", "--engine", rng.choice(("native", "reference")), "-q"]
    code = verb("train", str(path), "--target", target, *options, "-o", str(model))
    if model.exists() is not (code == 0):
        raise Finding(f"status {code}, and the model is {'there' if model.exists() else 'not there'}")
    if code == 0:
        verb("predict", str(model), str(path), "--json")


def runs() -> tuple[bytes, ...]:
    return (
        b'# handgrad train --config THIS_FILE\ndata = ["rows.csv"]\ntarget = ["species"]\nhidden = "4,3"\n'
        b'activation = "tanh"\noptimizer = "adam:beta1=0.8"\nlearning_rate = 0.01\nbatch_size = "8"\nl2 = 0.1\n'
        b'validation = 0.2\npatience = 3\nschedule = "step:every=10,factor=0.5"\nignore = ["island"]\nseed = 7\n'
        b'engine = "reference"\ndtype = "float32"\nquiet = true\n',
    )


def use_run(path: Path, rng: Random) -> None:
    """Trains by it, for one epoch, to a model of its own."""
    rows = path.with_name("rows.csv")
    rows.write_bytes(delimited()[0])
    verb(
        "train",
        "--config",
        str(path),
        "--epochs",
        "1",
        "--hidden",
        "2",
        "-o",
        str(path.with_name("m.safetensors")),
    )
    rows.unlink()


def use_case(path: Path, rng: Random) -> None:
    """Explains it, in one of the media that are quick to write."""
    medium = rng.choice(("terminal", "json", "md", "tex", "html"))
    verb("explain", str(path), "--to", medium, "--detail", rng.choice(("summary", "matrix", "scalar")))
    if rng.random() < 0.3:
        verb("check", str(path), "--json")


def use_model(path: Path, rng: Random) -> None:
    """Verifies and uses it; a file that is not whole must not be usable."""
    whole = verb("verify", str(path), "--json") == 0
    rows = path.with_name("rows.csv")
    rows.write_bytes(delimited()[0])
    used = verb("predict", str(path), str(rows), "--json")
    rows.unlink()
    if (
        used == 0
        and not whole
        and verb("verify", str(path), "--quiet") == 1
        and not is_whole(path.read_bytes())
    ):
        raise Finding("a model that is not whole was used")


TARGETS: Mapping[str, Target] = {
    "csv": Target(
        ".csv", delimited, mutators.mixed(mutators.of_cells, mutators.of_cells, mutators.of_bytes), use_table
    ),
    "parquet": Target(".parquet", parquet, mutators.of_bytes, use_table),
    "feather": Target(".feather", feather, mutators.of_bytes, use_table),
    "rows": Target(".jsonl", json_rows, mutators.of_bytes, use_table),
    "npz": Target(".npz", npz, mutators.of_bytes, use_table),
    "case": Target(
        ".json", cases, mutators.mixed(mutators.of_json, mutators.of_json, mutators.of_bytes), use_case
    ),
    "run": Target(".toml", runs, mutators.mixed(mutators.of_bytes, mutators.of_toml_lines), use_run),
    "toml": Target(".toml", toml_cases, mutators.of_bytes, use_case),
    "model": Target(
        ".safetensors",
        models,
        mutators.mixed(mutators.of_model, mutators.of_model, mutators.of_bytes),
        use_model,
    ),
}


def mutated(kind: str, seed: int) -> bytes:
    """The input that a seed names."""
    target, rng = TARGETS[kind], Random(f"{kind} {seed}")
    return target.mutate(rng.choice(target.seeds()), rng)


def attempt(kind: str, seed: int, data: bytes) -> None:
    """Hands the bytes to the target in a folder of their own; raises what it must not raise."""
    target = TARGETS[kind]
    os.environ["HANDGRAD_TRACEBACK"] = ""
    with tempfile.TemporaryDirectory(prefix="handgrad-fuzz-") as folder:
        path = Path(folder) / f"input{target.suffix}"
        path.write_bytes(data)
        target.run(path, Random(f"use {kind} {seed}"))
        left = {entry.name for entry in Path(folder).iterdir()} - {path.name, "m.safetensors", "m.run.toml"}
        if left:
            raise Finding(f"left behind: {', '.join(left)}")
