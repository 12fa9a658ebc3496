"""Trees of plain arithmetic, and what their written form means to somebody who reads it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import strategies as st

from handgrad.render.document import Literal
from handgrad.worked.expressions import Divide, Expression, Factor, Negative, Number, Power, Root, Sum, Times

_numbers = st.decimals("0.1", "9.9", places=1).map(lambda value: Number(float(value)))


def _nested(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        several.map(Sum),
        inner.map(Negative),
        several.map(lambda factors: Times(factors, sign=True)),
        several.map(lambda factors: Times(factors, sign=False)),
        st.tuples(inner, inner).map(lambda pair: Divide(*pair)),
        inner.map(lambda base: Power(base, Number(2.0, exact=True))),
        inner.map(lambda operand: Root(Power(operand, Number(2.0, exact=True)))),
        inner.map(lambda operand: Factor("label", operand)),
    )


trees: st.SearchStrategy[Expression] = st.recursive(
    st.one_of(_numbers, _numbers.map(lambda number: Number(-number.value))), _nested, max_leaves=8
)


def shown(tree: Expression, substituted: bool = False) -> Expression:
    """The same tree with its numbers as text, those in places of symbols marked."""
    match tree:
        case Number(value):
            text = f"{value:g}"
            made: Expression = Literal(text, substituted and text.startswith("-"))
        case Sum(terms):
            made = Sum(tuple(shown(term, place > 0) for place, term in enumerate(terms)))
        case Times(factors, sign):
            made = Times(tuple(shown(factor, True) for factor in factors), sign)
        case Negative(operand):
            made = Negative(shown(operand, True))
        case Divide(numerator, denominator):
            made = Divide(shown(numerator), shown(denominator))
        case Power(base, exponent):
            made = Power(shown(base, True), shown(exponent))
        case Root(operand):
            made = Root(shown(operand))
        case Factor(label, operand):
            made = Factor(label, shown(operand, substituted))
        case _:
            raise AssertionError(f"no plain arithmetic: {tree}")
    return made


def value_of_mathml(text: str) -> float:
    """What the MathML says, by the rules of arithmetic."""
    return float(eval(_multiplied(_python(ElementTree.fromstring(text))), {"__builtins__": {}}))


_SIGNS = {"\u2212": "-", "\u00d7": "*", "\u2062": "*", "\u2061": ""}


def _python(element: ElementTree.Element) -> str:
    text, parts = element.text or "", [_python(child) for child in element]
    match element.tag:
        case "mn":
            made = f" {text} "
        case "mo":
            made = _SIGNS.get(text, text)
        case "mfrac":
            made = f"(({parts[0]})/({parts[1]}))"
        case "msup":
            base = f"({parts[0]})" if element[0].tag == "mn" else parts[0]
            made = f"{base}**({parts[1]})"
        case "msqrt":
            made = f"(({''.join(parts)})**0.5)"
        case "munder":
            made = parts[0]  # a brace and its label say nothing about the value
        case _:
            made = "".join(parts)
    return made


def value_of_latex(text: str) -> float:
    """What the LaTeX says, by the rules of arithmetic."""
    text = re.sub(r"_\{\\text\{label\}\}", "", text)
    for command, sign in (("\\left", ""), ("\\right", ""), ("\\times", "*"), ("\\enspace", "")):
        text = text.replace(command, sign)
    text = re.sub(r"\\frac(?=\{)", "FRAC", text).replace("\\sqrt", "SQRT").replace("\\underbrace", "")
    python = _without_braces(text)
    return float(eval(_multiplied(python), {"__builtins__": {}}))


def _without_braces(text: str) -> str:
    made, place = "", 0
    while place < len(text):
        if text.startswith("FRAC", place):
            top, place = _braced(text, place + 4)
            bottom, place = _braced(text, place)
            made += f"(({_without_braces(top)})/({_without_braces(bottom)}))"
        elif text.startswith("SQRT", place):
            body, place = _braced(text, place + 4)
            made += f"(({_without_braces(body)})**0.5)"
        elif text[place] == "^":
            exponent, place = _braced(text, place + 1)
            made += f"**({_without_braces(exponent)})"
        elif text[place] == "{":
            body, place = _braced(text, place)
            # the braces group for TeX only: to a reader they are not there
            made += f" {_without_braces(body)} "
        else:
            made, place = made + text[place], place + 1
    return made


def _braced(text: str, start: int) -> tuple[str, int]:
    depth = 0
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[start + 1 : place], place + 1
    raise AssertionError(f"unbalanced braces in {text}")


def _multiplied(python: str) -> str:
    """Factors side by side are multiplied; two numbers side by side would be a mistake."""
    python = re.sub(r"\s+", " ", python).strip()
    assert not re.search(r"\d \d", python), f"numbers run together in {python}"
    return re.sub(r"(?<=[\d)]) ?(?=\()", "*", re.sub(r"(?<=\)) ?(?=\d)", "*", python))
