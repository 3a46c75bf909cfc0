"""Chunks of stages on the workers of a Dask cluster; the only file that knows Dask.

A task is left in its store's folder, which all workers see; what is sent is the name of that file and the rows of a
chunk. Workers write the shard themselves and give back its name. A worker that dies costs the chunks it had: Dask gives
them to another, and they come out as the same bytes under the same name.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any

from .. import __version__
from ..errors import ConfigError, ExtraMissingError, ResourceError, VlocError
from ..runtime import Device, Runtime, one_thread_per_worker
from ..stage import Run
from ..weights import require
from .executors import Advance, Chunk, Done, Task, run_chunk
from .travel import left_in, taken_up

try:
    import dask
    from distributed import Client, KilledWorker, LocalCluster, as_completed
    from distributed.utils import silence_logging_cmgr
except ImportError as error:
    raise ExtraMissingError("--cluster", "cluster", error) from None

AHEAD = 2
"""chunks that are sent for every thread of the workers: the next one is there when one is done"""
CONNECT_SECONDS = 10
OWN = {
    "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1},
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
}
"""settings of processes of our own: Dask's for malloc costs time in page faults, its statistics and ticks too"""
DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""run by processes of our own: Ctrl-C is for the command, which ends them"""
NEEDED = "numpy", "scipy", "opencv-python-headless", "pillow", "poselib", "pycolmap"
PACKAGES = *NEEDED, "pi-heif", "torch", "kornia", "open3d"
"""what results depend on beside vloc: other versions may give other last bits, and without one photos fail"""


class Dask:
    """Workers of an existing scheduler, or processes of this machine that end with this one. Starts with the work."""

    def __init__(self, runtime: Runtime, note: Callable[[str], None]) -> None:
        self._runtime, self._note = runtime, note
        self._kind, _, self._where = runtime.cluster.partition(":")
        self._plugins: list[object] = []
        self._client: Client | None = None
        self._opened = ExitStack()

    def require(self, plugins: Iterable[object]) -> None:
        """WeightsMissingError, where weights are not on this machine; workers are asked before they work."""
        self._plugins += plugins
        require(self._plugins)

    def run(self, task: Task, chunks: Sequence[Chunk], advance: Advance) -> Generator[Done]:
        """Tell of every chunk when it is done, whichever that is."""
        client, waiting = self._connected(), iter(chunks)
        with left_in(task.store.folder, task) as place, _told(task.stage.name, self._runtime.cluster):
            running = as_completed(loop=client.loop)
            try:
                self._send(client, place, waiting, running)
                for future in running:
                    done, failed = future.result()
                    self._send(client, place, waiting, running)
                    for each in failed:
                        advance(each)
                    yield done
            finally:
                client.cancel(list(running.futures))

    def _send(self, client: Client, place: Path, waiting: Iterator[Chunk], running: as_completed) -> None:
        """Keep so many chunks sent that no worker waits for one; workers may have come or gone."""
        most = AHEAD * max(1, sum(client.nthreads().values()))
        for chunk in islice(waiting, max(0, most - running.count())):
            running.add(client.submit(work_off, place, chunk, environment(), self._runtime.device, pure=False))

    def close(self) -> None:
        """Leave the workers; end them where they are ours."""
        self._client = None
        self._opened.close()

    def _connected(self) -> Client:
        if self._client is None:
            self._opened.enter_context(silence_logging_cmgr(logging.CRITICAL))  # what matters is told as errors
            self._client = self._start() if self._kind == "local" else self._reach()
            check(self._runtime.cluster, self._client.run(able, self._plugins, on_error="return"))
        return self._client

    def _start(self) -> Client:
        with dask.config.set(OWN):
            cluster = LocalCluster(
                n_workers=int(self._where),
                threads_per_worker=1,
                processes=True,
                memory_limit=0,  # as of threads: Dask would end a worker at its share
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                preload=[DEAF],
            )
        self._opened.enter_context(cluster)
        return self._opened.enter_context(Client(cluster, set_as_default=False))

    def _reach(self) -> Client:
        try:
            client = Client(self._where, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ConfigError(f"--cluster {self._runtime.cluster}: no scheduler there: {error}") from None
        self._opened.enter_context(client)
        if not client.nthreads():
            self._note(f"--cluster {self._runtime.cluster}: no workers yet, waiting for the first")
            client.wait_for_workers(1)
        return client


@contextmanager
def _told(stage: str, cluster: str) -> Iterator[None]:
    """ResourceError for what becomes of a cluster."""
    try:
        yield
    except KilledWorker as error:
        raise ResourceError(
            f"{stage}: workers of --cluster {cluster} died of the same items again and again, the last of them "
            f"{error.last_worker.address}: was their memory short? What was finished is kept"
        ) from None
    except CancelledError:
        raise ResourceError(
            f"{stage}: the scheduler of --cluster {cluster} has gone; what was finished is kept: run the same command "
            "again"
        ) from None


@cache
def environment() -> dict[str, str]:
    """What has to be the same here and there for the same bytes: package -> version."""
    return {"python": platform.python_version(), "vloc": __version__, **{name: _version(name) for name in PACKAGES}}


def able(plugins: Sequence[object]) -> dict[str, str]:
    """The environment of a worker; WeightsMissingError or ExtraMissingError where it lacks what plugins load."""
    require(plugins)
    return environment()


def check(cluster: str, answers: Mapping[str, dict[str, str] | BaseException]) -> None:
    """ConfigError names the first worker that cannot do what this process could do itself."""
    for worker, answer in sorted(answers.items()):
        if fault := _fault(answer):
            raise ConfigError(f"--cluster {cluster}: worker {worker}: {fault}")


def _fault(answer: dict[str, str] | BaseException) -> str:
    if isinstance(answer, VlocError):
        return str(answer)
    if isinstance(answer, BaseException):
        return f"cannot run vloc {__version__} ({answer}): install the same there as here"
    others = _differences(answer, environment())
    return f"{others}: install the same there as here" if others else ""


def _differences(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """What a worker has otherwise than the command, which is here."""
    return "; ".join(f"{name} {there.get(name)}, here {here[name]}" for name in here if there.get(name) != here[name])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def work_off(place: Path, chunk: Chunk, command: dict[str, str], device: Device) -> tuple[Done, list[bool]]:
    """On a worker: run a chunk of the task that was left at a place; also says of each item whether it failed.

    `command`: its environment. ConfigError from a worker of another, which joined after all were asked.
    """
    if others := _differences(environment(), command):
        raise ConfigError(f"worker {platform.node()}: {others}: install the same there as here")
    failed: list[bool] = []
    with one_thread_per_worker():
        with _starting:
            task, run = _started(place, device)
        return run_chunk(task, run, chunk, failed.append), failed


_starting = Lock()


@lru_cache(2)
def _started(place: Path, device: Device) -> tuple[Task, Run[Any, Any]]:
    """A task and its stage's function: models are loaded once a process. Two, as two commands may share workers."""
    task: Task = taken_up(place)
    return task, task.start(Runtime(device, 1))
