"""`vloc localize MAP QUERIES RESULTS`."""

from __future__ import annotations

import json
import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan, nan
from pathlib import Path
from typing import Any, Literal

import numpy as np

from .. import atomic
from ..config import LocalizationConfig
from ..data.capture import CALIBRATED, Capture
from ..data.estimate import PoseEstimate
from ..data.evidence import Evidence
from ..data.quality import ImageQuality
from ..data.view import ViewSimilarity
from ..errors import DataError
from ..formats.image_folder import orientation_note
from ..formats.results import check_names, poses_text, read_poses
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from ..known_cameras import PREFIX, with_known_cameras
from ..localization import localize_capture
from ..map import Map
from ..presets import PresetName
from ..presets import notes as preset_notes
from ..registry import to_text
from ..run.workspace import Workspace
from . import options
from .main import OK, WITH_FAILURES
from .map_folder import is_map
from .messages import failure_lines, read_capture, summary_of_failures
from .outputs import beside, check_output, is_details, is_results, read_json
from .settings import parse
from .sources import counts, kept, status, told


@dataclass(frozen=True, kw_only=True)
class LocalizeFlags(options.ReadFlags, options.RunFlags):
    """Queries in, poses out: a line `name qw qx qy qz tx ty tz` (world to camera) for every query with a pose.

    Short flags: --num-retrieved N for --retrieve.num-retrieved, --min-quality Q for --quality.min-quality, --rig WAY
    for --rig.use, --view WAY for --view.use, --sequence WAY for --sequence.use, --causal for --sequence.causal.
    """

    map: options.folder("MAP")  # type: ignore[valid-type]
    """folder of a finished map"""
    queries: options.location("QUERIES")  # type: ignore[valid-type]
    """FORMAT:PATH or path of a capture (poses not needed), or a list of `name MODEL w h params...` with --images"""
    results: options.folder("RESULTS")  # type: ignore[valid-type]
    """text file of poses; RESULTS.json beside it says how each query went, RESULTS.work keeps what a rerun reuses"""
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
    flags, config = parse("localize", LocalizeFlags, LocalizationConfig, arguments, _matcher_of_map(arguments))
    map_ = Map.open(flags.map)
    check_outputs(flags)
    kept([], flags.sources)  # refuses an unknown name before any work
    queries = read_queries(flags, map_)
    check_queries(flags, queries)
    with Workspace(beside(flags.results, ".work"), flags.runtime, flags.reporter, dry_run=flags.dry_run) as work:
        estimates = kept(localize_capture(work, map_, queries, config, flags.scan), flags.sources)
        failures = summary_of_failures(work.failures)
        if not flags.dry_run:
            check_outputs(flags)
            write_results(flags.results, estimates, work.seconds)
            write_beside(work, flags, map_, queries, config, estimates, shlex.join(["vloc", "localize", *arguments]))
    if flags.dry_run:
        return options.print_plan(work.plan, flags)
    _print(flags, estimates, [*queries.notes, *orientation_note(queries), *preset_notes(flags.preset)], failures)
    print(failure_lines(failures), end="", file=sys.stderr)
    if estimates and not any(estimate.is_localized for estimate in estimates):
        print(f"vloc: no pose to write: {told(estimates)}", file=sys.stderr)
        return WITH_FAILURES
    return WITH_FAILURES if failures else OK


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
    command: str,
) -> None:
    """What goes with the results: what the run was, the file of a benchmark's style and the page, if asked for."""
    from .run_record import write_record

    read = {**flags.read_options, "pixel_center": pixel_center_of(flags, map_)}
    write_record(work, flags.map, flags.queries, read, config, command)
    if flags.style:
        from .results import write_styled

        write_styled(flags.results, flags.style, poses_of(estimates), queries, str(flags.map))
    if flags.report:
        from .report import write_report

        write_report(flags.report, [flags.results], None, str(flags.results), flags.runtime)


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


def _matcher_of_map(arguments: Sequence[str]) -> dict[str, Any]:
    """The map's matcher, so that its settings are flags too."""
    folder = next((argument for argument in arguments if is_map(Path(argument))), None)
    return {"match": to_text(Map.open(folder).config.match) if folder else "bands"}


def write_results(results: Path, estimates: Sequence[PoseEstimate], seconds: Mapping[Any, float]) -> None:
    """The benchmark file and its JSON twin; the former is never there beside another run's twin."""
    results.parent.mkdir(parents=True, exist_ok=True)
    rows = [to_json(estimate, seconds.get(estimate.name)) for estimate in estimates]
    text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)
    atomic.write_texts({beside(results, ".json"): text + "\n", results: poses_text(results, poses_of(estimates))})


