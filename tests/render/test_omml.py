from __future__ import annotations

import pytest
from lxml import etree

from handgrad.errors import RenderError
from handgrad.render.math import boxes
from handgrad.render.math.boxes import Box, Brace, Digits, Fence, Letter, Operator, Row, Series, Text, row
from handgrad.render.math.typeset import Style, typeset
from handgrad.render.word.omml import (
    NAMESPACES,
    RULES,
    begun,
    display,
    equation,
    names_apart,
    omml,
    printable,
)
from handgrad.writing.letter_parts import Notation
from tests.render.everything import ELIDED, EXPRESSIONS, HOSTILE

M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

# Which elements stand in which, in this order; those in brackets may be missing. From ECMA-376, 22.1.2.
CONTENTS: dict[str, str] = {
    "f": "num den",
    "d": "dPr e",
    "dPr": "begChr endChr",
    "m": "mPr mr+",
    "mPr": "mcs",
    "mcs": "mc",
    "mc": "mcPr",
    "mcPr": "count mcJc",
    "mr": "e+",
    "rad": "radPr deg e",
    "radPr": "degHide",
    "sSub": "e sub",
    "sSup": "e sup",
    "sSubSup": "e sub sup",
    "nary": "naryPr sub sup e",
    "acc": "accPr e",
    "accPr": "chr",
    "groupChr": "groupChrPr e",
    "groupChrPr": "chr pos vertJc",
    "limLow": "e lim",
    "phant": "phantPr e",
    "phantPr": "show",
}
ARGUMENTS = ("oMath", "e", "num", "den", "sub", "sup", "deg", "lim")
STANDING = (
    "r", "f", "d", "m", "rad", "sSub", "sSup", "sSubSup", "nary", "acc", "groupChr", "limLow", "phant",
)  # fmt: skip


def parsed(inner: str) -> etree._Element:
    return etree.fromstring(f"<m:oMath {NAMESPACES}>{inner}</m:oMath>")


def text(element: etree._Element) -> str:
    return "".join(str(found.text or "") for found in element.iter(f"{M}t"))


def check(element: etree._Element) -> None:
    """Holds the tree to the order of elements that Word reads."""
    name = etree.QName(element).localname
    children = [etree.QName(child).localname for child in element if str(child.tag).startswith(M)]
    if name in ARGUMENTS:
        assert set(children) <= set(STANDING), (name, children)
    elif name == "naryPr":
        assert children[:2] == ["chr", "limLoc"]
        assert children[2:] in ([], ["subHide"], ["supHide"], ["subHide", "supHide"])
    elif name == "r":
        assert children in (["t"], ["rPr", "t"])
    elif name in CONTENTS:
        plain = [child.rstrip("+") for child in CONTENTS[name].split()]
        assert [child for place, child in enumerate(children) if child not in children[:place]] == plain
    for child in element:
        if str(child.tag).startswith(M):
            check(child)


def of(kind: str) -> etree._Element:
    return parsed(omml(typeset(EXPRESSIONS[kind], Style(Notation()))))


def test_every_kind_of_box_has_a_rule() -> None:
    assert set(RULES) == set(boxes.BOXES)


@pytest.mark.parametrize("kind", EXPRESSIONS)
@pytest.mark.parametrize("layer", ["bracket", "superscript", "subscript"])
def test_every_kind_of_expression_has_the_structure_of_word(kind: str, layer: str) -> None:
    root = parsed(omml(typeset(EXPRESSIONS[kind], Style(Notation(layer=layer)))))
    check(root)
    assert text(root)


def test_fractions_roots_and_powers_are_those_of_word() -> None:
    fraction = of("Divide").find(f"{M}f")
    assert fraction is not None
    assert [text(part) for part in fraction] == ["1", "1+e−z[2]"]
    assert of("Root").find(f"{M}rad/{M}e/{M}sSubSup/{M}e/{M}acc") is not None
    assert of("Power").find(f"{M}sSup/{M}e/{M}d") is not None


def test_a_matrix_stands_in_brackets_with_its_rows() -> None:
    fence = of("LaidMatrix").find(f"{M}d")
    assert fence is not None
    assert [sign.get(f"{M}val") for sign in fence[0]] == ["[", "]"]
    rows = fence.findall(f"{M}e/{M}m/{M}mr")
    assert [[text(cell) for cell in row] for row in rows] == [["0.1", "−0.2"], ["0.3", "0.4"]]


