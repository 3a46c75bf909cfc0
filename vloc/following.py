"""What stays in memory follows its map: a new version is made ready beside the old one, and then takes its place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from threading import Lock, Thread
from typing import Generic, TypeVar

from .map import Map
from .versions import MANIFEST

T = TypeVar("T")
Stamp = tuple[int, int, int]

log = logging.getLogger(__name__)


class Follower(Generic[T]):
    """Holds what is made of a map. Given a folder or file, it makes it again when that has a new version.

    A `Map` that was opened already is one version, and stays. Thread safe: who asks gets the old or the new, whole.
    """

    def __init__(self, map_: Map | str | Path, make: Callable[[Map], T]) -> None:
        self.problem = ""
        self._place = None if isinstance(map_, Map) else Path(map_)
        self._make, self._making = make, Lock()
        self._stamp = self._look()  # before it is opened, so that no change is missed
        self.map = map_ if isinstance(map_, Map) else Map.open(map_)
        self._made = make(self.map)

    def current(self) -> T:
        """What serves now; where there is a new version, making it begins, and this call does not wait for it."""
        if self._look() != self._stamp and self._making.acquire(blocking=False):
            self._stamp = self._look()
            Thread(target=self._renew_aside, name="vloc-follower", daemon=True).start()
        return self._made

    def refresh(self) -> T:
        """What the current version gives, waited for; VlocError where it cannot serve: the old one goes on."""
        with self._making:
            if self._look() != self._stamp or self.problem:
                self._stamp = self._look()
                self._renew()
            return self._made

    def _renew_aside(self) -> None:
        try:
            self._renew()
        except Exception as error:
            log.warning("%s: version %d goes on: a new one cannot serve: %s", self._place, self.map.version, error)
        finally:
            self._making.release()

    def _renew(self) -> None:
        assert self._place is not None  # noqa: S101 - only what is followed changes
        try:
            map_ = Map.open(self._place)
            if map_.manifest != self.map.manifest:
                made = self._make(map_)
                self._made, self.map = made, map_
                log.info("%s: version %d serves now", self._place, map_.version)
            self.problem = ""
        except Exception as error:
            self.problem = str(error) or repr(error)
            raise

    def _look(self) -> Stamp | None:
        """What changes when the manifest, or the file, is replaced."""
        if self._place is None:
            return None
        try:
            state = (self._place / MANIFEST if self._place.is_dir() else self._place).stat()
        except OSError:
            return None
        return state.st_ino, state.st_mtime_ns, state.st_size
