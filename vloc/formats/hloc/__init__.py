"""An hloc folder: features, matches and global descriptors (.h5), lists of queries with intrinsics and of pairs (.txt).

Keeps names, intrinsics, keypoints, descriptors, matches; loses poses, points, times, rigs. Keypoints have the centre of
the first pixel at 0 in these files, intrinsics at 0.5 as COLMAP's. HDF5 files that refer to others are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ...data.capture import CALIBRATED, GIVEN, Capture, Sensor
from ...data.reconstruction import Features, MatchedPairs, Reconstruction
from ...data.records import Records
from ...errors import DataError
from ...geometry.camera import Camera
from .. import image_list
from ..base import Format, ReadOptions, register
from ..camera_text import parse_camera, split_camera
from ..images import FolderImages, unsafe_path
from ..remarks import Remarks
from ..scene import image_folder
from .arrays import features_of, matches_of
from .h5 import StoredArray, load, scan
from .write import write

Scanned = dict[str, dict[str, StoredArray]]


@dataclass(frozen=True)
class Arrays:
    """Everything of the .h5 files, by the stem of the file; `sizes`: (w, h) of images that tell it."""

    keypoints: dict[str, Features] = field(default_factory=dict)
    descriptors: dict[str, Features] = field(default_factory=dict)
    global_features: dict[str, Features] = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    matches: dict[str, MatchedPairs] = field(default_factory=dict)

    @property
    def work(self) -> Reconstruction:
        """The same without sizes."""
        return Reconstruction(None, {}, self.keypoints, self.descriptors, self.global_features, self.matches)


def recognises(path: Path) -> bool:
    """A .h5 file, or a folder that has any."""
    return path.suffix == ".h5" if path.is_file() else path.is_dir() and any(path.glob("*.h5"))


def read(path: Path, options: ReadOptions) -> Capture:
    """Images of the lists, then those that only have features; timestamps are places in that order.

    Without a list the sizes in the features give cameras of unknown intrinsics. Matches belong to the only keypoints,
    or to those whose file name the matches' file name begins with.
    """
    remarks = Remarks()
    arrays = read_arrays(path, remarks)
    sensor_of = _sensors(path, options, arrays, remarks)
    ids: dict[Sensor, str] = {}
    rows = [
        (row, ids.setdefault(sensor, f"camera{len(ids)}"), name) for row, (name, sensor) in enumerate(sensor_of.items())
    ]
    names = list(sensor_of)
    folders = [options.images] if options.images else [path / "images", path, path.parent / "images"]
    return Capture(
        {sensor_id: sensor for sensor, sensor_id in ids.items()},
        Records.from_rows(rows),
        reconstruction=arrays.work,
        files=FolderImages(options.images) if options.images else image_folder(names, folders),
        pixel_center=options.pixel_center,
        notes=remarks.lines(),
        left_out=remarks.left_out(),
    )


def read_arrays(path: Path, remarks: Remarks) -> Arrays:
    """What the .h5 files of a folder, or one of them, hold."""
    files = sorted(path.glob("*.h5")) if path.is_dir() else [path]
    arrays, scanned = Arrays(), {file: scan(file) for file in files}
    for file, found in scanned.items():
        _add_features(file, found, arrays, remarks)
    for file, found in scanned.items():
        if any("matches0" in group for group in found.values()):
            kind = _keypoints_of(file, arrays)
            if kind in arrays.matches:
                raise DataError(f"{file}: a second file of matches of keypoints '{kind}'; keep one in the folder")
            arrays.matches[kind] = matches_of(file, found, arrays.counts[kind], remarks)
    return arrays


def _add_features(file: Path, found: Scanned, arrays: Arrays, remarks: Remarks) -> None:
    """Sort the arrays of a file by kind; what has no place in a capture is remarked."""
    kind = file.stem
    for group, own in found.items():
        if "matches0" in own:
            continue
        if reason := unsafe_path(group):
            raise DataError(f"{file}: {group}: {reason}")
        if "image_size" in own and own["image_size"].shape == (2,):
            arrays.sizes[group] = tuple(load(file, f"{group}/image_size").astype(int).tolist())
        for key in own.keys() - {"keypoints", "descriptors", "global_descriptor", "image_size"}:
            remarks.add(file, f"arrays '{key}' left out", first=group)
    tables = {
        "keypoints": arrays.keypoints,
        "descriptors": arrays.descriptors,
        "global_descriptor": arrays.global_features,
    }
    for key, table in tables.items():
        features = features_of(file, found, key, kind if key == "descriptors" else "", remarks)
        if features is not None:
            table[kind] = features
    if kind in arrays.keypoints:
        arrays.counts[kind] = {image: own["keypoints"].shape[0] for image, own in found.items() if "keypoints" in own}


def _keypoints_of(file: Path, arrays: Arrays) -> str:
    kinds = list(arrays.keypoints)
    named = [kind for kind in kinds if file.stem.startswith(kind)]
    if len(kinds) == 1 or named:
        return max(named, key=len) if named else kinds[0]
    raise DataError(f"{file}: which keypoints do these matches belong to? There are {', '.join(kinds) or 'none'}")


def _sensors(path: Path, options: ReadOptions, arrays: Arrays, remarks: Remarks) -> dict[str, Sensor]:
    """The sensor of every image, in the order of the lists, then by name."""
    sensors: dict[str, Sensor] = {}
    for file in sorted(path.glob("*.txt")) if path.is_dir() else []:
        if not image_list.tells_intrinsics(file):
            remarks.add(file, "lists without intrinsics left unread: matches tell their pairs")
            continue
        listed = image_list.read(file, options)
        for note in listed.notes:
            remarks.add(file, f"list of queries with a remark: {note}")
        if len(listed.trajectory):
            remarks.lose(file, "poses left out", len(listed.trajectory))
        for name in listed.images.names:
            if sensors.setdefault(name, listed.sensor(name)) != listed.sensor(name):
                raise DataError(f"{file}: '{name}' has other intrinsics than in another list")
    source = CALIBRATED if options.camera is None else GIVEN
    for features in [*arrays.keypoints.values(), *arrays.global_features.values()]:
        for name in features.images:
            if name not in sensors:
                sensors[name] = Sensor("camera", camera=_sized(name, options, arrays), focal_source=source)
    return sensors


def _sized(name: str, options: ReadOptions, arrays: Arrays) -> Camera:
    """The camera of an image that no list has."""
    size = arrays.sizes.get(name)
    try:
        if options.camera is not None:
            return parse_camera(split_camera(options.camera), size).shifted(0.5 - options.pixel_center)
        if size is not None:
            return Camera("UNKNOWN_CAMERA", *size)
    except ValueError as error:
        raise DataError(f"camera of '{name}': {error}") from None
    raise DataError(
        f"'{name}' is in no list of queries and its features tell no image_size; give --camera MODEL,w,h,..."
    )


register(
    Format(
        "hloc",
        "hloc features, matches and query lists (a folder); names, intrinsics, features, matches, no poses or points",
        recognises,
        read,
        write,
    )
)
