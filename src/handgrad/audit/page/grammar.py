"""The grammar of linear formulas, as people write them: the longest formula that begins at a word."""

from __future__ import annotations

from collections.abc import Callable

from handgrad.audit.page.formula_trees import (
    Call,
    Derivative,
    Listing,
    Minus,
    Name,
    Number,
    Operation,
    Tree,
    Turned,
)
from handgrad.audit.page.marks import Words
from handgrad.audit.page.powers import TURNS, raised, scaled, to_the, wrapped
from handgrad.audit.page.tokens import printed
from handgrad.audit.printed import Printed

FUNCTIONS = {
    **dict.fromkeys(("σ", "sigmoid", "Sigmoid", "logistic", "sig", "sigm", "Sig"), "sigmoid"),
    **dict.fromkeys(("relu", "ReLU", "Relu", "RELU"), "relu"),
    **{name: name for name in ("tanh", "exp", "ln", "max", "min", "softmax", "sqrt", "abs", "sum", "mean")},
    **dict.fromkeys(("log", "Log"), "log"),
    **dict.fromkeys(("f", "g", "φ", "act", "activation"), "f"),
    "Softmax": "softmax", "Tanh": "tanh", "log10": "log10", "log2": "log2", "lg": "log10", "√": "sqrt",
    "softplus": "softplus", "lrelu": "leaky_relu", "LeakyReLU": "leaky_relu", "leaky_relu": "leaky_relu",
}  # fmt: skip
_WRAPPERS = ("array", "tensor", "matrix", "asarray", "float", "float64", "round", "Matrix", "vector")
_MODULES = ("np", "numpy", "math", "torch", "jnp", "tf", "F")
_LOSSES = ("L", "ℒ", "J", "E", "C", "Loss", "loss", "cost", "Cost", "BCE", "CE", "MSE")
_PRODUCTS = {
    "·": "·", "×": "×", "*": "*", "/": "/", "÷": "/", "⊙": "⊙", "∘": "⊙", "⊗": "⊗", "@": "@", "∗": "*",
}  # fmt: skip
_DEEPEST = 40


