"""Writing COLMAP text models, every number so that it reads back exactly."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...geometry.rigid import Rigid
from ..camera_text import format_number
from .model import ColmapImages, ColmapModel, ColmapPoints, pose_numbers


def write_text(folder: Path, model: ColmapModel) -> None:
    """Write the text files of a model; every number reads back exactly."""
    _write(folder / "cameras.txt", "CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]", _camera_lines(model))
    _write(
        folder / "images.txt",
        "two lines an image: IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME; POINTS2D[] as (X, Y, POINT3D_ID)",
        _image_lines(model.images),
    )
    _write(
        folder / "points3D.txt",
        "POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)",
        _point_lines(model.points),
    )

    if model.rigs:
        _write(folder / "rigs.txt", "RIG_ID, NUM_SENSORS, REF_SENSOR_TYPE, REF_SENSOR_ID, SENSORS[]", _rig_lines(model))
        _write(
            folder / "frames.txt", "FRAME_ID, RIG_ID, RIG_FROM_WORLD[], NUM_DATA_IDS, DATA_IDS[]", _frame_lines(model)
        )


def _write(path: Path, header: str, lines: Iterator[str]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"# {header}\n")
        file.writelines(f"{line}\n" for line in lines)


def _camera_lines(model: ColmapModel) -> Iterator[str]:
    for number, camera in model.cameras.items():
        yield f"{number} {camera.model} {camera.width} {camera.height} {' '.join(map(format_number, camera.params))}"


def _image_lines(images: ColmapImages) -> Iterator[str]:
    for row, name in enumerate(images.names):
        yield f"{images.ids[row]} {' '.join(map(repr, images.poses[row].tolist()))} {images.camera_ids[row]} {name}"
        own = slice(images.offsets[row], images.offsets[row + 1])
        pairs = zip(images.keypoints[own].tolist(), images.point_ids[own].tolist(), strict=True)
        yield " ".join(f"{x!r} {y!r} {point}" for (x, y), point in pairs)


def _rig_lines(model: ColmapModel) -> Iterator[str]:
    for rig in model.rigs:
        (kind, number, _), *others = rig.sensors
        yield f"{rig.rig_id} {len(rig.sensors)} {kind} {number} {' '.join(map(_rig_sensor, others))}"


def _rig_sensor(sensor: tuple[str, int, Rigid | None]) -> str:
    kind, number, pose = sensor
    return f"{kind} {number} 0" if pose is None else f"{kind} {number} 1 {' '.join(map(repr, pose_numbers(pose)))}"


def _frame_lines(model: ColmapModel) -> Iterator[str]:
    for frame in model.frames:
        pose, data = " ".join(map(repr, frame.pose.tolist())), " ".join(f"{k} {s} {i}" for k, s, i in frame.data)
        yield f"{frame.frame_id} {frame.rig_id} {pose} {len(frame.data)} {data}"


def _point_lines(points: ColmapPoints) -> Iterator[str]:
    for row, number in enumerate(points.ids.tolist()):
        xyz, rgb = " ".join(map(repr, points.xyz[row].tolist())), " ".join(map(str, points.rgb[row].tolist()))
        track = points.tracks[points.offsets[row] : points.offsets[row + 1]].ravel().tolist()
        yield f"{number} {xyz} {rgb} {points.errors[row].item()!r} {' '.join(map(str, track))}"
