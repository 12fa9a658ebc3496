"""The page's modules by themselves: node's runner, types, format, and numerals equal to Python's."""

from __future__ import annotations

import json
import math
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from handgrad.live import page
from handgrad.worked.rounding import round_decimal
from handgrad.writing.numerals import Precision, shown_exactly, shown_together

ROOT = Path(__file__).parents[2]
TESTS = Path(__file__).parent / "js"
MODULES = ROOT / "src" / "handgrad" / "live" / "js"
TOOLS = Path(os.environ.get("HANDGRAD_NODE_TOOLS", ROOT / "build" / "checkers" / "node_modules" / ".bin"))

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def run(*command: str | Path, text: str = "") -> str:
    done = subprocess.run(
        list(map(str, command)), input=text, capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_node
def test_nodes_own_runner_is_content() -> None:
    assert "# fail 0" in run("node", "--test", TESTS)


@pytest.mark.skipif(not (TOOLS / "tsc").exists(), reason="typescript is not installed")
def test_the_types_hold() -> None:
    run(TOOLS / "tsc", "-p", TESTS / "tsconfig.json")


@pytest.mark.skipif(not (TOOLS / "prettier").exists(), reason="prettier is not installed")
def test_the_modules_are_formatted() -> None:
    run(TOOLS / "prettier", "--check", *sorted(MODULES.glob("*.js")))


@needs_node
def test_the_assembled_module_parses(tmp_path: Path) -> None:
    path = tmp_path / "page.mjs"
    path.write_text(page.module(), encoding="utf-8")
    run("node", "--check", path)
    assert set(page.MODULES) == {module.stem for module in MODULES.glob("*.js")}


@needs_node
def test_a_number_is_written_as_python_writes_it(tmp_path: Path) -> None:
    r = random.Random(7)

    def value(kind: int) -> float:
        special = (0.0, 1.0, 2.675, 0.285, 1e-8, 5e-324, 1e300, -12345678.0, math.inf, math.nan)
        return (
            round(r.uniform(-2, 2), r.randint(0, 5)),
            r.gauss(0, 1) * 10 ** r.uniform(-9, 9),
            r.choice(special),
            r.gauss(0, 1),
        )[kind]

    cases = []
    for _ in range(1500):
        kind = r.randrange(4)
        rows = [[value(kind) for _ in range(r.randint(1, 3))]] * r.randint(1, 2)
        cases.append((rows, r.randint(0, 8), r.choice([None, None, 3, 6])))
    script = tmp_path / "numerals.mjs"
    script.write_text(
        f"""
import {{ plainText, roundDecimal, shownExactly, shownTogether }} from {json.dumps((MODULES / "numerals.js").as_uri())};
import fs from 'node:fs';
const number = (x) => (typeof x === 'string' ? Number(x) : x);
const cases = JSON.parse(fs.readFileSync(0, 'utf8'));
console.log(JSON.stringify(cases.map(([rows, decimals, significant]) => {{
  const all = rows.map((line) => line.map(number));
  const precision = {{ decimals, significant }};
  return [shownTogether(all, precision).map((line) => line.map((s) => [plainText(s), s.exact])),
    all.map((line) => line.map((x) => plainText(shownExactly(x, precision)))),
    all.map((line) => line.map((x) => String(roundDecimal(x, decimals))))];
}})));
""",
        encoding="utf-8",
    )
    names = {math.inf: "Infinity", -math.inf: "-Infinity"}
    asked = [
        [[["NaN" if math.isnan(x) else names.get(x, x) for x in row] for row in rows], *others]
        for rows, *others in cases
    ]
    found = json.loads(run("node", script, text=json.dumps(asked)))
    for (rows, decimals, significant), (together, exactly, rounded) in zip(cases, found, strict=True):
        precision = Precision(decimals, significant)
        texts = [
            [[str(s).replace("-", "−"), s.exact] for s in row] for row in shown_together(rows, precision)
        ]
        assert together == texts
        assert exactly == [[str(shown_exactly(x, precision)).replace("-", "−") for x in row] for row in rows]
        for line, row in zip(rounded, rows, strict=True):
            for text, x in zip(line, row, strict=True):
                wanted, mine = round_decimal(x, decimals), float(text.replace("Infinity", "inf"))
                assert mine == wanted or (math.isnan(mine) and math.isnan(wanted)), (x, decimals)
