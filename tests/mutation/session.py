"""A pytest session that has collected its tests once, and lets each mutant meet those that reach it.

Each mutant lives in a forked child: the code of the functions that it changes is put in the place of the old one,
then the tests run, the likeliest first, until one fails. The likeliest are those that killed the mutants before it in
the same file, and those that reach most of it. A change that acts while its module is imported is met by a process of
its own, which imports the changed module from the beginning.
"""

from __future__ import annotations

import ast
import gc
import hashlib
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple, cast

import coverage
import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import Mutant, mutants, unchanged

FORKED = get_context("fork")
FRESH = get_context("forkserver")
FRESH.set_forkserver_preload(["hypothesis", "numpy", "pyarrow", "pytest", "sklearn", "torch"])

KILLED, SURVIVED, UNREACHED = "killed", "survived", "unreached"
LIKELIEST = 8.0  # seconds of the processor, as measured once, that a mutant meets at most;
ANEW = 4.0  # of those that start afresh, because each brings files of tests to be imported
PATIENCE = 60.0  # seconds beyond forty times that, after which a mutant is taken to run for ever
BEFORE = 4  # tests that killed most of the mutants before, which a mutant meets first, beside those,
WIDEST = 3  # and that reach most lines of its file, however long they take


@dataclass
class Reach:
    """Which tests reach which lines of a file, and how long each test takes."""

    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


class Meeting(NamedTuple):
    """A mutant that is meeting its tests, and where the one that it fails will be named."""

    process: BaseProcess
    killer: Connection
    file: Path
    mutant: Mutant


@dataclass
class Mutation:
    """The plugin: which files are changed, and what became of each mutant."""

    files: Sequence[Path]
    jobs: int = 1
    chosen: Callable[[Path, Mutant], bool] = lambda file, mutant: True
    callback: Callable[[Path, Mutant, str], None] = lambda file, mutant, fate: None
    """Called with the fate of each mutant."""
    fates: dict[tuple[Path, Mutant], str] = field(default_factory=dict)
    kept: Path | None = None
    """Where the reach is kept, for another run of the same files and tests."""
    killers: dict[Path, Counter[str]] = field(default_factory=dict)
    """How many mutants of a file each test has killed so far."""

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """In the place of the tests: their reach, then the mutants."""
        if session.testsfailed:
            raise session.Interrupted("the tests could not be collected")
        items = {item.nodeid: item for item in session.items}
        for file in self.files:
            import_module(module_of(file))  # what a test would import later is not changed
        reach = self._reach(list(items.values()))
        running: dict[int, Meeting] = {}
        for file, made in self._mutants():
            killers = self.killers.setdefault(file, Counter())
            mutant, tests = made, tests_of(file, made, reach, killers)
            if not tests and made.path:  # perhaps a function that is called while its module is imported
                mutant = replace(made, at_import=True)
                tests = tests_of(file, mutant, reach, killers)
            if not tests:
                self._fate(file, mutant, UNREACHED)
                continue
            while len(running) >= self.jobs:
                self._reap(running)
            meeting = _meeting(file, mutant, [items[name] for name in tests], reach)
            running[meeting.process.sentinel] = meeting
        while running:
            self._reap(running)
        return True

    def _reach(self, items: Sequence[pytest.Item]) -> Reach:
        """What was measured before, where nothing has changed since, else what is measured now."""
        files = sorted({*self.files, *(item.path for item in items)})
        mark = hashlib.sha256(b"".join(str(file).encode() + file.read_bytes() for file in files)).hexdigest()
        mark += f" {len(items)}"
        if self.kept is not None and self.kept.exists():
            held = json.loads(self.kept.read_text())
            if held[0] == mark:
                return _read(*held[1:])
        reach = _in_child(lambda: _measured(items, self.files))
        if self.kept is not None:
            self.kept.write_text(json.dumps([mark, reach.lines, reach.seconds]))
        return reach

    def _mutants(self) -> Iterator[tuple[Path, Mutant]]:
        """All of them; before those of a file two that change nothing, which have to survive."""
        for file in self.files:
            chosen = [m for m in mutants(file.read_text(encoding="utf-8")) if self.chosen(file, m)]
            for way in sorted({mutant.at_import for mutant in chosen}):
                yield file, unchanged(way)
            yield from ((file, mutant) for mutant in chosen)

    def _reap(self, running: dict[int, Meeting]) -> None:
        for sentinel in wait(list(running)):
            process, killer, file, mutant = running.pop(cast(int, sentinel))
            process.join()
            with killer, suppress(EOFError):  # nothing was said by one that all tests passed, or that died
                self.killers[file].update([killer.recv()])
            self._fate(file, mutant, SURVIVED if process.exitcode == 0 else KILLED)

    def _fate(self, file: Path, mutant: Mutant, fate: str) -> None:
        if not mutant.path:
            if fate == KILLED:
                raise pytest.UsageError(f"{file}: the tests fail although nothing is changed")
            return
        self.fates[file, mutant] = fate
        self.callback(file, mutant, fate)


