"""The program that a notebook runs to compute its sheet anew."""

from __future__ import annotations

import os
from typing import Any

from handgrad.cases.python import case_program, model_program
from handgrad.render.settings import Settings
from handgrad.worked.record import Options
from handgrad.worksheets.steps import CaseSource, ModelSource, Source


def program(source: Source, first: int, last: int, options: Options, settings: Settings) -> str:
    """Python that opens the same steps in the same language; nothing where no file and no case says what they are."""
    step = first if first == last else (first, last)
    asked: dict[str, Any] = {
        "detail": options.detail,
        "focus": options.focus,
        "digits": settings.digits,
        "significant": settings.significant,
        "language": settings.language,
    }
    if isinstance(source, CaseSource):
        keys = source.case.keys
        if keys is None or source.case.symbolic:
            return ""
        own = {
            "carry": source.rounding.carry or None,
            "digits_of": dict(settings.digits_of) or None,
        }
        return case_program(keys, step=step, **asked, **own)
    if not isinstance(source, ModelSource) or source.path is None:
        return ""
    data = source.data
    if data is not None and not isinstance(data, str | os.PathLike):
        return ""
    chosen = None if source.chosen is None else f"{source.chosen.first}:{source.chosen.last}"
    return model_program(
        os.fspath(source.path),
        step=step,
        data=None if data is None else os.fspath(data),
        rows=chosen,
        **asked,
    )
