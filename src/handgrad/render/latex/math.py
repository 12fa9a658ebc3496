r"""Mathematics as LaTeX, for documents of amsmath and for Markdown that MathJax or KaTeX render.

Markdown has its own meaning for a backslash before punctuation and for < and >, so a `Dialect` holds what
must be said otherwise there: \cr instead of \\, \lt instead of <.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from handgrad.diagram.palette import kind_of
from handgrad.errors import RenderError
from handgrad.render.document import Formula
from handgrad.render.math import boxes
from handgrad.render.math.aligned import LIMIT, Line, formula_lines
from handgrad.render.math.boxes import Box, tall
from handgrad.render.math.columns import centred
from handgrad.render.math.typeset import Style, typeset
from handgrad.worked.expressions import Expression
from handgrad.writing.letter_parts import Notation


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a medium of LaTeX says what the media say differently.

    `text` writes words within mathematics: it takes plain text and gives what stands between the braces of
    \\text.
    """

    new_row: str
    less: str
    greater: str
    text: Callable[[str], str]


_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
}
_TYPOGRAPHY = {
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    "'": "'",
    "…": r"\dots{}",
    "–": "--",
    "—": "---",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    "\u00a0": "~",
    "\n": " ",
}


def escape(text: str) -> str:
    r"""Plain text for LaTeX's text mode; a sign that stands only in mathematics is put into it.

    >>> escape("50 % of $5 & a_b")
    '50 \\% of \\$5 \\& a\\_b'
    """
    return "".join(_ESCAPES.get(c) or _TYPOGRAPHY.get(c) or _mathematical(c) for c in text)


def _mathematical(character: str) -> str:
    command = SYMBOLS.get(character) or _IN_TEXT.get(character)
    return f"${command}$" if command else character


_IN_TEXT = {"×": r"\times", "·": r"\cdot", "→": r"\to", "←": r"\leftarrow", "±": r"\pm", "√": r"\surd"}
_IN_TEXT |= {c: f"^{{{d}}}" for c, d in zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True)}
_IN_TEXT |= {c: f"_{{{d}}}" for c, d in zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True)}
_IN_TEXT |= {c: f"_{{{d}}}" for c, d in zip("ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", "aehijklmnoprstuvx", strict=True)}
_IN_TEXT |= {c: f"^{{{d}}}" for c, d in zip("ⁿⁱˡᴸʲᵏᵐᵗᵀ", "nilLjkmtT", strict=True)}
_IN_TEXT |= {
    "ŷ": r"\hat{y}",
    "⋯": r"\cdots",
    "⋮": r"\vdots",
    "▾": r"\triangledown",
    "½": r"\tfrac12",
    "✓": r"\checkmark",
}
_IN_TEXT |= {"✗": r"\times", "…": r"\dots"}

SYMBOLS: dict[str, str] = {
    "α": r"\alpha",
    "β": r"\beta",
    "γ": r"\gamma",
    "δ": r"\delta",
    "ε": r"\varepsilon",
    "η": r"\eta",
    "θ": r"\theta",
    "κ": r"\kappa",
    "λ": r"\lambda",
    "μ": r"\mu",
    "ρ": r"\rho",
    "σ": r"\sigma",
    "τ": r"\tau",
    "φ": r"\varphi",
    "Φ": r"\Phi",
    "Ω": r"\Omega",
    "ω": r"\omega",
    "ℒ": r"\mathcal{L}",
    "∞": r"\infty",
    "‖": r"\Vert",
    "′": r"\prime",
    "∂": r"\partial",
    "∇": r"\nabla",
    "Σ": r"\Sigma",
    "⊙": r"\odot",
    "⊗": r"\otimes",
    "−": "-",
    "≈": r"\approx",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
}
"""Characters that LaTeX's own fonts have only as commands of mathematics."""

OPERATORS: dict[str, str] = {
    "+": "+",
    "-": "-",
    "negative": "-",
    "times": r"\times",
    "hadamard": r"\odot",
    "outer": r"\otimes",
    "beside": "",
    "apply": "",
    "comma": ",",
    "semicolon": ";",
    "=": "=",
    "<=": r"\le",
    ">=": r"\ge",
    "!=": r"\ne",
    "~": r"\approx",
    ":=": r"\mathrel{:=}",
    "partial": r"\partial",
    "transpose": r"\top",
    "horizontal": r"\cdots",
    "vertical": r"\vdots",
    "diagonal": r"\ddots",
}
"""The signs of `boxes.OPERATORS`; < and > are the dialect's."""

