"""The pages whose blocks are run, and what each finds in its folder before its first command."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from docs.site.blocks import Command
from docs.site.run import ROOT, clone, run_command, wrong

PAGES = tuple(
    str(path.relative_to(ROOT))
    for path in sorted(
        [
            *ROOT.glob("*.md"),
            *(ROOT / "docs").glob("*.md"),
            ROOT / "examples" / "README.md",
            *(ROOT / "docs" / "site").rglob("*.md"),
        ]
    )
    if path.name != "README.md" or path.parent.name == "examples"  # tests/test_readme.py has the other
)


def _model(folder: Path) -> None:
    words = ["handgrad", "train", "examples/penguins.csv", "--target", "species", "--epochs", "10", "--quiet"]
    code, printed = run_command(Command([*words, "-o", "penguins.safetensors"], "", 0))
    assert code == 0, printed
    shutil.copy(folder / "examples" / "penguins.csv", folder)


def _case_and_page(folder: Path) -> None:
    for name in ("CASE", "FIRST"):
        shutil.copy(ROOT / "examples" / "relu-sigmoid-2-2-1.toml", folder / f"{name}.toml")
    shutil.copy(ROOT / "examples" / "sigmoid-2-2-1.toml", folder / "SECOND.toml")
    shutil.copy(ROOT / "docs" / "gallery" / "relu-sigmoid-2-2-1.en.md", folder / "PAGE.md")


def _class(folder: Path) -> None:
    (folder / "class.txt").write_text("Ann\nBen\n")
    (folder / "handed-in").symlink_to("fill")


PREPARED: dict[str, Callable[[Path], None]] = {
    "docs/audit.md": _case_and_page,
    "docs/exercises.md": _class,
    "docs/interop.md": _model,
    "docs/live.md": _model,
    "docs/open.md": _model,
}


def wrong_on(page: str, long: bool) -> list[str]:
    """What does not do what a page says, after all its blocks were run in a folder of their own."""
    with clone() as folder:
        PREPARED.get(page, lambda folder: None)(folder)
        return list(wrong((ROOT / page).read_text(encoding="utf-8"), long))


def prepare_examples(folder: Path) -> None:
    """What the examples of the verbs find: tables, pages with their cases, papers that will be handed in."""
    for name in ("penguins", "new", "test"):
        shutil.copy(ROOT / "examples" / "penguins.csv", folder / f"{name}.csv")
    for name, example in (("first", "sigmoid-2-2-1"), ("second", "relu-sigmoid-2-2-1")):
        shutil.copy(ROOT / "examples" / f"{example}.toml", folder / f"{name}.toml")
    (folder / "notes.md").write_text("Here $z^{[1]}_1 = 0.55$, and $a^{[1]}_1 = 0.634$.\n")
    (folder / "lecture.tex").write_text("Here $z^{[1]}_1 = 0.55$, and then $z^{[1]}_1 = 0.21$.\n")
    (folder / "handed-in").mkdir()
    for name in ("ann", "ben"):
        (folder / "handed-in" / f"{name}.docx").symlink_to(folder / f"sheet-{name}.docx")
