"""7-Scenes (Shotton et al., CVPR 2013), a scene of Microsoft's RGB-D benchmark: the unpacked folder as kapture."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vloc.data.capture import Capture
from vloc.errors import DataError
from vloc.formats.base import Transfer
from vloc.formats.text_fields import refusal
from vloc.formats.text_lines import data_lines
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .benchmark import Benchmark, write_scenes
from .importing import required, write_scene
from .rgbd import Frame, Kit, capture_of, frame_of, only_depth_of

# Intrinsics that the authors name, and those of colour as everybody uses them; the principal point is the middle.
DEPTH = Camera("SIMPLE_PINHOLE", 640, 480, (585.0, 320.0, 240.0))
COLOR = Camera("SIMPLE_PINHOLE", 640, 480, (525.0, 320.0, 240.0))
# Colour from depth, by kapture's own calibration of the Kinect: the benchmark itself gives none.
COLOR_FROM_DEPTH = Rigid.from_quat_wxyz(
    np.array([-0.9999829690719851, -0.004080640735846227, 0.00394659107519435, 0.0013543840101732576]),
    np.array([-0.025558943178152542, 0.00010109636268061706, 0.002031832172948704]),
)
KIT = Kit("kinect", "kinect_rgb", "kinect_depth", "kinect_depth_reg", COLOR, DEPTH, COLOR_FROM_DEPTH)
SPLITS = {"mapping": "TrainSplit.txt", "query": "TestSplit.txt"}

BENCHMARK = Benchmark(
    "7-Scenes",
    "https://www.microsoft.com/en-us/research/project/rgb-d-dataset-7-scenes/",
    "Microsoft Research licence: non-commercial use (in the data)",
    {
        **{f"*/{name}": f"which sequences of each scene are the {part}" for part, name in SPLITS.items()},
        "*/seq-*/frame-*.color.png": "images of the sequences, which are archives of their own",
        "*/seq-*/frame-*.depth.png": "their depth maps",
        "*/seq-*/frame-*.pose.txt": "their poses",
    },
    "plain",
    thresholds=((0.05, 5.0),),
    counts={
        **{"mapping": 26_000, "chess": 2000, "fire": 2000, "heads": 1000, "office": 4000},
        **{"pumpkin": 2000, "redkitchen": 5000, "stairs": 1000},
    },
)


@dataclass(frozen=True)
class SevenScenesConfig:
    """Which scene to import."""

    source: Path
    """folder of one scene with TrainSplit.txt, TestSplit.txt and the unpacked seq-01, seq-02 ..."""
    transfer: Transfer = "copy"
    """whether images are copied, and depth maps converted, into the output (copy) or not (skip)"""


def make(root: Path, config: SevenScenesConfig) -> None:
    """Write `root/mapping`, `root/query` (no poses) and `root/query_truth.txt`; DataError names what is missing."""
    mapping, query = captures(config.source)
    write_scene(root, mapping, query, config.transfer)


def make_all(root: Path, source: Path) -> None:
    """Write every scene as a place, with the depth that is looked at: registered to the colour, of mapping alone."""
    scenes = sorted(path.parent for path in source.glob(f"*/{SPLITS['mapping']}"))
    write_scenes(root, source, scenes, _lean_captures, "copy")


def _lean_captures(folder: Path) -> tuple[Capture, Capture]:
    mapping, query = captures(folder)
    return only_depth_of(mapping, KIT.registered_id), replace(query, others={})


def captures(folder: Path) -> tuple[Capture, Capture]:
    """What a scene's sequences for training and for testing hold, with poses."""
    frames = all_frames(folder)
    mapping, query = (
        capture_of(folder, [frame for frame in frames if frame.stem.split("/")[0] in sequences], KIT)
        for sequences in [_sequences(folder, name) for name in SPLITS.values()]
    )
    return mapping, query


def all_frames(folder: Path) -> list[Frame]:
    """Every frame of every sequence; their numbers in that order are the timestamps."""
    required(folder, "folder of a scene")
    poses = sorted(folder.glob("seq-*/frame-*.pose.txt"))
    if not poses:
        raise DataError(f"{folder}: no seq-*/frame-*.pose.txt here; unpack the sequences first")
    stems = [path.relative_to(folder).as_posix().removesuffix(".pose.txt") for path in poses]
    return [frame_of(folder, stem, time) for time, stem in enumerate(stems)]


def _sequences(folder: Path, name: str) -> list[str]:
    """The folders that a split file names as `sequence1` or `seq-01`; DataError for one that is not there."""
    path, found = required(folder / name), []
    for line, text in data_lines(path):
        match = re.fullmatch(r"(?:sequence|seq-)(\d+)", text)
        if match is None:
            raise refusal(path, line, "no sequence", "sequence1, sequence2 ...", text)
        sequence = f"seq-{int(match[1]):02d}"
        if not (folder / sequence).is_dir():
            raise refusal(path, line, f"there is no folder {sequence}", hint="unpack the sequences first")
        found.append(sequence)
    return found
