"""A document as PDF, set by Typst."""

from __future__ import annotations

from handgrad.errors import RenderError
from handgrad.render.document import Document, fields_of
from handgrad.render.typst.form import with_fields
from handgrad.render.typst.page import in_fonts, typst_source
from handgrad.writing.scripts import families_for, typst_module


def write(document: Document) -> bytes:
    """The document as a PDF file; the same document gives the same bytes.

    Raises MissingExtraError without the typst package, RenderError where no font has the document's letters.
    """
    fields = list(fields_of(document.blocks))
    # a form is tagged as well; but its fields are typed in Helvetica, which every reader has and no file embeds
    pdf = compiled(typst_source(document), document.title, standard=not fields)
    return with_fields(pdf, fields) if fields else pdf


def compiled(source: str, title: str, *, standard: bool = True) -> bytes:
    """The PDF of a Typst source; the same source gives the same bytes.

    It is tagged; `standard`: as PDF/UA-1 wants it, which Typst checks.

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
            pdf_standards=["ua-1"] if standard else [],
        )
    except typst.TypstError as error:
        if standard and str(error).startswith("PDF/UA-1"):
            # a document of somebody else's may skip a level of headings: it is tagged all the same, and claims nothing
            return compiled(source, title, standard=False)
        raise RenderError(f"Typst could not set {title!r}: {error}") from error
    return pdf
