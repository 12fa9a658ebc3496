"""From the keys of a record to words in the reader's language.

Catalogues are gettext's: `locale/<language>/LC_MESSAGES/handgrad.mo`, made from the .po beside it; the
English text is the message id. A new language is one new catalogue.
"""

from __future__ import annotations

import gettext
import os
import re
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias

from handgrad.errors import RenderError
from handgrad.worked.expressions import Expression
from handgrad.worked.record import Argument, Words
from handgrad.writing.messages import PLURALS, SENTENCES

Span: TypeAlias = str | Expression
"""A piece of running text: words, or mathematics within the line."""

Spans: TypeAlias = tuple[Span, ...]

LOCALE = Path(__file__).resolve().parent / "locale"
SOURCE_LANGUAGE = "en"
DECIMAL_COMMA = (
    "be bg ca cs da de el es et fi fr gl hr hu id is it lt lv nb nl nn pl pt ro ru sk sl sq sr sv tr uk vi"
)
"""Languages that write a comma for the decimal point."""
NAMED = {"function": "activation", "loss": "loss", "name": "loss", "optimizer": "optimizer"}
"""Arguments that hold the name of a function, loss or optimizer, and the group that they are named in."""


def languages() -> tuple[str, ...]:
    """The languages that there is a catalogue for, English first.

    >>> languages()
    ('en', 'bn')
    """
    found = sorted(path.parent.parent.name for path in LOCALE.glob("*/LC_MESSAGES/handgrad.mo"))
    return (SOURCE_LANGUAGE, *(name for name in found if name != SOURCE_LANGUAGE))


def chosen_language(asked: str | None = None, environment: Mapping[str, str] | None = None) -> str:
    """The language asked for, else that of the locale (LANGUAGE, LC_ALL, LC_MESSAGES, LANG), else English.

    >>> chosen_language("bn"), chosen_language(None, {"LANG": "bn_BD.UTF-8"})
    ('bn', 'bn')

    Raises RenderError if a language is asked for that has no catalogue.
    """
    known = languages()
    if asked is not None:
        for name in (asked, _plain(asked)):
            if name in known:
                return name
        raise RenderError(f"no catalogue for the language {asked!r}; choose one of {', '.join(known)}")
    environment = os.environ if environment is None else environment
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if environment.get(variable):
            named = [_plain(name) for name in environment[variable].split(":")]
            return next((name for name in named if name in known), SOURCE_LANGUAGE)
    return SOURCE_LANGUAGE


def decimal_mark(language: str) -> str:
    """The decimal point of a language, '.' or ','.

    >>> decimal_mark("en"), decimal_mark("de_AT")
    ('.', ',')
    """
    return "," if _plain(language) in DECIMAL_COMMA.split() else "."


def _plain(name: str) -> str:
    """bn of bn_BD.UTF-8."""
    return re.split("[-_.@]", name)[0].lower()


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    try:
        return gettext.translation("handgrad", LOCALE, languages=[language])
    except OSError as error:
        raise RenderError(
            f"no catalogue for the language {language!r}; choose one of {', '.join(languages())}"
        ) from error


@dataclass(frozen=True)
class Phrasebook:
    """The words of one language; `show` writes a number that a sentence mentions.

    >>> Phrasebook("en").text("layer", number=2)
    'Layer 2'
    """

    language: str = SOURCE_LANGUAGE
    show: Callable[[float], str] = field(default=lambda value: f"{value:g}")

    def text(self, key: str, **arguments: Argument | Spans) -> str:
        """A sentence whose arguments are all words and numbers.

        Raises RenderError for an unknown key, a missing argument, or mathematics as an argument.
        """
        parts = self.say(key, **arguments)
        if not all(isinstance(part, str) for part in parts):
            raise RenderError(f"the words {key!r} hold mathematics; ask for spans instead of text")
        return "".join(str(part) for part in parts)

    def spans(self, words: Words) -> Spans:
        """The sentence of a record's words with its places filled.

        Raises RenderError for an unknown key or a missing argument.
        """
        return self.say(words.key, **dict(words.arguments))

    def say(self, key: str, **arguments: Argument | Spans) -> Spans:
        """A sentence, with its mathematics as expressions.

        Raises RenderError for an unknown key or a missing argument.
        """
        sentence = self._sentence(_variant(key, arguments), arguments)
        parts: list[Span] = []
        for text, place, _, _ in string.Formatter().parse(sentence):
            parts.append(text)
            if place is None:
                continue
            if place not in arguments:
                got = ", ".join(arguments) or "none"
                raise RenderError(f"the words {key!r} need the argument {place!r}, got {got}")
            parts.extend(self._filled(place, arguments[place]))
        return joined(parts)

    def _sentence(self, key: str, arguments: Mapping[str, Argument | Spans]) -> str:
        catalogue = _catalogue(self.language)
        if key not in PLURALS:
            return catalogue.gettext(SENTENCES[key])
        count = arguments.get("count")
        if not isinstance(count, int):
            raise RenderError(f"the words {key!r} need the argument 'count', a whole number, got {count!r}")
        return catalogue.ngettext(*PLURALS[key], count)

    def _filled(self, place: str, value: Argument | Spans) -> Iterable[Span]:
        if isinstance(value, tuple):
            return value
        if isinstance(value, Words):
            return self.spans(value)
        if isinstance(value, Expression):
            return (value,)
        if isinstance(value, str):
            key = f"{NAMED.get(place, '')}:{value}"
            return self.say(key) if key in SENTENCES else (value,)
        return (str(value) if isinstance(value, int) else self.show(value),)


def _variant(key: str, arguments: Mapping[str, Argument | Spans]) -> str:
    for place in ("function", "name"):
        variant = f"{key}/{arguments.get(place)}"
        if variant in SENTENCES:
            return variant
    if key not in SENTENCES and key not in PLURALS:
        raise RenderError(f"no words for the key {key!r}; add a row to the table in writing/messages.py")
    return key


def joined(parts: Iterable[Span]) -> Spans:
    """The spans with neighbouring text put together and empty text left out.

    >>> joined(["a", "", "b"])
    ('ab',)
    """
    spans: list[Span] = []
    for part in parts:
        if isinstance(part, str) and spans and isinstance(spans[-1], str):
            spans[-1] += part
        elif part != "":
            spans.append(part)
    return tuple(spans)
