"""Makes the gallery: every file in it is the output of one command, which README.md names.

python docs/gallery/make.py            # writes the gallery anew
python docs/gallery/make.py FOLDER     # writes it somewhere else, to compare
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import NamedTuple

from handgrad.audit.check import check
from handgrad.cli.main import status

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


class Piece(NamedTuple):
    """One sheet: its file's stem, the example, what it shows, and the options of its command."""

    stem: str
    example: str
    shows: str
    options: str
    verb: str = "explain"


PIECES = (
    Piece(
        "sigmoid-2-2-1",
        "examples/sigmoid-2-2-1.toml",
        "two sigmoid layers, with each result rounded before it is used again, as on paper",
        "--digits 3 --carry --digits-of a1=2 --digits-of z2=2 --notation bracket --orientation column "
        "--with formulas",
    ),
    Piece(
        "relu-sigmoid-2-2-1",
        "examples/relu-sigmoid-2-2-1.toml",
        "a whole training step with every sum written out, entries counted from 0, and why matrices are used",
        "--digits 4 --notation subscript --names hy --first-index 0 --detail scalar --with matrices --with shapes",
    ),
    Piece(
        "chain-rule",
        "examples/chain-rule.toml",
        "the chain rule of (A - Y)^2 in capital letters, factor by factor and brace by brace, the factor 2 kept",
        "--digits 4 --notation subscript --names capital --with braces --without update --without changes",
    ),
    *(
        Piece(f"audit-{stem}", f"examples/{stem}.toml", shows, "", "check")
        for stem, shows in (
            ("sigmoid-2-2-1", "the audit of the notes on two sigmoid layers: one last digit is off"),
            ("relu-sigmoid-2-2-1", "the audit of a whole printed training step: the loss is wrong"),
            ("forward-figure", "the audit of a figure with outputs, targets and errors"),
            ("dot-product", "the audit of a printed dot product"),
            ("outer-product", "the audit of a printed outer product"),
            (
                "mazur-2015",
                "the audit of a tutorial that was copied many times: three numbers after the first update",
            ),
            (
                "postnetwork-softmax",
                "the audit of a page with a slip in a weighted sum, and what follows from it",
            ),
        )
    ),
)
LANGUAGES = {"en": "English", "bn": "বাংলা"}
MEDIA = ("md", "html")


def command(piece: Piece, language: str, medium: str, folder: str) -> list[str]:
    """The arguments after `handgrad` that make one file of the gallery."""
    output = f"{folder}/{piece.stem}.{language}.{medium}"
    return [piece.verb, piece.example, *shlex.split(piece.options), "--language", language, "-o", output]


def readme() -> str:
    """The table of contents, with the command of each file."""
    lines = [
        "# Gallery",
        "",
        "Each file here was made by the command below it; `make gallery` makes all of them anew.",
        "",
    ]
    for piece in PIECES:
        lines += [f"## {piece.stem}", "", f"{piece.shows[0].upper()}{piece.shows[1:]}.", ""]
        for language, name in LANGUAGES.items():
            links = ", ".join(f"[{medium}]({piece.stem}.{language}.{medium})" for medium in MEDIA)
            lines += [f"{name}: {links}", ""]
        made = shlex.join(command(piece, "en", MEDIA[0], "docs/gallery"))
        lines += ["```", f"handgrad {made}", "```", ""]
    lines += [
        "For the other files: `--language bn`, and another suffix (.html, .pdf, .docx, .tex, .ipynb).",
        "",
    ]
    return "\n".join(lines)


def make(folder: Path) -> None:
    """Writes every file of the gallery into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for piece in PIECES:
        source = piece._replace(example=str(ROOT / piece.example))
        if piece.verb == "check":  # judged once, for all its files
            audit = check(source.example)
            for language in LANGUAGES:
                for medium in MEDIA:
                    audit.save(folder / f"{piece.stem}.{language}.{medium}", language=language)
            continue
        for language in LANGUAGES:
            for medium in MEDIA:
                if status([*command(source, language, medium, str(folder)), "--quiet"]) != 0:
                    sys.exit(f"{piece.stem}.{language}.{medium} could not be made")
    (folder / "README.md").write_text(readme(), encoding="utf-8")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
