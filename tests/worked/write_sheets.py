"""`python -m tests.worked.write_sheets`: writes the sheets of tests/worked/sheets anew.

After a change of what a sheet holds: read the lines that differ (`git diff tests/worked/sheets`), and keep those that
are right.
"""

from __future__ import annotations

from tests.worked import test_sheets as sheets


def main() -> None:
    """Writes every sheet."""
    made = {name: sheets.sheet(sheets.stepped(name)[1]) for name in sheets.CASES}
    for samples, orientation in ((1, "row"), (2, "column")):
        made[f"weights of {samples}"] = sheets.sheet(sheets.weighted(samples, orientation))
    made["optimizers"] = list(sheets.optimizers())
    made |= {f"matrices of {name}": sheets.matrices(name) for name in sheets.MATRICES}
    made |= {f"formulas of {name}": sheets.formulas(name, samples) for name, samples in sheets.FORMULAS}
    made |= {f"braces of {name}": list(sheets.braces(name)) for name in sheets.BRACED}
    made |= {f"paths of {name}": list(sheets.paths(name)) for name in sheets.PATHS}
    for name, lines in made.items():
        sheets.file_of(name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
