"""How a run uses the machine. Nothing here changes a result, so none of it is part of an artifact's key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from .errors import ConfigError

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Runtime:
    """Device and parallelism of a run."""

    device: Device = "auto"
    """where networks run: auto takes CUDA if there is one"""
    workers: int = 0
    """images or pairs worked on at a time; 0 is one per core"""

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ConfigError(f"workers: expected 0 (one per core) or more, got {self.workers}")

    @property
    def num_workers(self) -> int:
        """The number of workers after resolving 0."""
        if self.workers:
            return self.workers
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def one_thread_per_worker() -> Iterator[None]:
    """Keep BLAS and OpenCV to one thread each: workers run side by side, and nested pools slow each other down."""
    import cv2
    import threadpoolctl

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpoolctl.threadpool_limits(1, user_api="blas"):
            yield
    finally:
        cv2.setNumThreads(before)
