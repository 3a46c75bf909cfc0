"""`vloc map CAPTURE MAP`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from ..config import MappingConfig, config_to_json
from ..data.capture import Capture
from ..errors import ConfigError, StageError, StoreError
from ..formats.image_folder import orientation_note, with_devices
from ..formats.pairs import read_pairs
from ..imports import imports, told, with_imports
from ..learned import Learned, learning_notes
from ..map import Map
from ..map_source import place_of
from ..mapping import map_capture
from ..presets import PresetName
from ..run.workspace import Workspace, read_manifest
from ..solvers.sfm import SfmConfig
from ..stages.pair import PairMethod
from ..versions import MANIFEST
from . import options
from .frame_text import frame_facts, frame_lines
from .main import OK, WITH_FAILURES
from .messages import failure_lines, read_capture, summary_of_failures
from .settings import parse


@dataclass(frozen=True, kw_only=True)
class MapFlags(options.ReadFlags, options.RunFlags):
    """Photos in, map out: with known poses the map is triangulated from them, without it is reconstructed by SfM.

    Short flags: --num-pairs N for --pair.num-pairs, --pairs METHOD for --pair.method, --sfm METHOD for --sfm.method,
    --points depth for --points.source, --fusion-weights 2,1 for --fuse.weights, --upright none for --look.upright.
    """

    capture: options.location("CAPTURE")  # type: ignore[valid-type]
    """FORMAT:PATH, or a path whose format is recognised: a kapture folder, a COLMAP model, a folder of images"""
    map: options.folder("MAP")  # type: ignore[valid-type]
    """folder of the map; a begun one is finished, a changed one updated"""
    features: str = "sift"
    """local feature, NAME:KEY=VALUE,..."""
    retrieval: options.Words = ("densevlad",)
    """global descriptors"""
    fusion: str = "gharm"
    """late fusion of the descriptors' similarities"""
    matcher: str = "bands"
    """matcher of local features"""
    preset: PresetName | None = None
    """settings by name, which other flags go over: COLMAP's of the kapture paper (docs/presets.md)"""
    pairs: Path | None = None
    """which images to match: a METHOD of --pair.method, or a FILE of pairs"""
    scan: Path | None = None
    """mesh or point cloud of the place, in the frame of the capture's poses, for --points scan or hybrid"""
    retrain: options.Switch = False
    """learn vocabularies and what evidence is worth anew from the images that there are now; all are described again"""


def run(arguments: Sequence[str]) -> int:
    """Build, finish or update a map."""
    flags, config = parse("map", MapFlags, MappingConfig, arguments)
    capture = with_devices(read_capture(flags.capture, quiet=flags.quiet, **flags.read_options))
    if imports(config, capture):
        flags, config = parse(
            "map", MapFlags, MappingConfig, arguments, completed=lambda chosen: with_imports(chosen, capture)
        )
    pairs = None if flags.pairs is None else read_pairs(_pairs_file(flags.pairs), capture)
    said = about(flags, capture)
    if (changes := read_otherwise(flags.map, said["capture"])) and not flags.quiet:
        print(f"the capture is read otherwise than before: {changes}; what depends on it is redone", file=sys.stderr)
    learned = Learned.read(flags.map)
    command = shlex.join(["vloc", "map", *arguments])
    with Workspace(flags.map, flags.runtime, flags.reporter, dry_run=flags.dry_run, command=command) as work:
        try:
            map_ = map_capture(work, capture, config, pairs, said, retrain=flags.retrain, scan=flags.scan)
        except StageError:
            print(failure_lines(summary_of_failures(work.failures)), end="", file=sys.stderr)
            raise
        failures = summary_of_failures(work.failures)
    if flags.dry_run:
        return options.print_plan(work.plan, flags)
    summary = {**summarise(map_, capture), "failures": failures}
    summary["notes"] += learning_notes(
        learned, Learned.read(flags.map), len(map_.descriptors[0]), config.learn.max_growth
    )
    if flags.json:
        options.print_json(summary)
    elif not flags.quiet:
        print(lines(map_, summary))
    print(failure_lines(failures), end="", file=sys.stderr)
    if not len(map_.sparse.points) and config.points.source != "none":
        print("vloc: the map has no points, nothing can be localized in it: do its images overlap?", file=sys.stderr)
        return WITH_FAILURES
    return WITH_FAILURES if failures else OK


def _pairs_file(path: Path) -> Path:
    if not path.exists():
        methods = ", ".join(get_args(PairMethod))
        raise ConfigError(f"--pairs {path}: neither a file of pairs nor a method: choose from {methods}")
    return path


def about(flags: MapFlags, capture: Capture) -> dict[str, Any]:
    """What the manifest says of the source: enough to read it again."""
    images = None if flags.images is None else str(flags.images)
    return {
        "capture": {
            **place_of(flags.capture),
            "format": capture.format,
            "pixel_center": capture.pixel_center,
            "given_pixel_center": options.number_or_none(flags.pixel_center),
            "images": images,
            "camera": flags.camera,
            "notes": list(capture.notes),
            "left_out": list(capture.left_out),
        },
    }


def read_otherwise(folder: Path, said: Mapping[str, Any]) -> str:
    """What was said otherwise of reading the capture of the map that is there; empty where there is none."""
    try:
        before = read_manifest(folder / MANIFEST).get("capture", {})
    except StoreError:
        return ""
    names = [
        name for name in ("format", "pixel_center", "camera", "images") if before.get(name, said[name]) != said[name]
    ]
    return ", ".join(f"{name.replace('_', ' ')} {before[name]} -> {said[name]}" for name in names)


def summarise(map_: Map, capture: Capture) -> dict[str, Any]:
    """The figures of a map."""
    sparse = map_.sparse
    return {
        "map": str(map_.folder),
        "version": map_.version,
        "format": capture.format,
        "num_images": len(capture.images),
        "num_registered": len(sparse.image_names),
        "not_in_map": [name for name in capture.images.names if name not in sparse.row_of],
        "poses": "known" if capture.has_pose.any() else "sfm",
        "num_points": len(sparse.points),
        "num_observations": sparse.num_observations,
        "mean_reprojection_error_px": sparse.mean_error,
        "left_out": list(capture.left_out),
        **frame_facts(map_.frame),
        "notes": [*capture.notes, *orientation_note(capture), *told(map_.config), *_unused(map_, capture)],
        "config": config_to_json(map_.config),
    }


def _left_out(names: Sequence[str]) -> list[str]:
    shown = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
    return [f"not in the map (no pose, broken or not registered): {len(names)} images: {shown}"] if names else []


def _unused(map_: Map, capture: Capture) -> list[str]:
    """Settings that this capture had no use for."""
    if capture.has_pose.any() and map_.config.sfm != SfmConfig():
        return ["the capture has poses, which are kept: settings of SfM were not used"]
    return []


def lines(map_: Map, summary: dict[str, Any]) -> str:
    """The summary for people."""
    how = "their poses are kept" if summary["poses"] == "known" else "in the largest model"
    return "\n".join(
        [
            f"{summary['num_registered']} of {summary['num_images']} images in the map ({how})",
            f"{summary['num_points']} points, {summary['num_observations']} observations, "
            f"mean reprojection error {summary['mean_reprojection_error_px']:.2f} px",
            *_left_out(summary["not_in_map"]),
            *frame_lines(map_.frame),
            *(f"note: {note}" for note in summary["notes"]),
            f"map: {map_.folder}, version {map_.version}",
        ]
    )
