"""`handgrad exercise` and `handgrad mark`: what they write, what they refuse, their exit status."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from handgrad.cli.main import status
from tests.exercises.by_hand import EXAMPLE, worked, written

CASE = str(EXAMPLE)


def fill(path: Path, texts: dict[str, str], name: str = "") -> Path:
    lines = path.read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(lines):
        field = line.split('"')[1] if line.startswith('"') else ""
        if field in texts:
            lines[place] = f'"{field}" = {json.dumps(texts[field], ensure_ascii=False)}'
        if line == 'name = ""':
            lines[place] = f"name = {json.dumps(name, ensure_ascii=False)}"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    """Four papers: right, one slip carried on, the same mistake, and a cell that a spreadsheet would run."""
    folder = tmp_path / "handed-in"
    folder.mkdir()
    assert status(["exercise", CASE, "--digits", "4", "--fill", str(tmp_path / "blank.toml"), "-q"]) == 0
    blank = (tmp_path / "blank.toml").read_text(encoding="utf-8")
    papers = {
        "Ann": written(worked()),
        "Ben": written(worked({"delta2": -worked()["delta2"]})),
        "রহিম": written(worked({"delta2": -worked()["delta2"]})),
        "=HYPERLINK(1)": {"loss": "+cmd|' /C calc'!A0"},
    }
    for number, (name, texts) in enumerate(papers.items()):
        path = folder / f"{number}.toml"
        path.write_text(blank, encoding="utf-8")
        fill(path, texts, name)
    return folder


@pytest.mark.parametrize("suffix", ["txt", "md", "html", "tex", "pdf", "docx", "ipynb"])
def test_sheet_and_key_in_every_medium(
    tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet, key = tmp_path / f"sheet.{suffix}", tmp_path / f"key.{suffix}"
    assert status(["exercise", CASE, "-o", str(sheet), "--answers", str(key), "--digits", "4"]) == 0
    assert {f"wrote {sheet}", f"wrote {key}"} <= set(capsys.readouterr().out.splitlines())
    if suffix not in ("pdf", "docx"):
        told, given = key.read_text(encoding="utf-8"), sheet.read_text(encoding="utf-8")
        for number in ("0.4870", "0.6194", "0.4790", "0.3806", "0.2057", "0.6179"):
            assert number in told
            assert number not in given, "the sheet tells an answer"


@pytest.mark.parametrize("language", ["en", "bn"])
def test_the_sheet_does_not_tell_what_comes_out(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["exercise", CASE, "--language", language]) == 0
    shown = capsys.readouterr().out
    assert "____" in shown
    assert "0.4493" not in shown  # the loss after the step


def test_what_is_given_instead_of_data_stands_on_the_sheet(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["exercise", str(EXAMPLE.parent / "forward-figure.toml"), "--language", "en"]) == 0
    given = capsys.readouterr().out.partition("Given as well")[2]
    assert given.index("y = ") < given.index("ŷ = ") < given.index("Your answers")


def test_hints_are_equations_in_letters(capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["exercise", CASE, "--hints"]) == 0
    assert "ŷ − y" in capsys.readouterr().out


def test_a_recipe_of_flags_is_reproducible(tmp_path: Path) -> None:
    call = ["exercise", "--sizes", "2,3,1", "--activations", "tanh,sigmoid", "--loss", "binary_cross_entropy"]
    call += ["--optimizer", "adam:learning_rate=0.1", "--difficulty", "easy", "--names", "Ann,Ben", "-q"]
    books = []
    for name in ("a", "b"):
        assert status([*call, "--seed", "5", "--book", str(tmp_path / f"{name}.json")]) == 0
        books.append((tmp_path / f"{name}.json").read_bytes())
    assert books[0] == books[1]
    held = json.loads(books[0])["exercises"]
    assert [each["seed"] for each in held] == [5, 6]
    assert held[0]["case"]["optimizer"]["name"] == "adam"
    assert held[0]["case"]["network"]["layers"][0]["activation"] == "tanh"
    assert held[0]["case"]["data"] != held[1]["case"]["data"]


def test_a_recipe_file(tmp_path: Path) -> None:
    recipe = tmp_path / "week3.toml"
    recipe.write_text('title = "Week 3"\n[recipe]\nsizes = [2, 2, 1]\nseed = 3\n[marks]\nloss = 4\n')
    assert status(["exercise", str(recipe), "--variants", "3", "--fill", str(tmp_path / "a.csv"), "-q"]) == 0
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == ["a-1.csv", "a-2.csv", "a-3.csv"]
    assert status(["mark", str(tmp_path / "a-2.csv")]) == 0


def test_nothing_is_replaced_without_force(tmp_path: Path, handed_in: Path) -> None:
    for flag, name in (
        ("-o", "sheet.pdf"),
        ("--answers", "key.md"),
        ("--fill", "f.toml"),
        ("--book", "b.json"),
    ):
        call = ["exercise", CASE, flag, str(tmp_path / name), "-q"]
        assert status(call) == 0
        before = (tmp_path / name).read_bytes()
        assert status(call) == 2, flag
        assert (tmp_path / name).read_bytes() == before
        assert status([*call, "--force"]) == 0
    for flag, name in (("-o", "r.csv"), ("--summary", "s.html"), ("--comments", "c.md")):
        call = ["mark", str(handed_in), flag, str(tmp_path / name), "-q"]
        assert status(call) == 0
        assert status(call) == 2, flag
        assert status([*call, "--force"]) == 0
    paper = handed_in / "0.toml"
    assert status(["mark", str(paper), "-o", str(paper), "--force"]) == 2
    assert status(["exercise", CASE, "--fill", CASE, "--force"]) == 2


def test_a_class_is_marked(tmp_path: Path, handed_in: Path) -> None:
    table, summary = tmp_path / "results.csv", tmp_path / "class.md"
    comments = tmp_path / "comments.html"
    call = ["mark", str(handed_in), "-o", str(table), "--summary", str(summary), "--comments", str(comments)]
    assert status([*call, "-q", "--language", "en"]) == 0
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    assert [row["name"] for row in rows] == ["Ann", "Ben", "রহিম", "'=HYPERLINK(1)"]
    assert [row["marks"] for row in rows] == ["28", "27", "27", "0"]
    assert [row["delta2"] for row in rows] == ["1", "0", "0", "0"]
    assert rows[1]["mistakes"] == "error-sign"
    told = summary.read_text(encoding="utf-8")
    assert "error-sign" in told
    assert "Ben, রহিম" in told
    sheets = sorted(path.name for path in tmp_path.glob("comments-*.html"))
    assert sheets == [
        "comments-ann.html",
        "comments-ben.html",
        "comments-hyperlink-1.html",
        "comments-রহিম.html",
    ]
    page = (tmp_path / "comments-ben.html").read_text(encoding="utf-8")
    assert "output minus target" in page
    assert "27 of 28 marks" in page


def test_json_of_a_class(handed_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(["mark", str(handed_in), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [paper["earned"] for paper in found["papers"]] == [28, 27, 27, 0]
    assert found["papers"][1]["causes"] == {"delta2": "error-sign"}
    step = next(step for step in found["steps"] if step["quantity"] == "delta2")
    assert (step["right"], step["wrong"], step["blank"], step["causes"]) == (1, 2, 1, {"error-sign": 2})


@pytest.mark.parametrize("suffix", ["txt", "md", "html", "tex", "pdf", "docx", "ipynb"])
def test_comments_and_summary_in_every_medium(tmp_path: Path, handed_in: Path, suffix: str) -> None:
    sheet, summary = tmp_path / f"c.{suffix}", tmp_path / f"s.{suffix}"
    call = ["mark", str(handed_in / "2.toml"), "--comments", str(sheet), "--summary", str(summary)]
    assert status([*call, "--language", "bn"]) == 0
    assert sheet.stat().st_size > 500
    assert summary.stat().st_size > 500


def test_files_that_cannot_be_marked_are_named_and_the_others_marked(
    tmp_path: Path, handed_in: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # a long path is broken where the line ends
    (handed_in / "scan.pdf").write_bytes(b"%PDF-1.4 rubbish")
    (handed_in / "empty.csv").write_bytes(b"")
    (handed_in / "notes.jpg").write_bytes(b"\xff\xd8")  # not a kind of file that is read
    assert status(["mark", handed_in.name, "--language", "en"]) == 1
    told = capsys.readouterr().out
    assert "4 papers were marked" in told
    assert "scan.pdf" in told
    assert "empty.csv" in told
    assert status(["mark", str(handed_in / "scan.pdf")]) == 2
    assert status(["mark", str(tmp_path / "nothing.toml")]) == 2
    (tmp_path / "none").mkdir()
    assert status(["mark", str(tmp_path / "none")]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_exercise_named_stands_over_what_a_file_says(tmp_path: Path, handed_in: Path) -> None:
    other = tmp_path / "other.json"
    assert status(["exercise", "--sizes", "2,2,1", "--book", str(other), "-q"]) == 0
    assert status(["mark", str(handed_in), "--exercise", CASE, "-q"]) == 0
    assert status(["mark", str(handed_in), "--exercise", str(other), "-q"]) == 2


BAD = [
    ["exercise"],
    ["exercise", CASE, "--sizes", "2,1"],
    ["exercise", CASE, "--ask", "W1"],
    ["exercise", CASE, "--ask", "nothing"],
    ["exercise", CASE, "--digits", "99"],
    ["exercise", CASE, "--marks", "loss=x"],
    ["exercise", CASE, "--marks", "z9=1"],
    ["exercise", CASE, "--step", "7"],
    ["exercise", CASE, "--fill", "answers.pdf"],
    ["exercise", CASE, "-o", "sheet.json"],
    ["exercise", CASE, "--moodle", "quiz.toml"],
    ["exercise", "--sizes", "2"],
    ["exercise", "--sizes", "a,b"],
    ["exercise", "--sizes", "2,1", "--seed", "-4"],
    ["exercise", "--sizes", "2,1", "--optimizer", "magic"],
    ["exercise", "--sizes", "2,1", "--names", ","],
    ["exercise", str(EXAMPLE.parent / "formula-sheet.toml")],
    ["mark"],
    ["mark", CASE],
    ["mark", CASE, "--exercise", CASE, "--last-digit", "3"],
]


@pytest.mark.parametrize("call", BAD, ids=lambda call: " ".join(call[-2:])[-40:])
def test_a_bad_call_is_one_clear_line(
    call: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert status(call) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
