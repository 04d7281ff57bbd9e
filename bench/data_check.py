"""What ``promptkit data check`` finds in real sets, and how many rows it looks at in a second.

python bench/data_check.py                 # counts by set and finding
python bench/data_check.py --near 20 trec  # pairs of near-duplicates, to be judged by eye
python bench/data_check.py --speed 100000  # rows drawn from the sets, changed a little
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections import Counter, defaultdict
from pathlib import Path

from promptkit import check_data, load

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SETS = ("sst2", "trec", "banking77", "tweet_sentiment", "cr")


def counts(names):
    for name in names:
        found = check_data(DATA / name, model="minilm")
        splits = ", ".join(f"{split} {n:,}" for split, n in found.inspection.splits().items())
        print(f"{name}: {splits}; {found.inspection.seconds:.1f} s")
        for one in found.findings:
            print(f"  {one.severity:9}{one.kind:16}{one.n:6,}  {one.note}")


def near(names, n, threshold):
    for name in names:
        found = check_data(DATA / name, near=threshold, language="any")
        spots = [
            spot
            for one in found.findings
            if one.kind in ("leak-near", "copy-near")
            for spot in one.spots
        ]
        random.Random(0).shuffle(spots)
        print(f"{name}: {len(spots)} near-duplicates, {min(n, len(spots))} of them")
        for spot in spots[:n]:
            rows = [found.inspection.rows[place] for place in (spot.row, spot.other)]
            print(f"  {spot.note[:4]}  {rows[0].label} / {rows[1].label}")
            for row in rows:
                print(f"        {row.text[:150]!r}")


def drawn(n):
    """Rows of real texts: one in twenty a copy, one in twenty changed in a word."""
    draw = random.Random(0)
    texts = []
    for name in SETS:
        for split in ("train", "test"):
            rows = load(DATA / name, split=split)
            texts += [(row.fields["text"], row.label) for row in rows if row.fields["text"].strip()]
    words = [word for text, _ in texts for word in text.split()]
    made = []
    for _ in range(n):
        text, label = draw.choice(texts)
        kind = draw.random()
        said = text.split()
        if kind < 0.05:
            said[draw.randrange(len(said))] = draw.choice(words)
        elif kind > 0.1:
            said = draw.choices(words, k=max(4, len(said)))
        made.append({"text": " ".join(said), "label": label})
    return {"train": made[: n * 4 // 5], "test": made[n * 4 // 5 :]}


def speed(n, options):
    rows = drawn(n)
    check_data({"train": rows["train"][:200]}, **options)  # what is loaded once is not counted
    spent: dict[str, float] = defaultdict(float)
    last = ["", time.process_time()]

    def on_step(what, done, total):
        now = time.process_time()
        spent[last[0]] += now - last[1]
        last[:] = what, now

    began, computed = time.perf_counter(), time.process_time()
    found = check_data(rows, on_step=on_step, **options)
    seconds, computed = time.perf_counter() - began, time.process_time() - computed
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{n:,} rows in {computed:.1f} s of one core ({n / computed:,.0f} rows/s), "
        f"{seconds:.1f} s on the clock, peak {peak:.2f} GiB"
    )
    for what, took in sorted(spent.items(), key=lambda one: -one[1])[:6]:
        print(f"  {took:6.1f} s  after {what or 'start'!r} was told")
    print("  " + ", ".join(f"{k} {n}" for k, n in Counter(
        {one.kind: one.n for one in found.findings}).most_common(8)))  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--near", type=int, default=0, help="pairs to show")
    parser.add_argument("--threshold", type=float, default=0.8)
    parser.add_argument("--speed", type=int, default=0, help="rows to look at")
    asked = parser.parse_args()
    if asked.speed:
        speed(asked.speed, {})
    elif asked.near:
        near(asked.sets, asked.near, asked.threshold)
    else:
        counts(asked.sets)


if __name__ == "__main__":
    main()
