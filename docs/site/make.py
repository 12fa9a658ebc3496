"""Builds the documentation site, without a network: gathers its pages, makes its sheets, and lets Zensical set them.

python -m docs.site.make            # into build/site/html
python -m docs.site.make FOLDER     # gathers and builds in a folder of one's own
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

from docs.gallery.make import LANGUAGES, PIECES, command
from docs.site import reference
from docs.site.run import clone, run_to_the_last

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CONFIGURATIONS = {"zensical.toml": "", "bn.toml": "bn"}
"""Each of the two sites, and the folder of the whole in which it stands."""
FROM_ELSEWHERE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "examples/README.md": "examples.md",
    "benchmarks/results/bench.md": "benchmark-results.md",
    "benchmarks/results/bench.svg": "bench.svg",
    "docs/gallery/README.md": "gallery/index.md",
}
"""Files that are pages of the site, but do not stand in docs; docs/NAME.md is NAME.md."""
GENERATED: dict[str, Callable[[], str]] = {
    "reference/commands.md": reference.commands_page,
    "reference/case.md": reference.case_page,
    "reference/json.md": reference.json_page,
    **{f"reference/{name}.md": page for name, page in reference.python_pages().items()},
}
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def on_the_site(path: str) -> str | None:
    """Where a file of the repository stands on the site; None where it does not.

    >>> on_the_site("docs/data.md"), on_the_site("src/handgrad/errors.py")
    ('data.md', None)
    """
    if path in FROM_ELSEWHERE:
        return FROM_ELSEWHERE[path]
    within = PurePosixPath(path)
    if within.parts[0] == "docs" and within.suffix in (".md", ".png", ".json", ".html", ".svg"):
        return str(PurePosixPath(*within.parts[1:]))
    return f"examples/{within.name}" if within.parts[0] == "examples" and within.suffix != ".py" else None


def relinked(page: str, path: str, place: str) -> str:
    """A page of the repository with its links as they are on the site; what is not there keeps its words alone."""

    def link(found: re.Match[str]) -> str:
        picture, words, target = found.groups()
        file, _, anchor = target.partition("#")
        if ":" in file or not file:
            return found[0]
        there = on_the_site(normpath(str(PurePosixPath(path).parent / file)))
        if there is None:
            return words
        here = relpath(there, str(PurePosixPath(place).parent))
        return f"{picture}[{words}]({here}{'#' if anchor else ''}{anchor})"

    return _LINK.sub(link, page)


def gallery_page() -> str:
    """The gallery: each sheet in a frame, with the command that made it."""
    lines = ["# Gallery", "", "Each sheet is what its command wrote, in English and in Bengali.", ""]
    for piece in PIECES:
        links = " · ".join(f"[{name}]({piece.stem}.{code}.html)" for code, name in LANGUAGES.items())
        shows = f"{piece.shows[0].upper()}{piece.shows[1:]}"
        made = " ".join(["handgrad", *command(piece, "en", "html", ".")]).replace("./", "")
        lines += [f"## {piece.stem}", "", f"{shows}: {links}.", "", "```console", f"$ {made}", "```", ""]
        lines += [
            f'<iframe class="sheet" src="{piece.stem}.en.html" title="{shows}" loading="lazy"></iframe>',
            "",
        ]
    return "\n".join(lines)


def gather(folder: Path) -> None:
    """Puts every page and every file they need into `folder`, as Zensical reads them."""
    pages = folder / "pages"
    if folder.exists():
        shutil.rmtree(folder)
    shutil.copytree(HERE / "pages", pages)
    shutil.copytree(
        ROOT / "docs" / "pictures", pages / "pictures", ignore=shutil.ignore_patterns("*.py", "__*")
    )
    shutil.copytree(HERE / "bn", folder / "bn")
    for style in (pages / "style.css", folder / "bn" / "style.css"):
        shutil.copy(HERE / "style.css", style)
    for name in CONFIGURATIONS:
        shutil.copy(HERE / name, folder / name)
    sources = {
        path: on_the_site(path) for path in (f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))
    }
    for path, place in {**sources, **FROM_ELSEWHERE}.items():
        if place is not None and place.endswith(".md") and place != "gallery/index.md":
            text = (ROOT / path).read_text(encoding="utf-8")
            write(pages / place, relinked(text, path, place))
    for place, page in GENERATED.items():
        write(pages / place, page())
    write(pages / "gallery" / "index.md", gallery_page())
    for sheet in (ROOT / "docs" / "gallery").glob("*.html"):
        shutil.copy(sheet, pages / "gallery")
    for schema in (ROOT / "docs").glob("*.schema.json"):
        shutil.copy(schema, pages)
    shutil.copy(ROOT / "benchmarks" / "results" / "bench.svg", pages)
    (pages / "examples").mkdir()
    for example in [*(ROOT / "examples").glob("*.toml"), ROOT / "examples" / "penguins.csv"]:
        shutil.copy(example, pages / "examples")
    for page in [*pages.rglob("*.md"), *(folder / "bn").rglob("*.md")]:
        embed(page)


def embed(page: Path) -> None:
    """Makes the files that a page shows or links to by its own commands, and puts them beside it."""
    with clone() as scratch:
        for name in run_to_the_last(page.read_text(encoding="utf-8"), scratch):
            (page.parent / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(scratch / name, page.parent / name)


def write(path: Path, text: str) -> None:
    """Writes a page, and the folders that it stands in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def build(folder: Path) -> Path:
    """Lets Zensical make both sites of what was gathered; the folder of the pages of HTML. A warning ends it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    for name in CONFIGURATIONS:
        subprocess.run(
            [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "-f", str(folder / name)],
            check=True,
            cwd=ROOT,
            env=environment,
        )
    shutil.copytree(folder / "bn-html", folder / "html" / "bn", dirs_exist_ok=True)
    return folder / "html"


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "site"
    gather(place)
    print(build(place) / "index.html")
