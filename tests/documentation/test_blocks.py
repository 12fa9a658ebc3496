"""Every block of code and every command of every page runs, and prints what the page shows."""

from __future__ import annotations

import warnings

import pytest
from docs.site.blocks import Block, blocks, commands, output
from docs.site.parsers import verbs
from docs.site.run import clone, fails, wrong

from tests.documentation.pages import PAGES, prepare_examples, wrong_on


@pytest.mark.parametrize("page", PAGES)
def test_page(page: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a training that was meant to be short
        assert wrong_on(page, long=False) == []


def test_the_examples_of_every_verb() -> None:
    """Those of `handgrad VERB --help`, one verb after another, as the reference and the manual page have them."""
    with clone() as folder:
        prepare_examples(folder)
        for example in (example for verb in verbs() for example in verb.examples):
            (command,) = commands(Block("console", None, f"$ {example}\n", 0))
            assert fails(command, long=False) is None, example


def test_blocks_are_found() -> None:
    page = 'a\n\n```toml title="a.toml"\nx = 1\n```\n\n    handgrad check a.toml   # why\n    make test\n'
    fenced, indented = blocks(page)
    assert (fenced.language, fenced.title, fenced.text) == ("toml", "a.toml", "x = 1\n")
    assert [command.words for command in commands(indented)] == [
        ["handgrad", "check", "a.toml"],
        ["make", "test"],
    ]


def test_what_a_page_shows_is_compared() -> None:
    (command,) = commands(blocks("```console\n$ handgrad matrix '[1 2]'\n...\n[7 8]\n```\n")[0])
    assert "the page shows\n[7 8]" in str(fails(command))


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("```console\n$ handgrad explain nothing.toml\n```\n", "exit status 2"),
        ("```console\n$ make nonsense\n```\n", "no target nonsense"),
        ("```console\n$ pip install 'handgrad[nonsense]'\n```\n", "no extra nonsense"),
        ("```console\n$ python -m benchmarks.run --nonsense\n```\n", "knows no --nonsense"),
        ("```python\nprint(1)\n```\n\n```text\n2\n```\n", "the page shows\n2"),
    ],
)
def test_what_is_wrong_is_said(block: str, said: str) -> None:
    assert said in " ".join(wrong(block))


def test_outputs_of_every_flag_are_known() -> None:
    (command,) = commands(blocks("```console\n$ handgrad exercise a -o b --answers c --fill d\n```\n")[0])
    assert output(command) == ["b", "c", "d"]
