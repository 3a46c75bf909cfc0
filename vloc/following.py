"""What stays in memory follows its map: a new version is made ready beside the old one, and then takes its place."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Lock, Thread
from time import monotonic
from typing import Generic, TypeVar

from .errors import DataError
from .map import Map
from .run.remote import Location, Remote, located
from .versions import MANIFEST

T = TypeVar("T")
EVERY_SECONDS = 10.0
"""how often a map at a URL is looked at, at most"""

log = logging.getLogger(__name__)


class Follower(Generic[T]):
    """Holds what is made of a map. Given a folder or file, it makes it again when that has a new version.

    A `Map` that was opened already is one version, and stays. Thread safe: who asks gets the old or the new, whole.
    """

    def __init__(self, map_: Map | str | Location, make: Callable[[Map], T]) -> None:
        self.problem = ""
        self._place = None if isinstance(map_, Map) else located(map_)
        self._make, self._making = make, Lock()
        self._looked = monotonic()
        self._stamp = self._look()  # before it is opened, so that no change is missed
        self.map = map_ if isinstance(map_, Map) else Map.open(map_)
        self._made = make(self.map)

    def current(self) -> T:
        """What serves now; where there is a new version, making it begins, and this call does not wait for it."""
        if self._may_be_new() and self._making.acquire(blocking=False):
            Thread(target=self._renew_aside, name="vloc-follower", daemon=True).start()
        return self._made

    def refresh(self) -> T:
        """What the current version gives, waited for; VlocError where it cannot serve: the old one goes on."""
        with self._making:
            self._renew_if_new(again=True)
            return self._made

    def _renew_aside(self) -> None:
        told = self.problem
        try:
            self._renew_if_new(again=isinstance(self._place, Remote))  # where a network may be back
        except Exception as error:
            if self.problem != told:
                log.warning("%s: version %d goes on: a new one cannot serve: %s", self._place, self.map.version, error)
        finally:
            self._making.release()

    def _may_be_new(self) -> bool:
        """Whether to look closer, aside: a stamp of the disk costs a query nothing, and one of a server a while."""
        if isinstance(self._place, Remote):
            return monotonic() - self._looked > EVERY_SECONDS
        return self._look() != self._stamp

    def _renew_if_new(self, *, again: bool) -> None:
        """`again`: also after what went wrong before."""
        stamp, self._looked = self._look(), monotonic()
        if stamp != self._stamp or (again and self.problem):
            self._stamp = stamp
            self._renew()

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

    def _look(self) -> object:
        """What changes when the manifest, or the file, is replaced."""
        if self._place is None:
            return None
        if isinstance(self._place, Remote):
            return _state(self._place)
        try:
            state = (self._place / MANIFEST if self._place.is_dir() else self._place).stat()
        except OSError:
            return None
        return state.st_ino, state.st_mtime_ns, state.st_size


def _state(place: Remote) -> object:
    """The manifest of a folder, or else what its server tells of a file."""
    try:
        return (place / MANIFEST).read_bytes()
    except (FileNotFoundError, DataError):  # some buckets forbid what is not there
        return place.now()
