"""Who may ask: whoever knows a key, where there is one."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from pathlib import Path

from promptkit.errors import SpecError
from promptkit.serving.refusals import Refusal

VARIABLE = "PROMPTKIT_API_KEY"
#: Characters that a key must have at least: a short one is soon guessed.
SHORTEST = 16


class Keys:
    """The keys that open the server; none opens it to everybody.

    Args:
        keys: In plain text; what is kept are hashes, of equal length for the comparison.
    """

    def __init__(self, keys: tuple[str, ...] = ()) -> None:
        self._hashes = tuple(_hash(key.encode()) for key in keys)

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def check(self, headers: Mapping[str, str]) -> None:
        """Refuse who has no key.

        The comparison takes as long for a key that is nearly right as for any other, and looks at
        all keys, so that its time tells nothing.

        Raises:
            Refusal: No key, or none of those.
        """
        if not self._hashes:
            return
        scheme, _, said = headers.get("authorization", "").partition(" ")
        given = _hash(said.strip().encode("utf-8", "surrogateescape"))
        known = [hmac.compare_digest(given, one) for one in self._hashes]
        if scheme.lower() != "bearer" or not any(known):
            raise Refusal(
                "unauthorized",
                "give the API key with the header Authorization: Bearer KEY",
                close=True,
            )


def keys_from(file: str | None, environment: Mapping[str, str] | None = None) -> Keys:
    """The keys of a file, a line each (two while one replaces the other), or of the environment.

    Raises:
        SpecError: A file that cannot be read, no key in it, or one that is too short.
    """
    environment = os.environ if environment is None else environment
    if file is None:
        found, source = [environment.get(VARIABLE, "")], VARIABLE
        if VARIABLE not in environment:
            return Keys()
    else:
        source = f"--api-key-file {file}"
        try:
            found = Path(file).expanduser().read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SpecError(f"{source}: cannot be read ({type(error).__name__})") from error
    keys = tuple(line.strip() for line in found if line.strip())
    if not keys:
        raise SpecError(f"{source}: holds no key; write one on a line, or leave it out")
    for key in keys:
        if len(key) < SHORTEST or not key.isascii() or not key.isprintable() or " " in key:
            raise SpecError(
                f"{source}: a key must have {SHORTEST} or more plain characters and no blanks; "
                "make one with: openssl rand -hex 32"
            )
    return Keys(keys)


def _hash(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
