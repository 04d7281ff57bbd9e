"""Ray: started on this machine or joined where it runs, quiet, with room for the workers."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from math import floor
from socket import create_connection
from threading import Event, Thread
from typing import Any

from promptkit.errors import BackendError, MissingExtra, SpecError

#: Set before Ray is imported: it asks nobody how it is used, and its C++ parts keep to their logs.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_BACKEND_LOG_LEVEL": "fatal"}
#: Beginnings and names of variables that workers on other machines are given.
HANDED_ON = ("PROMPTKIT_", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE",
             "OMP_NUM_THREADS")  # fmt: skip
AUTO = "auto"
#: Seconds in which a cluster has to be reached.
CONNECT_S = 10.0
#: Seconds without a block after which that is told.
QUIET_S = 300.0


@dataclass(frozen=True)
class Wanted:
    """What is asked of a cluster.

    Args:
        workers: How many hold the model; None takes as many as there is room for.
        cpus: Of each; None says one, or less where that leaves no room to replace a lost one.
        gpus: Of each; None says one where there are GPUs, none where there are not.
        address: ``auto`` or ``host:port`` of a cluster that this machine is of; None starts Ray
            here, and ends it.
        on_gpu: Whether the model would use a GPU.
    """

    workers: int | None = None
    cpus: float | None = None
    gpus: float | None = None
    address: str | None = None
    on_gpu: bool = True

    def check(self) -> None:
        """Refuse numbers that cannot be meant.

        Raises:
            SpecError: One of them.
        """
        if self.workers is not None and self.workers < 1:
            raise SpecError(f"--workers {self.workers}: must be at least 1")
        if self.cpus is not None and not 0 < self.cpus < 10_000:
            raise SpecError(f"--cpus-per-worker {self.cpus:g}: must be more than 0")
        if self.gpus is not None and not 0 <= self.gpus < 10_000:
            raise SpecError(f"--gpus-per-worker {self.gpus:g}: must not be less than 0")
        if self.gpus is not None and self.gpus > 1 and self.gpus != int(self.gpus):
            raise SpecError(f"--gpus-per-worker {self.gpus:g}: must be whole where it is above 1")
        if self.address is not None and self.address.startswith("ray://"):
            # its client hands on tasks, and not the plans of Ray Data
            raise SpecError(
                f"--address {self.address}: a job of Ray Data begins on a machine of the cluster; "
                "run the command there with --address auto, or hand it in with 'ray job submit'"
            )
        if self.address not in (None, AUTO) and _host_and_port(self.address) is None:
            raise SpecError(f"--address {self.address}: write {AUTO}, or host:6379")


@dataclass(frozen=True)
class Pool:
    """Workers that there is room for.

    Args:
        workers: How many.
        cpus: Of each.
        gpus: Of each.
    """

    workers: int
    cpus: float
    gpus: float


def pool_of(wanted: Wanted, nodes: Sequence[Mapping[str, float]]) -> Pool:
    """How many workers there will be, and what each takes.

    Where nothing else is said, a share of the processors stays free: a worker that is lost is
    replaced while the others go on.

    Args:
        wanted: What was asked for.
        nodes: The resources of each machine.

    Raises:
        SpecError: There is no room for them.
    """
    cpus = sum(node.get("CPU", 0.0) for node in nodes)
    n_gpus = sum(node.get("GPU", 0.0) for node in nodes)
    gpus = wanted.gpus
    if gpus is None:
        gpus = 1.0 if n_gpus and wanted.on_gpu else 0.0
    workers = wanted.workers
    if workers is None:
        workers = max(1, floor(n_gpus / gpus) if gpus else floor(cpus / (wanted.cpus or 1.0)))
    share = wanted.cpus
    if share is None:
        smallest = min((node["CPU"] for node in nodes if node.get("CPU")), default=1.0)
        each = max(1, -(-workers // max(1, len(nodes))))
        share = max(0.1, min(1.0, floor(100 * smallest / (each + 1)) / 100))
        workers = workers if wanted.workers else min(workers, _room(nodes, share, gpus)) or 1
    room = _room(nodes, share, gpus)
    if room < workers:
        asked = f"{workers} worker{'s' if workers > 1 else ''} of {share:g} CPU"
        asked += f" and {gpus:g} GPU" if gpus else ""
        machines = f"{len(nodes)} machine{'s' if len(nodes) != 1 else ''}"
        raise SpecError(
            f"there is no room for {asked} each: {machines} with {cpus:g} CPU and {n_gpus:g} GPU "
            f"in all have room for {room}; lower --workers, --cpus-per-worker or --gpus-per-worker"
        )
    return Pool(workers, share, gpus)


def _room(nodes: Sequence[Mapping[str, float]], cpus: float, gpus: float) -> int:
    """Workers that fit, none of them on two machines."""
    fit = 0
    for node in nodes:
        here = floor(node.get("CPU", 0.0) / cpus + 1e-9)
        fit += min(here, floor(node.get("GPU", 0.0) / gpus + 1e-9)) if gpus else here
    return fit


@contextmanager
def joined(wanted: Wanted) -> Iterator[Pool]:
    """Ray, running, and the workers that it has room for; what was started here ends with this.

    What Ray prints on standard output, such as that a worker was lost, is left out: it is told at
    the end.

    Raises:
        MissingExtra: Ray is not installed.
        SpecError: There is no room for the workers.
        BackendError: No Ray at the address.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise MissingExtra("--engine ray needs Ray Data: pip install 'promptkit[ray]'") from error
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if ray.is_initialized():
        raise SpecError(
            "Ray runs in this process already, for something else; end it with ray.shutdown()"
        )
    machine = {"CPU": float(_own_cpus())}
    if wanted.address is None and wanted.workers and wanted.cpus:
        # before Ray is started, which takes seconds; its GPUs are known after that
        pool_of(Wanted(wanted.workers, wanted.cpus, 0.0), [machine])
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        try:
            _start(ray, wanted, machine["CPU"])
            nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
            if wanted.address is None:
                nodes = [{**node, **machine} for node in nodes]
            yield pool_of(wanted, nodes)
        finally:
            ray.shutdown()


