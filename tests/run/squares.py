"""A stage so small that its results are known by heart, and a whole run of it that tests can kill.

As a script: `squares.py run FOLDER` runs it once, `squares.py faults FOLDER KIND` runs it once for every fsync and
rename with a fault at that call, resumes, and prints a line of JSON for each.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vloc.errors import DataError, VlocError
from vloc.run.results import StoredResults
from vloc.run.workspace import Workspace
from vloc.runtime import Runtime
from vloc.stage import EachStage, OnceStage, Results


@dataclass(frozen=True)
class Table:
    """A result: one array."""

    rows: np.ndarray

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {"rows": self.rows}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Table:
        return cls(**arrays)


@dataclass(frozen=True)
class Power:
    """The settings."""

    exponent: float = 2.0
    pause: float = 0.0
    """seconds an item"""


@dataclass
class Numbers:
    """Items: item `a7` is the numbers 0 to 6. Those in `broken` cannot be loaded."""

    keys: Sequence[str]
    broken: frozenset[str] = frozenset()
    marks: dict[str, str] = field(default_factory=dict)
    """content of items that is not the usual one"""
    loaded: list[str] = field(default_factory=list)

    @classmethod
    def first(cls, count: int, **rest: object) -> Numbers:
        return cls([f"a{n}" for n in range(count)], **rest)

    def fingerprint(self, index: int) -> str:
        return self.marks.get(self.keys[index], "usual")

    def load(self, index: int) -> np.ndarray:
        key = self.keys[index]
        self.loaded.append(key)
        if key in self.broken:
            raise DataError(f"{key}: broken")
        return np.arange(int(key[1:]), dtype=np.float64)


def start_powers(settings: Power, runtime: Runtime) -> Callable[[Iterable[np.ndarray]], Iterator[Table]]:
    def run(items: Iterable[np.ndarray]) -> Iterator[Table]:
        for item in items:
            if len(item) == 13:
                raise DataError("thirteen numbers bring bad luck")
            time.sleep(settings.pause)
            yield Table((item**settings.exponent)[:, None])

    return run


def start_breaking(settings: Power, runtime: Runtime) -> Callable[[Iterable[np.ndarray]], Iterator[Table]]:
    def run(items: Iterable[np.ndarray]) -> Iterator[Table]:
        for item in items:
            if len(item) == 6:
                raise RuntimeError("a bug")
            yield Table(item[:, None])

    return run


def add_up(settings: None, runtime: Runtime, powers: Results[Table]) -> Table:
    return Table(np.array([[sum(table.rows.sum() for table in powers.values())]]))


SQUARES = Power()
POWERS = EachStage("powers", 1, Table, start_powers, chunk=4)
SUMS = OnceStage("sums", 1, Table, add_up)


def run_all(
    folder: Path, items: Numbers, settings: Power = SQUARES, workers: int = 2, cluster: str = "", **rest: object
) -> StoredResults:
    """Two stages and a manifest."""
    with Workspace(folder, Runtime(workers=workers, cluster=cluster), **rest) as work:
        powers = work.each(POWERS, items, settings)
        work.content_hash("numbers.txt", 1, lambda: b"0 1 2")
        sums = work.once(SUMS, None, powers)
        work.publish("manifest.json", {"powers": powers.reference, "sums": sums.reference})
    return powers


def tree_hash(folder: Path) -> dict[str, str]:
    """Path -> hash of content, for all that a run leaves but its lock and the times it took."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".lock"))
    files = [path for path in files if path.name != "timings.json"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def kill(target: int | str) -> None:
    # what was not flushed may be lost with the power: half of it is, here
    if isinstance(target, int) and Path(f"/proc/self/fd/{target}").is_file():
        os.ftruncate(target, os.fstat(target).st_size // 2)
    os.kill(os.getpid(), signal.SIGKILL)


def disk_full(target: int | str) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


FAULTS = {"kill": kill, "disk_full": disk_full}


def fault_at(number: int, fault: Callable[[int | str], None]) -> None:
    """Let `fault` strike in this process instead of the call of that number to fsync or rename."""
    calls = 0

    def faulty(real: Callable[..., None]) -> Callable[..., None]:
        def call(target: int | str, *rest: object) -> None:
            nonlocal calls
            calls += 1
            if calls == number:
                fault(target)
            real(target, *rest)

        return call

    os.fsync, os.replace = faulty(os.fsync), faulty(os.replace)


def in_a_child(work: Callable[[], object]) -> int:
    """Exit status of a forked child that does `work`; minus the number of the signal that killed it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except VlocError as error:
            status = error.exit_status
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def strike_everywhere(folder: Path, kind: str, count: int) -> None:
    """A run with a fault at the first call, the second, and so on until one goes through; each is then resumed."""
    for number in range(1, 1000):
        target = folder / str(number)

        def struck(number: int = number, target: Path = target) -> None:
            fault_at(number, FAULTS[kind])
            run_all(target, Numbers.first(count))

        status = in_a_child(struck)
        resumed = in_a_child(lambda target=target: run_all(target, Numbers.first(count)))
        print(json.dumps({"call": number, "status": status, "resumed": resumed, "tree": tree_hash(target)}), flush=True)
        if status == 0:
            return


def spawn(*arguments: object) -> subprocess.Popen[str]:
    """This file as a script, in a process of its own."""
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True)


def killed_after(seconds: float, folder: Path, count: int, pause: float) -> bool:
    """Whether a run that was killed so long after its start had not finished by then."""
    with spawn("run", folder, count, pause) as child:
        assert child.stdout.readline() == "started\n"
        time.sleep(seconds)
        child.kill()
    return child.returncode == -signal.SIGKILL


@dataclass
class Deadly(Numbers):
    """Numbers of which one is the death of the process that loads it; with a `grave`, of the first alone."""

    deadly: str = "a5"
    grave: Path | None = None

    def load(self, index: int) -> np.ndarray:
        if self.keys[index] == self.deadly and not (self.grave and self.grave.exists()):
            if self.grave:
                self.grave.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().load(index)


if __name__ == "__main__":
    what, folder, *rest = sys.argv[1:]
    if what == "faults":
        import cv2  # noqa: F401
        import h5py  # noqa: F401 - so that the forks need not
        import threadpoolctl  # noqa: F401

        strike_everywhere(Path(folder), rest[0], int(rest[1]))
    else:
        print("started", flush=True)
        run_all(Path(folder), Numbers.first(int(rest[0])), Power(pause=float(rest[1])), cluster="".join(rest[2:]))
