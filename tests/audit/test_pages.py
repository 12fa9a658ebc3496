"""Pages in several notations: nothing right is called wrong, what is planted is found on its line."""

from __future__ import annotations

from pathlib import Path

import pytest

import handgrad as hg
from handgrad.audit.page.check import PageAudit, check_page
from handgrad.audit.page.opening import read_page
from handgrad.cases.case import Case
from tests.audit.pages import CASE, PRINTED, STYLES, numbers, planted

EXAMPLES = Path(__file__).parents[2] / "examples"
BESIDE = Case.from_dict(CASE)


def audit_of(text: str, suffix: str = ".md", case: Case = BESIDE) -> PageAudit:
    return check_page(read_page(text, suffix), case)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("decimals", [3, 4, 6])
def test_a_right_page_is_called_right_and_every_number_is_placed(style: str, decimals: int) -> None:
    write, suffix = STYLES[style]
    audit = audit_of(write(numbers(decimals)), suffix)
    assert not audit.found_something, audit.text(100)
    assert {verdict.claim.quantity for verdict in audit.verdicts} >= set(PRINTED)
    assert not audit.page.account.unplaced


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", PRINTED)
def test_a_planted_number_is_found_on_its_line(style: str, name: str) -> None:
    write, suffix = STYLES[style]
    right, wrong = numbers(4), planted(numbers(4), name, 0)
    text = write(wrong)
    audit = audit_of(text, suffix)
    roots = [verdict for verdict in audit.verdicts if verdict.root]
    assert [verdict.claim.quantity for verdict in roots] == [name], audit.text(100)
    lines = zip(write(right).split("\n"), text.split("\n"), strict=True)
    changed = [k for k, (before, after) in enumerate(lines, 1) if before != after]
    assert audit.said(roots[0]).line in range(changed[0] - 2, changed[0] + 1)


