"""Rows a second of ``promptkit predict`` in one process and on Ray, and what bounds large files.

    python bench/scale.py $DATA [--seconds 15] [--only rates|reading|joining] [--ways tfidf,zero]

``$DATA`` is the folder of the reference data. Rows are the test texts of tweet_sentiment, repeated
with ids of their own. A rate is that of the blocks after the first ones, so that loading is not in
it, which is told apart. Beside rows a second stand rows for each second of processor time, of all
processes of the job together: on a machine with other work only these mean something. One thread a
process (OMP_NUM_THREADS=1).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from promptkit.data.arrow_tables import Tables, write_parquet
from promptkit.data.row_writers import PART_ROWS
from promptkit.runs.on_ray import pieces
from promptkit.runs.on_ray.parcels import packed
from promptkit.runs.on_ray.pieces import Cut, blocks_of, pieces_of

#: A way of answering: its command line, its batches, about how many rows it answers in a second.
WAYS = {
    "zero-shot minilm": (["-t", "sentiment_zero_shot"], 64, 60),
    "features (saved)": (["--model", "features"], 64, 60),
    "tfidf (saved)": (["--model", "tfidf"], 256, 3000),
    "majority (saved)": (["--model", "majority"], 256, 6000),
}
ENGINES = {
    "local": [],
    "ray, 1 worker": ["--engine", "ray", "--workers", "1"],
    "ray, 2 workers": ["--engine", "ray", "--workers", "2"],
}
#: Rows of a batch of files that are only read or joined.
BATCH = 256


def call(*arguments: str) -> subprocess.Popen[bytes]:
    """promptkit, one thread, quiet."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "promptkit", *arguments]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, env=environment, **quiet)


def texts(data: Path) -> list[str]:
    lines = (data / "tweet_sentiment" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def write_csv(file: Path, rows: list[str], n: int) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        out = csv.writer(opened)
        out.writerow(["id", "text"])
        out.writerows((f"r{i}", text) for i, text in enumerate(islice(cycle(rows), n)))


def done_rows(partial: Path, batch: int) -> int:
    """Rows that are kept so far, by either engine."""
    blocks = [file for file in partial.glob("blocks/*/*") if not file.suffix]
    if blocks:
        return batch * len(blocks)
    try:
        return int(json.loads((partial / "state.json").read_text()).get("rows", 0))
    except (OSError, ValueError):
        return 0


def processor_seconds(root: int) -> tuple[float, float]:
    """Of a process and all that it began; and of those that hold the model, where Ray does."""
    children: dict[int, list[int]] = {}
    seconds: dict[int, float] = {}
    workers = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if b"MapWorker(MapBatches(Worker)" in (folder / "cmdline").read_bytes():
                workers.add(int(folder.name))
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(folder.name))
        ticks = int(fields[11]) + int(fields[12])
        seconds[int(folder.name)] = ticks / os.sysconf("SC_CLK_TCK")
    found, waiting = set(), [root]
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting += children.get(one, [])
    return (sum(seconds.get(one, 0.0) for one in found),
            sum(seconds[one] for one in found & workers))  # fmt: skip


@dataclass(frozen=True)
class Rate:
    """What one run has shown.

    Args:
        wall: Rows a second.
        each: Rows for each second of processor time.
        beside: Share of that time that was not the workers'; 0 without Ray.
        first: Seconds until the first block was there.
    """

    wall: float
    each: float
    beside: float
    first: float


