"""Silence for libraries that warn of what a reader tells by its own errors or remarks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

# The filters of warnings belong to the process, and files are read in several threads.
_FILTERS = Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings; one thread at a time, so only around what is short."""
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
