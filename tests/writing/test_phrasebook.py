"""Words: complete catalogues, the language of the reader, and no key that falls through."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handgrad.errors import RenderError
from handgrad.nn.activations import ACTIVATIONS
from handgrad.nn.losses import LOSSES
from handgrad.nn.network import BIASES
from handgrad.nn.optimizers import OPTIMIZERS
from handgrad.worked.expressions import Symbol
from handgrad.worked.record import Words, words
from handgrad.writing import messages as sentences
from handgrad.writing.catalogue import compiled, path_of, places, read, untranslated, updated
from handgrad.writing.messages import PLURALS, SENTENCES
from handgrad.writing.phrasebook import Phrasebook, chosen_language, decimal_mark, languages

SOURCE = Path(sentences.__file__).resolve().parent.parent
TRANSLATED = [language for language in languages() if language != "en"]
GROUPS = (
    *("REASONS", "FACTORS", "OBSERVATIONS", "NAMES", "LABELS", "TEXT", "MEANINGS", "MATRICES"),
    "AUDIT",
    "EXERCISES",
    "PAGE",
    "CALCULATOR",
    "BRIEF",
    "CELLS",
    "SITUATIONS",
    "LIVE",
    "WALK",
    "SPOKEN",
    "REPORT",
    "TEXTBOOK",
)


def test_no_key_is_in_two_groups():
    assert sum(len(getattr(sentences, group)) for group in GROUPS) == len(SENTENCES)


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_is_complete_and_keeps_the_places(language: str):
    assert untranslated(updated(language)) == []
    known = {message.id for message in read(language) if message.id}
    assert known == set(SENTENCES.values()) | set(PLURALS.values())


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_is_that_of_the_text(language: str):
    assert path_of(language).with_suffix(".mo").read_bytes() == compiled(read(language))


def test_bengali_is_bengali():
    for key in (*sentences.REASONS, *sentences.OBSERVATIONS, *sentences.MATRICES):
        sentence = SENTENCES[key]
        arguments = dict.fromkeys(places(sentence), "1")
        assert re.search("[\u0980-\u09ff]", Phrasebook("bn").text(key, **arguments)), key


def test_every_row_of_the_tables_of_nn_has_a_name():
    for group, names in (
        ("activation", ACTIVATIONS),
        ("loss", LOSSES),
        ("optimizer", OPTIMIZERS),
        ("bias", BIASES),
    ):
        assert not [name for name in names if f"{group}:{name}" not in SENTENCES]


def test_every_key_that_the_program_uses_is_in_the_table():
    calls = re.compile(r'(?:words|text|say|paragraph|heading)\(\s*(?:\d,\s*)?f?"([a-zA-Z][a-zA-Z_:]+)"')
    used = {
        (key, path.name)
        for folder in ("render", "worked")
        for path in (SOURCE / folder).rglob("*.py")
        for key in calls.findall(path.read_text(encoding="utf-8"))
    }
    assert len(used) > 100
    assert not [pair for pair in used if pair[0] not in {*SENTENCES, *PLURALS}]


def test_a_sentence_is_filled_and_names_are_translated():
    reason = words("delta_output_fused", layer=2, function="sigmoid", loss="binary_cross_entropy")
    assert Phrasebook().spans(reason)[0].startswith("For sigmoid with binary cross-entropy")
    assert Phrasebook("bn").spans(reason)[0].startswith("সিগময়েড ও বাইনারি ক্রস-এন্ট্রপি")


def test_a_variant_is_chosen_by_function_or_name():
    book = Phrasebook()
    assert "probabilities" in book.text("activation", layer=1, function="softmax")
    assert "ReLU" in book.text("activation", layer=1, function="relu")
    assert "outlier" in book.text("loss", name="huber")


@pytest.mark.parametrize("language", ["en", "bn"])
def test_one_thing_is_not_many(language: str):
    book = Phrasebook(language)
    assert book.text("n_inputs", count=2) == {"en": "2 inputs", "bn": "2টি ইনপুট"}[language]
    assert book.text("n_inputs", count=1) == {"en": "1 input", "bn": "1টি ইনপুট"}[language]
    assert book.text("weights_all_grew_plain", count=1) != book.text("weights_all_grew_plain", count=3)
    sentence = book.text(
        "network_sizes",
        sizes="1 → 1",
        **{
            place: words(key, count=1)
            for place, key in (("inputs", "n_inputs"), ("layers", "n_layers"), ("parameters", "n_parameters"))
        },
    )
    assert "1 inputs" not in sentence and "1 layers" not in sentence and "{" not in sentence


def test_mathematics_stays_mathematics():
    assert Phrasebook().say("given", quantity=Symbol("z", 1)) == (
        Symbol("z", 1),
        " is given and taken as it is.",
    )
    with pytest.raises(RenderError, match="mathematics"):
        Phrasebook().text("given", quantity=Symbol("z", 1))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [(Words("nonsense"), "no words"), (Words("dropout"), "'keep'"), (Words("left_out"), "'count'")],
)
def test_unknown_keys_and_missing_arguments_are_refused(wrong: Words, message: str):
    with pytest.raises(RenderError, match=message):
        Phrasebook().spans(wrong)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "bn_BD.UTF-8"}, "bn"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LC_ALL": "en_GB.UTF-8", "LANG": "bn_BD"}, "en"),
        ({"LC_ALL": "C", "LANG": "bn_BD"}, "en"),
        ({"LANGUAGE": "fr:bn:en", "LANG": "en_US"}, "bn"),
        ({"LANG": "bn_IN@latin"}, "bn"),
    ],
)
def test_the_language_is_that_of_the_locale(environment: dict[str, str], language: str):
    assert chosen_language(None, environment) == language


def test_a_language_asked_for_must_have_a_catalogue():
    assert chosen_language("bn-BD", {}) == "bn"
    with pytest.raises(RenderError, match="en, bn"):
        chosen_language("tlh")
    with pytest.raises(RenderError, match="'tlh'"):
        Phrasebook("tlh").text("layer", number=1)


def test_the_decimal_mark():
    assert [decimal_mark(name) for name in ("en", "bn", "de", "fr_CA")] == [".", ".", ",", ","]
