"""The gallery is what its commands make, to the byte."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

GALLERY = Path(__file__).parents[1] / "docs" / "gallery"


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gallery_make", GALLERY / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("gallery")
    maker().make(folder)
    return folder


def test_the_gallery_is_complete(made):
    committed = {path.name for path in GALLERY.iterdir()} - {"make.py", "__pycache__"}
    assert {path.name for path in made.iterdir()} == committed


@pytest.mark.parametrize("name", sorted(p.name for p in GALLERY.iterdir() if p.suffix in (".md", ".html")))
def test_each_file_is_what_its_command_makes(made, name):
    assert (made / name).read_bytes() == (GALLERY / name).read_bytes()


@pytest.mark.parametrize("language", ["en", "bn"])
def test_it_holds_what_the_notes_show(language):
    sigmoid = (GALLERY / f"sigmoid-2-2-1.{language}.md").read_text(encoding="utf-8")
    for number in ("0.55", "0.60", "0.39", "0.596", "-0.404", "-0.222", "-0.242", "-0.020", "-0.029"):
        assert number in sigmoid
    relu = (GALLERY / f"relu-sigmoid-2-2-1.{language}.md").read_text(encoding="utf-8")
    for number in (
        "0.21",
        "0.47",
        "0.105",
        "0.282",
        "0.487",
        "0.6145",
        "0.6194",
        "-1.6145",
        "0.2357",
        "-0.3806",
    ):
        assert number in relu
    for number in ("-0.0799", "-0.1789", "-0.1903", "-0.2284", "0.508", "0.618", "0.138", "0.119", "0.223"):
        assert number in relu
    chain = (GALLERY / f"chain-rule.{language}.md").read_text(encoding="utf-8")
    assert chain.count("\\underbrace") > 10
    for letters in (
        "(2 A_{2} - 2 Y)",
        r"\underbrace{\sigma(Z_{2})}",
        r"\underbrace{(1 - \sigma(Z_{2}))}",
        "C = (A_{2} - Y)",
    ):
        assert letters in chain
