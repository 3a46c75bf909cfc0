"""`vloc report RESULTS... -o PAGE`: runs as one page that needs nothing but itself."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ..config import LocalizationConfig, config_to_json, query_matcher
from ..describing import plugins_of
from ..errors import DataError, VlocError
from ..formats.results import read_truth
from ..known_cameras import with_known_cameras
from ..map import Map
from ..map_source import source_of
from ..runtime import Runtime
from ..weights import WEIGHTS, files_of
from . import options
from .estimates import read_estimates
from .main import OK
from .outputs import beside, check_output
from .run_record import RunRecord, read_record
from .settings import parse_flags

if TYPE_CHECKING:
    from ..page import About, Run


TITLE = "Where the photos were taken"


@dataclass(frozen=True, kw_only=True)
class ReportFlags:
    """One page of runs of `vloc localize` with all its pictures in it.

    How accurate poses are, where queries were lost, the place from above and in space, queries beside their map images.
    Of several runs the figures are compared.
    """

    results: Annotated[tuple[options.LocalPath, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RESULTS...")]
    """files that vloc localize wrote; the pictures are those of the first"""
    out: Annotated[Path, tyro.conf.arg(name="output", aliases=["-o"])] = Path("report.html")
    """the page"""
    truth: str | None = None
    """true poses of the queries: a capture, or a file of result lines; left out: the queries' own, if they have any"""
    title: str = TITLE
    """of the page"""
    workers: int = 0
    """queries drawn at a time; 0: one per core"""


def run(arguments: Sequence[str]) -> int:
    """Write the page."""
    flags = parse_flags("report", ReportFlags, arguments)
    if not flags.results:
        raise DataError("vloc report: expected the RESULTS of vloc localize, got none")
    print(write_report(flags.out, flags.results, flags.truth, flags.title, Runtime(workers=flags.workers)))
    return OK


def write_report(path: Path, results: Sequence[Path], truth: str | None, title: str, runtime: Runtime) -> Path:
    """The page of some runs; DataError, before any work, where one of them is not to be read or the page not to be."""
    from ..page import is_page, write

    check_output(path, is_page, [each for one in results for each in (one, beside(one, ".json"))])
    records = {str(one): read_record(one) for one in results}
    runs = [shown(Path(name), record) for name, record in records.items()]
    poses = read_truth(truth) if truth else _own_truth(runs[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    return write(path, runs, poses, about=about(title, records, runs[0]), runtime=runtime)


def shown(results: Path, record: RunRecord) -> Run:
    """A run with its map, queries and photos, as they are now."""
    from ..page import Run

    map_, (queries, camera) = _map_of(results, record), record.capture()
    source = source_of(map_)
    photos = None if source is None else source.files
    if photos is None:
        where = map_.manifest.get("capture", {}).get("location", "nowhere")
        print(
            f"note: {map_.folder}: its photos are not to be read at {where}",
            file=sys.stderr,
        )
    known = with_known_cameras(map_, queries, camera)
    return Run(str(results), map_, known, read_estimates(results), photos, record.config)


def _map_of(results: Path, record: RunRecord) -> Map:
    """The version of the map by which queries were localized, or the current one with a note where that is gone."""
    current = Map.open(record.map)
    if record.map_version in (None, current.version):
        return current
    try:
        return Map.open(current.folder, record.map_version)
    except VlocError as error:
        print(f"note: {results}: shown by version {current.version} of the map, not its own: {error}", file=sys.stderr)
        return current


def _own_truth(run: Run) -> Mapping[str, Any] | None:
    """The poses that the queries came with, None without any."""
    from ..formats.results import posed_images

    return posed_images(run.queries) or None


def about(title: str, records: Mapping[str, RunRecord], run: Run) -> About:
    """How the runs were made: commands, settings that are not the defaults, time, memory, versions, licences."""
    from ..page import About
    from .doctor import installed_versions

    commands = [command for record in records.values() for command in record.commands]
    several, facts = len(records) > 1, dict[str, str]()
    for name, record in records.items():
        ahead = f"{name}: " if several else ""
        facts |= {f"{ahead}settings": _changed(record.config, run.map) or "defaults"}
        facts |= {f"{ahead}stage {stage}": _spent(record, stage) for stage in record.seconds}
        facts |= {f"{ahead}memory": f"{record.peak_megabytes:.0f} MB"}
    plugins = plugins_of(run.map.config.extract, run.map.config.describe, query_matcher(run.config, run.map.config))
    terms = {
        f"weights {file}": WEIGHTS[file].terms for plugin in plugins for file in files_of(plugin) if file in WEIGHTS
    }
    return About(title, commands, {**facts, **terms, **installed_versions()})


def _spent(record: RunRecord, stage: str) -> str:
    """The time of a stage, and the peak of memory by its end."""
    held = f", {record.megabytes[stage]:.0f} MB at most until then" if stage in record.megabytes else ""
    return f"{record.seconds[stage]:.2f} s{held}"


def _changed(config: LocalizationConfig, map_: Map) -> str:
    """The settings that are not the defaults; the matcher's is that of the map."""
    usual, own = config_to_json(LocalizationConfig(match=map_.config.match)), config_to_json(config)
    return ", ".join(
        f"{stage}.{name} {value}" if name else f"{stage} {value}"
        for stage in own
        for name, value in _parts(own[stage])
        if dict(_parts(usual[stage])).get(name, None) != value
    )


def _parts(value: Any) -> list[tuple[str, Any]]:
    return [*value.items()] if isinstance(value, dict) else [("", value)]
