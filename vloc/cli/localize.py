"""`vloc localize MAP QUERIES RESULTS`."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..config import LocalizationConfig
from ..data.capture import CALIBRATED, Capture
from ..data.estimate import PoseEstimate
from ..errors import DataError, LockedError
from ..formats.image_folder import orientation_note
from ..formats.results import check_names
from ..known_cameras import PREFIX, with_known_cameras
from ..localization import localize_capture
from ..map import Map
from ..presets import PresetName
from ..presets import notes as preset_notes
from ..registry import to_text
from ..run.remote import is_url
from ..run.workspace import Workspace
from ..user_cache import user_cache
from . import options
from .estimates import poses_of, write_results
from .main import OK, WITH_FAILURES
from .map_folder import is_map
from .messages import failure_lines, read_capture, summary_of_failures
from .outputs import beside, check_output, is_details, is_results
from .run_record import work_of, write_record
from .settings import parse
from .sources import counts, kept, status, told


@dataclass(frozen=True, kw_only=True)
class LocalizeFlags(options.ReadFlags, options.RunFlags):
    """Queries in, poses out: a line `name qw qx qy qz tx ty tz` (world to camera) for every query with a pose.

    Short flags: --num-retrieved N for --retrieve.num-retrieved, --min-quality Q for --quality.min-quality, --rig WAY
    for --rig.use, --view WAY for --view.use, --sequence WAY for --sequence.use, --causal for --sequence.causal.
    """

    map: options.location("MAP")  # type: ignore[valid-type]
    """folder of a finished map, or packed map, or the URL of either (docs/cluster.md)"""
    queries: options.location("QUERIES")  # type: ignore[valid-type]
    """FORMAT:PATH or path of a capture (poses not needed), or a list of `name MODEL w h params...` with --images"""
    results: options.folder("RESULTS")  # type: ignore[valid-type]
    """text file of poses; RESULTS.json beside it says how each query went, vloc.work keeps what reruns reuse,
    for all results of the folder; runs at the same time need folders of their own"""
    pixel_center: Literal["0", "0.5"] | None = None
    """px: where the queries' intrinsics put the centre of the first pixel; else as the map was told"""
    camera: str | None = None
    """intrinsics of plain images: MODEL,params... (SIMPLE_RADIAL,1200,960,540,0), or map:NAME for those of an image
    of the map; left out: the map's where it has images of the same device, else EXIF, else a guess"""
    matcher: str | None = None
    """matcher of local features; the map's own when left out"""
    rerank: options.Words = ()
    """what puts retrieved images in another order, one after the other: dba, alpha_qe, k_reciprocal, diffusion,
    diverse, geometric (alpha_qe:k=5,alpha=3)"""
    preset: PresetName | None = None
    """settings by name, which other flags go over: COLMAP's of the kapture paper (docs/presets.md)"""
    sources: str | None = None
    """where the poses in RESULTS may come from (pnp,depth,rig,sequence,retrieval); left out: all. Others are withheld,
    and RESULTS.json says so"""
    scan: Path | None = None
    """mesh or point cloud of the place, in the frame of the map, for --view check or require"""
    report: Path | None = None
    """also write a page of the run (docs/report.md), here"""
    style: str | None = None
    """also write the poses as a benchmark wants them, beside RESULTS (poses.aachen.txt): plain, aachen, inloc, cmu,
    silda, robotcar, naver, eth-ms, rio10, lamar, or 4seasons:LIST of pairs (docs/evaluation.md)"""
    overwrite: options.Switch = False
    """replace RESULTS even if vloc did not write it; files of a capture or a truth are never replaced"""


def run(arguments: Sequence[str]) -> int:
    """Localize queries against a map."""
    opened = _opened(arguments)
    flags, config = parse("localize", LocalizeFlags, LocalizationConfig, arguments, _matcher_of(opened))
    map_ = opened.get(flags.map) or Map.open(flags.map)
    check_outputs(flags)
    kept([], flags.sources)  # refuses an unknown name before any work
    queries = read_queries(flags, map_)
    check_queries(flags, queries)
    command, where = shlex.join(["vloc", "localize", *arguments]), work_of(flags.results)
    with _apart(), Workspace(where, flags.runtime, flags.reporter, dry_run=flags.dry_run, command=command) as work:
        estimates = kept(localize_capture(work, map_, queries, config, flags.scan), flags.sources)
        failures = summary_of_failures(work.failures)
        if not flags.dry_run:
            check_outputs(flags)
            write_results(flags.results, estimates, work.seconds)
            write_beside(work, flags, map_, queries, config, estimates)
    if flags.dry_run:
        return options.print_plan(work.plan, flags)
    _print(flags, map_, estimates, [*queries.notes, *orientation_note(queries), *preset_notes(flags.preset)], failures)
    print(failure_lines(failures), end="", file=sys.stderr)
    if estimates and not any(estimate.is_localized for estimate in estimates):
        print(f"vloc: no pose to write: {told(estimates)}", file=sys.stderr)
        return WITH_FAILURES
    return WITH_FAILURES if failures else OK


