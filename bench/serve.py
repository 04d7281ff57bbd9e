"""What a served model takes under load: many clients at once, one alone, and without batches.

    python -m bench.serve --model DIR                      # a saved model: promptkit tune
    python -m bench.serve --model DIR --data rows.jsonl    # its own texts, in the column 'text'

Each setting has a server process of its own, on a free port of loopback; the clients are coroutines
of this process that write and read sockets themselves, so that they take little of the processors
that the server needs too. No server is asked about a text twice, as models remember what they
computed. Counted are answers of status 200 whose row was the one that was sent; anything else is
lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from promptkit.box import box


@dataclass
class Load:
    """What became of one load.

    Args:
        seconds: Latency of each answered request.
        lost: Requests without a right answer.
        wall: Seconds of the whole.
        answers: Label and probabilities by number of the row.
    """

    seconds: list[float] = field(default_factory=list)
    lost: int = 0
    wall: float = 0.0
    answers: dict[int, dict[str, Any]] = field(default_factory=dict)

    def at(self, share: float) -> float:
        """Milliseconds that so large a share of the requests took at most."""
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def main() -> None:
    """Print a table."""
    options = _options()
    alone = options.alone or max(options.requests // 20, 1)
    rows = list(enumerate(islice(_texts(options.data), options.requests + 2 * alone)))
    found: list[tuple[str, int, Load]] = []
    for name, flags in _settings(options):
        # what one server is asked alone another one is asked beside others
        single, rest = (rows[-alone:], rows[:-alone]) if found else (rows[:alone], rows[alone:])
        many = rest[: options.fewer] if found else rest[-options.requests :]
        with served(options.model, *flags) as address:
            for clients, asked in ((options.clients, many), (1, single)):
                found.append((name, clients, asyncio.run(load(address, asked, clients))))
                print(name, clients, f"{len(asked) / found[-1][2].wall:.1f}/s", file=sys.stderr)
    Console(width=options.width).print(table(found))
    print(gaps(found))


def _settings(options: argparse.Namespace) -> list[tuple[str, list[str]]]:
    settings = [(f"batches of {options.batch}", ["--batch-rows", str(options.batch)])]
    for wait in options.wait:
        told = ["--batch-rows", str(options.batch), "--batch-wait-ms", wait]
        settings.append((f"batches of {options.batch}, waiting {wait} ms", told))
    return [*settings, ("without batches", ["--batch-rows", "1"])]


@contextmanager
def served(model: str, *flags: str) -> Iterator[str]:
    """A server process; its address, once it is ready."""
    command = [sys.executable, "-m", "promptkit", "serve", "--model", model, "--port", "0"]
    process = subprocess.Popen(
        [*command, "--no-access-log", *flags], stderr=subprocess.PIPE, text=True
    )
    address = ""
    assert process.stderr is not None
    for line in process.stderr:
        address = address or "".join(re.findall(r"listening url=(\S+)", line))
        if " ready " in line:
            break
    else:
        raise SystemExit("the server did not start")
    try:
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
        if process.returncode:
            print(said[-2000:], file=sys.stderr)


async def load(address: str, rows: list[tuple[int, str]], clients: int) -> Load:
    """So many clients, each of which asks again as soon as it is answered."""
    found, left = Load(), iter(rows)
    began = time.perf_counter()
    await asyncio.gather(*(_client(address, left, found) for _ in range(clients)))
    found.wall = time.perf_counter() - began
    return found


async def _client(address: str, left: Iterator[tuple[int, str]], found: Load) -> None:
    url = urlsplit(address)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    for number, text in left:
        body = json.dumps({"row": {"id": number, "text": text}}).encode()
        head = (
            f"POST /predict HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        try:
            writer.write(head.encode() + body)
            said = await reader.readuntil(b"\r\n\r\n")
            size = int(re.findall(rb"content-length: (\d+)", said)[0])
            answer = json.loads(await reader.readexactly(size)).get("answer", {})
        except (OSError, asyncio.IncompleteReadError, IndexError):
            found.lost += 1
            reader, writer = await asyncio.open_connection(url.hostname, url.port)
            continue
        if said.split(b" ", 2)[1] != b"200" or answer.get("id") != number or not answer["label"]:
            found.lost += 1
            continue
        found.seconds.append(time.perf_counter() - began)
        found.answers[number] = answer
    writer.close()
    await writer.wait_closed()


def table(found: list[tuple[str, int, Load]]) -> Table:
    """A line for each load."""
    made = Table()
    for name in (
        "server",
        "clients",
        "requests",
        "lost",
        "p50 ms",
        "p99 ms",
        "requests/s",
        "times",
    ):
        made.add_column(name, justify="left" if name == "server" else "right")
    alone = next(one for _, clients, one in found if clients == 1)
    base = len(alone.seconds) / alone.wall
    for name, clients, one in found:
        rate = len(one.seconds) / one.wall
        cells = (f"{one.at(0.5):.1f}", f"{one.at(0.99):.1f}", f"{rate:.1f}", f"{rate / base:.2f}")
        made.add_row(name, str(clients), str(len(one.seconds) + one.lost), str(one.lost), *cells)
    return made


def gaps(found: list[tuple[str, int, Load]]) -> str:
    """Whether rows are answered alike whatever they are batched with."""
    alone: dict[int, dict[str, Any]] = {}
    for _, clients, one in found:
        alone |= one.answers if clients == 1 else {}
    other, widest, compared = 0, 0.0, 0
    for _, clients, one in found:
        for number, answer in alone.items():
            there = one.answers.get(number) if clients > 1 else None
            if there is None:
                continue
            compared += 1
            other += there["label"] != answer["label"]
            pairs = zip(
                there["probabilities"].values(), answer["probabilities"].values(), strict=True
            )
            widest = max(widest, *(abs(a - b) for a, b in pairs))
    return (
        f"{compared} rows beside others and alone: {other} other labels, widest gap of a "
        f"probability {widest:.1e}"
    )


def _texts(data: Path | None) -> Iterator[str]:
    """Texts that are all different: of a file, or two in-box reviews each."""
    if data is not None:
        lines = data.read_text(encoding="utf-8").splitlines()
        return iter(dict.fromkeys(json.loads(line)["text"] for line in lines))
    lines = (box("evals") / "data" / "customer_reviews" / "test.jsonl").read_text().splitlines()
    own = [json.loads(line)["text"] for line in lines]
    return (f"{one} {other}" for one, other in product(own, own) if one != other)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--model", required=True, help="a saved model")
    parser.add_argument("--data", type=Path, help="JSON lines with texts")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--fewer", type=int, help="requests to every server but the first")
    parser.add_argument("--alone", type=int, help="requests of the one client (a twentieth)")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument(
        "--wait", nargs="*", default=[], help="further servers that wait so many ms"
    )
    parser.add_argument("--width", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    main()
