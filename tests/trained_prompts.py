"""Prompts for the small Llama that the tests train: labels, demonstrations, a chat template.

On these vLLM, in this process and behind a server, is compared with backend hf.
"""

import shutil

from promptkit.backends.hf import load_tokenizer
from promptkit.types import Candidate, Piece, Prompt, Shot
from tests.trained import TASKS, rows

CHAT = (
    "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}]\n{{ m['content'] | trim }}\n"
    "{% endfor %}{% if add_generation_prompt %}[assistant]\n{% endif %}"
)
INTENTS = (
    "card arrival", "card not working", "card payment fee charged", "lost card", "lost phone",
    "refund", "refund not showing up", "transfer", "transfer not received by recipient",
)  # fmt: skip
FEELINGS = ("negative", "neutral", "positive")


def chatting(trained, folder):
    """A copy of the trained model, its tokenizer with a chat template."""
    shutil.copytree(trained, folder)
    tokenizer = load_tokenizer(folder)
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(folder)
    return str(folder)


def prompts(shots="none", chat=False):
    instruction, words = TASKS["same"]
    known = rows()

    def shot(row):
        return Shot(row["id"], row["label"], query(row), (Piece(f" {words[row['label']]}"),))

    def query(row):
        return (Piece("Review: "), Piece(row["text"], row=True), Piece("\nSentiment:"))

    shown = {
        "none": lambda _: (),
        "fixed": lambda _: tuple(map(shot, known[:4])),
        "own": lambda at: tuple(shot(known[(at + step) % len(known)]) for step in (7, 3, 11)),
    }[shots]
    return [
        Prompt(row["id"], query(row), instruction=(Piece(instruction),), shots=shown(at), chat=chat)
        for at, row in enumerate(known)
    ]


def labels(words, n):
    return [[Candidate(word, (Piece(f" {word}"),)) for word in words]] * n