class Grammar(Words):
    """Reads trees off a list of words; `running` text joins no names by merely standing side by side."""

    def longest(self, start: int) -> tuple[Tree, int] | None:
        """The longest formula from a word on, and the place behind it; None where none begins."""
        self.place, self._depth, self._spaced = start, 0, False
        tree = self._sum()
        return None if tree is None else (tree, self.place)

    # -- sums and products

    def _sum(self) -> Tree | None:
        left = self._product()
        while left is not None:
            at = self._behind_space(8)
            sign = self._text(at)
            if sign not in ("+", "-"):
                break
            if self._spaced and at > self.place and not self._space_after(at):
                break  # [0.1 -0.2]: another number of the list
            before, self.place = self.place, at + 1
            right = self._product()
            if right is None:
                self.place = before
                break
            left = Operation(sign, left, right)
        return left

    def _space_after(self, place: int) -> bool:
        word = self._word(place + 1)
        return word is not None and word.kind == "space"

    def _product(self) -> Tree | None:
        left = self._signed()
        while left is not None:
            before = self.place
            at = self._behind_space(8)
            sign = self._sign_of_product(at)
            if sign:
                self.place = at + 1
                right = self._signed()
            elif self._stands_beside(left, at := self._beside()):
                sign, self.place = "·", at
                right = self._power()
            else:
                break
            if right is None:
                self.place = before
                break
            left = scaled(left, right) or Operation(sign, left, right)
        return left

    def _sign_of_product(self, at: int) -> str:
        text = self._text(at)
        if self._spaced and at > self.place and text in ("|",):
            return ""
        if text in _PRODUCTS:
            return _PRODUCTS[text]
        follows = self._word(at + 1)
        if text in ("x", "X") and at > self.place and follows is not None and follows.kind == "space":
            behind = self._word(at + 2)
            before = self._word(self.place - 1)
            if behind is not None and (behind.kind == "number" or behind.text in ("(", "[", "-")):
                return "×" if before is not None and before.kind != "name" else ""
        return ""

    def _beside(self) -> int:
        """The place of a factor without a sign; a matrix may stand farther off."""
        far = self._behind_space(8)
        return far if self._text(far) == self._text(far + 1) == "[" else self._behind_space(2)

    def _stands_beside(self, left: Tree, at: int) -> bool:
        """True where the next word is a factor without a sign, as in 2(a - y) or W x."""
        word = self._word(at)
        if word is None or (self._spaced and at > self.place):
            return False
        rule = _BESIDE.get(word.text if word.kind == "sign" else word.kind)
        return rule is not None and rule(self, left, at)

    def _parentheses_beside(self, left: Tree, at: int) -> bool:
        return at == self.place or (not self.running and self._calculates(at))

    def _matrix_beside(self, left: Tree, at: int) -> bool:
        two = self._text(at + 1) == "["
        return two and not self.running and isinstance(left, Number | Minus | Listing | Turned | Operation)

    def _name_beside(self, left: Tree, at: int) -> bool:
        text = self._text(at)
        if text in FUNCTIONS or text in _MODULES:
            return self._text(at + 1) == "(" and (at == self.place or not self.running)
        single = len(text) == 1 and (text not in ("x", "X") or not self.running)
        if self.running:
            return at == self.place and single and isinstance(left, Number) and text in "ŷzaηδ"
        return single or text.rstrip("0123456789")[:1] in ("W", "w", "a", "x", "δ")

    def _signed(self) -> Tree | None:
        at = self._behind_space(8)
        sign = self._text(at)
        if sign in ("-", "+"):
            self.place = at + 1
            inner = self._signed()
            if inner is None:
                return None
            return Minus(inner) if sign == "-" else inner
        self.place = at
        return self._power()

    # -- powers and what stands behind

    def _power(self) -> Tree | None:
        base = self._primary()
        while base is not None:
            word = self._word(self.place)
            if word is None:
                break
            if word.kind == "sup":
                self.place += 1
                base = raised(base, word)
            elif word.text in ("^", "**") and not isinstance(base, Name):
                self.place += 1
                at = self.place
                if self._grouped_mark().strip() in TURNS:
                    base = Turned(base)
                    continue
                self.place = at
                exponent = self._exponent()
                if exponent is None:
                    return None
                base = Operation("^", base, exponent)
            elif word.text == "." and self._text(self.place + 1) == "T":
                self.place += 2
                base = Turned(base)
            elif word.text == "%" and isinstance(base, Number):
                self.place += 1
                base = Number(
                    Printed(base.printed.value / 100, base.printed.unit / 100),
                    base.text,
                    base.start,
                    base.line,
                )
            elif word.text == "_" and not isinstance(base, Name):
                self.place += 1  # [1, 2]_{(1, 2)}: the shape of what stands there
                self._grouped_mark()
            else:
                break
        return base

    def _exponent(self) -> Tree | None:
        if self._text(self.place) in ("{", "("):
            return self._primary()
        return self._signed()

    # -- what stands alone

    def _primary(self) -> Tree | None:
        word = self._word(self.place)
        if word is None or self._depth > _DEEPEST:
            return None
        rule = _PRIMARIES.get(word.text if word.kind == "sign" else word.kind)
        return None if rule is None else rule(self)

    def _number(self) -> Tree | None:
        word = self.words[self.place]
        found = printed(word.text)
        if found is None:
            return None
        self.place += 1
        return Number(found, word.text, word.start, word.line)

    def _parentheses(self) -> Tree | None:
        return self._bracketed(")")

    def _braces(self) -> Tree | None:
        return self._bracketed("}")

    def _inside(self) -> Tree | None:
        self._depth += 1
        spaced, self._spaced = self._spaced, False
        tree = self._sum()
        self._depth -= 1
        at = self.place
        while (word := self._word(at)) is not None and word.kind == "space":
            at += 1
        self.place, self._spaced = at, spaced
        return tree

    def _bracketed(self, closing: str) -> Tree | None:
        self.place += 1
        tree = self._inside()
        if tree is None:
            return None
        if self._text(self.place) == "," and closing == ")":
            return self._rest_of_list([tree], ")")
        if self._text(self.place) != closing:
            return None
        self.place += 1
        return tree

    def _absolute(self) -> Tree | None:
        self.place += 1
        tree = self._inside()
        if tree is None or self._text(self.place) != "|":
            return None
        self.place += 1
        return Call("abs", (tree,))

    def _list(self) -> Tree | None:
        spaced = self._is_spaced()
        self.place += 1
        outer, self._spaced, self._depth = self._spaced, spaced, self._depth + 1
        items: list[Tree] = []
        rows: list[Tree] = []
        closed = False
        while (word := self._word(self.place)) is not None:
            if word.kind == "space" or word.text in (",", "\n"):
                self.place += 1
            elif word.text == ";":
                self.place += 1
                rows.append(Listing(tuple(items)))
                items = []
            elif word.text == "]":
                self.place, closed = self.place + 1, True
                break
            else:
                item = self._sum() if spaced else self._item()
                if item is None:
                    break
                items.append(item)
        self._depth, self._spaced = self._depth - 1, outer
        if not closed:
            return None
        if rows:
            return Listing((*rows, Listing(tuple(items)))) if items else Listing(tuple(rows))
        return Listing(tuple(items)) if items else None

    def _item(self) -> Tree | None:
        tree = self._inside()
        return tree if self._text(self.place) in (",", "]", ";") else None

    def _rest_of_list(self, items: list[Tree], closing: str) -> Tree | None:
        while self._text(self.place) == ",":
            self.place += 1
            item = self._inside()
            if item is None:
                break
            items.append(item)
        if self._text(self.place) != closing:
            return None
        self.place += 1
        return Listing(tuple(items))

    # -- names and functions

    def _named(self) -> Tree | None:
        if self._text(self.place) in _MODULES and self._text(self.place + 1) == ".":
            self.place = min(self.place + 2, len(self.words))
        text, follows = self._text(self.place), self._text(self.place + 1)
        return next(rule for begins, rule in _NAMES if begins(text, follows))(self)

    def _within(self) -> Tree | None:
        """What is in array(...), float(...) and the like."""
        self.place += 1
        inner = self._bracketed(")")
        return inner.items[0] if isinstance(inner, Listing) and wrapped(inner) else inner

    def _plain_name(self) -> Tree | None:
        name = self._name()
        if name is None:
            return None
        if name.base in FUNCTIONS and not name.entries and (called := self._called(name)) is not None:
            return called
        if name.base in _LOSSES and self._text(self.place) == "(":
            self._skip_arguments()
        differential = name.base[:1] == "d" and len(name.base) > 1 and self._text(self.place) == "/"
        return self._by(name) if differential else name

    def _exponential(self) -> Tree | None:
        self.place += 2
        exponent = self._exponent()
        return None if exponent is None else Call("exp", (exponent,))

    def _called(self, name: Name) -> Tree | None:
        before = self.place
        at = self._behind_space(1)
        function = FUNCTIONS[name.base]
        if function == "log" and any(mark.strip() in ("10", "2") for mark in name.lowered):
            function += name.lowered[0].strip()
        function += "'" * (name.primes + sum(mark.strip() == "'" for mark in name.raised))
        power = next((mark for mark in name.raised if mark.isdigit()), "")
        if self._text(at) == "(" or (self._text(at) == "[" and function not in ("f", "max")):
            self.place = at
            inner = self._bracketed(")") if self._text(at) == "(" else self._list()
            if inner is not None:
                several = isinstance(inner, Listing) and function in ("max", "min")
                arguments = inner.items if several and isinstance(inner, Listing) else (inner,)
                return to_the(Call(function, arguments), power, name)
        elif function.startswith(("log", "ln", "exp", "tanh", "sqrt")) and not self.running:
            self.place = at
            inner = self._power()
            if inner is not None:
                return to_the(Call(function, (inner,)), power, name)
        self.place = before
        return None

    def _derivative(self) -> Tree | None:
        self.place += 1
        while (word := self._word(self.place)) is not None and word.kind == "space":
            self.place += 1
        above = self._name()
        if above is None:
            return None
        at = self._behind_space()
        if self._text(at) != "/":
            return Name(f"d{above.base}", *_marks(above))
        self.place = at + 1
        self.place = self._behind_space()
        if self._text(self.place) != "∂":
            return None
        self.place += 1
        self.place = self._behind_space()
        below = self._name()
        return None if below is None else Derivative(above, below)

    def _by(self, above: Name) -> Tree | None:
        """The derivative whose upper name begins with d, where its lower one does too."""
        below = self._word(self.place + 1)
        if below is None or below.kind != "name" or below.text[:1] != "d" or len(below.text) < 2:
            return above
        self.place += 1
        found = self._name()
        if found is None:
            return None
        return Derivative(Name(above.base[1:], *_marks(above)), Name(found.base[1:], *_marks(found)))


def _marks(name: Name) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], int, int, int]:
    return name.lowered, name.raised, name.entries, name.primes, name.start, name.line


_BESIDE: dict[str, Callable[[Grammar, Tree, int], bool]] = {
    "(": Grammar._parentheses_beside,
    "[": Grammar._matrix_beside,
    "name": Grammar._name_beside,
}
_PRIMARIES: dict[str, Callable[[Grammar], Tree | None]] = {
    "number": Grammar._number,
    "(": Grammar._parentheses,
    "{": Grammar._braces,
    "[": Grammar._list,
    "|": Grammar._absolute,
    "name": Grammar._named,
}
"""What begins with a sign or with a word of a kind."""
_NAMES: tuple[tuple[Callable[[str, str], bool], Callable[[Grammar], Tree | None]], ...] = (
    (lambda text, follows: text in _WRAPPERS and follows == "(", Grammar._within),
    (lambda text, follows: text == "e" and follows in ("^", "**"), Grammar._exponential),
    (lambda text, follows: text == "∂", Grammar._derivative),
    (lambda text, follows: True, Grammar._plain_name),
)
"""What a name begins, by its text and the word behind it; the first that fits."""
