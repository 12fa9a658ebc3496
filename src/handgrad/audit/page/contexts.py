"""Where on the way through a calculation a page is: its headings and its running text say it."""

from __future__ import annotations

import re
from dataclasses import replace

from handgrad.audit.page.placing import Context
from handgrad.cases.case import Case

_STEP = re.compile(
    r"\b(?:iteration|update|epoch|training step|step|pass)\s*(?:no\.?|number|#)?\s*(\d+)\b(?![.:]\d)|"
    r"(?:পুনরাবৃত্তি|ধাপ|ইপক|হালনাগাদ)\s*(\d+)(?!\.\d)",
    re.IGNORECASE,
)
_LAYER = re.compile(r"\blayer\s*#?(\d+)\b|(?:স্তর|লেয়ার)\s*(\d+)", re.IGNORECASE)
_SAMPLE = re.compile(
    r"\b(?:sample|example|row|input|pattern)\s*#?(\d+)\b|(?:নমুনা|উদাহরণ)\s*(\d+)", re.IGNORECASE
)
_UNIT = re.compile(r"\b(?:neuron|unit|node)\s*#?(?:h|o)?(\d+)\b|(?:নিউরন|একক)\s*(\d+)", re.IGNORECASE)
_OUTPUT = re.compile(
    r"\boutput\s+(?:layer|neuron|unit|error|gradient)|\bto output\b|→\s*output|আউটপুট (?:স্তর|লেয়ার)",
    re.IGNORECASE,
)
_HIDDEN = re.compile(r"\bhidden\b|লুকানো|গুপ্ত|হিডেন", re.IGNORECASE)
_AFTER = re.compile(
    r"\bafter (?:the |this |one |an )?(?:update|step|training|first step)|"
    r"\bwith the (?:new|updated) (?:weights|parameters)|"
    r"\bnew (?:prediction|loss|output|error|cost|forward)|\bupdated (?:prediction|loss|output|forward)|"
    r"\bsecond forward|(?:হালনাগাদের|আপডেটের|ধাপের) পর|নতুন (?:ওজন দিয়ে|পূর্বাভাস|ক্ষতি|লস)",
    re.IGNORECASE,
)
_UPDATING = re.compile(
    r"\bupdat|\bnew (?:weights|bias|parameters)|\bgradient descent step|হালনাগাদ|আপডেট|নতুন (?:ওজন|বায়াস)",
    re.IGNORECASE,
)


def context_after(text: str, before: Context, case: Case, heading: bool = False) -> Context:
    """The context after some words of the page."""
    depth = case.network.depth
    found = before
    if (step := _number(_STEP, text)) is not None and case.steps > 1 and 1 <= step <= case.steps + 1:
        found = replace(found, step=step, after=False)
    layer = _number(_LAYER, text)
    if layer is not None and 1 <= layer <= depth:
        found = replace(found, layer=layer, unit=None)
    elif _OUTPUT.search(text):
        found = replace(found, layer=depth, unit=None)
    elif _HIDDEN.search(text):
        found = replace(found, layer=1 if depth == 2 else found.layer, unit=None)
    sample = _number(_SAMPLE, text)
    if sample is not None and case.samples > 1 and 1 <= sample <= case.samples:
        found = replace(found, sample=sample - 1)
    unit = _number(_UNIT, text)
    if unit is not None and unit >= 1:
        found = replace(found, unit=unit - 1)
    if _AFTER.search(text):
        found = replace(found, after=True)
    if _UPDATING.search(text):
        found = replace(found, updating=True)
    return found


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    match = pattern.search(text)
    return None if match is None else int(next(group for group in match.groups() if group))


class Contexts:
    """The context, heading by heading and paragraph by paragraph."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._levels: list[tuple[int, Context]] = []
        self._local: Context | None = None

    @property
    def now(self) -> Context:
        """What holds for the next block."""
        if self._local is not None:
            return self._local
        return self._levels[-1][1] if self._levels else Context()

    def heading(self, text: str, level: int) -> None:
        """A heading ends what those of its level and below it have said."""
        while self._levels and self._levels[-1][0] >= level:
            self._levels.pop()
        self._local = None
        self._levels.append((level, context_after(text, self.now, self.case, heading=True)))

    def paragraph(self, text: str) -> None:
        """Running text holds until the next running text."""
        self._local = None
        said = context_after(text, self.now, self.case)
        self._local = said if said != self.now else None