def rate(way: list[str], batch: int, engine: list[str], n: int) -> Rate:
    """Answer so many rows, and watch the blocks come."""
    partial = Path("out.csv.partial")
    begun, marks = time.monotonic(), []
    process = call("predict", *way, *engine, "--batch-rows", str(batch), "--data", "rows.csv",
                   "--output", "out.csv")  # fmt: skip
    while process.poll() is None:
        found = done_rows(partial, batch)
        if found and (not marks or found > marks[-1][0]):
            marks.append((found, time.monotonic(), *processor_seconds(process.pid)))
        time.sleep(0.02)
    assert process.returncode == 0
    Path("out.csv").unlink()
    first = next(mark for mark in marks if mark[0] >= n // 8)
    rows, wall, all_of_them, workers = (b - a for a, b in zip(first, marks[-1], strict=True))
    beside = 1 - workers / all_of_them if engine else 0.0
    return Rate(rows / wall, rows / all_of_them, beside, marks[0][1] - begun)


def rates(data: Path, seconds: float, ways: list[str]) -> None:
    rows = texts(data)
    for strategy in ("features", "tfidf", "majority"):
        if any(strategy in " ".join(WAYS[way][0]) for way in ways):
            call("tune", "--strategy", strategy, "--data", "customer_reviews",
                 "--output", strategy).wait()  # fmt: skip
    print("| way | engine | rows/s | rows/processor s | to local | beside workers | "
          "first block after, s | load |")  # fmt: skip
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for name in ways:
        way, batch, guess = WAYS[name]
        n = max(8, round(guess * seconds / batch)) * batch
        write_csv(Path("rows.csv"), rows, n)
        alone = None
        for engine, options in ENGINES.items():
            found = rate(way, batch, options, n)
            alone = alone or found
            load = os.getloadavg()[0]
            print(f"| {name}, {n:,} rows | {engine} | {found.wall:,.0f} | {found.each:,.0f} | "
                  f"{found.each / alone.each:.2f} | {found.beside:.0%} | {found.first:.0f} | "
                  f"{load:.1f} |", flush=True)  # fmt: skip


def reading(data: Path, n: int = 200_000) -> None:
    """How fast one reader makes blocks."""
    import pyarrow
    from pyarrow import parquet

    from promptkit.data.row_stream import row_stream

    rows = list(islice(cycle(texts(data)), n))
    table = pyarrow.table({"id": [f"r{i}" for i in range(n)], "text": rows})
    write_csv(Path("rows.csv"), rows, n)
    with open("rows.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in table.to_pylist())
    parquet.write_table(table, "rows.parquet", row_group_size=50_000)
    pieces.PIECE_BYTES = 4 * 2**20
    print("\n| file | pieces | cutting, rows/s | one reader, rows/s |\n|---|---:|---:|---:|")
    for source in ("rows.csv", "rows.jsonl", "rows.parquet"):
        cut = Cut(source, BATCH, 1)
        stream = row_stream(source, BATCH)
        begun = time.perf_counter()
        found, _ = pieces_of(cut, stream)
        took = time.perf_counter() - begun
        begun = time.perf_counter()
        for piece in found:
            for number, batches in blocks_of(piece, cut):
                packed(number, batches, source)
        read = n / (time.perf_counter() - begun)
        cutting = f"{n / took:,.0f}" if source == "rows.jsonl" else "–"
        print(f"| {source} | {len(found)} | {cutting} | {read:,.0f} |", flush=True)


def joining(data: Path, n: int = 500_000) -> None:
    """How fast the blocks become one file: text is copied, Parquet is encoded."""
    import shutil

    import pyarrow

    rows = [{"id": f"r{i}", "text": text, "predicted": "neutral", "problem": ""}
            for i, text in enumerate(islice(cycle(texts(data)), BATCH * 16))]  # fmt: skip
    kinds = {"predicted": str, "problem": str}
    tables = Tables(tuple(rows[0]), kinds)
    made = tables.of(rows)
    times = n // len(rows)
    begun = time.perf_counter()
    write_parquet((made for _ in range(times)), made.schema, Path("whole.parquet"), PART_ROWS)
    as_parquet = times * len(rows) / (time.perf_counter() - begun)
    text = "".join(f"{row['id']},{row['text']},neutral,\n" for row in rows).encode()
    Path("block").write_bytes(text)
    begun = time.perf_counter()
    with open("whole.csv", "wb") as out:
        for _ in range(times):
            with open("block", "rb") as block:
                shutil.copyfileobj(block, out, 2**20)
        out.flush()
        os.fsync(out.fileno())
    took = time.perf_counter() - begun
    print(f"\njoining: CSV {times * len(rows) / took:,.0f} rows/s "
          f"({times * len(text) / took / 1e6:,.0f} MB/s), Parquet {as_parquet:,.0f} rows/s "
          f"(pyarrow {pyarrow.__version__})")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seconds", type=float, default=15, help="that a run takes, about")
    parser.add_argument("--ways", default="", help="beginnings of names, all by default")
    parser.add_argument("--only", choices=["rates", "reading", "joining"])
    given = parser.parse_args()
    data = given.data.resolve()
    ways = [name for name in WAYS if name.startswith(tuple(given.ways.split(",")))]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, part in (("rates", lambda: rates(data, given.seconds, ways)),
                           ("reading", lambda: reading(data)),
                           ("joining", lambda: joining(data))):  # fmt: skip
            if given.only in (None, name):
                part()
        os.chdir("/")


if __name__ == "__main__":
    main()
