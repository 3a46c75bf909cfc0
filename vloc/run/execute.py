"""Runs a stage over items in several threads, results in the order of the items and memory flat."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count, islice
from threading import Event, Lock
from typing import Any, TypeVar

import numpy as np

from ..array_types import Int64, UInt8
from ..data.pairs import Pairs
from ..errors import DataError
from ..runtime import share_out
from ..stage import Items, Key, Run
from .fingerprint import NUM_BYTES
from .guard import memory_guard
from .marks import digests
from .shard import Outcome, label

A = TypeVar("A")
B = TypeVar("B")

PIECES_PER_CHUNK = 32
"""A chunk is cut in as many pieces for the workers, so that few items keep all of them busy. The cut must not depend
on the number of workers: a stage that batches would give other last bits."""
AHEAD = 16
"""pieces begun, beside those being worked on, before the results of the first are taken: bounds memory"""


class Stopped(Exception):  # noqa: N818 - a signal between threads
    """The run is ending; this piece of work is dropped."""


@dataclass(frozen=True)
class Job:
    """A stage that was started, the items to run it on, and whom to tell of each one done."""

    name: str
    run: Run[Any, Any]
    items: Items[Any]
    advance: Callable[[bool], None]
    """told of each item done, and whether it failed"""
    stop: Event = field(default_factory=Event)
    seconds: dict[int, float] = field(default_factory=dict)
    """how long each item took, from reading it to its result"""


def execute(job: Job, chunks: Sequence[Int64[np.ndarray, "k"]], workers: int) -> Generator[list[Outcome]]:
    """Yield the outcomes of each chunk (indices of items), chunk after chunk; at most a few chunks are in memory.

    An item that raises DataError is an outcome; any other error ends the run, with the item's name in its notes.
    """
    sizes = [len(cut(range(len(chunk)))) for chunk in chunks]
    pieces = (piece for chunk in chunks for piece in cut(chunk.tolist()))
    left = count(sum(sizes) - 1, -1)
    told = Lock()

    def work(piece: Sequence[int]) -> list[Outcome]:
        outcomes = run_piece(job, piece)
        with told:  # one after the other, so that the last word is of the least that is left
            share_out(workers, next(left))
        return outcomes

    share_out(workers, sum(sizes))
    with closing(in_order(work, pieces, workers, job.stop)) as outcomes:
        for size in sizes:
            yield [outcome for piece in islice(outcomes, size) for outcome in piece]


def run_piece(job: Job, indices: Sequence[int]) -> list[Outcome]:
    """The outcomes of some items; the stage is run again on what follows an item that it refused."""
    outcomes: dict[int, Outcome] = {}
    while left := [index for index in indices if index not in outcomes]:
        _run_until_refusal(job, left, outcomes)
    return [outcomes[index] for index in indices]


def _run_until_refusal(job: Job, indices: Sequence[int], outcomes: dict[int, Outcome]) -> None:
    handed: deque[int] = deque()
    try:
        with memory_guard(job.name):
            for result in job.run(_feed(job, indices, handed, outcomes)):
                arrays = dict(result.to_arrays())
                if not handed:
                    raise RuntimeError(f"stage '{job.name}' gave more results than it was given items")
                _settle(job, outcomes, handed.popleft(), arrays)
    except DataError as error:
        if not handed:
            raise
        _settle(job, outcomes, handed.popleft(), str(error))
        return
    except Exception as error:
        if handed:
            error.add_note(f"while stage '{job.name}' worked on {label(job.items.keys[handed[0]])}")
        raise
    if handed:
        raise RuntimeError(f"stage '{job.name}' gave no result for {label(job.items.keys[handed[0]])}")


def _feed(job: Job, indices: Sequence[int], handed: deque[int], outcomes: dict[int, Outcome]) -> Iterator[Any]:
    for index in indices:
        if job.stop.is_set():
            raise Stopped
        job.seconds[index] = -time.monotonic()
        try:
            item = job.items.load(index)
        except DataError as error:
            _settle(job, outcomes, index, str(error))
            continue
        handed.append(index)
        yield item


def _settle(job: Job, outcomes: dict[int, Outcome], index: int, outcome: Outcome) -> None:
    outcomes[index] = outcome
    job.seconds[index] += time.monotonic()
    job.advance(isinstance(outcome, str))


def in_order(work: Callable[[A], B], tasks: Iterable[A], workers: int, stop: Event) -> Generator[B]:
    """`map` by threads that run at most so many tasks ahead of the consumer; `stop` is set when that goes away."""
    waiting = iter(tasks)
    pool = ThreadPoolExecutor(workers, thread_name_prefix="vloc")
    try:
        ahead: deque[Future[B]] = deque(pool.submit(work, task) for task in islice(waiting, AHEAD + workers))
        while ahead:
            yield ahead.popleft().result()
            ahead.extend(pool.submit(work, task) for task in islice(waiting, 1))
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def cut(chunk: Sequence[int]) -> list[Sequence[int]]:
    """The pieces of a chunk, whoever runs it."""
    return chunked(chunk, -(-len(chunk) // PIECES_PER_CHUNK))


def chunked(rows: Sequence[int], size: int) -> list[Sequence[int]]:
    """Consecutive parts of at most `size`."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def fingerprints(stage: str, items: Items[Any], workers: int) -> UInt8[np.ndarray, "n 16"]:
    """What stands for the fingerprint of every item (`run/marks.py`); several threads, since it may take reading files.

    DataError: two items have the same key.
    """
    if (twice := _repeated(items.keys)) is not None:
        raise DataError(f"{label(twice)}: is there twice among the items of stage '{stage}'")
    count = len(items.keys)
    marks = np.empty((count, NUM_BYTES), np.uint8)
    blocks = [range(start, min(start + 64, count)) for start in range(0, count, 64)]
    with closing(in_order(lambda rows: digests(map(items.fingerprint, rows)), blocks, workers, Event())) as found:
        for rows, own in zip(blocks, found, strict=True):
            marks[rows.start : rows.stop] = own
    return marks


def _repeated(keys: Sequence[Key]) -> Key | None:
    """A key that is there twice."""
    if isinstance(keys, Pairs):
        return keys.repeated()
    return Counter(keys).most_common(1)[0][0] if len(set(keys)) < len(keys) else None
