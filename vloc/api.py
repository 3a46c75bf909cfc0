"""The main job in Python: read, map, localize."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .config import LocalizationConfig, MappingConfig, make_config
from .data.capture import Capture
from .data.estimate import PoseEstimate
from .formats.access import read, write
from .formats.image_folder import with_devices
from .imports import with_imports
from .localization import localize_capture
from .map import Map
from .map_source import place_of
from .mapping import map_capture
from .run.progress import Silent
from .run.remote import local_path
from .run.workspace import Workspace
from .runtime import Runtime

__all__ = ["build_map", "localize", "read", "write"]

_STAGE_OF = {
    "features": "extract",
    "retrieval": "describe",
    "fusion": "fuse",
    "matcher": "match",
    "rerank": "reranking",
}


def build_map(
    capture: Capture | str | Path,
    folder: str | Path,
    *,
    pairs: Sequence[tuple[str, str]] | None = None,
    runtime: Runtime | None = None,
    retrain: bool = False,
    scan: str | Path | None = None,
    **settings: Any,
) -> Map:
    """Build the map of a capture, or of what `read` finds at a location, in a folder, or finish or update it there.

    `settings` are those of `MappingConfig`, with `features`, `retrieval`, `fusion` and `matcher` as on the command
    line: `build_map(capture, "gallery.map", features="sift:max_keypoints=4096", pair={"num_pairs": 10})`.
    With `retrain`, what the map that is there learned from its images is learned anew from those that are.
    `scan`: the file of a mesh or cloud in the frame of the capture's poses, for `points={"source": "scan"}` or hybrid.
    """
    chosen, captured = {_STAGE_OF.get(name, name): value for name, value in settings.items()}, _captured(capture)
    config = make_config(MappingConfig, **with_imports(chosen, captured))
    with Workspace(local_path(folder), runtime or Runtime(), Silent()) as work:
        about, place = _about(capture, captured), None if scan is None else Path(scan)
        return map_capture(work, with_devices(captured), config, pairs, about, retrain=retrain, scan=place)


def localize(
    map_: Map,
    queries: Capture | str | Path,
    folder: str | Path,
    *,
    runtime: Runtime | None = None,
    scan: str | Path | None = None,
    **settings: Any,
) -> list[PoseEstimate]:
    """Localize every image of a capture, or of what `read` finds at a location.

    Intermediate results stay in `folder`, so that a killed run resumes. `scan`: the file of a mesh or cloud in the
    frame of the map, for `view={"use": "check"}`.
    """
    config = make_config(LocalizationConfig, **{_STAGE_OF.get(name, name): value for name, value in settings.items()})
    with Workspace(local_path(folder), runtime or Runtime(), Silent()) as work:
        return localize_capture(work, map_, _captured(queries), config, None if scan is None else Path(scan))


def _about(given: Capture | str | Path, captured: Capture) -> dict[str, Any]:
    """What the manifest says of a location, so that its photos are found again; nothing of a capture in memory."""
    if isinstance(given, Capture):
        return {}
    read_as = {"format": captured.format, "pixel_center": captured.pixel_center, "given_pixel_center": None}
    return {"capture": {**place_of(str(given)), **read_as, "images": None, "camera": None}}


def _captured(capture: Capture | str | Path) -> Capture:
    return capture if isinstance(capture, Capture) else read(capture)
