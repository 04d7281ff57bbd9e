"""Real processes and sockets: signals, and clients that behave badly."""

import asyncio
import json
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from promptkit.errors import SpecError
from promptkit.serving.running import address_of, is_open, listen

ROOT = Path(__file__).parents[2]


@contextmanager
def process(*flags, until=" ready "):
    """A server, its address, and what it says; killed where a test has not ended it."""
    command = [sys.executable, "-m", "tests.serving.slow_server", *map(str, flags)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        said = ""
        while until not in said or "url=" not in said:
            line = running.stderr.readline()
            assert line, said
            said += line
        running.url = urlsplit(re.findall(r"url=(\S+)", said)[0])
        yield running
    finally:
        running.kill()
        running.communicate()


def ended(running, within=20):
    """Exit status, and the rest of what it said."""
    said = running.communicate(timeout=within)[1]
    return running.returncode, said


def request_to(url, text, path="/predict", more=""):
    body = json.dumps({"row": text})
    head = f"POST {path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


async def answer_from(reader):
    """Status and content of an answer, None where the connection ends before one."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(re.findall(rb"content-length: (\d+)", head)[0])
        return int(head.split()[1]), head, json.loads(await reader.readexactly(size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def client(url, name, seen):
    """Ask again and again, on one connection after another, until nobody listens any more."""
    while True:
        try:
            reader, writer = await asyncio.open_connection(url.hostname, url.port)
        except OSError:
            return
        for turn in range(10_000):
            try:
                writer.write(request_to(url, f"{name} {turn}"))
                seen["sent"] += 1
                found = await answer_from(reader)
            except ConnectionError:
                found = None
            if found is None:  # the server closed an idle connection before it took the request
                seen["closed"] += 1
                break
            status, head, _ = found
            seen[status] = seen.get(status, 0) + 1
            if b"connection: close" in head:
                break
        writer.close()


def test_a_signal_under_load_answers_every_accepted_request_and_ends_well():
    async def load(running):
        seen = {"sent": 0, "closed": 0}
        clients = [asyncio.ensure_future(client(running.url, n, seen)) for n in range(64)]
        while seen.get(200, 0) < 200:
            await asyncio.sleep(0.01)
        before = dict(seen)
        running.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            await asyncio.gather(*clients)
        return before, seen

    with process("--ms", 2) as running:
        before, seen = asyncio.run(load(running))
        status, said = ended(running)
    assert status == 0
    (accepted,) = re.findall(r"stopping signal=SIGTERM open_requests=(\d+)", said)
    assert "unanswered_requests=0" in said
    assert int(accepted) >= 32  # the load was there
    # what was open when the signal came was answered, and all that came later was refused
    assert seen[200] >= before[200] + int(accepted)
    assert seen[503] >= 1
    assert set(seen) == {"sent", "closed", 200, 503}
    assert seen["sent"] == seen[200] + seen[503] + seen["closed"]


def test_while_it_ends_it_is_not_ready_and_says_so():
    async def asks(running):
        reader, writer = await asyncio.open_connection(running.url.hostname, running.url.port)
        writer.write(request_to(running.url, "slow"))
        await asyncio.sleep(0.5)
        running.send_signal(signal.SIGINT)
        await asyncio.sleep(0.5)
        other, to = await asyncio.open_connection(running.url.hostname, running.url.port)
        to.write(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        refused = await answer_from(other)
        found = await answer_from(reader)
        writer.close()
        to.close()
        return refused, found

    with process("--ms", 3000) as running:
        refused, found = asyncio.run(asks(running))
        assert refused[0] == 503
        assert refused[2] == {"status": "stopping"}
        assert b"connection: close" in refused[1]
        assert found[0] == 200
        assert ended(running)[0] == 0


def test_a_second_signal_ends_at_once_and_an_end_that_takes_too_long_says_what_is_left():
    with process("--loading", 60, until="url=") as running:
        # still loading: nothing is accepted, so that the first signal is enough
        running.send_signal(signal.SIGTERM)
        assert ended(running, 10)[0] == 0
    with process("--ms", 5000, "--drain", 0.2) as running, hanging(running.url) as open_one:
        running.send_signal(signal.SIGTERM)
        open_one.settimeout(10)
        assert b" 503 " in open_one.recv(1000)
        status, said = ended(running)
        assert (status, "unanswered_requests=1" in said) == (1, True)
    with process("--ms", 60_000) as running, hanging(running.url):
        running.send_signal(signal.SIGTERM)
        assert "stopping signal=SIGTERM open_requests=1" in running.stderr.readline()
        running.send_signal(signal.SIGINT)
        status, said = ended(running)
        assert status == 128 + signal.SIGINT
        assert "ends at once" in said


@contextmanager
def hanging(url):
    """A connection whose request the model works on."""
    with socket.create_connection((url.hostname, url.port)) as found:
        found.sendall(request_to(url, "slow"))
        time.sleep(1.0)
        yield found


def test_clients_that_behave_badly_leave_the_server_well():
    async def asks(url):
        async def sent(data, wait=True):
            reader, writer = await asyncio.open_connection(url.hostname, url.port)
            writer.write(data)
            found = await answer_from(reader) if wait else None
            writer.close()
            return found

        for _ in range(20):  # ask, and hang up
            await sent(request_to(url, "gone"), wait=False)
        head = (
            f"POST /predict HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json\r\n"
        ).encode()
        await sent(head + b"Content-Length: 100\r\n\r\n{", wait=False)  # half a body
        large = head + b"Content-Length: 999999999\r\nExpect: 100-continue\r\n\r\n"
        assert (await sent(large))[0] == 413  # before a byte of it was sent
        chunks = b"2710\r\n" + b"a" * 10_000 + b"\r\n"
        endless = await sent(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks * 11)
        assert endless[0] == 413  # more than was said it would be, and it never ended
        whole = json.dumps({"row": "in parts"}).encode()
        parts = b"".join(b"1\r\n%c\r\n" % byte for byte in whole) + b"0\r\n\r\n"
        assert (await sent(head + b"Transfer-Encoding: chunked\r\n\r\n" + parts))[0] == 200
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        writer.write(request_to(url, "a") + request_to(url, "ab") + request_to(url, "abc"))
        labels = [(await answer_from(reader))[2]["answer"]["label"] for _ in range(3)]
        assert labels == ["neutral", "positive", "negative"]  # on one connection, in their order
        writer.close()
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        writer.write(b"nonsense\r\n\r\n")
        assert b"400" in await reader.read(100)
        writer.close()
        return await sent(request_to(url, "well"))

    with process("--ms", 5) as running:
        assert asyncio.run(asks(running.url))[0] == 200
        running.send_signal(signal.SIGTERM)
        status, said = ended(running)
    assert (status, "bug" in said) == (0, False)


def test_a_port_that_is_taken_and_an_address_that_is_none():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SpecError, match=rf"--port {port}: cannot be used .*--port 0"):
            listen("127.0.0.1", port)
    with pytest.raises(SpecError, match=r"--host no\.such\.host\.invalid: no such address"):
        listen("no.such.host.invalid", 0)


def test_an_address_is_told_as_a_browser_takes_it():
    with listen("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP  # else each answer waits for a delayed ACK
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", address_of(bound))
        assert not is_open(bound)
    with listen("0.0.0.0", 0) as bound:
        assert is_open(bound)
    if socket.has_ipv6:
        try:
            bound = listen("::1", 0)
        except SpecError:
            return  # a machine without the address
        with bound:
            assert re.fullmatch(r"http://\[::1\]:\d+", address_of(bound))
            assert not is_open(bound)