_DELIMITERS = {"(": "(", ")": ")", "[": "[", "]": "]", "|": r"\vert", "‖": r"\Vert", "{": r"\lbrace", "": "."}
_ACCENTS = {"hat": r"\hat", "tilde": r"\tilde", "bar": r"\bar"}
_NAMED_FUNCTIONS = ("tanh", "exp", "ln", "max", "min")

TEX = Dialect(r"\\", "<", ">", escape)
"""A document that LaTeX compiles."""


def latex(tree: Expression, notation: Notation, language: str = "en", dialect: Dialect = TEX) -> str:
    r"""An expression as LaTeX mathematics, without delimiters around it.

    >>> from handgrad.worked.expressions import MatMul, Symbol, Transpose
    >>> latex(MatMul(Transpose(Symbol("W", 2)), Symbol("delta", 2)), Notation())
    '\\boldsymbol{W}^{[2] \\top} \\boldsymbol{\\delta}^{[2]}'

    Raises RenderError for a node that has no rule and for a number that was not rounded for display.
    """
    return box_latex(typeset(tree, Style(notation, language)), dialect)


def formula_latex(formula: Formula, style: Style, dialect: Dialect = TEX, limit: float = LIMIT) -> str:
    """A formula as the inside of a display: one line, or lines aligned at their equals signs."""
    written = formula_lines(formula, style, limit)
    if len(written) == 1:
        return _line(written[0], dialect, "")
    rows = f" {dialect.new_row}\n".join(_line(line, dialect, "&") for line in written)
    return f"\\begin{{aligned}}\n{rows}\n\\end{{aligned}}"


def _line(line: Line, dialect: Dialect, mark: str) -> str:
    left = "" if line.left is None else box_latex(line.left, dialect)
    if line.right is None:
        return left
    right = box_latex(line.right, dialect)
    # {} before an operator that begins a line makes it binary again, with its space
    start = _operator(line.sign, dialect) if line.sign else r"\qquad {}"
    return _spaced([left, f"{mark}{start}", right])


def box_latex(box: Box, dialect: Dialect = TEX) -> str:
    """A box as LaTeX mathematics.

    Raises RenderError for a kind of box without a rule.
    """
    rule = RULES.get(type(box))
    if rule is None:
        raise RenderError(
            f"no rule to write {type(box).__name__} as LaTeX; add one to RULES in render/latex/math.py"
        )
    return rule(box, dialect)


def _spaced(parts: list[str]) -> str:
    return " ".join(part for part in parts if part)


def _row(box: boxes.Row, dialect: Dialect) -> str:
    text = ""
    before: Box | None = None
    for item in box.items:
        written = box_latex(item, dialect)
        if isinstance(item, boxes.Brace) and before == boxes.Operator("beside"):
            # the labels of neighbours are kept apart
            written = rf"\enspace {written}"
        if written:
            text += written if not text or _sticks(before, item) else f" {written}"
        before = item
    return text


def _sticks(before: Box | None, item: Box) -> bool:
    """No space in the source: behind a minus that leads, beside brackets, between name and argument."""
    match before, item:
        case boxes.Operator("negative" | "apply"), _:
            return True
        case _, boxes.Operator("comma" | "semicolon"):
            return True
        case boxes.Letter("[" | "("), _:
            return True
        case _, boxes.Letter("[" | "]" | "(" | ")"):
            return True
        case boxes.Letter(_, True, True), boxes.Fence():
            return True
    return False


def _letter(box: boxes.Letter, dialect: Dialect) -> str:
    if len(box.text) == 1 and not (box.upright and box.text.isalpha()):
        return _bold(SYMBOLS.get(box.text, box.text), box)
    if box.text in _NAMED_FUNCTIONS and not box.bold:
        return f"\\{box.text}"
    if set(box.text) == {"′"}:
        return " ".join([r"\prime"] * len(box.text))
    name = "".join(f"{{{SYMBOLS[c]}}}" if c in SYMBOLS else dialect.text(c) for c in box.text)
    return f"\\mathrm{{{name}}}" if box.text.isascii() else f"\\text{{{dialect.text(box.text)}}}"


