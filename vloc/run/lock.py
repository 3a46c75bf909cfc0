"""One run at a time writes a folder. The lock dies with its process, however that ends."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path

from filelock import FileLock, Timeout

from ..atomic import write_text
from ..errors import LockedError
from .guard import disk_guard

LOCK, OWNER = ".lock", ".lock-owner.json"


class FolderLock:
    """Holds a folder from `acquire` to `release`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / LOCK, timeout=0)

    def acquire(self) -> None:
        """LockedError, at once and naming process and host: another run holds the folder."""
        try:
            self._lock.acquire()
        except Timeout:
            raise LockedError(f"{self._folder}: in use by another run{self._owner()}; wait for it to end") from None
        started = time.strftime("%Y-%m-%d %H:%M:%S")
        owner = {"pid": os.getpid(), "host": socket.gethostname(), "started": started}
        try:
            with disk_guard(self._folder / OWNER, 4096):
                write_text(self._folder / OWNER, json.dumps(owner))
        except BaseException:
            self._lock.release()
            raise

    def release(self) -> None:
        """Let the next one in."""
        (self._folder / OWNER).unlink(missing_ok=True)
        self._lock.release()

    def _owner(self) -> str:
        try:
            owner = json.loads((self._folder / OWNER).read_text())
            return f" (process {owner['pid']} on {owner['host']}, since {owner['started']})"
        except (OSError, ValueError, KeyError):
            return ""  # it holds the lock but has not said yet who it is
