"""The tokenizer of pocket: byte-level BPE, trained on the prose and on what is in the box.

    python examples/pocket/tokenizer.py PROSE OUT

PROSE is a folder with train.jsonl of ``{"text": ...}``. In-box training rows and templates
count several times: a novel of 1850 has no "refund", and a word in five pieces is learned slowly.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

ROOT = Path(__file__).parents[2]
SIZE = 8192
#: How often an in-box text counts; the prose is some hundred times as long.
TIMES = 20
END, TURN, OVER = "<|endoftext|>", "<|turn|>", "<|over|>"
CHAT = (
    "{% for message in messages %}"
    f"{TURN}{{{{ message['role'] }}}}\n{{{{ message['content'] }}}}{OVER}\n"
    "{% endfor %}"
    f"{{% if add_generation_prompt %}}{TURN}assistant\n{{% endif %}}"
)


def texts(prose: Path) -> Iterator[str]:
    """What is learned from."""
    for line in (prose / "train.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)["text"]
    for file in sorted((ROOT / "evals" / "data").glob("*/train.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield from ["\n".join(str(value) for value in row.values())] * TIMES
    for file in sorted((ROOT / "templates").glob("*.yaml")):
        yield from [file.read_text(encoding="utf-8")] * TIMES


def main() -> None:
    """Train it and write it."""
    prose, out = Path(sys.argv[1]), Path(sys.argv[2])
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(
        texts(prose),
        trainers.BpeTrainer(
            vocab_size=SIZE,
            special_tokens=[END, TURN, OVER],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=END,
        eos_token=OVER,
        pad_token=END,
        additional_special_tokens=[TURN],
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(out)
    print(f"{len(tokenizer):,} tokens in {out}")


if __name__ == "__main__":
    main()
