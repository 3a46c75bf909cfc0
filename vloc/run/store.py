"""A folder of shards: the results of one stage with one set of settings and common inputs.

Shards are named by what is inside and never opened for writing again. Beside them `store.json` says what made them,
and `set-*.json` list the shards and rows of results that were complete, so that a map can refer to them.
"""

from __future__ import annotations

import copyreg
import re
from collections.abc import Sequence
from functools import partial
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

import msgspec
import numpy as np

from ..array_types import UInt8
from ..atomic import Bytes, write_bytes
from ..errors import StoreError
from ..regular_file import NO_FILE, read_regular
from ..stage import Artifact, Key, Storable
from .copies import copies
from .execute import in_order
from .guard import disk_guard
from .identity import Identity
from .marks import BLOCK, blocks, digests, entries, set_fingerprint, texts
from .places import PlaceTable, ShardRows
from .remote import Location, Remote
from .results import Asked, NamedArtifact, StoredResults
from .sets import listed, written_marks
from .shard import Outcome, Shard, pack, read_index, shard_name

R = TypeVar("R", bound=Storable)

_SHARD = re.compile(r"[0-9a-f]{32}\.h5")

ONLY: Key = "result"
"""The key of the one item of a store that holds an artifact."""


# Made here, in one thread, as in `run/shard.py`.
_ROWS, _IDENTITY = msgspec.json.Decoder(Sequence[ShardRows]), msgspec.json.Decoder(Identity)


class Store:
    """The shards of one identity, and which items they hold. Pickled, it is one to write into, that holds none yet."""

    def __init__(self, root: Path, identity: Identity) -> None:
        self.root, self.identity = root, identity
        self.folder = root / identity.folder
        self._table = PlaceTable()

    def __reduce__(self) -> tuple[Any, ...]:
        return Store, (self.root, self.identity)

    def scan(self, workers: int) -> list[Path]:
        """Take in the shards on disk, checksums compared; gives those that are broken."""
        paths = sorted(self.folder.glob("*.h5"))
        opened = list(in_order(_open_whole, paths, workers, Event()))
        for found in filter(None, opened):
            self._table.add(*found)
        return [path for path, found in zip(paths, opened, strict=True) if found is None]

    def find(self, keys: Sequence[Key], marks: UInt8[np.ndarray, "n 16"]) -> Asked:
        """Where the results (or failures) of some items are."""
        parts = (entries(own, marks[start : start + BLOCK]) for own, start in zip(blocks(keys), count(0, BLOCK)))
        return Asked(keys, marks, self._table.find(parts))

    @property
    def is_empty(self) -> bool:
        """Whether no item is stored."""
        return not len(self._table)

    @property
    def was_complete(self) -> bool:
        """Whether all items of some run were stored."""
        return any(self.folder.glob("set-*.json"))

    def create(self) -> None:
        """Make the folder and say in it what made it, again where that cannot be read."""
        with disk_guard(self.folder, 4096):
            self.folder.mkdir(exist_ok=True)
        try:
            read_identity(self.folder)
        except StoreError:
            _write(self.folder / "store.json", msgspec.json.format(msgspec.json.encode(self.identity), indent=1))

    def write(self, keys: Sequence[Key], marks: UInt8[np.ndarray, "k 16"], outcomes: Sequence[Outcome]) -> str:
        """Put the outcomes of some items on disk as one shard, and give its name."""
        told = list(texts(marks))
        name = shard_name(keys, told)
        _write(self.folder / name, *pack(keys, told, outcomes))
        return name

    def take(self, shard: str) -> None:
        """Take in a shard that was written."""
        self._table.add(*_open(self.folder / shard))

    def results(self, result: type[R], asked: Asked) -> StoredResults[R]:
        """The results of items that were found, or are to be done."""
        mark = set_fingerprint(self.identity.key, asked.keys, texts(asked.marks))
        return StoredResults(self.root, self.identity.stage, self.identity.key, result, asked, mark)

    def keep(self, results: StoredResults[R]) -> None:
        """Write down which rows make up these complete results, for `open_results`."""
        path = self.folder / f"set-{results.fingerprint}.json"
        data = msgspec.json.encode(results.asked.places.runs())
        # a broken shard may have been replaced by one that is cut in another way
        if not path.exists() or path.read_bytes() != data:
            _write(path, data)


def _open(path: Path) -> tuple[Shard, UInt8[np.ndarray, "k 16"]]:
    """A shard with what stands for its items."""
    index = read_index(path)
    return Shard(path, index), entries(index.keys, digests(index.fingerprints))


