"""The package as it is installed: a wheel from the sdist in a clean environment, and the oldest versions it allows.

python -m tests.packaging.environments wheel      # build, install elsewhere, use
python -m tests.packaging.environments oldest     # every core dependency at its lower bound, then tests
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDED = (
    "handgrad/py.typed",
    "handgrad/writing/locale/bn/LC_MESSAGES/handgrad.mo",
    "handgrad/live/js/functions.js",
    "handgrad/__init__.py",
)
"""What a wheel must hold besides the compiled core."""
UNWANTED = re.compile(r"(^|/)(tests|benchmarks|__pycache__)/|\.(pyc|o|cpp|hpp)$")
TOOLS_OF_THE_TESTS = ("pytest>=8.3", "hypothesis>=6.115", "babel>=2.16", "pandas>=2.2", "polars>=1.9")
LEFT_TO_NEWER_ONES = (
    "--ignore=tests/worked/test_functions.py",  # needs PyTorch
    "-Wignore:'click.utils:DeprecationWarning",  # an old Typer with the newest click
)
TESTS_OF_THE_OLDEST = ("tests/nn", "tests/training", "tests/cases", "tests/worked", "tests/data")

CASE = """
[network]
inputs = 2
loss = "binary_cross_entropy"
[[network.layers]]
units = 1
activation = "sigmoid"
W = [[0.5, -0.25]]
[data]
x = [[1.0, 2.0]]
y = [[1]]
[optimizer]
name = "adam"
learning_rate = 0.1
"""


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """What a command prints; its end with another status ends the check."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def fresh(folder: Path) -> Path:
    """The interpreter of a new environment."""
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


def wheel(folder: Path) -> None:
    """The wheel made of the sdist, used where nothing else of the project is."""
    builder = fresh(folder / "builder")
    run(builder, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "build")
    run(builder, "-m", "build", "--outdir", folder / "dist", ROOT)  # the sdist, then the wheel from it
    (made,) = (folder / "dist").glob("*.whl")
    names = zipfile.ZipFile(made).namelist()
    missing = [name for name in NEEDED if name not in names]
    if not any(name.endswith(".data/data/share/man/man1/handgrad.1") for name in names):
        missing.append("share/man/man1/handgrad.1")
    if not any(re.match(r"handgrad/_native\..*(so|pyd)$", name) for name in names):
        missing.append("handgrad/_native")
    unwanted = [name for name in names if UNWANTED.search(name)]
    if missing or unwanted:
        sys.exit(f"{made.name}: missing {missing}, not wanted {unwanted}")
    user = fresh(folder / "user")
    run(
        user, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", made
    )
    handgrad = user.parent / "handgrad"
    (folder / "case.toml").write_text(CASE)
    found = json.loads(run(handgrad, "explain", "case.toml", "--json", cwd=folder))
    loss = found["steps"][0]["quantities"]["loss"]
    if abs(loss - 0.6931471805599453) > 1e-15:  # z = 0, so ln 2
        sys.exit(f"the installed program says the loss is {loss}, not ln 2")
    bengali = run(handgrad, "explain", "case.toml", "--language", "bn", cwd=folder)
    if "ধাপ" not in bengali and "স্তর" not in bengali:
        sys.exit("the installed program speaks no Bengali")
    engine = "import handgrad.engines as e; print(e.choose.__module__); import handgrad._native"
    run(user, "-c", engine, cwd=folder)
    print(f"{made.name}: {len(names)} files, installed into a clean environment, and used")


def oldest(folder: Path) -> None:
    """The dependencies of the core and of the estimators at their lower bounds; the tests of what stands on them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["sklearn"]]
    bounds = [requirement.replace(">=", "==") for requirement in wanted]
    python = fresh(folder / "oldest")
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(python, *install, *bounds, ".", *TOOLS_OF_THE_TESTS)
    held = run(python, "-m", "pip", "list", "--format=freeze")
    versions = dict(line.split("==") for line in held.splitlines() if "==" in line)
    print(", ".join(f"{bound.split('==')[0]} {versions[bound.split('==')[0]]}" for bound in bounds))
    lines = run(
        python,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-x",
        *LEFT_TO_NEWER_ONES,
        *TESTS_OF_THE_OLDEST,
    )
    print(lines.strip().splitlines()[-1])


CHECKS = {"wheel": wheel, "oldest": oldest}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        CHECKS[sys.argv[1]](Path(temporary))
