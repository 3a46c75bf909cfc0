"""What `vloc localize` writes down of a run, so that it can be shown: in the work folder of its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from .. import __version__
from ..config import LocalizationConfig, config_to_json, make_config
from ..data.capture import Capture
from ..errors import DataError, StoreError
from ..formats.access import find_format, read
from ..known_cameras import PREFIX
from ..map import Map
from ..run.remote import full_name
from ..run.workspace import Workspace, read_manifest
from ..runtime import peak_megabytes
from .outputs import beside

WORK, RECORDS = "vloc.work", "runs"
"""the folder that all results of one folder share, and the one in it of their records"""
OLD_WORK, OLD_RECORD = ".work", "run.json"
"""what vloc 0.1 added to the name of RESULTS for a folder of its own, and the record in it"""


def work_of(results: Path) -> Path:
    """Where what localization gave on the way to results is kept, for all results of one folder."""
    return results.parent / WORK


def record_of(results: Path) -> Path:
    """The record of a run, or the one that vloc 0.1 wrote where there is no other."""
    record, old = work_of(results) / RECORDS / f"{results.name}.json", beside(results, OLD_WORK) / OLD_RECORD
    return old if old.exists() and not record.exists() else record


@dataclass(frozen=True)
class RunRecord:
    """Where a run's map and queries are, how they were read and localized, and what that took."""

    map: str
    queries: str
    read: dict[str, Any]
    settings: dict[str, Any]
    commands: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """of each stage that was run"""
    megabytes: dict[str, float] = field(default_factory=dict)
    """the process's peak of memory by the end of each"""
    peak_megabytes: float = 0.0
    """of memory, of the process"""
    vloc: str = __version__
    map_version: int | None = None
    """which of the map; None where an earlier vloc wrote the record"""
    used: list[str] = field(default_factory=list)
    """references to all results that the run gave or found"""

    @property
    def config(self) -> LocalizationConfig:
        """The settings."""
        return make_config(LocalizationConfig, **self.settings)

    def capture(self) -> tuple[Capture, str | None]:
        """The queries as they are now, and the map's image whose camera they were said to have (`map:NAME`), if any."""
        options = dict(self.read)
        of_map = options["camera"] if str(options["camera"]).startswith(PREFIX) else None
        images = None if options["images"] is None else Path(options["images"])
        camera = None if of_map else options["camera"]
        return read(self.queries, **{**options, "images": images, "camera": camera}), of_map


def write_record(
    work: Workspace, results: Path, map_: Map, queries: str, options: Mapping[str, Any], config: LocalizationConfig
) -> None:
    """Write down a run that has ended."""
    form, path = find_format(queries)
    told = {name: str(value.resolve()) if isinstance(value, Path) else value for name, value in options.items()}
    where = full_name(map_.folder), f"{form.name}:{path.resolve()}"
    spent = {name: round(seconds, 3) for name, seconds in work.stage_seconds.items()}
    held = {name: round(megabytes, 1) for name, megabytes in work.peak_megabytes.items()}
    record = RunRecord(
        *where,
        told,
        config_to_json(config),
        [work.command],
        spent,
        held,
        round(peak_megabytes(), 1),
        map_version=map_.version,
        used=work.used,
    )
    work.publish(f"{RECORDS}/{results.name}.json", msgspec.to_builtins(record))


def read_record(results: Path) -> RunRecord:
    """What a run wrote down; DataError where there is nothing."""
    path = record_of(results)
    try:
        return msgspec.convert(read_manifest(path), RunRecord)
    except (StoreError, msgspec.ValidationError) as error:
        raise DataError(f"{path}: expected what vloc localize writes of a run ({error}): localize again") from None
