"""Who runs the chunks of a stage: threads of this process, or the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..array_types import Int64, UInt8
from ..runtime import Runtime
from ..stage import Artifact, Context, EachStage, Items, Key, Run
from ..weights import require
from .execute import Job, cut, execute, run_piece
from .inputs import Table
from .shard import Outcome
from .store import Store

Advance = Callable[[bool], None]
"""is told of each item done, and whether it failed"""


@dataclass(frozen=True)
class Task:
    """A stage to be run on items into a store. It pickles as settings and places: no arrays of features travel."""

    stage: EachStage[Any, Any]
    settings: object
    each: Sequence[Table]
    context: Sequence[Context]
    items: Items[Any]
    store: Store

    def start(self, runtime: Runtime) -> Run[Any, Any]:
        """The stage's function, its model loaded."""
        return self.stage.start(self.settings, runtime, *self.each, *values(self.context))


class Chunk(NamedTuple):
    """Items that go into one shard: their rows, and their fingerprints."""

    rows: Int64[np.ndarray, "k"]
    marks: UInt8[np.ndarray, "k 16"]


class Done(NamedTuple):
    """What became of a chunk: the name of its shard, and of each of its items how long it took."""

    rows: Sequence[int]
    shard: str
    seconds: Sequence[float]


class Executor(Protocol):
    """Runs the chunks of tasks, of which each is a shard in the task's store once it is told of."""

    def require(self, plugins: Iterable[object]) -> None:
        """WeightsMissingError or ConfigError, before any work, where those that work lack what plugins load."""
        ...

    def run(self, task: Task, chunks: Sequence[Chunk], advance: Advance) -> Generator[Done]:
        """Tell of every chunk that is done. The error of one that cannot be ends the run; those told of stay."""
        ...

    def close(self) -> None:
        """Nobody works any more."""
        ...


class Threads:
    """Threads of this process: the default."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def require(self, plugins: Iterable[object]) -> None:
        """WeightsMissingError, where weights are not on this machine."""
        require(plugins)

    def run(self, task: Task, chunks: Sequence[Chunk], advance: Advance) -> Generator[Done]:
        """Tell of every chunk, in their order."""
        job = Job(task.stage.name, task.start(self._runtime), task.items, advance)
        with closing(execute(job, [chunk.rows for chunk in chunks], self._runtime.num_workers)) as computed:
            for chunk, outcomes in zip(chunks, computed, strict=True):
                yield written(task, job, chunk, outcomes)

    def close(self) -> None:
        """Threads end with their stage."""


def run_chunk(task: Task, run: Run[Any, Any], chunk: Chunk, advance: Advance) -> Done:
    """A chunk in one go, in the pieces that threads take: the same bytes."""
    job = Job(task.stage.name, run, task.items, advance)
    outcomes = [outcome for piece in cut(chunk.rows.tolist()) for outcome in run_piece(job, piece)]
    return written(task, job, chunk, outcomes)


def written(task: Task, job: Job, chunk: Chunk, outcomes: Sequence[Outcome]) -> Done:
    """Put a chunk's outcomes into the store."""
    rows = chunk.rows.tolist()
    keys: list[Key] = [task.items.keys[row] for row in rows]
    shard = task.store.write(keys, chunk.marks, outcomes)
    return Done(rows, shard, [job.seconds.pop(row) for row in rows])


def executor_for(runtime: Runtime, note: Callable[[str], None]) -> Executor:
    """Who works in a run; `note` is told what the user should know. ExtraMissingError: no engine for a cluster."""
    if not runtime.cluster:
        return Threads(runtime)
    from .dask import Dask

    return Dask(runtime, note)


def values(context: Sequence[Context]) -> Iterator[Any]:
    """What a stage is given of what all its items share."""
    return (value.value if isinstance(value, Artifact) else value for value in context)
