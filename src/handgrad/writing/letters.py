"""How a symbol is written: one table of letters and one of functions, and the reader's choice of notation.

`written` takes a symbol apart for the media that typeset; `plain` writes it in Unicode text on one line.
Subscripts and superscripts hold digits, letters, commas, brackets and the minus sign U+2212; a run of two or
more letters (new, data, max) is a word and stands upright.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from handgrad.errors import RenderError
from handgrad.worked.expressions import Symbol
from handgrad.worked.forms.activations import ACTIVATION_FORMS
from handgrad.worked.forms.optimizers import STATES
from handgrad.writing.letter_parts import NAME, Notation, Written

MINUS = "\u2212"


@dataclass(frozen=True, slots=True)
class Letter:
    """One row of the table: what a quantity is called under each choice of names; is it an array?"""

    base: str
    hy: str = ""
    xyz: str = ""
    capital: str = ""
    accent: str = ""
    xyz_accent: str | None = None
    subscript: str = ""
    array: bool = False


LETTERS: dict[str, Letter] = {
    "x": Letter("x", capital="X", array=True),
    "y": Letter("y", xyz="t", capital="Y", array=True),
    "yhat": Letter("y", xyz="z", capital="A", accent="hat", xyz_accent="", array=True),
    "W": Letter("W", array=True),
    "b": Letter("b", capital="B", array=True),
    "z": Letter("z", xyz="s", capital="Z", array=True),
    "a": Letter("a", hy="h", xyz="y", capital="A", array=True),
    "delta": Letter("δ", array=True),
    "mask": Letter("r", array=True),
    "omega": Letter("ω", array=True),
    "f": Letter("u", array=True),
    "cell": Letter("c"),
    "mean": Letter("c", accent="bar"),
    "deviation": Letter("s"),
    "ymean": Letter("y", accent="bar"),
    "ydeviation": Letter("s", subscript="y"),
    "answer": Letter("y", accent="hat", subscript="unit"),
    "error": Letter("e", array=True),
    "loss": Letter("ℒ", capital="C"),
    "data_loss": Letter("ℒ", capital="C", subscript="data"),
    "penalty": Letter("Ω"),
    "gradient_norm": Letter("‖g‖"),
    "g": Letter("g", array=True),
    "theta": Letter("θ", array=True),
    "n": Letter("n"),
    "m": Letter("m"),
    "t": Letter("t", xyz="τ"),
    "L": Letter("L"),
    "l": Letter("l"),
    "i": Letter("i"),
    "j": Letter("j"),
    "k": Letter("k"),
    "eta": Letter("η"),
    "mu": Letter("μ"),
    "rho": Letter("ρ"),
    "beta1": Letter("β", subscript="1"),
    "beta2": Letter("β", subscript="2"),
    "epsilon": Letter("ε"),
    "lambda": Letter("λ"),
    "lambda1": Letter("λ", subscript="1"),
    "lambda_w": Letter("λ", subscript="w"),
    "keep": Letter("p"),
    "alpha": Letter("α"),
    "threshold": Letter("κ"),
    "limit_value": Letter("c", subscript="v"),
    "limit_norm": Letter("c", subscript="n"),
}
"""Every letter that a record may hold. In the names x, y, z the layers are X, Y, Z; the weighted sum is then
s, the target t and the step τ. In capital letters the cost is C, and the prediction is the A of the last layer."""

LABELS = {"new": "new", "data": "data", "penalty": "pen", "clipped": "clip"}
"""Marks that stand as a word in the subscript."""

FUNCTIONS: dict[str, Written] = {
    name: Written(base, subscript=subscript, upright=len(base.rstrip("′")) > 1)
    for name, base, subscript in (
        *((name, form.written, form.subscript) for name, form in ACTIVATION_FORMS.items()),
        ("f", "f", ""),
        ("ln_softmax", "ln softmax", ""),
        ("exp", "exp", ""),
        ("ln", "ln", ""),
        ("max", "max", ""),
        ("min", "min", ""),
        ("sign", "sign", ""),
        ("clip", "clip", ""),
        ("erf_phi", "Φ", ""),
        ("phi", "φ", ""),
        ("indicator", "1", ""),
    )
}
"""Names of the functions of `Apply`; `abs` has bars instead, `exp` may be written as a power of e."""

ACCENTS = {"": "", "hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}
_RAISED = str.maketrans("0123456789+-\u2212=()nilLjkmt", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿⁱˡᴸʲᵏᵐᵗ")
_LOWERED = str.maketrans("0123456789+-\u2212=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")


def written(symbol: Symbol, notation: Notation) -> Written:
    """The symbol taken apart, in the reader's notation.

    >>> written(Symbol("W", 1, entry=(0, 1)), Notation())
    Written(base='W', accent='', subscript='12', superscript='[1]', bold=False, upright=False, suffix='')
    >>> written(Symbol("z", 1, entry=(0,)), Notation(layer="subscript", first=0)).suffix
    '[0]'

    Raises RenderError for a letter or a mark without a row in the tables.
    """
    alone = _is_number(symbol, notation)
    symbol = _of_last_layer(symbol, notation)
    base, accent, words = _named(symbol, notation)
    subscript, superscript, suffix = list(words), [], ""
    if symbol.layer is not None:
        layer = _layer(symbol.layer)
        if notation.layer == "subscript":
            # the parameter of a companion stays in front: v_{W,1}
            subscript.insert(1 if symbol.mark in STATES and symbol.letter != "theta" else 0, layer)
        else:
            superscript.append(f"[{layer}]" if notation.layer == "bracket" else layer)
    if symbol.sample is not None:
        separator = "," if superscript and notation.layer == "superscript" else ""
        superscript.append(f"{separator}({_position(symbol.sample, notation)})")
    if symbol.entry:
        if _in_brackets(symbol, notation):
            suffix = f"[{','.join(_places(symbol, notation, NAME))}]"
        else:
            subscript.insert(
                1 if symbol.mark in STATES and symbol.letter != "theta" else 0, _entry(symbol, notation)
            )
    if symbol.mark in LABELS:
        subscript.append(LABELS[symbol.mark])
    time = _time(symbol, notation)
    if time:
        subscript.append(time)
    return Written(
        base,
        accent,
        ",".join(subscript),
        "".join(superscript),
        bold=LETTERS[symbol.letter].array and not alone,
        suffix=suffix,
    )


def _is_number(symbol: Symbol, notation: Notation) -> bool:
    """An entry, or a quantity that has only one."""
    name = symbol.letter if symbol.layer is None else f"{symbol.letter}{symbol.layer}"
    alone = name in notation.numbers or (symbol.sample is not None and name in notation.of_samples)
    return bool(symbol.entry) or alone


def function_written(function: str) -> Written:
    """The name of a function of `Apply`; a derivative (sigmoid') has a prime at its base.

    >>> function_written("relu'").base
    'ReLU′'

    Raises RenderError for a function without a row in the table.
    """
    name = FUNCTIONS.get(function.rstrip("'"))
    if name is None:
        raise RenderError(
            f"no written name for the function {function!r}; add a row to FUNCTIONS in writing/letters.py"
        )
    return replace(name, base=name.base + "′" * function.count("'"))


def plain(symbol: Symbol, notation: Notation) -> str:
    """The symbol as Unicode text on one line, for a terminal or a file of plain text.

    >>> plain(Symbol("W", 1, entry=(0, 1)), Notation())
    'W[1]₁₂'
    >>> plain(Symbol("W", 1, mark="m", old=True), Notation())
    'm_W[1]ₜ₋₁'
    >>> plain(Symbol("z", 2), Notation(layer="subscript"))
    'z₂'
    """
    symbol = _of_last_layer(symbol, notation)
    base, accent, words = _named(symbol, notation)
    text = base + ACCENTS[accent] if accent else base
    text = {"y\u0302": "ŷ"}.get(text, text)
    companion = symbol.mark in STATES and symbol.letter != "theta"
    if words:
        text += f"_{words[0]}" if companion else lowered(words[0])
    layer = "" if symbol.layer is None else _layer(symbol.layer)
    if layer and notation.layer == "bracket":
        text += f"[{layer}]"
    elif layer and notation.layer == "superscript":
        text += raised(layer)
    elif layer:
        text += lowered(layer)
    if symbol.sample is not None:
        text += raised(f"({_position(symbol.sample, notation)})")
    if symbol.entry:
        if _in_brackets(symbol, notation):
            text += f"[{','.join(_places(symbol, notation))}]"
        else:
            entry = _entry(symbol, notation, ("", ""))
            text += (
                lowered(entry) if entry == _entry(symbol, notation) else f"_{entry}"
            )  # a name is not lowered
    for word in words[1:]:
        text += f"_{word}"
    if symbol.mark in LABELS:
        text += f"_{LABELS[symbol.mark]}"
    time = _time(symbol, notation)
    return text + lowered(time) if time else text


def raised(text: str) -> str:
    """Superscript text where Unicode has every character, else after a caret.

    >>> raised("2"), raised("[1]")
    ('²', '^[1]')
    """
    shown = text.translate(_RAISED)
    return shown if len(text) and all(a != b for a, b in zip(text, shown, strict=True)) else f"^{text}"


def lowered(text: str) -> str:
    """Subscript text where Unicode has every character, else after an underscore; commas stay.

    >>> lowered("12"), lowered("1,12"), lowered("max")
    ('₁₂', '₁,₁₂', '_max')
    """
    shown = text.translate(_LOWERED)
    complete = all(a != b or a == "," for a, b in zip(text, shown, strict=True))
    word = text.isalpha() and len(text) > 2
    return shown if complete and not word else f"_{text}"


def _in_brackets(symbol: Symbol, notation: Notation) -> bool:
    """W_1[0,0], and x[0] too: where a subscript is a layer, x_1 must not be an entry."""
    numbered = all(isinstance(index, int) for index in symbol.entry)
    return notation.layer == "subscript" and (symbol.layer is not None or numbered)


def _of_last_layer(symbol: Symbol, notation: Notation) -> Symbol:
    """In capital letters the prediction is the A of the last layer."""
    if notation.names != "capital" or symbol.letter != "yhat" or symbol.layer is not None:
        return symbol
    return replace(symbol, layer="L" if notation.depth is None else notation.depth)


def _named(symbol: Symbol, notation: Notation) -> tuple[str, str, list[str]]:
    """Base, accent and the words that begin the subscript."""
    letter = LETTERS.get(symbol.letter)
    if letter is None:
        raise RenderError(
            f"no written form for the letter {symbol.letter!r}; add a row to LETTERS in writing/letters.py"
        )
    base, accent = letter.base, letter.accent
    if notation.names == "hy" and letter.hy:
        base = letter.hy
    elif notation.names == "xyz" and letter.xyz:
        base, accent = letter.xyz, accent if letter.xyz_accent is None else letter.xyz_accent
    elif notation.names == "capital" and letter.capital:
        base, accent = letter.capital, ""
    if symbol.mark in STATES:
        state, accent, word = STATES[symbol.mark]
        parameter = [] if symbol.letter == "theta" else [base]
        return state, accent, parameter + ([word] if word else [])
    if symbol.mark and symbol.mark not in LABELS:
        raise RenderError(
            f"no written form for the mark {symbol.mark!r}; add a row to LABELS in writing/letters.py"
        )
    return base, accent, [letter.subscript] if letter.subscript else []


def _time(symbol: Symbol, notation: Notation) -> str:
    step = "τ" if notation.names == "xyz" else "t"
    if symbol.old:
        return f"{step}{MINUS}1"
    return step if symbol.mark in STATES else ""


def _layer(layer: int | str) -> str:
    return str(layer).replace("-", MINUS)


def _position(index: int | str, notation: Notation) -> str:
    return str(index + notation.first) if isinstance(index, int) else index


def _entry(symbol: Symbol, notation: Notation, marks: tuple[str, str] = NAME) -> str:
    places = _places(symbol, notation, marks)
    return ("" if all(len(place) == 1 for place in places) else ",").join(places)


def _places(symbol: Symbol, notation: Notation, marks: tuple[str, str] = ("", "")) -> list[str]:
    """Each index of an entry: the name of the column or class that it stands for, between `marks`, or its number."""
    found = [unit_name(symbol, place, notation) for place in range(len(symbol.entry))]
    return [
        f"{marks[0]}{name}{marks[1]}" if name else _position(index, notation)
        for name, index in zip(found, symbol.entry, strict=True)
    ]


_OF_INPUTS = ("x", "cell", "mean", "deviation")
_OF_OUTPUTS = ("yhat", "y", "answer", "ymean", "ydeviation")


def counted(symbol: Symbol, place: int, depth: int | None) -> str:
    """What index number `place` of an entry counts in a network of `depth` layers: inputs, outputs, or '' other units.

    >>> counted(Symbol("W", 1, (0, 1)), 1, 2), counted(Symbol("b", 2, (0,)), 0, 2), counted(Symbol("a", 1, (0,)), 0, 2)
    ('inputs', 'outputs', '')
    """
    if (symbol.letter in _OF_INPUTS and place == 0) or (
        symbol.letter == "W" and (symbol.layer, place) == (1, 1)
    ):
        return "inputs"
    last = symbol.layer is not None and symbol.layer == depth
    return "outputs" if place == 0 and (last or symbol.letter in _OF_OUTPUTS) else ""


def unit_name(symbol: Symbol, place: int, notation: Notation) -> str:
    """What index number `place` of an entry is called: the name of its input or output; '' where it is a number.

    >>> unit_name(Symbol("W", 1, (0, 1)), 1, Notation(inputs=("age", "height"), depth=2))
    'height'
    """
    names = {"inputs": notation.inputs, "outputs": notation.outputs, "": ()}[
        counted(symbol, place, notation.depth)
    ]
    index = symbol.entry[place]
    return names[index] if isinstance(index, int) and index < len(names) else ""
