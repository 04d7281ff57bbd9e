"""The ledger's tokens and operations against independent counts, on three ways and real rows.

    python bench/costs.py [--data customer_reviews]

Tokens are counted with the tokenizer alone; operations by torch's own counter, which looks at each
kernel and not at the calls that are made, with attention spelled out so that it sees its products.
What is counted in a comparison's cells is compared with both.
"""

from __future__ import annotations

import argparse
from unittest import mock

from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from promptkit.backends.afresh import afresh
from promptkit.backends.hidden import HiddenStates
from promptkit.runs.compare.cells import Bench, marked
from promptkit.runs.compare.entries import entries_for
from promptkit.runs.compare.rows import rows_of
from promptkit.runs.compare.spec import CompareSpec
from promptkit.types import Example

WAYS = ("features", "zero-shot", "full")
#: Rows that are learned from, and rows that are predicted.
TRAIN, HELD = 48, 32
#: What the ledger puts behind a row so that nobody has read it; the same here each time.
MARK = "1a2b"


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="customer_reviews")
    given = parser.parse_args()
    rows = rows_of(CompareSpec(data=given.data))
    bench = Bench(rows, 0, "cpu", "float32")
    train = tuple(range(TRAIN))
    held = tuple(range(len(rows.labelled), len(rows.labelled) + HELD))
    tokens = _tokens([rows.examples[place] for place in held])
    print(
        "| way | prompt tokens a row | counted apart | FLOP to adapt | counted apart | ratio | "
        "FLOP a row | counted apart | ratio |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for entry in entries_for(list(WAYS), ["minilm"]):
        learned = train if entry.fits else ()
        with mock.patch("secrets.token_hex", return_value=MARK), afresh():
            cell = bench.cell(entry, None, 0, learned, held)
            fit, each = _apart(bench, entry, learned, held)
        assert cell.fit_work is not None
        assert cell.row_work is not None
        own_fit, own_row = cell.fit_work.flops, cell.row_work.flops
        print(
            f"| {entry.name} | {cell.row_work.prompt_tokens:.2f} | {tokens:.2f} | "
            f"{own_fit:.4g} | {fit:.4g} | {_ratio(own_fit, fit)} | {own_row:.4g} | "
            f"{each:.4g} | {_ratio(own_row, each)} |"
        )


def _apart(bench: Bench, entry: object, train: tuple[int, ...], held: tuple[int, ...]):
    """Operations of a fit and of a row, by torch's counter."""
    examples = bench.rows.examples
    strategy = bench.strategy(entry)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as fit, afresh():
        strategy.fit([examples[place] for place in train])
    asked = marked([Example(examples[p].id, examples[p].fields) for p in held])
    with afresh():
        strategy.predict([Example("other", {"text": "Statements are read once."})])
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as each:
            strategy.predict(asked)
    return fit.get_total_flops(), each.get_total_flops() / len(asked)


def _tokens(rows: list[Example]) -> float:
    """Tokens of a row with the mark, by the tokenizer alone, its own first and last included."""
    tokenizer = HiddenStates().tokens.tokenizer
    texts = [f"{row.fields['text']} {MARK}" for row in rows]
    return sum(len(tokenizer(text)["input_ids"]) for text in texts) / len(texts)


def _ratio(first: float, second: float) -> str:
    return f"{first / second:.4f}" if second else "–"


if __name__ == "__main__":
    main()
