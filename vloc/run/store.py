"""A folder of shards: the results of one stage with one set of settings and common inputs.

Shards are named by what is inside and never opened for writing again. Beside them `store.json` says what made them,
and `set-*.json` list the shards and rows of results that were complete, so that a map can refer to them.
"""

from __future__ import annotations

import copyreg
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

import msgspec

from ..atomic import write_bytes
from ..errors import StoreError
from ..regular_file import read_regular
from ..stage import Artifact, Key, Storable
from .copies import copies
from .execute import in_order
from .guard import disk_guard
from .identity import Identity
from .remote import Location
from .results import NamedArtifact, Place, StoredResults
from .shard import Outcome, Shard, pack, shard_name

R = TypeVar("R", bound=Storable)

_SHARD = re.compile(r"[0-9a-f]{32}\.h5")

ONLY: Key = "result"
"""The key of the one item of a store that holds an artifact."""


class ShardRows(msgspec.Struct, array_like=True):
    """Consecutive rows of one shard."""

    shard: str
    first: int
    count: int


# Made here, in one thread, as in `run/shard.py`.
_ROWS, _IDENTITY = msgspec.json.Decoder(Sequence[ShardRows]), msgspec.json.Decoder(Identity)


class Store:
    """The shards of one identity, and which items they hold. Pickled, it is one to write into, that holds none yet."""

    def __init__(self, root: Path, identity: Identity) -> None:
        self.root, self.identity = root, identity
        self.folder = root / identity.folder
        self._places: dict[tuple[Key, str], Place] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return Store, (self.root, self.identity)

    def scan(self, workers: int) -> list[Path]:
        """Take in the shards on disk, checksums compared; gives those that are broken."""
        paths = sorted(self.folder.glob("*.h5"))
        opened = list(in_order(_open_whole, paths, workers, Event()))
        for shard in filter(None, opened):
            self._take(shard)
        return [path for path, shard in zip(paths, opened, strict=True) if shard is None]

    def place(self, key: Key, mark: str) -> Place | None:
        """Where the result (or failure) of an item is."""
        return self._places.get((key, mark))

    @property
    def is_empty(self) -> bool:
        """Whether no item is stored."""
        return not self._places

    @property
    def was_complete(self) -> bool:
        """Whether all items of some run were stored."""
        return any(self.folder.glob("set-*.json"))

    def create(self) -> None:
        """Make the folder and say in it what made it."""
        with disk_guard(self.folder, 4096):
            self.folder.mkdir(exist_ok=True)
        about = self.folder / "store.json"
        if not about.exists():
            _write(about, msgspec.json.format(msgspec.json.encode(self.identity), indent=1))

    def write(self, keys: Sequence[Key], marks: Sequence[str], outcomes: Sequence[Outcome]) -> str:
        """Put the outcomes of some items on disk as one shard, and give its name."""
        name = shard_name(keys, marks)
        _write(self.folder / name, pack(keys, marks, outcomes))
        return name

    def take(self, shard: str) -> None:
        """Take in a shard that was written."""
        self._take(Shard(self.folder / shard))

    def results(self, result: type[R], marks: Mapping[Key, str]) -> StoredResults[R]:
        """The results of these items."""
        places = {key: self.place(key, mark) for key, mark in marks.items()}
        return StoredResults(self.root, self.identity.stage, self.identity.key, result, marks, places)

    def keep(self, results: StoredResults[R], marks: Mapping[Key, str]) -> None:
        """Write down which rows make up these complete results, for `open_results`."""
        path = self.folder / f"set-{results.fingerprint}.json"
        data = msgspec.json.encode(_as_runs([self._places[item] for item in marks.items()]))
        # a broken shard may have been replaced by one that is cut in another way
        if not path.exists() or path.read_bytes() != data:
            _write(path, data)

    def _take(self, shard: Shard) -> None:
        for row, item in enumerate(zip(shard.index.keys, shard.index.fingerprints, strict=True)):
            self._places.setdefault(item, (shard, row))


def _open_whole(path: Path) -> Shard | None:
    try:
        shard = Shard(path)
        shard.check()
    except StoreError:
        return None
    return shard


def open_results(root: Location, reference: str, result: type[R]) -> StoredResults[R]:
    """The complete results that `reference` stands for, without the items that they were made from.

    StoreError: they are not there or broken; a shard's checksum is compared when it is first read.
    """
    folder, identity, mark = _resolve(root, reference)
    places = _places_of(folder, read_json(folder / f"set-{mark}.json", _ROWS))
    marks = {shard.index.keys[row]: shard.index.fingerprints[row] for shard, row in places}
    by_key = {shard.index.keys[row]: (shard, row) for shard, row in places}
    results = StoredResults(root, identity.stage, identity.key, result, marks, by_key)
    if results.fingerprint != mark:
        raise StoreError(f"{folder}: its shards are not those of '{reference}'; run the command that made it again")
    return results


def _as_place(results: StoredResults[R]) -> tuple[Any, ...]:
    return open_results, (results.root, results.reference, results.result)


copyreg.pickle(StoredResults, _as_place)


def shards_of(folder: Location, mark: str) -> set[str]:
    """The names of the files in a store's folder that a set is made of; StoreError where it is missing or broken."""
    return {run.shard for run in read_json(folder / f"set-{mark}.json", _ROWS)}


def _places_of(folder: Location, runs: Sequence[ShardRows]) -> list[Place]:
    """The rows that a set lists; StoreError for shards and rows that no set of this store has."""
    shards = _shards(folder, list(dict.fromkeys(run.shard for run in runs)))
    for run in runs:
        shard = shards[run.shard]
        if not 0 <= run.first <= run.first + run.count <= len(shard.index.keys):
            raise StoreError(
                f"{folder}: a set names {run.count} rows from {run.first} of {run.shard}, which lacks them"
            )
    return [(shards[run.shard], row) for run in runs for row in range(run.first, run.first + run.count)]


def _shards(folder: Location, names: Sequence[str]) -> dict[str, Shard]:
    """The shards of a store by name; those of a remote one are fetched."""
    for name in names:
        if not _SHARD.fullmatch(name):
            raise StoreError(f"{folder}: a set names the shard '{name}', expected 32 digits and .h5")
    here = folder if isinstance(folder, Path) else copies(folder, names, lambda path: _open_whole(path) is not None)
    return {name: Shard(here / name) for name in names}


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
    """A JSON file, checked against a decoder's type; StoreError: missing or broken."""
    try:
        return decoder.decode(read_regular(path) if isinstance(path, Path) else path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError(f"{path}: missing; run the command that makes it again") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise StoreError(f"{path}: broken: {error}; delete it and run the command that makes it again") from None


def _write(path: Path, data: bytes | memoryview) -> None:
    with disk_guard(path, len(data)):
        write_bytes(path, data)


def _resolve(root: Location, reference: str) -> tuple[Location, Identity, str]:
    # a reference comes from a manifest, which may have come with someone else's map: it must not climb out of it
    match = re.fullmatch(r"([\w-]+-[0-9a-f]{16})/([0-9a-f]{32})", reference)
    if match is None:
        raise StoreError(f"{root}: '{reference}': expected a reference such as extract-0123456789abcdef/...")
    folder = root / match[1]
    return folder, read_identity(folder), match[2]


def _as_runs(places: Sequence[Place]) -> list[ShardRows]:
    runs: list[ShardRows] = []
    for shard, row in places:
        last = runs[-1] if runs else None
        if last and last.shard == shard.path.name and row == last.first + last.count:
            last.count += 1
        else:
            runs.append(ShardRows(shard.path.name, row, 1))
    return runs