def _meeting(file: Path, mutant: Mutant, items: Sequence[pytest.Item], reach: Reach) -> Meeting:
    """The process in which a mutant meets its tests; it ends with status 0 where all of them pass."""
    limit = PATIENCE + 40 * sum(reach.seconds[item.nodeid] for item in items)
    killer, says = FORKED.Pipe(duplex=False)
    process: BaseProcess
    if mutant.at_import:
        names = [item.nodeid for item in items]
        process = FRESH.Process(target=meets_anew, args=(file, mutant, names, limit, says))
    else:
        functions_of(file)  # before the fork, once for all
        process = FORKED.Process(target=_meets, args=(file, mutant, items, limit, says))
    process.start()
    says.close()
    return Meeting(process, killer, file, mutant)


def _quiet(limit: float) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(limit) + 1)


def _in_child(act: Callable[[], Reach]) -> Reach:
    """What `act` finds, found in a child so that nothing of it stays behind."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reach.json"

        def written() -> None:
            _quiet(3600)
            found = act()
            path.write_text(json.dumps([found.lines, found.seconds]))

        process = FORKED.Process(target=written)
        process.start()
        process.join()
        if process.exitcode != 0:
            raise pytest.UsageError("a test fails without any mutant; mend it first")
        return _read(*json.loads(path.read_text()))


def _read(lines: dict[str, dict[str, list[str]]], seconds: dict[str, float]) -> Reach:
    return Reach(
        {file: {int(line): tests for line, tests in held.items()} for file, held in lines.items()}, seconds
    )


def _measured(items: Sequence[pytest.Item], files: Sequence[Path]) -> Reach:
    measure = coverage.Coverage(data_file=None, include=[str(file) for file in files], config_file=False)
    measure.start()
    found = Reach()
    for item, following in _in_turn(items):
        measure.switch_context(item.nodeid)
        began = time.process_time()
        reports = runtestprotocol(item, nextitem=following, log=False)
        found.seconds[item.nodeid] = time.process_time() - began
        if any(report.failed for report in reports):
            raise AssertionError(item.nodeid)
    measure.stop()
    data = measure.get_data()
    for file in data.measured_files():
        contexts = data.contexts_by_lineno(file)
        found.lines[file] = {line: sorted(filter(None, names)) for line, names in contexts.items()}
    return found


def _in_turn(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, [*items[1:], None], strict=True)


def module_of(file: Path) -> str:
    """The name by which a file is imported.

    >>> import handgrad.nn.forward
    >>> module_of(Path(handgrad.nn.forward.__file__))
    'handgrad.nn.forward'
    """
    package = next(parent for parent in file.parents if not (parent / "__init__.py").exists())
    return ".".join(file.relative_to(package).with_suffix("").parts).removesuffix(".__init__")


def tests_of(file: Path, mutant: Mutant, reach: Reach, killers: Counter[str]) -> list[str]:
    """The tests that reach the mutant, those of its own room and the quickest first, within the time.

    What acts at import shows in tests that execute no line of the file: those of its room may meet it as well. Those
    that killed most of the file's mutants before it come in front of all, then those that reach most of the file.
    """
    lines = reach.lines.get(str(file), {})
    stem, room = file.stem, f"tests/{module_of(file).split('.')[1]}/"
    anywhere = {name for tests in lines.values() for name in tests}
    if not mutant.path:
        return sorted(anywhere, key=reach.seconds.__getitem__)[:9]
    if mutant.at_import:
        names = anywhere | {name for name in reach.seconds if name.startswith(room)}
    else:
        names = {name for line in range(mutant.first, mutant.last + 1) for name in lines.get(line, ())}

    def order(name: str) -> tuple[bool, bool, float]:
        return f"test_{stem}" not in name, room not in name, reach.seconds[name]

    chosen: list[str] = []
    spent = 0.0
    for name in sorted(names, key=order):
        if spent + reach.seconds[name] > (ANEW if mutant.at_import else LIKELIEST) and chosen:
            continue
        chosen.append(name)
        spent += reach.seconds[name]
    reached = Counter(name for tests in lines.values() for name in tests)
    widest = sorted(names, key=lambda name: (-reached[name], reach.seconds[name]))[:WIDEST]
    before = [name for name, _ in killers.most_common() if name in names][:BEFORE]
    return list(dict.fromkeys([*before, *widest, *chosen]))


def _meets(file: Path, mutant: Mutant, items: Sequence[pytest.Item], limit: float, says: Connection) -> None:
    """Ends with status 0 where every test passes with the mutant in place, else says the one that fails."""
    _quiet(limit)
    if mutant.path:
        put_in_place(file, mutant)
    for item, following in _in_turn(items):
        if any(report.failed for report in runtestprotocol(item, nextitem=following, log=False)):
            says.send(item.nodeid)
            sys.exit(1)


@cache
def functions_of(file: Path) -> tuple[FunctionType, ...]:
    """The functions of a file that are there."""
    held = (cast(FunctionType, one) for one in gc.get_objects() if type(one) is FunctionType)
    return tuple(one for one in held if one.__code__.co_filename == str(file))


def put_in_place(file: Path, mutant: Mutant) -> None:
    """Gives the functions of a module that is imported the code that they have in the mutant."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    old = compile(tree, str(file), "exec", dont_inherit=True)
    new = compile(mutant.applied(tree), str(file), "exec", dont_inherit=True)
    other = {_place(before): after for before, after in _pairs(old, new)}
    for held in functions_of(file):
        held.__code__ = other.get(_place(held.__code__), held.__code__)


