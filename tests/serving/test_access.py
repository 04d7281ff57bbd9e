"""API keys: who knows one may ask."""

import pytest

from promptkit.errors import SpecError
from promptkit.serving.access import Keys, keys_from
from promptkit.serving.refusals import Refusal

KEY, OTHER = "k" * 16 + "1", "k" * 16 + "2"


def opens(keys, header):
    try:
        keys.check({} if header is None else {"authorization": header})
    except Refusal:
        return False
    return True


def test_a_refusal_says_how_to_give_a_key_and_not_which():
    with pytest.raises(Refusal, match="Authorization: Bearer KEY") as caught:
        Keys((KEY,)).check({"authorization": "Bearer wrong"})
    assert caught.value.status == 401
    assert caught.value.headers["WWW-Authenticate"] == "Bearer"
    assert KEY not in str(caught.value)


def test_without_keys_everybody_may_ask():
    assert not Keys()
    assert opens(Keys(), None)
    assert not keys_from(None, {})


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer  {KEY} ", f"BEARER {OTHER}"])
def test_each_key_opens(header):
    assert opens(Keys((KEY, OTHER)), header)


@pytest.mark.parametrize(
    "header",
    [None, "", KEY, "Bearer", "Bearer ", f"Basic {KEY}", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}",
     "Bearer \udcff\xfc", f"Bearer {KEY.upper()}"],
)  # fmt: skip
def test_nothing_else_opens(header):
    assert not opens(Keys((KEY,)), header)


def test_keys_of_a_file_while_one_replaces_the_other(tmp_path):
    (tmp_path / "keys").write_text(f"{KEY}\n\n  {OTHER}  \n")
    keys = keys_from(str(tmp_path / "keys"), {"PROMPTKIT_API_KEY": "z" * 20})
    assert opens(keys, f"Bearer {KEY}")
    assert opens(keys, f"Bearer {OTHER}")
    assert not opens(keys, "Bearer " + "z" * 20)  # the file has the last word
    assert opens(keys_from(None, {"PROMPTKIT_API_KEY": KEY}), f"Bearer {KEY}")


@pytest.mark.parametrize("content", ["", "\n \n", "short", "with blanks in it, and long", "ü" * 20])
def test_keys_that_are_none_are_refused_and_not_shown(tmp_path, content):
    (tmp_path / "keys").write_text(content)
    with pytest.raises(SpecError, match="--api-key-file") as caught:
        keys_from(str(tmp_path / "keys"), {})
    assert not content.strip() or content.strip() not in str(caught.value)
    with pytest.raises(SpecError, match="PROMPTKIT_API_KEY"):
        keys_from(None, {"PROMPTKIT_API_KEY": content})


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SpecError, match="cannot be read"):
        keys_from(str(tmp_path / "none"), {})