@contextmanager
def _apart() -> Iterator[None]:
    """Say where results can be written while others are written to the same folder."""
    try:
        yield
    except LockedError as error:
        raise LockedError(f"{error}, or write RESULTS into another folder") from None


def check_queries(flags: LocalizeFlags, queries: Capture) -> None:
    """DataError or ConfigError, before any work, for queries that the files to be written cannot hold."""
    check_names(flags.results, queries.images.names)
    if flags.style:
        from .results import check_style

        check_style(flags.style, queries)


def write_beside(
    work: Workspace,
    flags: LocalizeFlags,
    map_: Map,
    queries: Capture,
    config: LocalizationConfig,
    estimates: Sequence[PoseEstimate],
) -> None:
    """What goes with the results: what the run was, the file of a benchmark's style and the page, if asked for."""

    read = {**flags.read_options, "pixel_center": pixel_center_of(flags, map_)}
    write_record(work, flags.results, map_, flags.queries, read, config)
    if flags.style:
        from .results import write_styled

        write_styled(flags.results, flags.style, poses_of(estimates), queries, flags.map)
    if flags.report:
        from .report import TITLE, write_report

        write_report(flags.report, [flags.results], None, TITLE, flags.runtime)


def read_queries(flags: LocalizeFlags, map_: Map) -> Capture:
    """The queries, with the cameras that they are localized with; DataError where there are none."""
    of_map = flags.camera is not None and flags.camera.startswith(PREFIX)
    given = {"pixel_center": pixel_center_of(flags, map_), "camera": None if of_map else flags.camera}
    queries = read_capture(flags.queries, quiet=flags.quiet, **{**flags.read_options, **given})
    if not len(queries.images):
        raise DataError(f"{flags.queries}: a capture without images: there is nothing to localize")
    return with_known_cameras(map_, queries, flags.camera if of_map else None)


def pixel_center_of(flags: LocalizeFlags, map_: Map) -> float | None:
    """What was said of the queries, or else of the map's capture; None: what their format says."""
    about = map_.manifest.get("capture", {})
    given = about.get("given_pixel_center", about.get("pixel_center"))
    return given if flags.pixel_center is None else float(flags.pixel_center)


def check_outputs(flags: LocalizeFlags) -> None:
    """DataError where RESULTS, RESULTS.json or the page is a file that must not be replaced."""
    for output, is_ours in ((flags.results, is_results), (beside(flags.results, ".json"), is_details)):
        check_output(output, is_ours, [flags.queries], overwrite=flags.overwrite)
    if flags.report:
        from ..page import is_page

        check_output(flags.report, is_page)


def _opened(arguments: Sequence[str]) -> dict[str, Map]:
    """The map among the arguments, which has a say in what flags there are."""
    place = next((argument for argument in arguments if is_map(argument)), None)
    if is_url(place) and "--quiet" not in arguments:
        print(f"reading {place}; what of it is not in {user_cache('maps')} is fetched", file=sys.stderr)
    return {} if place is None else {place: Map.open(place)}


def _matcher_of(opened: Mapping[str, Map]) -> dict[str, Any]:
    """The map's matcher, so that its settings are flags too."""
    return {"match": next((to_text(map_.config.match) for map_ in opened.values()), "bands")}


def _print(
    flags: LocalizeFlags,
    map_: Map,
    estimates: Sequence[PoseEstimate],
    notes: Sequence[str],
    failures: Mapping[str, str],
) -> None:
    if flags.json:
        numbers = {
            "map_version": map_.version,
            "num_queries": len(estimates),
            "num_localized": sum(e.is_localized for e in estimates),
        }
        withheld = sum(status(e) == "withheld" for e in estimates)
        summary = {**numbers, "num_withheld": withheld, "sources": counts(estimates), "notes": list(notes)}
        options.print_json({**summary, "cameras": cameras_used(estimates), "failures": dict(failures)})
    elif not flags.quiet:
        print(told(estimates))
        for estimate in estimates:
            if status(estimate) == "failed" and estimate.name not in failures:
                print(f"  not localized: {estimate.name}: {estimate.reason}")
            elif estimate.is_localized and estimate.reason:
                print(f"  corrected: {estimate.name}: {estimate.reason}")
        if (used := cameras_used(estimates)).keys() != {CALIBRATED}:
            print(f"cameras: {', '.join(f'{count} {source}' for source, count in used.items())}")
        for note in notes:
            print(f"note: {note}")
        print(f"poses: {flags.results}, by version {map_.version} of {flags.map}")


def cameras_used(estimates: Sequence[PoseEstimate]) -> dict[str, int]:
    """How many queries have their intrinsics from where; the most first."""
    used = Counter(
        e.focal_source + (", refined" if e.focal_sigma_px else "") for e in estimates if e.camera is not None
    )
    return dict(used.most_common())
