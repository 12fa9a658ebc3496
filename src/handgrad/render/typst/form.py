"""A form in a PDF: Typst has no fields of its own, so each box that links to a mark becomes a text field.

Source: ISO 32000-1, 12.7 (interactive forms), 12.5.6.19 (widget annotations) and 14.8.4 (structure).
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from handgrad.errors import MissingExtraError
from handgrad.render.document import Field
from handgrad.render.typst.blanks import MARK

_PRINTED, _HIDDEN, _READ_ONLY = 4, 2, 1
_SIZE = 10
"""Points of the letters that are typed."""


def with_fields(pdf: bytes, fields: Sequence[Field]) -> bytes:
    """The PDF with a text field in the place of each mark; hidden fields are on the first page, and not seen.

    Raises MissingExtraError without the package pypdf.
    """
    try:
        from pypdf import PdfReader, PdfWriter
        from pypdf.generic import (
            ArrayObject,
            BooleanObject,
            DictionaryObject,
            NameObject,
            NumberObject,
            TextStringObject,
        )
    except ImportError as error:
        raise MissingExtraError("a PDF with fields to fill in", "docs") from error

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    widgets = ArrayObject()

    def named(annotation: Any, field: Field, flags: int, read_only: int) -> Any:
        annotation[NameObject("/Subtype")] = NameObject("/Widget")
        annotation[NameObject("/FT")] = NameObject("/Tx")
        annotation[NameObject("/T")] = TextStringObject(field_name(field.name))
        annotation[NameObject("/TU")] = TextStringObject(field.label or field.name)
        annotation[NameObject("/V")] = TextStringObject(field.value)
        annotation[NameObject("/DA")] = TextStringObject(f"/Helv {_SIZE} Tf 0 g")
        annotation[NameObject("/F")] = NumberObject(flags)
        annotation[NameObject("/Ff")] = NumberObject(read_only)
        return annotation

    for page in writer.pages:
        for reference in page.get("/Annots", []):
            annotation = reference.get_object()
            address = str(annotation.get("/A", {}).get("/URI", ""))
            if not address.startswith(MARK):
                continue
            named(annotation, fields[int(address.removeprefix(MARK))], _PRINTED, 0)
            del annotation["/A"]
            annotation.pop("/Contents", None)  # the mark; /TU has the words
            annotation[NameObject("/P")] = page.indirect_reference
            widgets.append(reference)
    first: Any = writer.pages[0]
    for field in (field for field in fields if field.hidden):
        nowhere = ArrayObject([NumberObject(0)] * 4)
        widget = DictionaryObject({NameObject("/Type"): NameObject("/Annot"), NameObject("/Rect"): nowhere})
        widget[NameObject("/P")] = first.indirect_reference
        reference = writer._add_object(named(widget, field, _HIDDEN, _READ_ONLY))
        if "/Annots" not in first:
            first[NameObject("/Annots")] = ArrayObject()
        first["/Annots"].append(reference)
        widgets.append(reference)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
            NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
        }
    )
    fonts = DictionaryObject({NameObject("/Helv"): writer._add_object(font)})
    form = DictionaryObject(
        {
            NameObject("/Fields"): widgets,
            NameObject("/NeedAppearances"): BooleanObject(True),  # whoever shows the page draws what is typed
            NameObject("/DA"): TextStringObject(f"/Helv {_SIZE} Tf 0 g"),
            NameObject("/DR"): DictionaryObject({NameObject("/Font"): fonts}),
        }
    )
    writer.root_object[NameObject("/AcroForm")] = writer._add_object(form)
    for element in _holding_fields(writer.root_object.get("/StructTreeRoot")):
        element[NameObject("/S")] = NameObject("/Form")
    shown = writer.root_object.setdefault(NameObject("/ViewerPreferences"), DictionaryObject())
    shown[NameObject("/DisplayDocTitle")] = BooleanObject(True)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _holding_fields(element: Any) -> Iterator[Any]:
    """The elements of the structure, links until now, that hold a field (ISO 32000-1, 14.8.4.4.2)."""
    held = [] if element is None else element.get("/K", [])
    for kid in held if isinstance(held, list) else [held]:
        found = kid.get_object()
        if not isinstance(found, dict):
            continue  # the number of a piece of the page
        if "/Obj" in found and found["/Obj"].get("/Subtype") == "/Widget":
            yield element
        elif "/S" in found:
            yield from _holding_fields(found)


def field_name(name: str) -> str:
    """The name without dots, which PDF takes for parts of a tree.

    >>> field_name("z1[0,0].2")
    'z1[0,0]-2'
    """
    return name.replace(".", "-")
