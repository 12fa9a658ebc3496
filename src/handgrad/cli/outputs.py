"""Where a verb writes: one rule for all of them.

An output never replaces a file that the command reads, that its model names, or that it writes under another
flag. Any other file that handgrad did not write is replaced only with --force. A suffix that names another
format is refused.
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from handgrad.errors import OutputError, SpecificationError
from handgrad.files import check_target, is_stream, same_file
from handgrad.render.media import SUFFIXES

Force = Annotated[
    bool, typer.Option("--force", help="Replace a file that stands there and that handgrad did not write.")
]

MARKS: dict[str, re.Pattern[bytes]] = {
    ".safetensors": re.compile(rb'.{8}\{.*"__metadata__":\{[^}]*"handgrad":', re.DOTALL),
    ".html": re.compile(rb'<meta name="generator" content="handgrad">'),
    ".md": re.compile(rb'\A<a id="title"></a>\n'),
    ".tex": re.compile(rb"\\newsavebox\{\\formulabox\}"),
    ".pdf": re.compile(rb"/Keywords ?\(handgrad\)"),
    ".ipynb": re.compile(rb'"id": "handgrad-0001"'),
    ".json": re.compile(rb'\A\{\s*"handgrad":'),
    ".svg": re.compile(
        rb'\A<svg xmlns="http://www\.w3\.org/2000/svg" (width="\d+" height="\d+" )?viewBox="0 0 \d+ \d+"'
        rb'( font-family="sans-serif" font-size="12")? role="img">\n<title>'
    ),
    ".png": re.compile(rb"tEXtSoftware\0handgrad"),
    ".csv": re.compile(rb'\A"?(prediction(_[^,]*)?"?[,\n]|output1"?[,\n])'),
    ".tsv": re.compile(rb'\A"?(prediction(_[^\t]*)?"?[\t\n]|output1"?[\t\n])'),
    ".txt": re.compile(r"\A([^\n]+\n){1,9}(═)+\n".encode()),  # the title of a sheet, underlined
    ".toml": re.compile(rb"\A# handgrad (train --config|read: drafted)"),
    ".onnx": re.compile(rb"\A[\x00-\x7f]{0,8}handgrad"),
    ".npz": re.compile(rb"\APK.{28}handgrad\.npy", re.DOTALL),
    ".h": re.compile(rb"\A/\* Written by handgrad"),
    ".c": re.compile(rb"\A/\* Written by handgrad"),
    ".py": re.compile(rb'\A"""[^"]*Written by handgrad'),
    ".parquet": re.compile(rb"handgrad predictions"),
    ".feather": re.compile(rb"handgrad predictions"),
}
"""By what a file that handgrad wrote is known."""

_OTHER_SPELLINGS = {".htm": ".html", ".markdown": ".md"}
_FOREIGN = (
    *(".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".h5", ".hdf5", ".keras", ".pb", ".tflite"),
    *(".onnx", ".gguf", ".bin", ".npz", ".npy", ".xlsx", ".xls", ".ods", ".zip", ".gz"),
    *(".toml", ".xml", ".yaml", ".yml", ".py", ".c", ".h", ".docx", ".doc", ".odt", ".ps", ".eps"),
    *(".jpg", ".jpeg", ".gif", ".webp"),
)
FORMATS = frozenset((*MARKS, *_OTHER_SPELLINGS, *_FOREIGN))
"""Suffixes that name a format; any other end of a name is only a name."""

_LOOKED_AT = 1 << 20  # bytes at either end of a file


class Output(NamedTuple):
    """A file that a verb is about to write."""

    flag: str
    path: Path
    suffixes: tuple[str, ...]
    """Those of its format, the usual one first."""


def sheet_output(path: Path, medium: str) -> Output:
    """A sheet or a report, with the suffixes of its medium."""
    usual = {"terminal": ".txt", "live": ".html", "slides": ".html", "slides-pdf": ".pdf"}.get(
        medium, f".{medium}"
    )
    return Output("-o", path, (usual, *(f".{suffix}" for suffix, name in SUFFIXES.items() if name == medium)))


def check_outputs(
    outputs: Iterable[Output],
    *,
    reads: Iterable[Path | str | None] = (),
    force: bool = False,
    filled_in: bool = False,
) -> None:
    """Raises OutputError where one of the outputs must not be written; called before long work is done.

    `reads`: every file that the command reads, and those that its model names; None is no file. `filled_in`: what
    handgrad wrote may hold what somebody wrote into it since, and is replaced only with --force as well.
    """
    inputs = [Path(name) for name in reads if name is not None]
    before: list[Output] = []
    for output in outputs:
        check_target(output.path)
        if any(same_file(output.path, name) for name in inputs):
            raise OutputError(
                f"cannot write {output.path}: it is the input itself, or what the model was trained on; choose "
                "another name"
            )
        _check_suffix(output)
        twice = next((other for other in before if same_file(output.path, other.path)), None)
        if twice is not None:
            raise OutputError(
                f"cannot write {output.path} under {twice.flag} and {output.flag}; give them different names"
            )
        if not force and filled_in and _holds_something(output.path):
            raise OutputError(
                f"{output.path} is there already, and somebody may have written into it; choose another name, or "
                "replace it with --force"
            )
        if not force and _somebody_elses(output.path):
            raise OutputError(
                f"{output.path} is there already, and handgrad did not write it; choose another name, or "
                "replace it with --force"
            )
        before.append(output)


def _check_suffix(output: Output) -> None:
    suffix = output.path.suffix.lower()
    if suffix in FORMATS and suffix not in output.suffixes:
        raise OutputError(
            f"cannot write {output.path}: {output.flag} writes {output.suffixes[0]}, and {suffix} names another "
            f"format; end the name in {' or '.join(output.suffixes)}"
        )


def _holds_something(path: Path) -> bool:
    return not is_stream(path) and path.is_file() and path.stat().st_size > 0


def _somebody_elses(path: Path) -> bool:
    """True for a file with something in it that does not bear the mark of its format."""
    return _holds_something(path) and not written_by_handgrad(path)


def written_by_handgrad(path: Path) -> bool:
    """True where the file bears the mark that handgrad leaves in files of its format."""
    suffix = path.suffix.lower()
    suffix = _OTHER_SPELLINGS.get(suffix, suffix)
    try:
        if suffix == ".docx":
            with zipfile.ZipFile(path) as package:
                return b"<dc:creator>handgrad</dc:creator>" in package.read("docProps/core.xml")
        with path.open("rb") as file:
            begins = file.read(_LOOKED_AT)
            file.seek(max(0, path.stat().st_size - _LOOKED_AT))
            looked_at = begins + file.read()
    except (OSError, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return False
    marks = [MARKS[suffix]] if suffix in MARKS else [] if suffix in FORMATS else MARKS.values()
    return any(mark.search(looked_at) for mark in marks)


def to_stdout(content: bytes, medium: str) -> None:
    """Writes a sheet to the standard output; what is not text does not go to a terminal."""
    if medium in ("pdf", "docx", "slides-pdf") and sys.stdout.isatty():
        raise SpecificationError(f"{medium} is not text; name a file with -o")
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
