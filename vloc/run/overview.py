"""What a folder of stores holds, and whether it is whole; for `vloc show` and `vloc check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import StoreError
from .identity import Identity
from .plan import stores_in
from .shard import Shard, read_index
from .store import read_identity


@dataclass(frozen=True)
class StoreOverview:
    """What one store holds."""

    folder: Path
    identity: Identity
    """stage, version, settings and inputs"""
    items: int
    failed: int
    shards: int
    num_bytes: int


def describe(root: Path) -> list[StoreOverview]:
    """Every store of a folder; StoreError names a shard or `store.json` that cannot be read."""
    return [_describe(folder) for folder in stores_in(root)]


def verify(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield every file that is not what was written, with what is wrong; reads all shards."""
    for folder in stores_in(root):
        try:
            read_identity(folder)
        except StoreError as error:
            yield folder / "store.json", str(error)
        for path in sorted(folder.glob("*.h5")):
            try:
                Shard(path).check()
            except StoreError as error:
                yield path, str(error)


def _describe(folder: Path) -> StoreOverview:
    paths = sorted(folder.glob("*.h5"))
    counts = [(len(index.keys), len(index.failures)) for index in map(read_index, paths)]
    return StoreOverview(
        folder,
        read_identity(folder),
        items=sum(items for items, _ in counts),
        failed=sum(failed for _, failed in counts),
        shards=len(paths),
        num_bytes=sum(path.stat().st_size for path in paths),
    )
