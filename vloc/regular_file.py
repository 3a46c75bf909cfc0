"""Files opened for reading without ever waiting: a named pipe would block for ever, a device never end."""

from __future__ import annotations

import errno
import os
from io import BufferedReader
from pathlib import Path
from stat import S_ISBLK, S_ISCHR, S_ISDIR, S_ISFIFO, S_ISREG, S_ISSOCK

_KINDS = ((S_ISFIFO, "a named pipe"), (S_ISSOCK, "a socket"), (S_ISCHR, "a device"), (S_ISBLK, "a device"))
# Of systems that have them: do not wait for the other end of a pipe; bytes as they are.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

NO_FILE = errno.EISDIR, errno.EINVAL, errno.ENOTDIR, errno.ELOOP, errno.ENXIO
"""what opening says where something else than a regular file is; any other error may pass"""


def open_regular(path: Path) -> BufferedReader:
    """A regular file for reading; OSError, whose `strerror` says what is there instead, for anything else."""
    descriptor = os.open(path, _FLAGS)
    mode = os.fstat(descriptor).st_mode
    if S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    kind = next((name for test, name in _KINDS if test(mode)), "something else")
    raise OSError(errno.EINVAL, f"{kind}, expected a regular file", str(path))


def read_regular(path: Path) -> bytes:
    """All of a regular file; OSError as `open_regular`."""
    with open_regular(path) as file:
        return file.read()


def is_regular(path: Path) -> bool:
    """Whether a regular file is there; False also where that cannot be found out, or no file can have that name."""
    try:
        return S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def resolved(path: Path) -> Path:
    """The path without links; unlike `Path.resolve`, no error where a link leads to itself."""
    return Path(os.path.realpath(path))


def stamp_of(path: Path) -> str:
    """Size and modification time; 'missing' where there is no file."""
    try:
        status = path.stat()
    except OSError:
        return "missing"
    return f"{status.st_size}-{status.st_mtime_ns}"
