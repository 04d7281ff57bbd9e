"""``promptkit predict --engine ray`` in a process, whose workers can be found and killed."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORKER = "ray::MapWorker(MapBatches(Worker)"
#: Seconds after which a job is taken to hang.
LIMIT = 400


class RayJob:
    """A job that has begun.

    Args:
        folder: Where it runs.
        arguments: Of ``promptkit predict``.
    """

    def __init__(self, folder, *arguments):
        self.folder, self.mark = folder, uuid.uuid4().hex
        keep = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
        told = {"PYTHONPATH": path, "RAY_JOB_OF_TEST": self.mark, "OMP_NUM_THREADS": "1"}
        code = "from promptkit.cli import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "predict", "--engine", "ray", *map(str, arguments)],
            cwd=folder, env=keep | told, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def wait_for_blocks(self, output, n):
        """Until so many blocks are finished."""
        began = time.monotonic()
        while len(self.blocks(output)) < n:
            if self.process.poll() is not None:
                raise AssertionError(f"it ended too early: {self.process.communicate()}")
            assert time.monotonic() - began < LIMIT, "no block was finished"
            time.sleep(0.02)

    def blocks(self, output):
        """The finished blocks, with time and inode of each file: what is done anew has others."""
        files = (self.folder / f"{output}.partial" / "blocks").glob("*/*")
        return {file.name: (file.stat().st_mtime_ns, file.stat().st_ino)
                for file in files if not file.suffix}  # fmt: skip

    def workers(self):
        """Ids of the processes that hold the model."""
        return [pid for pid, name in self.processes().items() if name.startswith(WORKER)]

    def processes(self):
        """All processes of this job, the command itself left out: id and name."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if self.mark.encode() in (folder / "environ").read_bytes():
                    name = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found[int(folder.name)] = name
            except OSError:  # gone, or somebody else's
                continue
        found.pop(self.process.pid, None)
        return {pid: name for pid, name in found.items() if name}

    def kill_worker(self):
        """End one of the workers at once."""
        os.kill(self.workers()[0], signal.SIGKILL)

    def finish(self):
        """What it said on standard output and standard error, and its exit status."""
        try:
            out, err = self.process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            self.end()
            raise
        return self.process.returncode, out, err

    def all_gone(self):
        """Whether every process of the job has ended.

        Where the command was killed, agents of Ray may look for its server for a minute.
        """
        began = time.monotonic()
        while self.processes() and time.monotonic() - began < 120:
            time.sleep(0.1)
        return not self.processes()

    def end(self):
        """Leave nothing behind."""
        self.process.kill()
        self.process.communicate()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
