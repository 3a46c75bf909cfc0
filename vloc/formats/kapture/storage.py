"""The binary files of a kapture feature type: one by one in a folder, or packed in an uncompressed tar."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import DataError
from ...regular_file import open_regular, read_regular, resolved, stamp_of
from ..images import unsafe_path
from ..remarks import Remarks

ZERO_BLOCK = bytes(512)


@dataclass(frozen=True)
class Storage:
    """Sizes of the members, by their path in the folder or tar. In a tar each also has its place."""

    folder: Path
    sizes: Mapping[str, int]
    tar: Path | None = None
    places: Mapping[str, int] | None = None

    def read(self, member: str) -> bytes:
        """The bytes of a member; DataError where it has changed since it was listed."""
        try:
            data = self._read(member)
        except OSError as error:
            raise DataError(f"{self.where(member)}: {error.strerror or error}") from None
        if len(data) != self.sizes[member]:
            raise DataError(f"{self.where(member)}: {len(data)} bytes, but {self.sizes[member]} when it was opened")
        return data

    def array(self, member: str, dtype: np.dtype, width: int) -> np.ndarray:
        """A member as rows of `width` numbers."""
        return np.frombuffer(self.read(member), dtype).reshape(-1, width)

    def rows(self, member: str, dtype: np.dtype, width: int) -> int:
        """The number of rows of a member; DataError where its size is not that of whole rows."""
        size, row = self.sizes[member], dtype.itemsize * width
        if size % row:
            raise DataError(f"{self.where(member)}: {size} bytes, expected rows of {row} ({width} x {dtype.name})")
        return size // row

    def where(self, member: str) -> str:
        """The member, for messages."""
        return f"{self.folder / member}" if self.tar is None else f"{self.tar}, member {member}"

    def stamp(self, member: str) -> str:
        """Size and time of the member's file, and its place in a tar."""
        if self.tar is None or self.places is None:
            return stamp_of(self.folder / member)
        return f"{stamp_of(self.tar)}-{self.places[member]}"

    def _read(self, member: str) -> bytes:
        if self.tar is None or self.places is None:
            return read_regular(self.folder / member)
        with open_regular(self.tar) as file:
            file.seek(self.places[member])
            return file.read(self.sizes[member])


def open_storage(folder: Path, kind: str, suffix: str, remarks: Remarks) -> Storage:
    """The members with a suffix, from `<kind>.tar` where there is one, else from the folder and those below."""
    tar = folder / f"{kind}.tar"
    loose = dict(_files(folder, folder, suffix))
    if not tar.exists():
        return Storage(folder, loose)
    if loose:
        remarks.add(tar, "files beside the tar left unread", len(loose), next(iter(loose)))
    places = _members(tar, suffix, remarks)
    return Storage(
        folder, {name: size for name, (_, size) in places.items()}, tar, {n: p for n, (p, _) in places.items()}
    )


def _files(root: Path, folder: Path, suffix: str) -> Iterator[tuple[str, int]]:
    """(path in the root, size) of all files below; DataError for a symbolic link that leads out of the root."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() and not resolved(path).is_relative_to(resolved(root)):
            raise DataError(f"{path}: a symbolic link leads out of {root}")
        if path.is_dir():
            if path.is_symlink():
                raise DataError(f"{path}: a folder of features is a symbolic link inside another")
            yield from _files(root, path, suffix)
        elif path.name.endswith(suffix):
            yield path.relative_to(root).as_posix(), _size(path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from None


def _members(path: Path, suffix: str, remarks: Remarks) -> dict[str, tuple[int, int]]:
    """(place, size) of the members. Of several with one name the last counts, as kapture appends corrections."""
    members: dict[str, tuple[int, int]] = {}
    try:
        with open_regular(path) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            size = path.stat().st_size
            for member in tar:
                _check_member(path, member, size)
                if not member.isfile():
                    continue
                if member.name in members:
                    remarks.add(path, "members replaced by later ones of the same name", first=member.name)
                if member.name.endswith(suffix):
                    members[member.name] = member.offset_data, member.size
            end = tar.offset
    except (tarfile.TarError, OSError, ValueError) as error:
        raise DataError(f"{path}: not a whole uncompressed tar: {error}") from None
    _check_end(path, end)
    return members


def _check_member(path: Path, member: tarfile.TarInfo, size: int) -> None:
    if not member.isfile() and not member.isdir():
        raise DataError(f"{path}: member '{member.name}' is a link or device, expected files")
    if member.issparse() or member.offset_data + member.size > size:
        raise DataError(f"{path}: member '{member.name}' is sparse or passes the end of the file")
    if reason := unsafe_path(member.name):
        raise DataError(f"{path}: member {member.name!r}: {reason}")


def _check_end(path: Path, end: int) -> None:
    """Python's tarfile stops at a damaged header without a word: what follows the last member must be zeros."""
    with open_regular(path) as file:
        file.seek(end)
        rest = file.read()
    if rest.count(0) != len(rest):
        raise DataError(f"{path}: damaged after byte {end}: no member, and no end mark")
    if len(rest) < len(ZERO_BLOCK):
        raise DataError(f"{path}: no end mark at byte {end}: the writing of this tar was interrupted")