def _quantity(box: boxes.Quantity, dialect: Dialect) -> str:
    r"""The letter in the colour of its kind: \qweight{W}."""
    kind, body = kind_of(box.name), box_latex(box.body, dialect)
    return f"\\q{kind}{{{body}}}" if kind else body


def _bold(text: str, box: boxes.Letter) -> str:
    if not box.bold:
        return text
    return f"\\mathbf{{{text}}}" if box.upright else f"\\boldsymbol{{{text}}}"


def _digits(box: boxes.Digits, dialect: Dialect) -> str:
    # a comma between digits is punctuation to LaTeX unless it stands in braces
    return box.text.replace(",", "{,}") if box.text.isascii() else f"\\text{{{dialect.text(box.text)}}}"


def _operator(name: str, dialect: Dialect) -> str:
    if name == "<":
        return dialect.less
    return dialect.greater if name == ">" else OPERATORS[name]


def _fence(box: boxes.Fence, dialect: Dialect) -> str:
    left, right = _DELIMITERS[box.left], _DELIMITERS[box.right]
    body = box_latex(box.body, dialect)
    if tall(box.body):
        return f"\\left{left} {body} \\right{right}"
    if box.left in ("(", "["):
        return f"{left}{body}{right}"
    return f"{left} {body} {right}"


def _stack(box: boxes.Stack, dialect: Dialect) -> str:
    # {} before an operator that begins a line makes it binary again, with its space
    lines = f" {dialect.new_row} ".join(f"& {{}} {box_latex(line, dialect)}" for line in box.lines)
    return f"\\begin{{aligned}} {lines} \\end{{aligned}}"


def _scripts(box: boxes.Scripts, dialect: Dialect) -> str:
    base = box_latex(box.base, dialect)
    if isinstance(box.base, boxes.Row | boxes.Scripts | boxes.Brace):
        base = f"{{{base}}}"
    return base + _script("_", box.below, dialect) + _script("^", box.above, dialect)


def _script(mark: str, box: Box | None, dialect: Dialect) -> str:
    return "" if box is None else f"{mark}{{{box_latex(box, dialect)}}}"


def _series(box: boxes.Series, dialect: Dialect) -> str:
    return r"\sum" + _script("_", box.below, dialect) + _script("^", box.above, dialect)


def _brace(box: boxes.Brace, dialect: Dialect) -> str:
    return f"\\underbrace{{{box_latex(box.body, dialect)}}}_{{\\text{{{dialect.text(box.label)}}}}}"


def _array(box: boxes.Array, dialect: Dialect) -> str:
    kind = {"[": "bmatrix", "{": "cases"}[box.left]
    lines = centred(box.rows) if kind == "bmatrix" else box.rows
    rows = f" {dialect.new_row} ".join(" & ".join(box_latex(cell, dialect) for cell in row) for row in lines)
    matrix = f"\\begin{{{kind}}} {rows} \\end{{{kind}}}"
    if box.shape is None:
        return matrix
    return f"\\underset{{{box.shape[0]} \\times {box.shape[1]}}}{{{matrix}}}"


RULES: dict[type[Box], Callable[[Any, Dialect], str]] = {
    boxes.Row: _row,
    boxes.Letter: _letter,
    boxes.Quantity: _quantity,
    boxes.Digits: _digits,
    boxes.Text: lambda box, dialect: f"\\text{{{dialect.text(box.text)}}}",
    boxes.Blank: lambda box, dialect: f"\\underline{{\\hspace{{{0.5 * box.width:g}em}}}}",
    boxes.Phantom: lambda box, dialect: f"\\phantom{{{box_latex(box.body, dialect)}}}",
    boxes.Operator: lambda box, dialect: _operator(box.name, dialect),
    boxes.Fence: _fence,
    boxes.Stack: _stack,
    boxes.Fraction: lambda box, dialect: (
        f"\\frac{{{box_latex(box.top, dialect)}}}{{{box_latex(box.bottom, dialect)}}}"
    ),
    boxes.Radical: lambda box, dialect: f"\\sqrt{{{box_latex(box.body, dialect)}}}",
    boxes.Scripts: _scripts,
    boxes.Series: _series,
    boxes.Accent: lambda box, dialect: f"{_ACCENTS[box.accent]}{{{box_latex(box.base, dialect)}}}",
    boxes.Brace: _brace,
    boxes.Array: _array,
}
"""How each kind of box is written; a test holds the table to `boxes.BOXES`."""
