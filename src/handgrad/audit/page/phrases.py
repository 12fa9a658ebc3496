"""Quantities by their names in words, in English and Bengali: 'learning rate', 'the loss is', 'ক্ষতি'."""

from __future__ import annotations

import re

_WORDS: tuple[tuple[str, str], ...] = (
    (r"learning[ -]rate|step size|শেখার হার|শিক্ষণ হার|শিখন হার|লার্নিং রেট", "rate"),
    (r"targets?|true (?:labels?|values?|classe?s?)|desired outputs?|লক্ষ্য(?:মান)?|টার্গেট", "target"),
    (
        r"predictions?|predicted (?:outputs?|values?|probability)|probability|confidence|"
        r"(?:network(?:'s)?|final|model(?:'s)?) outputs?|পূর্বাভাস|অনুমান|ভবিষ্যদ্বাণী|প্রেডিকশন|সম্ভাবনা",
        "yhat",
    ),
    (
        r"(?:total |overall |mean |average )?(?:loss|cost|error)|binary cross[- ]entropy|cross[- ]entropy|ক্ষতি|লস|ব্যয়",
        "loss",
    ),
    (r"weighted sum|pre-?activation|net input|ভারযুক্ত যোগফল", "z"),
    (r"activation|সক্রিয়তা|অ্যাক্টিভেশন", "a"),
    (r"inputs?|ইনপুট", "x"),
)
_LINK = (
    r"(?:\s*\([^()\d]{0,30}\))?\s*(?:value|term)?\s*(?:is|was|are|were|of|to|equals?|becomes?|became|comes? to|came to|"
    r"now|about|approximately|roughly|only|still|therefore|fell to|falls to|drops to|rises to|from|at|=|≈|:|,|\(|"
    r"হল|হলো|হয়|হবে|থেকে|প্রায়|এখন|দাঁড়ায়|মান|র|এর|টি|,|\s)*\s*"
)
_PHRASES = tuple(
    (re.compile(rf"(?:^|[^\w])(?:{words}){_LINK}$", re.IGNORECASE), letter) for words, letter in _WORDS
)
_NAMES = tuple(
    (re.compile(rf"(?:^|.*[^\w])(?:{words})\s*", re.IGNORECASE), letter) for words, letter in _WORDS
)
_FOR = re.compile(r"(?:target|label|desired|লক্ষ্য)\s*(?:value|output)?\s*(?:for|of)?\s*$", re.IGNORECASE)
_IS = re.compile(
    r"\b(?:is|was|are|were|equals?|becomes?|became|comes? to|came to|fell to|falls to|drops to)\b|[=:≈]|হল|হয়"
)
_REACH = 70


def said_before(text: str) -> tuple[str, bool] | None:
    """The letter of the quantity that running text names right before a number, and whether it says 'is'.

    >>> said_before("After that the loss is only "), said_before("we took 3 pages to reach ")
    (('loss', True), None)
    """
    near = text[-_REACH:]
    found = [
        (match.start(), letter, match[0]) for pattern, letter in _PHRASES if (match := pattern.search(near))
    ]
    if not found:
        return None
    _, letter, words = max(found)
    return letter, _IS.search(words) is not None


def named(words: str) -> str | None:
    """The letter of the quantity that some words name and end with.

    >>> named("the learning rate"), named("hidden layer")
    ('rate', None)
    """
    near = words[-_REACH:].rstrip(" :*`")
    return next((letter for pattern, letter in _NAMES if pattern.fullmatch(near)), None)


def is_target(words: str) -> bool:
    """True for words such as 'target for' before a name."""
    return _FOR.search(words.rstrip() + " ") is not None or _FOR.search(words.rstrip()) is not None
