"""The house: what each room may know, read off the imports themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import handgrad

HOUSE = Path(handgrad.__file__).parent

FLOORS = (
    ("errors", "files", "version", "rich_repr"),
    ("nn",),
    ("data",),
    ("engines",),
    ("worked",),
    ("training",),
    ("cases",),
    ("writing",),
    ("models",),
    ("diagram",),
    ("render",),
    ("worksheets",),
    ("audit",),
    ("exercises",),
    ("live",),
    ("interop",),
    ("estimators",),
    ("sklearn",),
    ("bench",),
    ("cli",),
)
"""From the ground up: a room imports from floors before its own, never from later ones."""

NEVER = {
    "nn": ("pathlib", "os", "io", "rich", "typer", "pyarrow", "handgrad._native"),
    "training": ("rich", "typer"),
    "worked": ("rich", "typer", "pathlib", "lxml", "docx", "typst"),
    "writing": ("rich", "typer"),
    "render": ("typer",),
}
"""What a room does not know, although it is not of the house."""


@cache
def modules() -> Mapping[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in HOUSE.rglob("*.py"):
        parts = ("handgrad", *path.relative_to(HOUSE).with_suffix("").parts)
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """The statements that run; what stands under TYPE_CHECKING is for the reader of types."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from statements(node)


@cache
def imports(module: str) -> frozenset[str]:
    """What a module imports: modules of the house by their full names, others by theirs."""
    tree, found = ast.parse(modules()[module].read_text(encoding="utf-8")), set()
    nodes = list(statements(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; say the full name"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in modules() or alias.name == "_native" else str(node.module))
    return frozenset(found - {module})


def room(module: str) -> str:
    """The folder or file of the package's root that a module stands in."""
    return module.split(".")[1] if "." in module else ""


def floor(name: str) -> int:
    return next(height for height, rooms in enumerate(FLOORS) if name in rooms)


INSIDE = sorted(name for name in modules() if room(name) not in ("", "__main__"))


def circles(edges: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Strongly connected groups of more than one (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in edges.get(name, ()):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in edges:
        if name not in index:
            visit(name)
    return found


def test_every_room_of_the_root_has_a_floor():
    assert {room(name) for name in INSIDE} <= {name for rooms in FLOORS for name in rooms}


def test_the_map_of_contributing_is_the_house():
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = re.search(r"```\nsrc/handgrad/\n(.*?)src/native/", text, re.DOTALL)
    assert shown is not None
    first = re.findall(r"^  (\S.*?)(?:     |$)", shown[1], re.MULTILINE)
    named = [word.rstrip("/").removesuffix(".py") for line in first for word in line.split("  ")[:4]]
    rooms = [name for floor_ in FLOORS for name in floor_ if name in {room(name) for name in INSIDE}]
    assert [name for name in named if name in rooms] == rooms


@pytest.mark.parametrize("module", INSIDE)
def test_imports_point_to_earlier_floors_only(module: str):
    for other in imports(module):
        if other in modules() and room(other):
            assert floor(room(other)) <= floor(room(module)), f"{module} imports {other}"
        elif other == "handgrad":
            pytest.fail(f"{module} imports the package's root; import from the module that has the name")


@pytest.mark.parametrize("module", INSIDE)
def test_a_room_does_not_know_what_is_not_its_business(module: str):
    for other in imports(module):
        for forbidden in NEVER.get(room(module), ()):
            assert other != forbidden and not other.startswith(f"{forbidden}."), f"{module} imports {other}"


def test_there_is_no_circle_between_files():
    assert circles({name: imports(name) & modules().keys() for name in INSIDE}) == []


def test_there_is_no_circle_between_folders():
    """A folder is its own files: what stands in a folder below it counts for that one."""

    def folder(name: str) -> str:
        return name if modules()[name].name == "__init__.py" else name.rpartition(".")[0]

    edges: dict[str, set[str]] = {}
    for name in INSIDE:
        if folder(name) != "handgrad":
            others = {folder(other) for other in imports(name) & modules().keys()} - {
                "handgrad",
                folder(name),
            }
            edges.setdefault(folder(name), set()).update(others)
    assert circles({name: frozenset(others) for name, others in edges.items()}) == []


def test_a_circle_would_be_found():
    edges = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a"), "d": frozenset("a")}
    assert circles(edges) == [["a", "b", "c"]]


OTHER_WORDS = {"judge": "check", "told": "callback", "tell": "show", "offer": "update"}
"""Words for names, and what the field says."""


def names_of(node: ast.AST) -> Iterator[str]:
    """The names that a node gives to something."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.attr


@pytest.mark.parametrize("module", sorted(modules()))
def test_names_are_words_of_the_field(module: str) -> None:
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    for name in {name for node in ast.walk(tree) for name in names_of(node)}:
        for word, better in OTHER_WORDS.items():
            assert word not in name.lower().split("_"), f"{module}: {name}; the field says {better}"


TABLES_OF_SENTENCES = ("messages.py", "audit_messages.py")
MOST_LINES = 400
WRITTEN_BY_HAND = (".py", ".js", ".css", ".cpp", ".hpp", ".sh")


def test_a_file_is_one_idea() -> None:
    """What grows past 400 lines has become two ideas; only a table of sentences may be as long as it needs."""
    root = Path(__file__).parents[1]
    places = (HOUSE, root / "src/native", root / "tests", root / "benchmarks")
    files = [path for place in places for path in place.rglob("*") if path.suffix in WRITTEN_BY_HAND]
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in files}
    long = {path.name: lines for path, lines in lengths.items() if lines > MOST_LINES}
    assert {name: lines for name, lines in long.items() if name not in TABLES_OF_SENTENCES} == {}


def test_a_verb_that_writes_obeys_the_rule_of_all_verbs() -> None:
    """What may be replaced is judged in one place; a verb that writes and does not ask there may lose a file."""
    for path in (HOUSE / "cli").rglob("*.py"):
        text = path.read_text()
        writes = any(call in text for call in ("write_whole(", ".save("))
        assert not writes or "check_outputs(" in text, f"{path.name} writes files; see cli/outputs.py"
