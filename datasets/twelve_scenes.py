"""12-Scenes (Valentin et al., 3DV 2016), a room of Stanford's RGB-D benchmark: the unpacked folder as kapture."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from vloc.data.capture import Capture
from vloc.errors import DataError
from vloc.formats.base import Transfer
from vloc.formats.text_fields import refusal
from vloc.formats.text_lines import data_lines
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .benchmark import Benchmark, write_scenes
from .importing import numbers_in, required, write_scene
from .rgbd import Frame, Kit, capture_of, frame_of, only_depth_of

RIG, IDS = "rgbd_rig", ("ipad_camera", "structure_io_depth_camera", "structure_io_depth_camera_reg")
_SEQUENCE = re.compile(r"sequence\d+\s*\[\s*frames\s*=\s*\d+\s*\]\s*\[\s*start\s*=\s*(\d+)\s*;\s*end\s*=\s*(\d+)\s*\]")

BENCHMARK = Benchmark(
    "12-Scenes",
    "https://graphics.stanford.edu/projects/reloc/",
    "CC BY-NC-SA 4.0",
    {
        "*/*/info.txt": "cameras of each room",
        "*/*/split.txt": "its sequences",
        "*/*/data/frame-*.color.*": "images",
        "*/*/data/frame-*.depth.png": "their depth maps",
        "*/*/data/frame-*.pose.txt": "their poses",
    },
    "plain",
    thresholds=((0.05, 5.0),),
)


@dataclass(frozen=True)
class TwelveScenesConfig:
    """Which room to import."""

    source: Path
    """folder of one room with info.txt, split.txt and data/"""
    transfer: Transfer = "copy"
    """whether images are copied, and depth maps converted, into the output (copy) or not (skip)"""


def make(root: Path, config: TwelveScenesConfig) -> None:
    """Write `root/mapping`, `root/query` (no poses) and `root/query_truth.txt`; the first sequence is the query.

    DataError names what is missing.
    """
    mapping, query = captures(config.source)
    write_scene(root, mapping, query, config.transfer)


def make_all(root: Path, source: Path) -> None:
    """Write every room as a place, with the depth that is looked at: as measured, of mapping alone."""
    rooms = sorted(path.parent for path in source.glob("*/*/split.txt"))
    write_scenes(root, source, rooms, _lean_captures, "copy")


def _lean_captures(folder: Path) -> tuple[Capture, Capture]:
    mapping, query = captures(folder)
    return only_depth_of(mapping, IDS[1]), replace(query, others={})


def captures(folder: Path) -> tuple[Capture, Capture]:
    """What a room has to map and to localize, with poses; DataError where either is empty."""
    kit, (first, last) = kit_of(folder / "info.txt"), _query_frames(folder / "split.txt")
    data = required(folder / "data", "folder of frames")
    frames = all_frames(data)
    query = [frame for frame in frames if first <= _number(frame) <= last]
    mapping = [frame for frame in frames if not first <= _number(frame) <= last]
    if not query or not mapping:
        raise DataError(f"{data}: {len(query)} query and {len(mapping)} mapping frames, expected some of each")
    return capture_of(data, mapping, kit), capture_of(data, query, kit)


def kit_of(path: Path) -> Kit:
    """The cameras of info.txt; the authors give colour and depth the same frame."""
    values: dict[str, tuple[int, str]] = {}
    for line, text in data_lines(required(path)):
        key, _, value = text.partition("=")
        values[key.strip()] = line, value
    color, depth = (_camera(path, values, kind) for kind in ("color", "depth"))
    return Kit(RIG, *IDS, color, depth, Rigid.identity())


def _camera(path: Path, values: dict[str, tuple[int, str]], kind: str) -> Camera:
    keys = f"m_{kind}Width", f"m_{kind}Height", f"m_calibration{kind.capitalize()}Intrinsic"
    if missing := [key for key in keys if key not in values]:
        raise DataError(f"{path}: no {missing[0]}")
    (width,), (height,), matrix = (
        numbers_in(path, values[key][0], values[key][1].split(), count)
        for key, count in zip(keys, (1, 1, 16), strict=True)
    )
    try:
        return Camera("PINHOLE", int(width), int(height), (matrix[0], matrix[5], matrix[2], matrix[6]))
    except ValueError as error:
        raise refusal(path, values[keys[2]][0], str(error)) from None


def all_frames(folder: Path) -> list[Frame]:
    """Every frame; their numbers in the order of their names are the timestamps."""
    stems = sorted(path.name.removesuffix(".pose.txt") for path in folder.glob("frame-*.pose.txt"))
    return [frame_of(folder, stem, time) for time, stem in enumerate(stems)]


def _number(frame: Frame) -> int:
    digits = frame.stem.removeprefix("frame-")
    if not digits.isdecimal():
        raise DataError(f"{frame.stem}: expected frame-NNNNNN")
    return int(digits)


def _query_frames(path: Path) -> tuple[int, int]:
    """First and last frame of the first sequence: the one for testing, as in DSAC++ and everywhere since."""
    for line, text in data_lines(required(path)):
        match = _SEQUENCE.fullmatch(text)
        if match is None:
            raise refusal(path, line, "no sequence", "sequence0 [frames=357]  [start=0 ; end=356]", text)
        return int(match[1]), int(match[2])
    raise DataError(f"{path}: no sequence")