def _pairs(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    yield old, new
    inner = [[held for held in code.co_consts if isinstance(held, CodeType)] for code in (old, new)]
    for before, after in zip(*inner, strict=True):
        yield from _pairs(before, after)


def _place(code: CodeType) -> tuple[Any, ...]:
    return code.co_qualname, code.co_firstlineno, tuple(code.co_positions())


def meets_anew(file: Path, mutant: Mutant, names: Sequence[str], limit: float, says: Connection) -> None:
    """The same in a process that has imported nothing of the house yet: the module is imported in its mutant."""
    _quiet(limit)
    name = module_of(file)
    if name in sys.modules:
        sys.exit(f"{name} is imported already")
    sys.meta_path.insert(0, Imports(file, mutant, name))
    options = ["-x", "-q", "-p", "no:xdist", "-W", "ignore::pytest.PytestAssertRewriteWarning"]  # preloaded
    sys.exit(int(pytest.main([*options, *names], [Killer(says)])))


@dataclass
class Killer:
    """A plugin that says which test fails."""

    says: Connection

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Names it."""
        if report.failed:
            self.says.send(report.nodeid)


class Imports(MetaPathFinder, Loader):
    """Finds one module in its mutant."""

    def __init__(self, file: Path, mutant: Mutant, name: str) -> None:
        self.file, self.mutant, self.name = file, mutant, name

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        return spec_from_loader(fullname, self, origin=str(self.file))

    def exec_module(self, module: ModuleType) -> None:
        tree = self.mutant.applied(ast.parse(self.file.read_text(encoding="utf-8")))
        module.__file__ = str(self.file)
        exec(compile(tree, str(self.file), "exec", dont_inherit=True), module.__dict__)