def _open_whole(path: Path) -> tuple[Shard, UInt8[np.ndarray, "k 16"]] | None:
    try:
        found = _open(path)
        found[0].check()
    except StoreError:
        return None
    return found


def open_results(root: Location, reference: str, result: type[R]) -> StoredResults[R]:
    """The complete results that `reference` stands for, without the items that they were made from.

    StoreError: they are not there or broken; a shard's checksum is compared when it is first read.
    """
    name, mark = _split(root, reference)
    folder, identity = root / name, read_identity(root / name)
    runs = read_json(folder / f"set-{mark}.json", _ROWS)
    here = _here(folder, runs)
    asked = listed(here, runs)
    # earlier versions wrote marks of any length, which a set is called by as they are
    told = texts(asked.marks), written_marks(here, runs)
    if all(set_fingerprint(identity.key, asked.keys, marks) != mark for marks in told):
        raise StoreError(f"{folder}: its shards are not those of '{reference}'; run the command that made it again")
    return StoredResults(root, identity.stage, identity.key, result, asked, mark)


def _as_place(results: StoredResults[R]) -> tuple[Any, ...]:
    return open_results, (results.root, results.reference, results.result)


copyreg.pickle(StoredResults, _as_place)


def fetch_anew(root: Remote, reference: str) -> None:
    """Compare the shards of a set as they are at a URL now, whatever copies are here; StoreError names a broken one."""
    name, mark = _split(root, reference)
    runs = read_json(root / name / f"set-{mark}.json", _ROWS)
    copies(root / name, _shard_names(root / name, runs), _is_whole, anew=True)


def shards_of(folder: Location, mark: str) -> set[str]:
    """The names of the files in a store's folder that a set is made of; StoreError where it is missing or broken."""
    return {run.shard for run in read_json(folder / f"set-{mark}.json", _ROWS)}


def _here(folder: Location, runs: Sequence[ShardRows]) -> Path:
    """The folder in which the shards of a set are; those of a remote one are fetched."""
    names = _shard_names(folder, runs)
    return folder if isinstance(folder, Path) else copies(folder, names, _is_whole)


def _shard_names(folder: Location, runs: Sequence[ShardRows]) -> list[str]:
    """Of the shards that a set lists, which may have come with someone else's map."""
    names = list(dict.fromkeys(run.shard for run in runs))
    for name in names:
        if not _SHARD.fullmatch(name):
            raise StoreError(f"{folder}: a set names the shard '{name}', expected 32 digits and .h5")
    return names


def _is_whole(path: Path) -> bool:
    return _open_whole(path) is not None


def open_artifact(root: Location, reference: str, result: type[R]) -> Artifact[R]:
    """The artifact that `reference` stands for; its value is read when it is looked at."""
    results = open_results(root, reference, result)
    return artifact_of(results)


def artifact_of(results: StoredResults[R]) -> NamedArtifact[R]:
    """The only one of these results as an artifact."""
    mark = results.fingerprint
    return NamedArtifact(results.name, mark, partial(_only_one, results), results.reference)


def _only_one(results: StoredResults[R]) -> R:
    return results[ONLY]


def read_identity(folder: Location) -> Identity:
    """What made the results in a store's folder."""
    return read_json(folder / "store.json", _IDENTITY)


S = TypeVar("S")


def read_json(path: Location, decoder: msgspec.json.Decoder[S]) -> S:
    """A JSON file, checked against a decoder's type; StoreError: missing, broken, or not to be read now."""
    broken: Exception
    try:
        return decoder.decode(read_regular(path) if isinstance(path, Path) else path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError(f"{path}: missing; {_remedy(path)}") from None
    except OSError as error:
        if error.errno not in NO_FILE:
            raise StoreError(
                f"{path}: cannot be read ({error.strerror}); run the command again when it can be"
            ) from None
        broken = error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        broken = error
    delete = "delete it and " if isinstance(path, Path) else ""
    raise StoreError(f"{path}: broken: {broken}; {delete}{_remedy(path)}")


def _remedy(path: Location) -> str:
    return "run the command that makes it again" if isinstance(path, Path) else "copy the map there again, whole"


def _write(path: Path, *pieces: Bytes) -> None:
    with disk_guard(path, sum(map(len, pieces))):
        write_bytes(path, *pieces)


def _split(root: Location, reference: str) -> tuple[str, str]:
    """The store's folder and the fingerprint of a reference."""
    # a reference comes from a manifest, which may have come with someone else's map: it must not climb out of it
    match = re.fullmatch(r"([\w-]+-[0-9a-f]{16})/([0-9a-f]{32})", reference)
    if match is None:
        raise StoreError(f"{root}: '{reference}': expected a reference such as extract-0123456789abcdef/...")
    return match[1], match[2]
