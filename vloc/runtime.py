"""How a run uses the machine. Nothing here changes a result, so none of it is part of an artifact's key."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, Literal

from .errors import ConfigError

Device = Literal["auto", "cpu", "cuda"]
Map = Callable[..., Iterator[Any]]
"""`map`, or what does the same"""
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""numbers of mallopt's options (malloc.h)"""


@dataclass(frozen=True)
class Runtime:
    """Device and parallelism of a run."""

    device: Device = "auto"
    """where networks run: auto takes CUDA if there is one"""
    workers: int = 0
    """images or pairs worked on at a time; 0 is one per core"""
    cluster: str = ""
    """who works on images and pairs instead of threads: local:N, so many processes, or dask:ADDRESS of a scheduler"""

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ConfigError(f"workers: expected 0 (one per core) or more, got {self.workers}")
        if self.cluster and not re.fullmatch(r"local:[1-9]\d*|dask:.+", self.cluster):
            raise ConfigError(f"cluster: expected local:N processes or dask:tcp://HOST:PORT, got '{self.cluster}'")

    @property
    def num_workers(self) -> int:
        """The number of workers after resolving 0."""
        if self.workers:
            return self.workers
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    @contextmanager
    def mapping(self) -> Iterator[Map]:
        """`map` on the workers: results in order, arguments all taken at once."""
        with ThreadPoolExecutor(self.num_workers, thread_name_prefix="vloc") as pool:
            yield pool.map


class WhileAnyone:
    """A process-wide setting that holds while anyone is inside; the last to leave restores what was before.

    A thread of its own makes and undoes the change: threadpoolctl lets the same thread undo it only.
    """

    def __init__(self, change: Callable[[], AbstractContextManager[object]]) -> None:
        self._change, self._lock, self._inside = change, Lock(), 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vloc-runtime")

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._changed = ExitStack()
                self._thread.submit(lambda: self._changed.enter_context(self._change())).result()
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._thread.submit(self._changed.close).result()


@lru_cache(maxsize=1)
def _pools(num_modules: int) -> Any:
    """The thread pools of the process; looking takes milliseconds, so it is done again only once more was imported."""
    import cv2  # noqa: F401 - brings a BLAS of its own
    import threadpoolctl

    return threadpoolctl.ThreadpoolController()


@contextmanager
def _one_opencv_thread() -> Iterator[None]:
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


one_blas_thread = WhileAnyone(lambda: _pools(len(sys.modules)).limit(limits=1, user_api="blas"))
"""Keeps BLAS to one thread: its idle threads spin, which costs every other thread of a busy machine its time."""
_opencv = WhileAnyone(_one_opencv_thread)


def share_out(workers: int, busy: int) -> None:
    """Let OpenCV use the threads of workers that have nothing left to do, as at the end of a stage or for one photo."""
    import cv2

    cv2.setNumThreads(max(1, workers // max(1, busy)))


@contextmanager
def one_thread_per_worker() -> Iterator[None]:
    """Keep BLAS and OpenCV to one thread each: workers run side by side, and nested pools slow each other down.

    `share_out` changes OpenCV's within it.
    """
    with one_blas_thread, _opencv:
        yield


def peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # the system's figure is in kilobytes, on a Mac in bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def give_memory_back() -> None:
    """Hand freed memory to the system, where the C library can be asked to (glibc): else stages seem to hold it."""
    if (trim := _of_glibc("malloc_trim")) is not None:
        trim(0)


def keep_memory() -> None:
    """Have this process keep what it frees, up to 256 MB, for the next image, where it can be asked to (glibc).

    SIFT takes some 70 MB for a small photo, and pages that come anew from the system are cleared first, one by one.
    """
    if (set_option := _of_glibc("mallopt")) is not None:
        set_option(M_MMAP_THRESHOLD, 32 << 20)  # the most that every version takes
        set_option(M_TRIM_THRESHOLD, 256 << 20)


def _of_glibc(name: str) -> Any:
    """A function of the C library; None where it has none of that name."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
