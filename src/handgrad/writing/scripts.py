"""Fonts for the PDF: those that come with Typst, and those of the system for other scripts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from handgrad.errors import MissingExtraError, RenderError

LATIN = ("New Computer Modern", "Libertinus Serif")


@dataclass(frozen=True, slots=True)
class Script:
    """A script that Typst brings no font for: its letters, fonts that have its conjuncts, Debian packages.

    `code` is the language written in it, `language` that with a country, as Word wants it.
    """

    name: str
    code: str
    language: str
    first: str
    last: str
    families: tuple[str, ...]
    packages: tuple[str, ...]

    def occurs_in(self, text: str) -> bool:
        """Whether a letter of the script stands in the text."""
        return any(self.first <= character <= self.last for character in text)


SCRIPTS: tuple[Script, ...] = (
    Script(
        "Bengali",
        "bn",
        "bn-BD",
        "\u0980",
        "\u09ff",
        (
            # the sans first: its text layer gives whole clusters back to a search
            "Noto Sans Bengali", "Noto Serif Bengali", "Lohit Bengali", "SolaimanLipi", "Kalpurush", "Mukti",
            "FreeSerif", "Nirmala UI", "Shonar Bangla", "Vrinda", "Bangla MN", "Bangla Sangam MN",
        ),
        ("fonts-noto-core", "fonts-lohit-beng-bengali"),
    ),
)  # fmt: skip


def typst_module() -> Any:
    """The typst package.

    Raises MissingExtraError where it is not installed.
    """
    try:
        import typst
    except ImportError as error:
        raise MissingExtraError("PDF output", "docs") from error
    return typst


@cache
def fonts(system: bool) -> Any:
    """Typst's own fonts, with those of the system if so asked."""
    return typst_module().Fonts(include_system_fonts=system)


def families_for(text: str, installed: tuple[str, ...] | None = None) -> tuple[tuple[str, ...], Any]:
    """The families that the text needs, in order, and the fonts to compile it with.

    A text in Latin and Greek letters uses Typst's own fonts alone, and so looks the same on every machine.
    `installed`: names of the families there are, by default those of the system.

    Raises RenderError where the text is in a script that no font has; it names the package to install.
    """
    needed = [script for script in SCRIPTS if script.occurs_in(text)]
    if not needed and all(character < "\u2e80" for character in text):
        return LATIN, fonts(system=False)
    known = tuple(fonts(system=True).families()) if installed is None else installed
    chosen = []
    for script in needed:
        family = next((name for name in script.families if name in known), None)
        if family is None:
            raise RenderError(
                f"no font with {script.name} letters was found, and the document has some; "
                f"install one (Debian: apt install {' or '.join(script.packages)})"
            )
        chosen.append(family)
    return (*LATIN, *chosen), fonts(system=True)
