"""Without the libraries of the extras everything else works, and what needs one names its extra in one line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HIDDEN = (
    *(
        "typst",
        "docx",
        "lxml",
        "nbformat",
        "pypdf",
        "markdown_it",
        "mdit_py_plugins",
        "pylatexenc",
        "jax",
        "torch",
    ),
    *(
        "array_api_compat",
        "sklearn",
        "scipy",
        "keras",
        "onnx",
        "onnxruntime",
        "optuna",
        "flint",
        "tensorboard",
    ),
    *("anywidget", "starlette", "uvicorn", "joblib", "pandas", "polars", "equinox", "flax", "matplotlib"),
)
CASE, TABLE, MODEL = (
    "examples/relu-sigmoid-2-2-1.toml",
    "examples/penguins.csv",
    "{folder}/penguins.safetensors",
)
COMMANDS = {
    f"explain {CASE} -o {{folder}}/a.pdf": "docs",
    f"explain {CASE} -o {{folder}}/a.docx": "docs",
    f"explain {CASE} --to slides -o {{folder}}/b.pdf": "docs",
    f"diagram {CASE} -o {{folder}}/c.pdf": "docs",
    f"check {CASE} -o {{folder}}/d.docx": "docs",
    f"exercise {CASE} -o {{folder}}/e.pdf": "docs",
    f"exercise {CASE} -o {{folder}}/e.docx": "docs",
    "mark {folder}/answers.pdf": "docs",
    f"check {{folder}}/page.md --case {CASE}": "pages",
    f"check {{folder}}/page.tex --case {CASE}": "pages",
    f"check {{folder}}/page.html --case {CASE}": "pages",
    f"check {{folder}}/page.ipynb --case {CASE}": "pages",
    "read {folder}/page.md -o {folder}/drafted.toml": "pages",
    f"train {TABLE} --target species --epochs 1 --engine jax -o {{folder}}/f.safetensors": "jax",
    f"export {MODEL} -o {{folder}}/g.pt": "torch",
    f"export {MODEL} -o {{folder}}/g.keras": "keras",
    f"export {MODEL} -o {{folder}}/g.joblib": "sklearn",
    f"export {MODEL} -o {{folder}}/g.onnx": "onnx",
    f"tune {TABLE} --target species --trials 1 -o {{folder}}/h.safetensors": "tune",
    f"explain {CASE} --certify": "certify",
    f"check {CASE} --certify": "certify",
    f"open {MODEL} --no-browser": "open",
    f"train {TABLE} --target species --epochs 1 --open -o {{folder}}/i.safetensors": "open",
}
PYTHON = {
    "import handgrad.sklearn": "sklearn",
    "hg.load('{folder}/page.onnx')": "onnx",
    "hg.watch(None, None)": "torch",
    "hg.explain('examples/mazur-2015.toml').live()": "notebook",
    "from handgrad.training.loggers import TensorBoard; TensorBoard('{folder}/runs')": "tensorboard",
}
WITHOUT = (
    f"explain {CASE} -o {{folder}}/works.html",
    f"explain {CASE} -o {{folder}}/works.md",
    f"explain {CASE} -o {{folder}}/works.tex",
    f"explain {CASE} -o {{folder}}/works.ipynb",
    f"explain {CASE} --to live -o {{folder}}/works-live.html",
    f"explain {CASE} --json -q",
    f"diagram {CASE} -o {{folder}}/works.svg",
    f"exercise {CASE} -o {{folder}}/works-sheet.html --answers {{folder}}/works-key.html",
    f"export {MODEL} -o {{folder}}/works.h",
    f"evaluate {MODEL} {TABLE}",
    f"why {MODEL} {TABLE} --row 3",
)
PROGRAM = """
import contextlib, importlib.util, io, json, shlex, sys
class Hidden:
    names = json.loads(sys.argv[1])
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hidden())
there = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: (
    None if name.partition(".")[0] in Hidden.names else there(name, package)
)
import handgrad as hg
from handgrad.cli.main import status
found = {}
for command in json.loads(sys.argv[2]):
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")):
        code = status(shlex.split(command))
    found[command] = code, said.getvalue()
for program in json.loads(sys.argv[3]):
    try:
        exec(program)
        found[program] = 0, ""
    except hg.HandgradError as error:
        found[program] = 2, str(error)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """The exit status of each command without any optional library, and what it said."""
    folder = tmp_path_factory.mktemp("bare")
    for suffix in ("md", "tex", "html", "ipynb"):
        (folder / f"page.{suffix}").write_text("z = 1\n")
    (folder / "answers.pdf").write_bytes(b"%PDF-1.7\n")
    (folder / "page.onnx").write_bytes(b"\x08\x07")
    training = f"train {TABLE} --target species --epochs 2 --quiet -o {MODEL}"
    commands = [command.format(folder=folder) for command in (training, *WITHOUT, *COMMANDS)]
    programs = [program.format(folder=folder) for program in PYTHON]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(HIDDEN), json.dumps(commands), json.dumps(programs)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    return {call.replace(str(folder), "{folder}"): tuple(answer) for call, answer in answers.items()}


@pytest.mark.parametrize("call", [*COMMANDS, *PYTHON])
def test_a_missing_extra_is_named_in_one_line(call: str, found: dict[str, tuple[int, str]]) -> None:
    extra = {**COMMANDS, **PYTHON}[call]
    code, said = found[call]
    assert code == 2, said
    assert len(said.strip().splitlines()) == 1
    assert f"pip install 'handgrad[{extra}]'" in said


@pytest.mark.parametrize("call", WITHOUT)
def test_what_needs_no_extra_works(call: str, found: dict[str, tuple[int, str]]) -> None:
    assert found[call][0] == 0, found[call][1]


def test_every_extra_that_is_named_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    there = set(project["optional-dependencies"])
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src" / "handgrad").rglob("*.py"))
    named = set(re.findall(r"handgrad\[([\w-]+)\]", sources)) | set(
        re.findall(r'MissingExtraError\([^)]*, "([\w-]+)"\)', sources)
    )
    assert named - there - {"docs"} <= there
    for_developers = {"test", "check", "mutation", "bench", "quality", "site", "jax-cuda"}
    assert set(COMMANDS.values()) | set(PYTHON.values()) == there - for_developers
