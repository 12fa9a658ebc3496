"""A document as PDF, set by Typst."""

from __future__ import annotations

from handgrad.errors import RenderError
from handgrad.render.document import Document, fields_of
from handgrad.render.typst.form import with_fields
from handgrad.render.typst.page import in_fonts, typst_source
from handgrad.writing.scripts import families_for, typst_module

MOST_TAGGED = 250_000
"""Characters of Typst source up to which the PDF says what is heading, list and table to a screen reader; the
tags of long mathematics are several times as large as the pages themselves."""


def write(document: Document) -> bytes:
    """The document as a PDF file; the same document gives the same bytes.

    Raises MissingExtraError without the typst package, RenderError where no font has the document's letters.
    """
    pdf = compiled(typst_source(document), document.title)
    fields = list(fields_of(document.blocks))
    return with_fields(pdf, fields) if fields else pdf


def compiled(source: str, title: str) -> bytes:
    """The PDF of a Typst source; the same source gives the same bytes.

    Raises MissingExtraError without the typst package, RenderError where no font has its letters.
    """
    typst = typst_module()
    families, fonts = families_for(source)
    source = in_fonts(source, families)
    try:
        # a fixed moment instead of the present one: two runs give the same bytes
        pdf: bytes = typst.compile(
            source.encode(),
            format="pdf",
            font_paths=fonts,
            timestamp=0,
            pdf_tags=len(source) <= MOST_TAGGED,
        )
    except typst.TypstError as error:
        raise RenderError(f"Typst could not set {title!r}: {error}") from error
    return pdf
