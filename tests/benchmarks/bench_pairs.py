"""What pairs of images cost the Workspace, beside what a stage does with them: seconds, and bytes of memory a pair.

    python tests/benchmarks/bench_pairs.py [NUM_PAIRS] [FOLDER]

A stage that does nothing runs over so many made pairs (a million unless told) of a twentieth as many images, each of
which has 20 partners near it: their keys, a first run, the same again with nothing to do, and opening the results.
Every step runs in a process of its own; memory is the most that it held above what the step before it left it with.
"""

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from vloc.data.pairs import Pair, Pairs
from vloc.run.store import open_results
from vloc.run.workspace import Workspace
from vloc.runtime import Runtime, give_memory_back
from vloc.stage import EachStage
from vloc.stages.match import tiled

PARTNERS = 20


@dataclass(frozen=True)
class Row:
    """A result as small as they come."""

    indices: np.ndarray

    def to_arrays(self) -> dict[str, np.ndarray]:
        """One row of two numbers."""
        return {"indices": self.indices}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Row":
        """The inverse."""
        return cls(**arrays)


def start(settings: None, runtime: Runtime, images: Mapping[str, int]) -> Callable[[Iterable[Pair]], Iterator[Row]]:
    """The stage: a row of zeros a pair."""
    row = Row(np.zeros((1, 2), np.uint32))
    return lambda pairs: (row for _ in pairs)


STAGE: EachStage[Pair, Row] = EachStage("nothing", 1, Row, start, chunk=512)


class Images:
    """The table that pairs depend on: every image with a mark of its own."""

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __getitem__(self, name: str) -> str:
        return name

    def fingerprint_of(self, name: str) -> str:
        """32 digits."""
        return name[-8:].rjust(32, "0")


def made(count: int) -> Pairs:
    """Pairs of every image with those after it, in the order in which they are matched."""
    images = count // PARTNERS + PARTNERS
    first = np.repeat(np.arange(images - PARTNERS, dtype=np.int32), PARTNERS)
    second = first + np.tile(np.arange(1, PARTNERS + 1, dtype=np.int32), images - PARTNERS)
    return tiled(Pairs([f"sequence/camera/{i:08}" for i in range(images)], np.stack([first, second], axis=1)))


def run(folder: Path, pairs: Pairs) -> Any:
    """The stage over all pairs; what is done is not done again."""
    with Workspace(folder, Runtime(workers=2)) as work:
        return work.each(STAGE, pairs, None, each=[Images()])


def opened(folder: Path) -> Any:
    """The results by what the manifest of a map would say."""
    marks = next(folder.glob("*/set-*.json"))
    return open_results(folder, f"{marks.parent.name}/{marks.stem.removeprefix('set-')}", Row)


def held() -> tuple[int, int]:
    """Bytes that this process has, and the most it had since this was asked last."""
    give_memory_back()
    lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    Path("/proc/self/clear_refs").write_text("5")
    now, most = (int(lines[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
    return now, most


def measured(name: str, folder: Path, count: int) -> None:
    """Print what a step takes."""
    pairs = made(count) if name in ("first run", "again") else None
    run(folder.with_name("warm"), made(100))  # imports
    before, began = held()[0], time.monotonic()
    kept = {"keys": lambda: made(count), "open": lambda: opened(folder)}.get(name, lambda: run(folder, pairs))()
    seconds = time.monotonic() - began
    after, most = held()
    most, left = (most - before) / count, (after - before) / count
    print(f"{name:10} {seconds:8.1f} s {most:6.0f} bytes a pair at most, {left:6.0f} of them stay", flush=True)
    assert len(kept) >= count


def main(count: int, folder: Path) -> None:
    """All steps."""
    for name in ("keys", "first run", "again", "open"):
        step = multiprocessing.get_context("spawn").Process(target=measured, args=(name, folder, count))
        step.start()
        step.join()
        if step.exitcode:
            raise SystemExit(f"{name}: exit status {step.exitcode}")


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as temporary:
        main(number, Path(temporary) / "work")
