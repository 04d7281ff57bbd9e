"""Which column holds the text, which the labels, which the ids, and why it is thought so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from promptkit.data.profile import Profile
from promptkit.errors import DataError, nearest

#: Names of columns, in lower case, the surest first.
TEXT_NAMES = (
    "text sentence review body content message comment utterance question query tweet post "
    "document description feedback input headline title"
).split()
LABEL_NAMES = (
    "label labels class category target gold intent sentiment topic emotion y stars rating score "
    "tag answer output"
).split()
ID_NAMES = ("id", "row_id", "uid", "uuid", "guid", "index", "idx", "key")


@dataclass(frozen=True)
class Choice:
    """A column in a role.

    Args:
        column: Its name.
        why: How it was found, in words.
    """

    column: str
    why: str


def text_column(profiles: Sequence[Profile], told: str | None, file: str) -> Choice:
    """The column of text.

    Raises:
        DataError: There is no such column, or none looks like text.
    """
    if told is not None:
        return Choice(_there(profiles, told, "--text-field", file).name, "as --text-field says")
    texts = [one for one in profiles if one.reads_like_text]
    for name in TEXT_NAMES:
        for one in texts:
            if one.name.strip().lower() == name:
                return Choice(one.name, f"it is called so, and {_like_text(one)}")
    if texts:
        longest = max(texts, key=lambda one: one.mean_chars)
        others = "" if len(texts) == 1 else "the longest of those that read like text: "
        return Choice(longest.name, f"{others}{_like_text(longest)}")
    named = [
        one
        for name in TEXT_NAMES
        for one in profiles
        if one.name.strip().lower() == name and one.n_filled and not one.is_nested
    ]
    if named:
        return Choice(named[0].name, "it is called so")
    raise DataError(
        f"{file}: no column reads like text ({_listed(profiles)}); say which with --text-field"
    )


def label_column(profiles: Sequence[Profile], told: str | None, text: str, file: str) -> Choice:
    """The column of labels.

    Raises:
        DataError: There is no such column, or it holds lists; none looks like labels, or several
            do.
    """
    if told is not None:
        found = _there(profiles, told, "--label-field", file)
        if found.name == text:
            raise DataError(f"{file}: column {text!r} cannot be both text and label")
        if found.is_nested:
            raise DataError(f"{file}: column {told!r} holds lists or objects; a row has one label")
        return Choice(found.name, "as --label-field says")
    free = [one for one in profiles if one.name != text and one.could_be_labels]
    for name in LABEL_NAMES:
        for one in free:
            if one.name.strip().lower() == name:
                return Choice(one.name, f"it is called so, and {_like_labels(one)}")
    words = [one for one in free if not one.is_number] or free
    if len(words) == 1:
        return Choice(words[0].name, f"the only one with few values: {_like_labels(words[0])}")
    if words:
        raise DataError(
            f"{file}: the labels may be in {' or '.join(repr(one.name) for one in words)}; say "
            "which with --label-field"
        )
    raise DataError(
        f"{file}: no column looks like labels, a few values that each stand in several rows "
        f"({_listed(profiles)}); say which with --label-field"
    )


def id_column(profiles: Sequence[Profile], taken: Sequence[str]) -> Choice | None:
    """The column that names rows, if there is one."""
    free = [one for one in profiles if one.name not in taken and one.could_be_ids]
    for one in free:
        name = one.name.strip().lower()
        if name in ID_NAMES or name.endswith(("_id", "-id", " id")):
            return Choice(one.name, "it is called so, and each row has its own value")
    return None


def _there(profiles: Sequence[Profile], told: str, flag: str, file: str) -> Profile:
    for one in profiles:
        if one.name == told:
            if not one.n_filled:
                raise DataError(f"{file}: column {told!r} is empty; {flag} another one")
            return one
    names = [one.name for one in profiles]
    raise DataError(f"{file}: no column {told!r} for {flag}; {nearest(told, names)}")


def _like_text(one: Profile) -> str:
    return f"{one.mean_words:.0f} words on average, {100 * one.share_different:.0f}% different"


def _like_labels(one: Profile) -> str:
    return f"{one.n_different:,} values in {one.n_filled:,} rows"


def _listed(profiles: Sequence[Profile]) -> str:
    names = [one.name for one in profiles]
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"it has {', '.join(names[:8]) or 'no columns'}{more}"
