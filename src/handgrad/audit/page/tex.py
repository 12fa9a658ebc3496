r"""LaTeX mathematics in linear form: `\frac{a}{b}` becomes `((a)/(b))`, a bmatrix `[[a, b], [c, d]]`.

Parsed with pylatexenc. What only says how something looks is left out; what has no linear form stays as a word.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

from handgrad.audit.page.script import GAP, Script
from handgrad.errors import CaseError, MissingExtraError

DEEPEST = 60
"""Braces within braces; no calculation on a page is deeper."""

_SIGNS = {
    "cdot": "·", "times": "×", "ast": "*", "div": "/", "odot": "⊙", "circ": "∘", "otimes": "⊗", "approx": "≈",
    "simeq": "≈", "cong": "≈", "doteq": "≈", "sim": "≈", "equiv": "=", "eq": "=", "coloneqq": ":=", "colon": ":",
    "leftarrow": "←", "gets": "←", "rightarrow": "→", "to": "→", "implies": "→", "Rightarrow": "→", "partial": "∂",
    "nabla": "∇", "top": "⊤", "intercal": "⊤", "prime": "'", "sum": "∑", "prod": "∏", "log": " log", "ln": " ln",
    "exp": " exp", "max": " max", "min": " min", "tanh": " tanh", "lVert": "|", "rVert": "|", "vert": "|",
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "eta": "η",
    "theta": "θ", "lambda": "λ", "mu": "μ", "rho": "ρ", "sigma": "σ", "phi": "φ", "varphi": "φ", "Delta": "Δ",
    "ell": "ℒ", "infty": "∞", "pm": "±", "quad": GAP, "qquad": GAP, "%": "%", "$": "$", "#": "#", "&": "&", "_": "_",
    "{": "(", "}": ")", "|": "|", "lbrace": "(", "rbrace": ")", "lbrack": "[", "rbrack": "]", "langle": "(",
    "rangle": ")", "checkmark": " ✓ ", "dots": " ... ", "ldots": " ... ", "cdots": " ... ", "vdots": " ... ",
    "ddots": " ... ", "leq": " ≤ ", "le": " ≤ ", "geq": " ≥ ", "ge": " ≥ ", "in": " ∈ ", "neq": " ≠ ",
    ",": "", "!": "", ":": "", ";": " ", " ": " ", ">": "", "enspace": " ", "tag": "", "pi": "π", "tau": "τ",
}  # fmt: skip
_NOTHING = {
    "left", "right", "big", "Big", "bigg", "Bigg", "bigl", "bigr", "Bigl", "Bigr", "displaystyle", "textstyle",
    "limits", "nolimits", "nonumber", "notag", "label", "hline", "centering", "color", "phantom", "hspace", "vspace",
    "middle", "biggl", "biggr", "rm", "bf", "it", "scriptstyle", "allowbreak", "newline", "qed", "noindent",
}  # fmt: skip
_THROUGH = {
    "vec", "mathbf", "mathrm", "mathit", "mathsf", "boldsymbol", "bm", "text", "textbf", "textit", "textrm",
    "operatorname", "mbox", "hbox", "underline", "overline", "boxed", "mathbb", "textcolor", "cancel", "emph",
    "overbrace", "tilde", "bar", "widetilde", "dot", "texttt", "mathtt", "ensuremath", "fbox", "textsf", "mathop",
}  # fmt: skip
_BRACED = {"underbrace", "overbrace", "underset", "overset"}
_MATRICES = {"matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix", "smallmatrix", "array"}
MATH_ENVIRONMENTS = (
    *("equation", "align", "gather", "multline", "eqnarray", "displaymath", "math", "flalign", "alignat"),
)
_LOOSE = re.compile(r"(?<=[^\s&]) *[_^] *(?=\S)")
_FRACTIONS = re.compile(r"\\[dtc]frac(?![a-zA-Z])")
_UNSEEN = re.compile(r"\\[hv]?phantom\s*\{[^{}\n]*\}")
"""What only takes room."""
_DIFFERENTIAL = re.compile(r"\s*[∂d]\s*(?=[^\W\d_]|ŷ)")


def walker(text: str, line: int) -> Any:
    """A walker over the LaTeX; what is nested deeper than `DEEPEST` is refused.

    Raises CaseError for that, MissingExtraError without pylatexenc.
    """
    try:
        from pylatexenc.latexwalker import LatexWalker
    except ImportError as error:
        raise MissingExtraError("reading LaTeX from a page", "pages") from error
    deepest = depth = 0
    for found in re.finditer(r"\\begin\b|\\end\b|\\.|[{}]", text, re.DOTALL):
        depth += {"{": 1, "}": -1, "\\begin": 1, "\\end": -1}.get(found[0], 0)
        deepest = max(deepest, depth)
        if deepest > DEEPEST:
            at = line + text.count("\n", 0, found.start())
            raise CaseError(f"line {at}: LaTeX is nested more than {DEEPEST} deep; write it flatter")
    return LatexWalker(text, tolerant_parsing=True)


def plainer(text: str) -> str:
    r"""The LaTeX with fractions of any size as fractions, and without what only takes room.

    >>> plainer(r"\phantom{-}0.5 \tfrac12")
    ' 0.5 \\frac12'
    """
    return _UNSEEN.sub(" ", _FRACTIONS.sub(r"\\frac", text))


def linear(text: str, line: int = 1) -> Script:
    r"""The mathematics in linear form, each character with its line.

    >>> linear(r"\delta^{[2]} = \hat{y} - y = \frac{1}{2}").text
    'δ^{[2]} = ŷ - y = ((1)/(2))'
    """
    text = plainer(text)
    nodes, _, _ = walker(text, line).get_latex_nodes()
    return Linear(text, line).all(nodes)


class Linear:
    """One stretch of LaTeX on its way to linear form."""

    def __init__(self, text: str, line: int) -> None:
        self.text, self.first = text, line
        self._ends = [place for place, letter in enumerate(text) if letter == "\n"]

    def line(self, place: int) -> int:
        """The line of a place in the text."""
        return self.first + bisect_left(self._ends, place)

    def all(self, nodes: Sequence[Any] | None) -> Script:
        """A list of nodes, one after another; what stands under or over a brace is a remark and is left out."""
        made: list[Script] = []
        waiting, kind = list(nodes or ())[::-1], ""
        while waiting:
            node = waiting.pop()
            if waiting and _kind(waiting[-1]) == "Group" and _is_custom(node):
                continue  # a macro of the author's own around something: only what is in it counts
            script = self.one(node)
            if made and _runs_on(made[-1].text, script.text) and "Macro" in (kind, _kind(node)):
                made.append(Script.on(" ", self.line(node.pos)))
            made.append(script)
            kind = _kind(node)
            if _kind(node) == "Macro" and node.macroname in _BRACED:
                if not _arguments(node) and waiting and _kind(waiting[-1]) == "Group":
                    made.append(self.all(waiting.pop().nodelist))
                made += self._after_remark(waiting)
        return _tight(Script.joined(made))

    def _after_remark(self, waiting: list[Any]) -> list[Script]:
        """Takes the remark from the nodes that wait; what was written directly behind it."""
        follows = waiting[-1] if waiting else None
        if follows is None or _kind(follows) != "Chars" or follows.chars.lstrip()[:1] not in ("_", "^"):
            return []
        waiting.pop()
        rest = follows.chars.lstrip()[1:]
        if not rest.strip():
            if waiting:
                waiting.pop()
            return []
        return [self._chars(follows, after=len(follows.chars) - len(rest.lstrip()) + 1)]

    def one(self, node: Any) -> Script:
        """One node."""
        if node is None:
            return Script("", ())
        rule = _NODES.get(_kind(node))
        return Script("", ()) if rule is None else rule(self, node)

    def at(self, node: Any, text: str) -> Script:
        """Text in the place of a node."""
        return Script.on(text, self.line(node.pos))

    def argument(self, node: Any, number: int) -> Script:
        """What stands in an argument of a macro, without its braces."""
        arguments = _arguments(node)
        if not arguments or arguments[number] is None:
            return Script("", ())
        inner = arguments[number]
        return self.all(inner.nodelist) if _kind(inner) == "Group" else self.one(inner)

    def _chars(self, node: Any, after: int = 0) -> Script:
        first = self.line(node.pos)
        found = Script.of(node.chars, first).cut(after)
        return Script(found.text.replace("\n", " "), found.lines)

    def _group(self, node: Any) -> Script:
        inner = self.all(node.nodelist)
        if inner.text == ",":
            return Script(".", inner.lines)  # 0{,}5: a decimal comma
        before = self.text[: node.pos].rstrip()[-1:]
        if before in ("_", "^"):
            return Script.joined((self.at(node, "{"), inner, self.at(node, "}")))
        return inner

    def _macro(self, node: Any) -> Script:
        rule = _MACROS.get(node.macroname)
        return self.at(node, f" {node.macroname} ") if rule is None else rule(self, node)

    def _line_end(self, node: Any) -> Script:
        return self.at(node, "\n")

    def _root(self, node: Any) -> Script:
        return Script.joined((self.at(node, "sqrt("), self.argument(node, -1), self.at(node, ")")))

    def _calligraphic(self, node: Any) -> Script:
        inner = self.argument(node, -1)
        return Script(inner.text.replace("L", "ℒ"), inner.lines)

    def _sign(self, node: Any) -> Script:
        return self.at(node, _SIGNS[node.macroname] + (" " if node.macro_post_space else ""))

    def _left_out(self, node: Any) -> Script:
        return Script("", ())

    def _through(self, node: Any) -> Script:
        apart = " " if node.macroname.startswith("text") else ""
        marked = self.text[node.pos + node.len : node.pos + node.len + 1] in ("_", "^")
        ends = "" if marked else apart
        return Script.joined((self.at(node, apart), self.argument(node, -1), self.at(node, ends)))

    def _fraction(self, node: Any) -> Script:
        above, below = self.argument(node, 0), self.argument(node, 1)
        if _DIFFERENTIAL.match(above.text) and _DIFFERENTIAL.match(below.text):
            return Script.joined((above, self.at(node, "/"), below))
        sign = [self.at(node, text) for text in ("((", ")/(", "))")]
        return Script.joined((sign[0], above, sign[1], below, sign[2]))

    def _hat(self, node: Any) -> Script:
        inner = self.argument(node, -1)
        letter, rest = inner.text.strip()[:1], inner.text.strip()[1:]
        hatted = {"y": "ŷ", "Y": "Ŷ"}.get(letter, f"{letter}hat")
        return self.at(node, hatted + rest)

    def _environment(self, node: Any) -> Script:
        name = node.environmentname.rstrip("*")
        if name in _MATRICES:
            return self._matrix(node)
        inner = self.all(node.nodelist)
        if name == "cases":
            return Script(inner.text.replace("\n", "; "), _stretched(inner, "\n", "; "))
        return Script.joined((self.at(node, "\n"), inner, self.at(node, "\n")))

    def _matrix(self, node: Any) -> Script:
        rows: list[list[list[Any]]] = [[[]]]
        for part in node.nodelist:
            if _kind(part) == "Macro" and part.macroname in ("\\", "cr"):
                rows.append([[]])
            elif _kind(part) == "Specials" and part.specials_chars == "&":
                rows[-1].append([])
            else:
                rows[-1][-1].append(part)
        made: list[Script] = []
        for row in rows:
            cells = [self.all(cell) for cell in row]
            if any(cell.text.strip() for cell in cells):
                made.append(_listed(cells, self.line(node.pos)))
        return _listed(made, self.line(node.pos))

    def _specials(self, node: Any) -> Script:
        plain = {"&": "", "~": " ", "--": "-", "---": "-", "``": '"', "''": "'"}
        return self.at(node, plain.get(node.specials_chars, node.specials_chars))

    def _math(self, node: Any) -> Script:
        return Script.joined((self.at(node, GAP), self.all(node.nodelist), self.at(node, GAP)))


def _listed(parts: list[Script], line: int) -> Script:
    made = [Script.on("[", line)]
    for number, part in enumerate(parts):
        made += [*([Script.on(", ", line)] if number else []), part]
    return Script.joined((*made, Script.on("]", line)))


def _stretched(script: Script, old: str, new: str) -> tuple[int, ...]:
    return tuple(
        line
        for letter, line in zip(script.text, script.lines, strict=True)
        for _ in range(len(new) if letter == old else 1)
    )


def _arguments(node: Any) -> list[Any]:
    return [] if node.nodeargd is None else list(node.nodeargd.argnlist or ())


def _tight(script: Script) -> Script:
    """Without the spaces before and behind the signs of raised and lowered marks."""
    loose = [found for found in _LOOSE.finditer(script.text) if len(found[0]) > 1]
    if not loose:
        return script
    made, end = [], 0
    for found in loose:
        sign = found.start() + found[0].index(found[0].strip())
        made += [script.cut(end, found.start()), script.cut(sign, sign + 1)]
        end = found.end()
    return Script.joined((*made, script.cut(end)))


def _is_custom(node: Any) -> bool:
    """True for a macro that LaTeX itself does not have, as far as formulas go."""
    return _kind(node) == "Macro" and node.macroname not in _MACROS and not _arguments(node)


def _runs_on(before: str, after: str) -> bool:
    """True where two words would become one."""
    return before[-1:].isalpha() and before[-1:] != "∂" and after[:1].isalnum()


def _kind(node: Any) -> str:
    return type(node).__name__.removeprefix("Latex").removesuffix("Node")


_NODES: dict[str, Callable[[Linear, Any], Script]] = {
    "Chars": Linear._chars,
    "Group": Linear._group,
    "Macro": Linear._macro,
    "Environment": Linear._environment,
    "Specials": Linear._specials,
    "Math": Linear._math,
}
_MACROS: dict[str, Callable[[Linear, Any], Script]] = {
    **dict.fromkeys((*_THROUGH, *_BRACED), Linear._through),
    **dict.fromkeys(_NOTHING, Linear._left_out),
    **dict.fromkeys(_SIGNS, Linear._sign),
    **dict.fromkeys(("hat", "widehat"), Linear._hat),
    **dict.fromkeys(("\\", "cr"), Linear._line_end),
    "mathcal": Linear._calligraphic,
    "sqrt": Linear._root,
    "frac": Linear._fraction,
}
"""How each macro is written in a line; one that stands twice is what the later row says."""
