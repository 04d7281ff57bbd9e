"""Another program's server, run beside the tests on a free port of loopback."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager


@contextmanager
def served_by(command, folder, patience, environment=None):
    """Run ``python -m command`` with a host and a port; gives the address once it answers.

    Args:
        command: Module and arguments.
        folder: Where its log is written.
        patience: Seconds until it has to answer.
        environment: Variables beside those of this process.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "server.txt"
    whole = [sys.executable, "-m", *command, "--host", "127.0.0.1", "--port", str(port)]
    with log.open("w") as out:
        server = subprocess.Popen(
            whole, stdout=out, stderr=out, start_new_session=True,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}/v1"
    try:
        _wait(server, f"{address}/models", log, patience)
        yield address
    finally:
        server.terminate()
        server.wait(60)


def _wait(server, address, log, patience):
    until = time.monotonic() + patience
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()[-3000:]
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"no answer in {patience} seconds: {log.read_text()[-3000:]}")
