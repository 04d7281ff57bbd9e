"""Tasks that ask which word a sentence is nearest to, for a model that has yet to learn meanings.

    python examples/pocket/meanings.py PROSE examples/pocket/meanings

PROSE is a folder with train.jsonl of ``{"text": ...}``. Sentences of it, and those that were
written for the mixture, are put beside words; the in-box encoder says which of them is nearest, and
what is nearly as near is not asked. What is learned is to read a text, to look at the answers that
are offered, and to give one of them, as every task of the mixture wants it. OUT receives a mixture.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import yaml

from promptkit.backends.embedding import EmbeddingBackend

ROOT = Path(__file__).parent
SENTENCE = re.compile(r"(?<=[.!?])\s+")
#: Rows of a task; how much nearer the right word must be, as a cosine.
ROWS, MARGIN = 6000, 0.1
CHOOSE = {"kind": "choose", "choices": "choices", "fields": ["text", "choices"]}
SAID = {"labels": "open", "any_label": {"words": ["{{ choice }}"]}}
LETTERED = {"labels": "open", "any_label": {"words": ["{{ letter }}"]}}
LIST = "{{ choices | join(', ') }}"
LETTERS = "{% for choice in choices %}{{ letters[loop.index0] }}: {{ choice }}\n{% endfor %}"
WAYS = [
    {"query": f"Which word fits best: {LIST}?\n\n{{{{ text }}}}\nAnswer:"} | SAID,
    {"query": f"Text: {{{{ text }}}}\nChoose one of: {LIST}\nAnswer:"} | SAID,
    {"query": f"{{{{ text }}}}\n\nIs this about {LIST}?\nLabel:"} | SAID,
    {"query": f"Sort the text under one of these heads: {LIST}.\n\n{{{{ text }}}}\nHead:"} | SAID,
    {"query": "{{ text }}\n\n" + LETTERS + "Letter:"} | LETTERED,
    {"query": "Which letter fits the text?\n" + LETTERS + "Text: {{ text }}\nLetter:"} | LETTERED,
]  # fmt: skip
YES_NO = [
    {"query": "{{ text }}\n\nIs this about {{ topic }}? Answer yes or no.\nAnswer:"},
    {"query": "Text: {{ text }}\nTopic: {{ topic }}\nDo they belong together, yes or no?"},
]


def texts(prose: Path) -> list[str]:
    """Sentences of 20 to 160 characters; every third one was written for the mixture."""
    own = [
        json.loads(line).get("text", "")
        for file in sorted(ROOT.glob("tasks/*/rows.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    found = [
        one
        for line in (prose / "train.jsonl").read_text(encoding="utf-8").splitlines()
        for one in SENTENCE.split(json.loads(line)["text"])
    ]
    kept = [[one for one in dict.fromkeys(part) if 20 <= len(one) <= 160] for part in (own, found)]
    draw = random.Random(0)
    n = 2 * ROWS
    return draw.sample(draw.sample(kept[1], n - n // 3) + draw.choices(kept[0], k=n // 3), n)


def frequent_words(prose: Path) -> list[str]:
    """The 401st to 4000th most frequent words of the prose that have 4 small letters or more."""
    counted: Counter[str] = Counter()
    for line in (prose / "train.jsonl").read_text(encoding="utf-8").splitlines():
        counted.update(re.findall(r"(?<![\w'’-])[a-z]{4,}(?![\w'’-])", json.loads(line)["text"]))
    return [word for word, _ in counted.most_common(4000)][400:]


def nearest(
    draw: random.Random, text: str, near: np.ndarray, words: list[str]
) -> int | None:
    """One of the five words that a text is nearest to; mostly one that does not stand in it."""
    best = draw.choice(np.argsort(-near)[:5].tolist())
    return None if words[best] in text.lower() and draw.random() < 0.7 else best


def offered(
    draw: random.Random, best: int, near: np.ndarray, answers: list[int]
) -> list[int] | None:
    """The right word and one to six others, which are right words of other texts.

    Drawn from all words they would be told apart without the text: few words are near to many.
    """
    others = draw.sample(answers, draw.randint(1, 6))
    if best in others or len(set(others)) < len(others):
        return None
    return [best, *others] if near[best] - near[others].max() >= MARGIN else None


def opposed(
    draw: random.Random, near: np.ndarray, pairs: list[tuple[int, int]], said: Counter[int]
) -> list[int] | None:
    """Two opposites, the nearer one first, each as often right as wrong."""
    gap, better, worse = max(
        (abs(near[a] - near[b]), *((a, b) if near[a] > near[b] else (b, a)))
        for a, b in draw.sample(pairs, 12)
    )
    if gap < MARGIN or said[better] > said[worse]:
        return None
    said[better] += 1
    return [better, worse]


def main() -> None:
    """Write both tasks and the mixture."""
    prose, out = Path(sys.argv[1]), Path(sys.argv[2])
    lines = (ROOT / "tasks" / "opposites" / "rows.jsonl").read_text(encoding="utf-8").splitlines()
    opposites = [(one["term"], one["label"]) for one in map(json.loads, lines)]
    words = list(
        dict.fromkeys([*frequent_words(prose), *(one for both in opposites for one in both)])
    )
    place = {word: i for i, word in enumerate(words)}
    pairs = [(place[one], place[other]) for one, other in opposites]
    encoder = EmbeddingBackend(dtype="bfloat16")
    sentences = texts(prose)
    # what all texts are near to says nothing about one of them
    near = encoder.encode(sentences) @ encoder.encode(words).T
    near -= near.mean(0, keepdims=True)
    draw = random.Random(0)
    choices, yes_no, said = [], [], Counter[int]()
    answers = [nearest(draw, text, own, words) for text, own in zip(sentences, near, strict=True)]
    known = [best for best in answers if best is not None]
    for text, own, best in zip(sentences, near, answers, strict=True):
        found = None
        if draw.random() < 0.35:
            found = opposed(draw, own, pairs, said)
        elif best is not None:
            found = next(filter(None, (offered(draw, best, own, known) for _ in range(5))), None)
        if found is None:
            continue
        right, *others = [words[one] for one in found]
        shuffled = draw.sample([right, *others], len(found))
        choices.append({"text": text, "choices": shuffled, "label": shuffled.index(right)})
        if draw.random() < 0.5:
            yes = draw.random() < 0.5
            topic = right if yes else draw.choice(others)
            yes_no.append({"text": text, "topic": topic, "label": "yes" if yes else "no"})
    fields = {"kind": "classify", "fields": ["text", "topic"]}
    labels = {"yes": {"words": ["yes"]}, "no": {"words": ["no"]}}
    said = {"description": "Which word a text is nearest to.", "task": CHOOSE, "variants": WAYS}
    write(out / "nearest_word", {"name": "nearest_word", **said}, choices[:ROWS])
    said = {"description": "Whether a text is near to a word.", "task": fields, "labels": labels}
    write(out / "near_or_not", {"name": "near_or_not", **said, "variants": YES_NO}, yes_no[:ROWS])
    mixture = {"name": "meanings", "tasks": ["*/task.yaml"], "cap": ROWS, "passes": 4, "chat": 0.25}
    (out / "mixture.yaml").write_text(yaml.safe_dump(mixture, sort_keys=False), encoding="utf-8")
    print(f"{len(choices[:ROWS]):,} choices and {len(yes_no[:ROWS]):,} answers in {out}")


def write(folder: Path, task: dict[str, object], rows: list[dict[str, object]]) -> None:
    """A task file and its rows."""
    folder.mkdir(parents=True, exist_ok=True)
    apart = json.loads(json.dumps(task))  # what stands twice is written twice, without an alias
    text = yaml.safe_dump(apart, sort_keys=False, allow_unicode=True)
    (folder / "task.yaml").write_text(text, encoding="utf-8")
    kept = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "rows.jsonl").write_text(kept, encoding="utf-8")


if __name__ == "__main__":
    main()