def test_an_elided_matrix_says_its_shape() -> None:
    root = parsed(omml(typeset(ELIDED, Style(Notation()))))
    check(root)
    assert "⋯" in text(root)
    assert "⋱" in text(root)
    assert text(root).endswith("128×784")


def test_a_factor_has_a_brace_and_its_name_below() -> None:
    low = of("Factor").find(f"{M}limLow")
    assert low is not None
    brace, name = low.find(f"{M}e/{M}groupChr"), low.find(f"{M}lim")
    assert brace is not None
    assert name is not None
    assert brace.find(f"{M}groupChrPr/{M}chr").get(f"{M}val") == "⏟"
    assert text(name) == "cost derivative"
    assert text(brace) == "2ŷ−2y".replace("ŷ", "y")


def test_a_sum_holds_what_it_adds_up() -> None:
    nary = of("BigSum").find(f"{M}nary")
    assert nary is not None
    assert [text(part) for part in nary[1:3]] == ["i=1", "m"]
    assert text(nary[3]).startswith("ln")
    root = parsed(omml(row(Series(), Letter("x"), Operator("+"), Letter("y"))))
    check(root)
    assert text(root.find(f"{M}nary/{M}e")) == "x"


def test_hats_are_accents() -> None:
    hat = parsed(omml(typeset(EXPRESSIONS["Power"], Style(Notation())))).find(f".//{M}acc")
    assert hat is not None
    assert hat.find(f"{M}accPr/{M}chr").get(f"{M}val") == "\u0302"


def test_cases_have_a_brace_on_the_left_alone() -> None:
    fence = of("Cases").find(f"{M}d")
    assert fence is not None
    assert [sign.get(f"{M}val") for sign in fence[0]] == ["{", ""]
    assert text(fence).endswith("otherwise")


def test_arrays_are_bold_and_entries_are_not() -> None:
    styles = [found.get(f"{M}val") for found in of("MatMul").iter(f"{M}sty")]
    assert styles.count("bi") == 2
    entry = parsed(omml(typeset(EXPRESSIONS["Grid"], Style(Notation()))))
    assert "bi" not in [found.get(f"{M}val") for found in entry.iter(f"{M}sty")]


def test_hostile_words_arrive_as_they_are() -> None:
    root = parsed(omml(Text(HOSTILE + "\x00\x0b")))
    assert text(root) == HOSTILE
    assert printable("a\x01b\ud800c") == "abc"


def test_words_of_another_script_are_named_apart() -> None:
    names: list[str] = []
    box = names_apart(Row((Brace(Digits("1"), "ওজন"), Brace(Digits("2"), "input"), Text("ওজন"))), names)
    assert names == ["ওজন"]
    assert box == Row((Brace(Digits("1"), "(1)"), Brace(Digits("2"), "input"), Text("(1)")))
    fence = names_apart(Fence("(", Brace(Digits("1"), "ডেল্টা"), ")"), names)
    assert fence == Fence("(", Brace(Digits("1"), "(2)"), ")")


def test_words_within_an_equation_say_their_language() -> None:
    root = parsed(omml(Text("ওজন")))
    assert root.find(f"{M}r/{W}rPr/{W}lang").get(f"{W}bidi") == "bn-BD"


def test_a_line_that_begins_with_a_sign_has_something_before_it() -> None:
    root = parsed(begun(omml(row(Operator("="), Digits("2")))))
    check(root)
    assert text(root) == "\u200b=2"


def test_displayed_and_inline_equations() -> None:
    assert etree.fromstring(equation("").replace("<m:oMath", f"<m:oMath {NAMESPACES}", 1)).tag == f"{M}oMath"
    paragraph = etree.fromstring(display("").replace("<m:oMathPara>", f"<m:oMathPara {NAMESPACES}>", 1))
    assert [etree.QName(child).localname for child in paragraph] == ["oMathParaPr", "oMath"]


def test_an_unknown_box_is_refused() -> None:
    with pytest.raises(RenderError, match="no rule for Box"):
        omml(Box())
