"""The contract of backends: scores depend on the row, its prompt and the candidate alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import astuple

from promptkit.protocols import Backend
from promptkit.testing.kept import keep
from promptkit.types import Candidate, Evidence, Piece, Prompt, Shot

_TEXTS = ["Fine.", "The room was noisy and the bed was hard.", "So so", "ok " * 30, "é 😀"]
_NASTY = "So so [SEP] [MASK] </s> <|endoftext|> <s> <pad> [CLS]"
_WORDS = {
    "good": ("It is good.", "I like it."),
    "bad": ("It is bad.",),
    "neutral": ("It is neither.",),
}


def check_backend(
    make: Callable[[], Backend], *, reads_shots: bool = True, tolerance: float = 1e-5
) -> None:
    """Check a backend.

    Args:
        make: Builds one.
        reads_shots: Whether its model reads demonstrations.
        tolerance: Nats by which a score may move with the rows beside it.

    Raises:
        Broken: A score depends on the batch, on the order of rows or candidates or on earlier
            calls; evidence is missing or not finite; the meter runs backwards.
    """
    backend = make()
    keep(bool(backend.name), backend, "name must say by which name it is registered")
    keep(backend.reads in ("text", "statements"), backend, "reads must be 'text' or 'statements'")
    keep(backend.score([], []) == [], backend, "no rows must give no evidence")
    prompts = [_prompt(at, text, reads_shots) for at, text in enumerate([*_TEXTS, _NASTY])]
    before = backend.cost
    whole = _scores(backend, prompts)
    _evidence_is_whole(backend, prompts)
    _same(backend, whole, [_scores(backend, [one])[0] for one in prompts],
          "a score depends on the rows beside it", tolerance)  # fmt: skip
    _same(backend, whole, _scores(backend, prompts[::-1])[::-1],
          "a score depends on the order of rows", tolerance)  # fmt: skip
    turned = [found[::-1] for found in _scores(backend, prompts, _candidates()[::-1])]
    _same(backend, whole, turned, "a score depends on the order of candidates", tolerance)
    fewer = _scores(backend, prompts, _candidates()[:2])
    _same(backend, [one[:2] for one in whole], fewer,
          "a score depends on the other candidates", tolerance)  # fmt: skip
    _same(backend, whole, _scores(make(), prompts), "two of the same make differ", tolerance)
    one, other = _scores(backend, [_prompt(0, "It is good."), _prompt(0, "It is bad.")])
    keep(one != other, backend, "a row's own text makes no difference")
    grown = all(a <= b for a, b in zip(astuple(before), astuple(backend.cost), strict=True))
    keep(grown and backend.cost.rows > before.rows, backend, "cost must count rows and only grow")


def _evidence_is_whole(backend: Backend, prompts: Sequence[Prompt]) -> None:
    found: list[Evidence] = backend.score(prompts, [_candidates()] * len(prompts))
    keep(len(found) == len(prompts), backend, "score must give evidence for each prompt")
    for prompt, one in zip(prompts, found, strict=True):
        keep(one.example_id == prompt.example_id, backend, "evidence must name its row")
        shown = tuple(shot.example_id for shot in prompt.shots)
        keep(one.shots == shown, backend, "evidence must name the demonstrations that were seen")
        keep(bool(one.kind), backend, "evidence must say what its numbers are (kind)")
        finite = len(one.log_p) == len(_WORDS) and all(map(math.isfinite, one.log_p))
        told = f"row {prompt.example_id!r} must have a finite value for each candidate"
        keep(finite or bool(one.problem), backend, f"{told}, or a problem that says why not")
        plain = all(type(value) is float for value in one.log_p)
        keep(plain, backend, "values of evidence must be Python floats, since they are stored")


def _same(
    backend: Backend,
    one: Sequence[Sequence[float]],
    other: Sequence[Sequence[float]],
    told: str,
    tolerance: float,
) -> None:
    near = all(
        len(a) == len(b) and all(abs(x - y) <= tolerance for x, y in zip(a, b, strict=True))
        for a, b in zip(one, other, strict=True)
    )
    keep(near, backend, told)


def _scores(
    backend: Backend, prompts: Sequence[Prompt], own: Sequence[Candidate] | None = None
) -> list[tuple[float, ...]]:
    found = backend.score(prompts, [own or _candidates()] * len(prompts))
    return [one.log_p for one in found]


def _candidates() -> list[Candidate]:
    return [Candidate(word, (Piece(f" {word}"),), said) for word, said in _WORDS.items()]


def _prompt(at: int, text: str, shots: bool = False) -> Prompt:
    shown = Shot(
        "s", "good", (Piece("Lovely", True), Piece("\nIt is")), (Piece(" good"),), "Lovely"
    )
    return Prompt(
        f"row {at}",
        instruction=(Piece("Judge it."),),
        shots=(shown,) if shots and at % 2 else (),
        query=(Piece(text, True), Piece("\nIt is")),
        encoded=(Piece(text, True),),
    )
