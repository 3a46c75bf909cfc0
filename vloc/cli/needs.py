"""What the versions of a map, or results, need of the stores in their folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ..errors import DataError
from ..run.cleaning import Unneeded
from ..run.workspace import read_manifest
from ..versions import MANIFEST, file_of, number_of, references_of, versions_of
from .run_record import OLD_RECORD, OLD_WORK, RECORDS, WORK, RunRecord

UNKNOWN = "run the command that made it again, so that vloc knows what a rerun needs"


@dataclass(frozen=True)
class Needs:
    """What is kept, for people; references to the results that it needs; and files that say it of what is not kept."""

    what: Sequence[str] = ()
    references: frozenset[str] = frozenset()
    outdated: Sequence[Unneeded] = ()


def needs_of(folder: Path, keep: int | None) -> Needs:
    """Those of a map or of a folder of results; DataError for a folder of which nothing says what it is for."""
    if (folder / MANIFEST).exists():
        return _of_map(folder, keep)
    if folder.name == WORK:
        return _of_results(folder)
    if folder.suffix == OLD_WORK:
        return _of_old_results(folder)
    raise DataError("neither a finished map nor the work of `vloc localize`: nothing says what it is for")


def _of_map(folder: Path, keep: int | None) -> Needs:
    """The newest versions, and the current one in any case; what reruns need of those that say it."""
    current, versions = number_of(read_manifest(folder / MANIFEST)), list(versions_of(folder))
    newest = {version.number for version in versions[-(keep or len(versions)) :]} | {current}
    kept = [version for version in versions if version.number in newest]
    if any(version.number == current and not version.history.used for version in kept):
        raise DataError(f"made by an earlier vloc: {UNKNOWN}")
    references = {ref for v in kept for ref in (*references_of(v.manifest), *v.history.used)}
    paths = [folder / file_of(version.number) for version in versions if version not in kept]
    outdated = [Unneeded(path, path.stat().st_size) for path in paths if path.exists()]
    return Needs([f"version {version.number}" for version in kept], frozenset(references), outdated)


def _of_results(folder: Path) -> Needs:
    """Those whose file is still there."""
    records = sorted((folder / RECORDS).glob("*.json"))
    kept = [record for record in records if (folder.parent / record.stem).exists()]
    references = {reference for record in kept for reference in _used(record)}
    outdated = [Unneeded(record, record.stat().st_size) for record in records if record not in kept]
    return Needs([record.stem for record in kept], frozenset(references), outdated)


def _of_old_results(folder: Path) -> Needs:
    """None once the results are gone, or localized again, since when their work lies elsewhere."""
    results = folder.with_suffix("")
    again = folder.parent / WORK / RECORDS / f"{results.name}.json"
    if results.exists() and not again.exists():
        return Needs([results.name], frozenset(_used(folder / OLD_RECORD)))
    record = folder / OLD_RECORD
    return Needs(outdated=[Unneeded(record, record.stat().st_size)] if record.exists() else [])


def _used(record: Path) -> list[str]:
    try:
        used = msgspec.convert(read_manifest(record), RunRecord).used
    except msgspec.ValidationError as error:
        raise DataError(f"{record}: {error}: {UNKNOWN}") from None
    if not used:
        raise DataError(f"{record}: written by an earlier vloc: {UNKNOWN}")
    return used