def poses_of(estimates: Sequence[PoseEstimate]) -> dict[str, Rigid]:
    """`cam_from_world` of those that have a pose, by name."""
    return {estimate.name: estimate.cam_from_world for estimate in estimates if estimate.cam_from_world is not None}


def to_json(estimate: PoseEstimate, seconds: float | None) -> dict[str, Any]:
    """One row of RESULTS.json. `seconds` is null for a query that an earlier run had finished."""
    return {
        "name": estimate.name,
        "status": status(estimate),
        "source": estimate.source,
        "reason": estimate.reason,
        "num_inliers": estimate.num_inliers,
        "num_matches": estimate.num_matches,
        "num_guided": estimate.num_guided,
        "confidence": round(estimate.confidence, 4),
        "evidence": None if estimate.evidence is None else asdict(estimate.evidence),
        "retrieved": list(estimate.retrieved),
        "similarities": [None if isnan(each) else round(each, 4) for each in estimate.similarities],
        "seconds": seconds,
        "view": None if estimate.view is None else asdict(estimate.view),
        "quality": None if estimate.quality is None else estimate.quality.to_json(),
        "unit": estimate.unit,
        "covariance": None if estimate.covariance is None else estimate.covariance.tolist(),
        "camera": None if estimate.camera is None else _camera_to_json(estimate, estimate.camera),
    }


def _camera_to_json(estimate: PoseEstimate, camera: Camera) -> dict[str, Any]:
    """The intrinsics that a pose goes with; `focal_sigma_px` is 0 where they were taken as exact."""
    focal = {"focal_source": estimate.focal_source, "focal_sigma_px": estimate.focal_sigma_px}
    size = {"width": camera.width, "height": camera.height}
    return {"model": camera.model, **size, "params": list(camera.params), **focal}


def read_estimates(results: Path) -> list[PoseEstimate]:
    """What `write_results` wrote; DataError where the two files are not there or not of one run."""
    poses, details = read_poses(results), beside(results, ".json")
    try:
        rows = read_json(details)
        estimates = [_from_json(row, poses.get(row["name"])) for row in rows]
        num_localized = sum(row["status"] == "localized" for row in rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{details}: expected the rows that vloc localize writes ({error!r})") from None
    if len(poses) != num_localized:
        raise DataError(f"{details}: localized queries are not those of {results}; run vloc localize again")
    return estimates


def _from_json(row: Mapping[str, Any], cam_from_world: Rigid | None) -> PoseEstimate:
    covariance = None if row["covariance"] is None else np.array(row["covariance"])
    return PoseEstimate(
        row["name"],
        cam_from_world,
        row["source"],
        row["num_inliers"],
        row["num_matches"],
        covariance,
        tuple(row["retrieved"]),
        row["seconds"] or 0.0,
        row["reason"],
        num_guided=row["num_guided"],
        confidence=row["confidence"],
        evidence=None if row["evidence"] is None else Evidence(**row["evidence"]),
        **_camera_from_json(row["camera"]),
        unit=row.get("unit", "m"),
        view=None if row.get("view") is None else ViewSimilarity(**row["view"]),
        quality=None if row["quality"] is None else ImageQuality.from_json(row["quality"]),
        similarities=tuple(nan if each is None else each for each in row.get("similarities", ())),
    )


def _camera_from_json(used: Mapping[str, Any] | None) -> dict[str, Any]:
    if used is None:
        return {}
    camera = Camera(used["model"], used["width"], used["height"], tuple(used["params"]))
    return {"camera": camera, "focal_source": used["focal_source"], "focal_sigma_px": used["focal_sigma_px"]}


def _print(
    flags: LocalizeFlags, estimates: Sequence[PoseEstimate], notes: Sequence[str], failures: Mapping[str, str]
) -> None:
    if flags.json:
        numbers = {"num_queries": len(estimates), "num_localized": sum(e.is_localized for e in estimates)}
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
        print(f"poses: {flags.results}")


def cameras_used(estimates: Sequence[PoseEstimate]) -> dict[str, int]:
    """How many queries have their intrinsics from where; the most first."""
    used = Counter(
        e.focal_source + (", refined" if e.focal_sigma_px else "") for e in estimates if e.camera is not None
    )
    return dict(used.most_common())
