"""Which frame a map gets: the one it had, that of its given poses, that of positions by satellite, or its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from .data.capture import Capture
from .data.features import KeypointColors
from .data.frame import Frame
from .data.mounting import mounting_of
from .data.sparse_map import SparseMap
from .errors import DataError, FrameError, StageError, VlocError
from .geometry.rigid import Rigid
from .map import Map
from .publishing import publish
from .run.store import open_artifact, open_results
from .run.workspace import Workspace, read_manifest
from .stage import Artifact
from .stages.align import fit_poses, fit_positions, frame_of_baselines, frame_of_positions, moved_frame
from .stages.place import PLACE
from .stages.positions import positions_of
from .versions import MANIFEST, read_version


@dataclass(frozen=True)
class Before:
    """What a folder's finished map was, of this format or an older one; `sparse`, `reconstruction`: references."""

    folder: Path
    frame: Frame
    sparse: str
    reconstruction: str

    @classmethod
    def read(cls, folder: Path) -> Before | None:
        """None where there is no finished map; VlocError where its manifest cannot be read."""
        path = folder / MANIFEST
        if not path.exists():
            return None
        manifest = read_manifest(path)
        try:
            sparse = manifest["references"]["sparse"]
            reconstruction = manifest["references"].get("reconstruction", sparse)
            if "frame" in manifest:
                return cls(folder, Frame.from_json(manifest["frame"], str(path)), sparse, reconstruction)
            return cls(folder, Frame.of_reconstruction(posed=sparse.startswith("triangulate-")), sparse, reconstruction)
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path}: not what vloc wrote ({error!r})") from None


def frame_of(
    folder: Path, capture: Capture, reconstruction: Artifact[SparseMap], seed: int, *, uses_rigs: bool = True
) -> Frame:
    """The frame of a new reconstruction for the map in `folder`; FrameError: there is one there that cannot be kept."""
    posed = bool(capture.has_pose.any())
    own = Frame.of_reconstruction(posed=posed)
    try:
        before = Before.read(folder)
    except VlocError as error:
        if posed:
            return own
        raise _lost(folder, str(error)) from None
    if before is not None and (not posed or before.frame.is_chosen):
        return kept(before, reconstruction, seed)
    if posed:
        return own
    frame = by_satellite(own, capture, reconstruction, seed)
    return by_rigs(frame, capture, reconstruction) if uses_rigs and not frame.metric else frame


def kept(before: Before, reconstruction: Artifact[SparseMap], seed: int) -> Frame:
    """The frame of the map before, found again by the images that both have; FrameError: they do not agree."""
    if before.reconstruction == reconstruction.reference:
        return before.frame
    try:
        old = open_artifact(before.folder, before.sparse, SparseMap).value
        fit = fit_poses(reconstruction.value, poses_of(old), seed)
    except VlocError as error:
        raise _lost(before.folder, str(error)) from None
    frame = moved_frame(before.frame, Frame.of_reconstruction(posed=False), fit.target_from_map)
    return replace(frame, kept=fit.about(frame.unit))


def poses_of(sparse: SparseMap) -> dict[str, Rigid]:
    """`cam_from_world` of a map's images by name."""
    return {name: sparse.cam_from_world[row] for row, name in enumerate(sparse.image_names)}


def by_satellite(own: Frame, capture: Capture, reconstruction: Artifact[SparseMap], seed: int) -> Frame:
    """Metres east, north and up where positions by satellite of enough images agree; else `own`, and why."""
    try:
        positions = positions_of(capture)
        if positions is None:
            return own
        return frame_of_positions(fit_positions(reconstruction.value, positions, seed), positions, own)
    except (DataError, StageError) as error:
        return replace(own, about=f"positions by satellite were not used: {error}")


def by_rigs(own: Frame, capture: Capture, reconstruction: Artifact[SparseMap]) -> Frame:
    """Metres where rigs took images together whose mounts agree about the scale; else `own`, and why."""
    mounting = mounting_of(capture, reconstruction.value.image_names)
    if mounting is None:
        return own
    try:
        return frame_of_baselines(reconstruction.value, mounting, own)
    except StageError as error:
        return replace(own, about="; ".join(filter(None, [own.about, f"rigs gave no scale: {error}"])))


def reframe(work: Workspace, map_: Map, frame: Frame) -> Map:
    """Put a finished map in another frame: its reconstruction is moved anew, and the manifest says so."""
    references = dict(map_.manifest["references"])
    raw = open_artifact(map_.folder, map_.reconstruction, SparseMap)
    colors = open_results(map_.folder, references["colors"], KeypointColors)
    sparse = work.once(PLACE, None, raw, frame.similarity, colors)
    references["sparse"] = sparse.reference
    before = read_version(map_.folder, map_.version).history.used
    used = [*before, *work.used] if before else []  # what a map of an earlier vloc used is not known
    return publish(work, {**map_.manifest, "frame": frame.to_json(), "references": references}, used=used)


def _lost(folder: Path, reason: str) -> FrameError:
    return FrameError(
        f"{folder}: the frame of the map that is there cannot be kept: {reason}; that map stays as it was: "
        f"map into another folder, or delete {folder / MANIFEST} to give its frame up"
    )
