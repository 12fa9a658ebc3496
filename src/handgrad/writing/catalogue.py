"""Keeps the message catalogues in step with the table of sentences: `python -m handgrad.writing.catalogue bn`.

New sentences are added with an empty translation, those that are gone are dropped, and the .mo beside it is
compiled anew (the build compiles its own). A language without a catalogue gets a new one. Needs Babel, which
the program itself does not.
"""

from __future__ import annotations

import io
import string
import sys
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from handgrad.writing.messages import PLURALS, SENTENCES
from handgrad.writing.phrasebook import LOCALE

WIDTH = 100
HEADER = "# Catalogue of handgrad; the message id is the English sentence of writing/messages.py."


def path_of(language: str) -> Path:
    """The .po of a language; its .mo stands beside it."""
    return LOCALE / language / "LC_MESSAGES" / "handgrad.po"


def read(language: str) -> Catalog:
    """The catalogue of a language, an empty one where there is none."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, domain="handgrad")
    with path.open("rb") as file:
        return read_po(file, locale=language, domain="handgrad")


def updated(language: str) -> Catalog:
    """The catalogue with exactly the sentences of the table, in its order."""
    old = read(language)
    new = Catalog(
        locale=language,
        domain="handgrad",
        project="handgrad",
        version="1",
        header_comment=HEADER,
        fuzzy=False,
    )
    new.creation_date, new.revision_date = old.creation_date, old.revision_date
    new.msgid_bugs_address = new.last_translator = new.language_team = "handgrad"
    for key, sentence in SENTENCES.items():
        known = old.get(sentence)
        new.add(sentence, known.string if known is not None else "", auto_comments=[key])
    for key, forms in PLURALS.items():
        known = old.get(forms[0])
        sentences = known.string if known is not None and known.pluralizable else ("",) * new.num_plurals
        new.add(forms, sentences, auto_comments=[key])
    return new


def compiled(catalogue: Catalog) -> bytes:
    """The catalogue as a .mo file."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def untranslated(catalogue: Catalog) -> list[str]:
    """Sentences that lack a translation, or whose translation has other places than they have."""
    return [_forms(message.id)[0] for message in catalogue if message.id and not _good(message)]


def _forms(text: object) -> tuple[str, ...]:
    """The forms of a message for one thing and for several; one form of any other message."""
    return tuple(str(form) for form in text) if isinstance(text, tuple | list) else (str(text),)


def _good(message: Message) -> bool:
    """Every form translated; a form for a single thing may leave the number out."""
    wanted = set.union(*(places(form) for form in _forms(message.id)))
    return all(form and places(form) <= wanted for form in _forms(message.string)) and (
        places(_forms(message.string)[-1]) == wanted
    )


def places(sentence: str) -> set[str]:
    """The names in braces.

    >>> sorted(places("{a} of {b}"))
    ['a', 'b']
    """
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def main(languages: list[str]) -> int:
    """Updates the catalogues of the languages named; the exit status is 1 if any lacks a translation."""
    lacking = 0
    for language in languages:
        catalogue = updated(language)
        path = path_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalogue, width=WIDTH)
        path.with_suffix(".mo").write_bytes(compiled(catalogue))
        missing = untranslated(catalogue)
        lacking += len(missing)
        for sentence in missing:
            print(f"{language}: no translation, or other places in braces: {sentence}")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
