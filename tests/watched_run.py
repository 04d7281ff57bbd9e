"""A program for tests: ``promptkit`` with a slow backend whose rows are written down when asked.

The environment says what it does: ASKED is the file that takes the id of each row that is asked,
SLOW the seconds that a row takes, DIES_AT the write (counted from 1) at which the process kills
itself, and DIES_HALF makes it do so with half of that write on disk.
"""

from __future__ import annotations

import os
import signal
import time

from promptkit.backends.fake import FakeBackend
from promptkit.cli import main
from promptkit.runs import files, store


def watch_fake() -> None:
    """Write down and slow down each row of the fake backend."""
    score, slow = FakeBackend._score, float(os.environ.get("SLOW", "0"))
    log = os.open(os.environ["ASKED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def watched(self, prompt, candidates):
        os.write(log, f"{prompt.example_id}\n".encode())
        time.sleep(slow)
        return score(self, prompt, candidates)

    FakeBackend._score = watched


def watch_hf() -> None:
    """Write down the rows of a model of transformers."""
    from promptkit.backends.hf import HFBackend

    score = HFBackend.score
    log = os.open(os.environ["ASKED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def watched(self, prompts, candidates):
        os.write(log, "".join(f"{prompt.example_id}\n" for prompt in prompts).encode())
        return score(self, prompts, candidates)

    HFBackend.score = watched


def die_at(moment: int, half: bool) -> None:
    """Kill this process before its n-th write, with half of it on disk, or just after it."""
    append, write, done = store.append_text, store.write_json, 0

    def dying(real):
        def wrapper(file, content):
            nonlocal done
            done += 1
            if done == moment:
                if half and isinstance(content, str):
                    with file.open("a") as opened:
                        opened.write(content[: len(content) // 2])
                elif half:
                    file.with_name(f"{file.name}.new").write_text('{"spec": ')
                else:
                    real(file, content)
                os.kill(os.getpid(), signal.SIGKILL)
            real(file, content)

        return wrapper

    store.append_text, store.write_json = dying(append), dying(write)
    assert (append, write) == (files.append_text, files.write_json)


if __name__ == "__main__":
    watch_hf() if "HF" in os.environ else watch_fake()
    if "DIES_AT" in os.environ:
        die_at(int(os.environ["DIES_AT"]), "DIES_HALF" in os.environ)
    main()