def test_a_line_is_quoted_with_the_correction_beside_it() -> None:
    right, text = numbers(4), STYLES["bengali"][0](planted(numbers(4), "loss", 0))
    audit = audit_of(text)
    in_bengali = right["loss"][0].translate(str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯"))
    for language in ("en", "bn"):
        shown = audit.text(200, language=language)
        line = next(row for row in shown.split("\n") if row.count("ক্ষতি হলো") == 2)
        assert in_bengali in line
    for medium in ("md", "html", "tex", "json", "terminal"):
        assert in_bengali in audit.to(medium).decode() or medium == "json"


def test_json_has_the_line_of_each_claim_and_what_was_not_placed() -> None:
    found = audit_of("# Step\n\n`z1 = [0.21, 0.29]`\n\nBeyond that, 0.75 of it is unclear.\n").as_dict()
    row = found["verdicts"][0]
    assert (row["quantity"], row["line"], row["text"]) == ("z1", 3, "`z1 = [0.21, 0.29]`")
    assert [(one["line"], one["number"]) for one in found["page"]["unplaced"]] == [(5, "0.75")]
    assert found["page"]["placed"] == pytest.approx(2 / 3, abs=1e-4)


@pytest.mark.parametrize(
    ("line", "gives", "says"),
    [
        ("z1[0] = 0.35 × 0.8 + (-0.2) × 0.6 + 0.05 = 0.28 - 0.14 + 0.05 = 0.21", -0.12, -0.14),
        ("0.7 × 0.21 = 0.157", 0.147, 0.157),
        ("σ(0.36) = 0.5890 ≈ 0.57", 0.589, 0.57),
        ("e^(-0.36) = 0.6977 = 0.79", 0.6977, 0.79),
        ("[0.7, -0.4] · [0.21, 0.28] = 0.147 - 0.112 = 0.045", 0.035, 0.045),
    ],
)
def test_numbers_that_do_not_give_what_follows_are_a_finding(line: str, gives: float, says: float) -> None:
    audit = audit_of(f"```\nz1 = [0.21, 0.29]\n{line}\n```")
    assert audit.found_something
    wrong = audit.page.slips[0]
    assert (wrong.gives, wrong.says) == (pytest.approx(gives, abs=1e-9), pytest.approx(says))
    assert audit.as_dict()["arithmetic"][0]["line"] == 3


@pytest.mark.parametrize(
    "line",
    [
        "δ1 = 0.2355 × 0.5791 ≈ 0.1364",  # from rounded factors 0.1364; the rounded product is one of the case's
        "1 / (1 + 0.6977) = 1 / 1.6977 = 0.589",
        "0.333 × 3 = 1.0",
        "0.2 × [0.1, 0.2] = [0.02, 0.04]",
        "[[0.1], [0.2]] × [[0.5, 0.3]] = [[0.05, 0.03], [0.1, 0.06]]",
    ],
)
def test_rounded_terms_are_no_slip(line: str) -> None:
    assert not audit_of(f"```\nz1 = [0.21, 0.29]\n{line}\n```").page.slips


def test_a_given_number_that_the_case_has_otherwise_is_said() -> None:
    audit = audit_of("```\nW₁ = [[0.35, -0.2], [0.15, 0.54]]\nz₁ = [0.21, 0.29]\n```")
    [(said, case)] = audit.page.differs
    assert (said.place.quantity, said.line, case) == ("W1", 2, 0.45)
    assert "0.45" in audit.text()


def test_a_sum_without_its_bias_under_the_same_name_is_no_mistake() -> None:
    page = "```\nz₁[0] = 0.28 - 0.12 + 0.05 = 0.21\n```\n\nOr:\n\n```\nz₁[0] = 0.28 - 0.12 = 0.16\n```"
    audit = audit_of(page)
    assert not audit.found_something
    assert "without the bias" in audit.text()
    alone = audit_of("```\nz₁[0] = 0.28 - 0.12 = 0.16\n```")
    assert [verdict.verdict for verdict in alone.wrong] == ["wrong"]


def test_a_notebook_is_read_cell_by_cell() -> None:
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.v4.new_notebook()
    code = nbformat.v4.new_code_cell(
        "print(z1)",
        outputs=[nbformat.v4.new_output("stream", name="stdout", text="z1 = [0.21 0.29]\nyhat = 0.61\n")],
    )
    book.cells = [nbformat.v4.new_markdown_cell("# Step\n\n$z_2 = 0.28$"), code]
    audit = audit_of(nbformat.writes(book), ".ipynb")
    rows = {row["quantity"]: (row["cell"], row["line"]) for row in audit.as_dict()["verdicts"]}
    assert rows == {"z1": (2, 2), "z2": (1, 3), "yhat": (2, 3)}


def test_weights_that_are_counted_through() -> None:
    case = Case.load(EXAMPLES / "mazur-2015.toml")
    page = r"""Inputs 0.05 and 0.10.

w1 = 0.15, w2 = 0.20, w3 = 0.25, w4 = 0.30, b1 = 0.35, w5 = 0.40, w6 = 0.45, w7 = 0.50, w8 = 0.55, b2 = 0.60

$net_{h1} = 0.15 * 0.05 + 0.2 * 0.1 + 0.35 * 1 = 0.3775$ and $out_{h1} = \frac{1}{1+e^{-0.3775}} = 0.593269992$

$out_{o1} = 0.75136507$, $E_{o1} = \frac{1}{2}(0.01 - 0.75136507)^2 = 0.274811083$, $E_{total} = 0.298371109$

$\frac{\partial E_{total}}{\partial w_{5}} = 0.74136507 * 0.186815602 * 0.593269992 = 0.082167041$

$w_5^{+} = 0.4 - 0.5 * 0.082167041 = 0.35891648$ and $w_8^{+} = 0.561370121$
"""
    audit = audit_of(page, case=case)
    assert not audit.found_something and not audit.page.account.unplaced
    places = {(said.place.quantity, said.place.entry) for said in audit.page.stated}
    assert places == {
        ("z1", (0, 0)), ("a1", (0, 0)), ("a2", (0, 0)), ("loss_terms", (0, 0)), ("loss", None),
        ("dW2", (0, 0)), ("W2_new", (0, 0)), ("W2_new", (1, 1)),
    }  # fmt: skip
    wrong = audit_of(page.replace("0.561370121", "0.561370212"), case=case)
    assert [verdict.claim.quantity for verdict in wrong.wrong] == ["W2_new"]


@pytest.mark.parametrize("name", ["sigmoid-2-2-1", "relu-sigmoid-2-2-1", "nielsen-neuron-a"])
def test_the_programs_own_sheets_raise_nothing(name: str, tmp_path: Path) -> None:
    path = hg.explain(EXAMPLES / f"{name}.toml").save(tmp_path / "sheet.md")
    audit = check_page(path, EXAMPLES / f"{name}.toml")
    assert not audit.found_something, audit.text(120)
    assert audit.page.account.share > 0.95


def test_macros_of_the_authors_own_are_passed_through() -> None:
    page = r"""\newcommand{\hid}[1]{\textcolor{blue}{#1}}
The weighted sums are $\hid{z^{[1]}} = \begin{bmatrix} 0.21 \\ 0.29 \end{bmatrix}$ and
\[ \hid{\boldsymbol{a}}^{[1]} \approx \begin{bmatrix} 0.207 \\ 0.282 \end{bmatrix} \]
"""
    audit = audit_of(page, ".tex")
    assert [(v.claim.quantity, v.verdict) for v in audit.verdicts] == [("z1", "exact"), ("a1", "exact")]


def test_a_closing_tag_alone_is_a_block_of_markdown() -> None:
    page = read_page("<details>\n<summary>one</summary>\n\nz1 = 0.21\n\n</details>\n\nz2 = 0.5\n")
    text = " ".join(block.script.text for block in page.blocks)
    assert "z1 = 0.21" in text
    assert "z2 = 0.5" in text


def test_what_only_takes_room_is_not_read() -> None:
    page = r"$$z^{[1]} = \begin{bmatrix} \phantom{-}0.21 \\ \hphantom{-} 0.29 \end{bmatrix}$$ and z2 = 0.28"
    audit = audit_of(page)
    assert [(v.claim.quantity, v.verdict) for v in audit.verdicts] == [("z1", "exact"), ("z2", "exact")]