def _start(ray: Any, wanted: Wanted, cpus: float) -> None:
    if place := _host_and_port(wanted.address):
        try:  # Ray would try for minutes
            create_connection(place, timeout=CONNECT_S).close()
        except OSError as error:
            raise _none_there(wanted.address, error) from error
    quiet = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    try:
        if wanted.address is None:
            # one more than there are: a worker that is lost finds room for its successor, whatever
            # else Ray has put into its place
            more = max(1.0, wanted.cpus or 1.0)
            with _silent():
                ray.init("local", num_cpus=int(cpus + more), include_dashboard=False, **quiet)
        else:
            env = {"env_vars": _handed_on()}
            with _silent():
                ray.init(address=wanted.address, runtime_env=env, **quiet)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        raise _none_there(wanted.address, error) from error


def _none_there(address: str | None, error: Exception) -> BackendError:
    where = f"--address {address}" if address else "on this machine"
    why = (str(error) or type(error).__name__).strip().splitlines()[0]
    return BackendError(
        f"Ray cannot be had {where} ({why})",
        hint="start it with 'ray start --head', or leave --address out to use this machine; "
        "a cluster that asks for a token wants RAY_AUTH_MODE=token and ~/.ray/auth_token here",
    )


def _host_and_port(address: str | None) -> tuple[str, int] | None:
    """Of ``host:6379`` or ``[::1]:6379``; None of anything else."""
    host, _, port = (address or "").rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        return None
    return host.strip("[]"), int(port)


@contextmanager
def waited_for(pool: Pool, say: Callable[[str], None], seconds: float = QUIET_S) -> Iterator[Any]:
    """While blocks are waited for, say so when none comes for long, and what the cluster has free.

    Machines may be lost or in the use of others; Ray waits for them without a word.

    Args:
        pool: What was asked for.
        say: Takes a line.
        seconds: How long is long.

    Yields:
        A function to call whenever a block has come.
    """
    import ray

    heard, ended = Event(), Event()

    def watch() -> None:
        while not ended.is_set():
            heard.clear()
            if heard.wait(seconds) or ended.is_set():
                ended.wait(min(1.0, seconds))
                continue
            free = ray.available_resources()
            say(
                f"no block has come for {seconds / 60:.0f} minutes; a worker takes {pool.cpus:g} "
                f"CPU and {pool.gpus:g} GPU, and {free.get('CPU', 0):g} CPU and "
                f"{free.get('GPU', 0):g} GPU are free in the cluster; Ctrl-C keeps what is finished"
            )

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield heard.set
    finally:
        ended.set()
        heard.set()
        thread.join()


@contextmanager
def _silent() -> Iterator[None]:
    """Ray's C++ parts tell standard error how they log, past all that Python could redirect."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _handed_on() -> dict[str, str]:
    """Variables for workers elsewhere; a job that was submitted hands on its own, and no others."""
    if "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ:
        return {}
    return {name: value for name, value in os.environ.items() if name.startswith(HANDED_ON)}


def _own_cpus() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
