"""Where a map lies: a path, or a URL of object storage, which is read through fsspec and never written.

Of a URL only named objects are read. Nothing is listed: web servers have no lists, buckets may forbid them, and fsspec
keeps them until they are stale.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from ..errors import ConfigError, DataError, ExtraMissingError, VlocError
from .fingerprint import bytes_fingerprint

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_STATE = (
    *("ETag", "etag", "md5Hash", "generation", "sha", "Content-MD5", "Digest", "LastModified", "Last-Modified"),
    *("last_modified", "updated", "mtime", "modify", "modificationTime", "created"),
)
"""what drivers tell of a file that changes with its content, as its size need not"""
UNTOLD = "untold"
"""the state of a file of which nothing is there, or told"""
_REFUSED = 401, 403
FULL = errno.ENOSPC, errno.EDQUOT, errno.EFBIG
"""what systems say of a disk that has no room"""
_SILENCE_SECONDS = 60
"""after which a web server is given up; a file may take as long as it takes"""


@dataclass(frozen=True)
class Remote:
    """A map at a URL, or one of its files; pickled, it stays the URL.

    Reading raises FileNotFoundError where nothing is, and DataError, which says what to do, where that cannot be told.
    """

    url: str
    state: str = ""
    """of the content that is meant; empty where a file never changes, or whatever is there now is meant"""

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> Remote:
        return Remote(f"{self.url}/{name}")

    def exists(self) -> bool:
        """Whether a file is there, which is read for it."""
        try:
            self.read_bytes()
        except FileNotFoundError:
            return False
        return True

    def read_bytes(self) -> bytes:
        """All of a file as it is now."""
        system, path = self._opened()
        with _told(self.url):
            return bytes(system.cat_file(path))

    def start(self, count: int) -> bytes:
        """The first bytes of a file, of which no more is fetched."""
        system, path = self._opened()
        with _told(self.url), system.open(path, "rb", block_size=0) as file:
            return bytes(file.read(count))

    def fetch(self, target: Path) -> None:
        """Write all of a file as it is now to a local one; OSError where the disk is full."""
        system, path = self._opened()
        with _told(self.url):
            system.get_file(path, str(target))

    def now(self) -> Remote:
        """The file with the state of its content as it is now, which may be UNTOLD."""
        system, path = self._opened()
        try:
            told = system.info(path)
        except Exception:  # whatever a driver raises: reading tells what it is
            told = {}
        known = {name: str(told[name]) for name in _STATE if told.get(name) is not None}
        state = msgspec.json.encode((known, told.get("size")))
        return Remote(self.url, bytes_fingerprint(state) if known else UNTOLD)

    def _opened(self) -> tuple[Any, str]:
        """The file system, made once a process, and the path in it."""
        try:
            import fsspec
        except ImportError as error:
            raise ExtraMissingError(self.url, "remote", error) from None
        try:
            system, path = fsspec.url_to_fs(self.url, **_patience(self.url))
        except (ImportError, ValueError) as error:  # no driver: fsspec names its package; or no such protocol
            raise ConfigError(f"{self.url}: {error}") from None
        system.invalidate_cache()  # listings of who else uses it: sizes are taken from them
        return system, path


Location = Path | Remote
"""Where a map, or a file of it, lies."""


def is_url(text: object) -> bool:
    """Whether a text is a URL; a path is none."""
    return isinstance(text, Remote) or (isinstance(text, str) and _URL.match(text) is not None)


def located(text: str | Location) -> Location:
    """The place that a text says."""
    if not isinstance(text, str):
        return text
    return Remote(text.rstrip("/")) if is_url(text) else Path(text)


def local_path(text: str | Path) -> Path:
    """A path to be written, or to be read where no URL is; ConfigError for one."""
    if is_url(text):
        raise ConfigError(
            f"{text}: maps alone are read at a URL, and nothing is written to one: give a local path, and copy what is "
            "there (`aws s3 sync FROM TO`, `gcloud storage rsync -r FROM TO`)"
        )
    return Path(text)


def full_name(place: Location) -> str:
    """The place as it can be found from any working folder."""
    return str(place.resolve()) if isinstance(place, Path) else place.url


def _patience(url: str) -> dict[str, Any]:
    """What is asked of a file system: aiohttp alone would give up a download after five minutes."""
    if not url.startswith(("http://", "https://")):
        return {}
    try:
        from aiohttp import ClientTimeout
    except ImportError as error:
        raise ExtraMissingError(url, "remote", error) from None
    return {"client_kwargs": {"timeout": ClientTimeout(sock_connect=_SILENCE_SECONDS, sock_read=_SILENCE_SECONDS)}}


@contextmanager
def _told(url: str) -> Iterator[None]:
    """FileNotFoundError, or DataError for whatever else the many drivers raise."""
    try:
        yield
    except VlocError:
        raise
    except NotADirectoryError:
        raise FileNotFoundError(url) from None
    except Exception as raised:
        error = _meant(raised)
        if isinstance(error, FileNotFoundError) or (isinstance(error, OSError) and error.errno in FULL):
            raise
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        is_refused = isinstance(error, PermissionError) or getattr(error, "status", None) in _REFUSED
        advice = "is it there" if is_refused else "is the address right, is the network there"
        raise DataError(
            f"{url}: cannot be read ({reason}): {advice}, and are your credentials where fsspec looks for them?"
        ) from raised


def _meant(error: Exception) -> BaseException:
    """What was in the way; fsspec calls a file of a web server that does not answer missing."""
    cause = error.__cause__
    return cause if isinstance(error, FileNotFoundError) and isinstance(cause, OSError) else error
