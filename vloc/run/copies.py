"""Local copies of files of a map at a URL: each is fetched whole, once, and compared by its checksums.

They lie in the user's cache and are never changed, so nothing is lost with them but time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock

from ..atomic import move_whole
from ..errors import ConfigError, ResourceError, StoreError
from ..user_cache import user_cache
from .fingerprint import bytes_fingerprint
from .remote import FULL, UNTOLD, Remote

AT_ONCE = 8
"""files that are fetched at a time"""

IsWhole = Callable[[Path], bool]
"""whether a file is what was written, by its checksums"""


def copies(folder: Remote, names: Sequence[str], is_whole: IsWhole, *, anew: bool = False) -> Path:
    """A local folder that holds these files of a remote one, which never change; `anew`: whatever is there already.

    StoreError: one is missing or broken there, or was cut off on its way; ResourceError: the disk is full; ConfigError:
    nothing can be written to the cache.
    """
    here = _folder_of(folder)
    with _fetching(folder, here, names, anew=anew) as wanted, ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda name: _fetch(folder / name, here / name, is_whole), wanted))
    return here


def copy(file: Remote, is_whole: IsWhole) -> Path:
    """A local copy of a file with that state; copies of other states go. Errors as of `copies`."""
    if file.state == UNTOLD:
        _ask(file)
        raise StoreError(
            f"{file}: its server tells no ETag or date by which a change is seen: download it and use that"
        )
    here, name = _folder_of(file), f"{file.state}.copy"
    with _fetching(file, here, [name]) as wanted:
        if wanted:
            _fetch(file, here / name, is_whole)
            for other in {*here.glob("*.copy")} - {here / name}:
                other.unlink()  # who has it open keeps it
    return here / name


def _folder_of(place: Remote) -> Path:
    """The local folder of a URL: its path, which people know it by, and what sets it apart."""
    readable = re.sub(r"[^\w.-]+", "_", urlsplit(place.url).path)[-100:].strip("_.")
    return user_cache("maps") / f"{readable}-{bytes_fingerprint(place.url.encode())}"


@contextmanager
def _fetching(source: Remote, here: Path, names: Sequence[str], *, anew: bool = False) -> Iterator[list[str]]:
    """Those of the files that are to be fetched; no other process fetches into the folder at the same time."""
    if not anew and all((here / name).exists() for name in names):
        yield []
        return
    with _writing(source, here):
        here.mkdir(parents=True, exist_ok=True)
        with FileLock(here / ".lock"):
            yield [name for name in names if anew or not (here / name).exists()]


@contextmanager
def _writing(source: Remote, target: Path) -> Iterator[None]:
    """ResourceError, or ConfigError, for what the disk says of a copy."""
    try:
        yield
    except OSError as error:
        kind, remedy = (ResourceError, "make room, or set") if error.errno in FULL else (ConfigError, "set")
        raise kind(
            f"{target}: cannot be written ({error.strerror}), where a copy of {source} goes: {remedy} XDG_CACHE_HOME "
            "to a folder on another disk"
        ) from error


def _fetch(source: Remote, target: Path, is_whole: IsWhole) -> None:
    temporary = target.with_name(f".{target.name}.tmp")  # one that a kill has left is written over
    try:
        source.fetch(temporary)
        _check(source, is_whole(temporary))
        move_whole(temporary, target)
    except FileNotFoundError:
        raise _missing(source) from None
    finally:
        temporary.unlink(missing_ok=True)


def _missing(source: Remote) -> StoreError:
    return StoreError(f"{source}: missing; copy the map there again, whole")


def _ask(source: Remote) -> None:
    """DataError, or StoreError, where a file tells no state because it cannot be read."""
    try:
        source.start(1)
    except FileNotFoundError:
        raise _missing(source) from None


def _check(source: Remote, is_whole: bool) -> None:
    """StoreError for a file that is broken, or another than was meant."""
    if source.state and source.now() != source:
        _ask(source)
        raise StoreError(f"{source}: has changed since it was opened: run the same command again")
    if not is_whole:
        raise StoreError(
            f"{source}: not what was written: it was cut off on its way, or is broken there: run the same command "
            "again, or copy the map there again"
        )
