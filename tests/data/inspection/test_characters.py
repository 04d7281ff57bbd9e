"""Signs of texts that went wrong on their way, and texts that only look so."""

import pytest

from promptkit.data.inspection.characters import characters, mojibake
from tests.data.inspection.rows import notes, rows_of


def signs(text):
    return {kind: own[0] for kind, own in notes(characters(rows_of(text), lambda n: None)).items()}


@pytest.mark.parametrize("text", ["café", "naïve", "“so”", "it’s", "£5", "😀", "привет", "日本語",
                                  "Ünal", "niño", "a\u00a0b", "Ελλάδα", "\ufeffa"])  # fmt: skip
@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_utf_8_read_as_something_else_is_seen_and_told(text, encoding):
    try:
        spoiled = text.encode().decode(encoding)
    except UnicodeDecodeError:
        pytest.skip("Windows-1252 has no such character")
    assert mojibake(spoiled)
    assert mojibake(f"so they said {spoiled} and left")


@pytest.mark.parametrize(
    "text",
    [
        "Café à Paris, voilà…", "FIANCÉ…", "AMANHÃ…", "L’ÉTÉ’ – “Ça va?”", "Größe: 5 µm ±2°",
        "ÇA ÉTAIT À LUI «OUI»", "São Paulo, NÃO!", "Привет, мир", "日本語です", "½ of it", "¿Qué?",
        "Tiếng Việt", "שלום", "ﬁn", "naïve — café “quoted”", "Ångström Ål",
    ],
)  # fmt: skip
def test_what_people_write_is_no_mojibake(text):
    assert mojibake(text) == ""


def test_what_was_meant_is_told():
    assert mojibake("CafÃ© au lait") == "'Ã©' for 'é'"
    assert mojibake("donâ€™t") == "'â€™' for '’'"


@pytest.mark.parametrize(
    ("text", "kind", "note"),
    [
        ("lost \ufffd\ufffd here", "lost-characters", "2 × U+FFFD"),
        ("half \ud83d of it", "half-character", "half a character (a lone surrogate)"),
        ("a\x00b", "controls", "U+0000"),
        ("a\x1b[31mb", "controls", "U+001B"),
        ("C1 \x93quoted\x94", "controls", "U+0093"),
        ("pay \u202ecod.exe", "direction", "U+202E"),
        ("zero\u200bwidth", "invisible", "U+200B"),
        ("soft\u00adhyphen", "invisible", "U+00AD"),
        ("one<br/>two", "html", "<br/>"),
        ('<a href="http://x.y">here</a>', "html", '<a href="http://x.y">'),
        ("don\\u2019t", "escapes", "\\u2019"),
        ("Tom &amp; Jerry", "html", "&amp;"),
        ("5 &#8364;", "html", "&#8364;"),
        ("https://a.b/c www.d.e", "only-address", "nothing but addresses"),
        ("?!...", "no-words", "no letter and no digit"),
    ],
)
def test_each_sign_is_seen(text, kind, note):
    assert signs(text)[kind] == note


@pytest.mark.parametrize(
    "text",
    [
        "a < b and b > c", "x <- y", r"C:\users\xavier", "<3 you", "AT&T; R&D;", "tab\tand\nline", 
        "see https://a.b now",
        "emoji 👩‍👩‍👧 and 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "می‌خواهم", "שלום \u202bעולם\u202c", "😀", "日本", "<user> said",
    ],
)  # fmt: skip
def test_what_only_looks_so_is_left_alone(text):
    assert signs(text) == {}


def test_a_long_text_of_open_tags_takes_no_time():
    assert "html" not in signs("<a " * 200_000)
