"""Other languages, told where it is sure and nowhere else."""

import pytest

from promptkit.data.inspection import language
from promptkit.data.inspection.language import check_language, languages
from promptkit.errors import MissingExtra, SpecError
from tests.data.inspection.rows import rows_of

pytest.importorskip("lingua")

ENGLISH = [
    "The delivery came two days late and nobody answered my letters.",
    "Where is Amsterdam ?",
    "I lost my password",
    "Sushi for the connoisseurs of the macabre.",
    "A quiet film that stays with you for a long while after the lights go up.",
]
GERMAN = "Die Lieferung kam zwei Tage zu spät, und niemand hat auf meine Briefe geantwortet."
JAPANESE = "昨日注文した商品がまだ届いていません。いつ頃届くのか教えていただけますでしょうか。"


def found(*texts, wanted=None):
    return list(languages(rows_of(*texts), wanted, lambda n: None))


def test_whole_sentences_of_another_language_are_told():
    (told,) = found(*ENGLISH, GERMAN, JAPANESE)
    assert [spot.row for spot in told.spots] == [5, 6]
    assert told.spots[0].note.startswith("de (")
    assert told.title.endswith("than most rows (en)")


def test_short_texts_and_names_are_left_alone():
    assert found(*ENGLISH, "Guten Tag", "@hans #berlin https://example.de/seite/ueber/uns") == []


def test_a_name_of_another_language_does_not_decide():
    text = "the film relies less on forced air than on petter næss 's delicate and clever direction"
    assert found(*ENGLISH, text) == []


def test_the_language_asked_for_decides():
    (told,) = found(ENGLISH[0], GERMAN, wanted="de")
    assert [spot.row for spot in told.spots] == [0]
    assert "than asked for (de)" in told.title


def test_no_text_long_enough_is_no_finding():
    assert found("", "hi", "42") == []


def test_a_language_that_is_not_looked_for_is_refused():
    with pytest.raises(SpecError, match="--language 'eng': give en, de or another code"):
        check_language("eng")


def test_without_lingua_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(language, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'promptkit\[check\]'"):
        check_language("en")
