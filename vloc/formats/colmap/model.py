"""A COLMAP model as its files hold it, in columns; `text.py` and `binary.py` read and write it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...array_types import Float64, Int64, UInt8
from ...errors import DataError
from ...geometry.camera import Camera
from ...geometry.rigid import Rigid
from ..kapture.sensors import NOTED_NORM_ERROR, ZERO_NORM, quaternion_norms, unit_quaternions
from ..remarks import Remarks
from ..text_fields import LARGEST, within_range

# COLMAP's numbers of the models that vloc knows; later ones (11 and up) are refused by number.
MODEL_NAMES = (
    "SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "OPENCV_FISHEYE", "FULL_OPENCV", "FOV",
    "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE", "THIN_PRISM_FISHEYE",
)  # fmt: skip
SENSOR_TYPES = ("CAMERA", "IMU")
NO_POINT = -1


@dataclass(frozen=True, eq=False)
class ColmapImages:
    """Images with their keypoints one after the other: image i has rows offsets[i]:offsets[i + 1].

    Poses are `cam_from_world`; `point_ids` holds the id of the point a keypoint shows, or NO_POINT.
    """

    ids: Int64[np.ndarray, "i"]
    names: list[str]
    camera_ids: Int64[np.ndarray, "i"]
    poses: Float64[np.ndarray, "i 7"]
    offsets: Int64[np.ndarray, "i_plus_1"]
    keypoints: Float64[np.ndarray, "k 2"]
    point_ids: Int64[np.ndarray, "k"]

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class ColmapPoints:
    """Points with their tracks one after the other: rows (image id, keypoint row)."""

    ids: Int64[np.ndarray, "p"]
    xyz: Float64[np.ndarray, "p 3"]
    rgb: UInt8[np.ndarray, "p 3"]
    errors: Float64[np.ndarray, "p"]
    offsets: Int64[np.ndarray, "p_plus_1"]
    tracks: Int64[np.ndarray, "t 2"]


@dataclass(frozen=True, eq=False)
class ColmapRig:
    """(sensor type, id, sensor_from_rig or None) of each sensor; the first is the reference, with the identity."""

    rig_id: int
    sensors: tuple[tuple[str, int, Rigid | None], ...]


@dataclass(frozen=True, eq=False)
class ColmapFrame:
    """What a rig recorded at one time: (sensor type, sensor id, image id) each. `pose`: `rig_from_world`."""

    frame_id: int
    rig_id: int
    pose: Float64[np.ndarray, "7"]
    data: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, eq=False)
class ColmapModel:
    """The files of a model folder. Models before COLMAP 3.12 have neither rigs nor frames."""

    cameras: dict[int, Camera]
    images: ColmapImages
    points: ColmapPoints
    rigs: tuple[ColmapRig, ...] = ()
    frames: tuple[ColmapFrame, ...] = field(default=())
    folder: Path = Path()
    suffix: str = ".bin"

    def file(self, part: str) -> Path:
        """The file of a part, `cameras` and so on, which errors name."""
        return self.folder / f"{part}{self.suffix}"


def pose_numbers(pose: Rigid) -> list[float]:
    """qw, qx, qy, qz, tx, ty, tz."""
    return [*pose.quat_wxyz.tolist(), *pose.translation.tolist()]


def images_table(
    path: Path,
    rows: list[tuple[int, list[float], int, str]],
    keypoints: list[np.ndarray],
    point_ids: list[np.ndarray],
    remarks: Remarks,
) -> ColmapImages:
    """Columns from (image id, pose, camera id, name) rows; DataError names an image whose values are impossible."""
    poses = np.array([row[1] for row in rows], np.float64).reshape(-1, 7)
    return ColmapImages(
        np.array([row[0] for row in rows], np.int64),
        [row[3] for row in rows],
        np.array([row[2] for row in rows], np.int64),
        checked_poses(path, [row[3] for row in rows], poses, remarks),
        np.cumsum([0, *map(len, keypoints)]),
        np.concatenate([np.zeros((0, 2)), *keypoints]),
        np.concatenate([np.zeros(0, np.int64), *point_ids]),
    )


def pose_of(path: Path, item: str, numbers: Sequence[float], remarks: Remarks) -> Rigid:
    """The transform of qw, qx, qy, qz, tx, ty, tz; DataError names the item where they are no pose."""
    pose = checked_poses(path, [item], np.array([numbers], np.float64), remarks)[0]
    return Rigid.from_quat_wxyz(pose[:4], pose[4:])


def checked_poses(path: Path, items: list[str], poses: np.ndarray, remarks: Remarks) -> np.ndarray:
    """Rows (qw, qx, qy, qz, tx, ty, tz), quaternions made unit; DataError names the item with NaN or norm 0."""
    norms = quaternion_norms(poses[:, :4])
    bad = np.flatnonzero(~within_range(poses).all(1) | ~np.isfinite(norms) | (norms < ZERO_NORM))
    if len(bad):
        raise DataError(f"{path}: '{items[bad[0]]}' has the pose {poses[bad[0]].tolist()}, expected a unit quaternion")
    off = np.flatnonzero(np.abs(norms - 1) > NOTED_NORM_ERROR)
    if len(off):
        remarks.add(path, "quaternions normalised", len(off), f"{items[off[0]]}, norm {norms[off[0]]:.3g}")
    return np.hstack([unit_quaternions(poses[:, :4], norms), poses[:, 4:]])


def check_model(model: ColmapModel) -> None:
    """DataError where the files contradict each other: ids that do not exist, or tracks that differ from the images."""
    images, points = model.images, model.points
    _check_once(model.file("images"), "image id", images.ids.tolist())
    _check_once(model.file("points3D"), "point id", points.ids.tolist())
    _check_once(model.file("images"), "image", images.names)
    for name, camera in zip(images.names, images.camera_ids.tolist(), strict=True):
        if camera not in model.cameras:
            what = f"image '{name}' has camera {camera}, which {model.file('cameras').name} lacks"
            raise DataError(f"{model.file('images')}: {what}")
    camera_of = dict(zip(images.ids.tolist(), images.camera_ids.tolist(), strict=True))
    for frame in model.frames:
        for kind, sensor, image in frame.data:
            if kind == "CAMERA" and camera_of.get(image, sensor) != sensor:
                what = f"frame {frame.frame_id} gives image {image} another camera ({sensor})"
                raise DataError(f"{model.file('frames')}: {what}")
    for part, numbers in (("images", images.keypoints), ("points3D", points.xyz)):
        if not within_range(numbers).all():
            raise DataError(f"{model.file(part)}: positions that are not finite numbers, or over {LARGEST:g}")
    _check_tracks(model)


def _check_once(path: Path, what: str, ids: Sequence[int] | Sequence[str]) -> None:
    """DataError for an id that is there twice."""
    if len(set(ids)) != len(ids):
        (twice, _), *_ = Counter(ids).most_common(1)
        raise DataError(f"{path}: {what} {twice!r} is there twice")


def _check_tracks(model: ColmapModel) -> None:
    """Every track element is a keypoint that names the point, and nothing else does."""
    images, points, path = model.images, model.points, model.file("points3D")
    rows = track_rows(model)
    owners = np.repeat(points.ids, np.diff(points.offsets))
    wrong = np.flatnonzero(images.point_ids[rows] != owners)
    if len(wrong):
        image, keypoint = points.tracks[wrong[0]].tolist()
        what = f"point {owners[wrong[0]]} lists keypoint {keypoint} of image {image}"
        raise DataError(f"{path}: {what}, which {model.file('images').name} says shows another")
    named = int((images.point_ids != NO_POINT).sum())
    if named != len(np.unique(rows)) or len(rows) != named:
        what = f"{named} keypoints of {model.file('images').name} name a point, but the points list {len(rows)} of them"
        raise DataError(f"{path}: {what}")


def track_rows(model: ColmapModel) -> Int64[np.ndarray, "t"]:
    """The row of the keypoint columns of every track element; DataError where there is no such image or keypoint."""
    images, points = model.images, model.points
    if not len(points.tracks):
        return np.zeros(0, np.int64)
    image_rows = image_rows_of(model)
    counts = np.diff(images.offsets)[image_rows]
    bad = np.flatnonzero((points.tracks[:, 1] < 0) | (points.tracks[:, 1] >= counts))
    if len(bad):
        image, keypoint = points.tracks[bad[0]].tolist()
        what = f"a point lists keypoint {keypoint} of image {image}, which has {counts[bad[0]]}"
        raise DataError(f"{model.file('points3D')}: {what}")
    rows: np.ndarray = images.offsets[:-1][image_rows] + points.tracks[:, 1]
    return rows


def image_rows_of(model: ColmapModel) -> Int64[np.ndarray, "t"]:
    """The row of the image of every track element; DataError for an id that no image has."""
    images, ids = model.images, model.points.tracks[:, 0]
    order = np.argsort(images.ids, kind="stable")
    place = np.searchsorted(images.ids[order], ids)
    found = place < len(order)
    found[found] = images.ids[order[place[found]]] == ids[found]
    if not found.all():
        what = f"a point lists image {ids[np.argmin(found)]}, which {model.file('images').name} lacks"
        raise DataError(f"{model.file('points3D')}: {what}")
    rows: np.ndarray = order[place]
    return rows
