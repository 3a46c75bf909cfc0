"""A small whole sample of every format that vloc reads, in the forms it is found in, for tests that damage them."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from everything import everything, features
from PIL import Image
from vloc.datasets.synthetic_gallery import GalleryConfig, make

from vloc.cli.estimates import read_estimates, write_results
from vloc.cli.main import main
from vloc.cli.map import MapFlags
from vloc.cli.settings import parse
from vloc.config import MappingConfig
from vloc.data.capture import Capture, Sensor
from vloc.data.estimate import PoseEstimate
from vloc.data.reconstruction import InMemory, MatchedPairs, Observations, Points, Reconstruction
from vloc.data.records import Records, Trajectory
from vloc.data.rigs import RigMember
from vloc.formats.access import read, write
from vloc.formats.images import decode
from vloc.formats.pairs import read_pairs
from vloc.formats.results import read_poses, write_poses
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.map import Map

NAMES = ["a/0.jpg", "a/1.jpg", "b/2.jpg"]
CAMERA = Camera("SIMPLE_RADIAL", 64, 48, (50.0, 32.0, 24.0, 0.05))
SIZE = "SIMPLE_RADIAL,64,48,50,32,24,0"
INSIDE = "capture"
"""what is read of a sample's folder"""
READ_AS = {"colmap-text": "colmap", "colmap-db3": "colmap-db", "bare-list": "list"}
"""formats whose name is not the last word of the sample's"""
EUROC_SHEET = """sensor_type: camera
T_BS:
  data: [0, 0, 1, 1,  -1, 0, 0, 0,  0, -1, 0, 0,  0, 0, 0, 1]
resolution: [64, 48]
camera_model: pinhole
intrinsics: [50, 50, 32, 24]
distortion_model: radial-tangential
distortion_coefficients: [-0.28, 0.07, 0.0002, 1.8e-05]
"""
EUROC = {
    "cam0/sensor.yaml": EUROC_SHEET,
    "cam0/data.csv": "#timestamp [ns],filename\r\n10,10.png\r\n15,15.png\r\n",
    "imu0/sensor.yaml": "sensor_type: imu\nT_BS:\n  data: [1, 0, 0, 0,  0, 1, 0, 0,  0, 0, 1, 0,  0, 0, 0, 1]\n",
    "imu0/data.csv": "#timestamp [ns],x,y,z,a,b,c\n10,0.1,0.2,0.3,9.1,9.2,9.3\n12,0.1,0.2,0.3,9.1,9.2,9.3\n",
    "state_groundtruth_estimate0/data.csv": f"#timestamp{',x' * 16}\n10,10,0,0,1,0,0,0{',0' * 9}\n",
}


@dataclass(frozen=True)
class Sample:
    """Files below a folder, and how they are read; `load` gives the counts of what was read."""

    name: str
    folder: Path
    load: Callable[[], dict[str, int]]


def small() -> Capture:
    """Three posed images that see five points, with descriptors, a global feature and matches."""
    rng = np.random.default_rng(0)
    keypoints = {name: rng.uniform(0, 48, (6, 2)) for name in NAMES}
    codes = {name: rng.integers(0, 255, (6, 128), np.uint8) for name in NAMES}
    vectors = {name: rng.normal(size=(1, 4)).astype(np.float32) for name in NAMES}
    pairs = {(NAMES[0], NAMES[1]): np.array([[0.0, 0, 1], [1, 1, 1]]), (NAMES[1], NAMES[2]): np.array([[2.0, 3, 1]])}
    seen = Observations(*(np.array(c, np.int32) for c in ([0, 0, 1, 2, 3, 4], [0, 1, 1, 2, 2, 0], [0, 1, 2, 0, 1, 5])))
    work = Reconstruction(
        Points(rng.normal(size=(5, 3)), rng.integers(0, 255, (5, 3)).astype(np.uint8), np.full(5, 0.5)),
        {"k": seen},
        {"k": features("k", keypoints)},
        {"d": features("SIFT", codes, "k", "L2")},
        {"g": features("g", vectors, "", "L2")},
        {"k": MatchedPairs(list(pairs), InMemory(pairs))},
    )
    poses = [(i, "cam", Rigid.from_quat_wxyz(rng.normal(size=4), rng.normal(size=3))) for i in range(3)]
    records = Records.from_rows([(i, "cam", name) for i, name in enumerate(NAMES)])
    sensors = {"cam": Sensor("camera", camera=CAMERA)}
    return Capture(sensors, records, Trajectory.from_rows(poses), reconstruction=work)


def on_a_rig() -> Capture:
    """Two cameras on a rig that took an image each."""
    sensors = {name: Sensor("camera", camera=CAMERA) for name in ("left", "right")}
    shifted = Rigid(np.eye(3), np.array([0.5, 0, 0]))
    return replace(
        small(),
        sensors=sensors,
        images=Records.from_rows([(1, "left", NAMES[0]), (1, "right", NAMES[1]), (2, "left", NAMES[2])]),
        trajectory=Trajectory.from_rows([(1, "rig", shifted), (2, "rig", shifted.inverse())]),
        rigs=(RigMember("rig", "left", Rigid.identity()), RigMember("rig", "right", shifted)),
    )


def photo(exif: bool = False) -> bytes:
    """A JPEG of 64 x 48, with a focal length and a position where wanted."""
    image, tags, file = Image.new("RGB", (64, 48), (90, 60, 30)), Image.Exif(), io.BytesIO()
    if exif:
        tags[0x010F], tags[0x0110], tags[0x0112] = "Maker", "Model", 6
        tags.get_ifd(0x8769)[0xA405] = 28
        tags.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 0.0, 0.0), 6: 27.0})
    image.save(file, "JPEG", exif=tags)
    return file.getvalue()


def counted(capture: Capture, *, decoded: bool = False) -> dict[str, int]:
    """What there is of each kind, every array read and every pose composed; where wanted, every image `decoded`."""
    for name in capture.images.names if decoded and capture.files else []:
        decode(capture.files.read(name), name, color=True)
    work = capture.reconstruction or Reconstruction()
    counts = {"images": len(capture.images), "poses": int(capture.has_pose.sum()), "sensors": len(capture.sensors)}
    counts |= {kind: len(rows) for kind, rows in {**capture.others, **capture.readings}.items()}
    counts |= {"points": len(work.points or ()), "rigs": len(capture.rigs)}
    for part in ("keypoints", "descriptors", "global_features"):
        counts[part] = sum(len(own.load(name)) for own in getattr(work, part).values() for name in own.images)
    counts["matches"] = sum(len(own.load(pair)) for own in work.matches.values() for pair in own.pairs)
    counts["observations"] = sum(map(len, work.observations.values()))
    return counts


def make_samples(root: Path) -> dict[str, Sample]:
    """One sample of each form by name, each in a folder of its own below `root`."""
    for form in ("colmap", "colmap-text", "colmap-db", "colmap-db3", "nerfstudio", "openmvg", "opensfm", "hloc"):
        _write(small(), root, form, form)
    for form in ("bundler", "nvm", "list", "tum", "kapture"):
        _write(small(), root, form, form)
    for form in ("colmap", "colmap-text", "colmap-db", "kapture", "lamar", "tum"):
        _write(on_a_rig(), root, f"rig-{form}", form)
    _write(everything(), root, "all-kapture", "kapture")
    _write(everything(), root, "packed-kapture", "kapture", pack=True)
    _add_what_vloc_does_not_write(root)
    captures = [_capture_sample(folder) for folder in sorted(root.iterdir())]
    others = [_poses(root), _pairs(root), _results(root), _settings(root)]
    return {sample.name: sample for sample in (*captures, *others)}


def _write(capture: Capture, root: Path, name: str, form: str, **options: Any) -> None:
    (root / name).mkdir(parents=True)
    write(capture, f"{form}:{root / name / INSIDE}", transfer="skip", **options)


def _add_what_vloc_does_not_write(root: Path) -> None:
    """Forms of files that are only read."""
    for name, text in EUROC.items():
        _put(root / "euroc" / INSIDE / "mav0" / name, text.encode())
    for number, name in enumerate(NAMES):
        _put(root / "images" / INSIDE / name, photo(exif=number > 0))
    for suffix in ("png", "tif", "webp", "bmp", "gif", "jp2", "ppm"):
        file = io.BytesIO()
        Image.linear_gradient("L").resize((32, 24)).save(file, Image.registered_extensions()[f".{suffix}"])
        _put(root / "images-kinds" / INSIDE / f"0.{suffix}", file.getvalue())
    _write_video(root / "video")
    _put(root / "bare-list" / INSIDE, "".join(f"{name}\n" for name in NAMES).encode())
    for name in NAMES:
        _put(root / "bare-list" / name, photo(exif=True))
    shutil.copytree(root / "openmvg", root / "openmvg-bin")
    matches = root / "openmvg-bin" / INSIDE / "matches"
    (matches / "matches.f.txt").unlink()
    pair = bytes.fromhex("01 0100000000000000 00000000 01000000 0100000000000000 00000000 00000000")
    (matches / "matches.f.bin").write_bytes(pair)
    shutil.copytree(root / "opensfm", root / "opensfm-features")
    for name in NAMES:
        file = io.BytesIO()
        np.savez_compressed(file, points=np.full((6, 4), 0.1), descriptors=np.zeros((6, 8), np.uint8))
        _put(root / "opensfm-features" / INSIDE / "features" / f"{name}.features.npz", file.getvalue())


def _write_video(folder: Path) -> None:
    import cv2

    folder.mkdir()
    writer = cv2.VideoWriter(str(folder / "v.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 20, (32, 24))
    for number in range(4):
        writer.write(np.full((24, 32, 3), 40 * number, np.uint8))
    writer.release()
    (folder / "v.avi").rename(folder / INSIDE)


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _capture_sample(folder: Path) -> Sample:
    form = folder.name.split("-", 1)[1] if folder.name.startswith(("rig-", "all-", "packed-")) else folder.name
    form = READ_AS.get(form, form.split("-")[0] if form not in ("colmap-db",) else form)
    location = f"{form}:{folder / INSIDE}"
    options: dict[str, Any] = {"camera": SIZE} if form in ("bundler", "nvm") else {}
    options |= {"every": 1} if form == "video" else {}
    is_decoded = form in ("images", "video")
    return Sample(folder.name, folder, lambda: counted(read(location, **options), decoded=is_decoded))


def _poses(root: Path) -> Sample:
    path = root / "poses" / "poses.txt"
    capture = small()
    _put(path, b"")
    write_poses(path, {name: capture.pose(name) for name in NAMES})
    return Sample("poses", path.parent, lambda: {"poses": len(read_poses(path))})


def _pairs(root: Path) -> Sample:
    path, capture = root / "pairs" / "pairs.txt", small()
    _put(path, "".join(f"{NAMES[0]}, {name}, 0.5\n" for name in NAMES[1:]).encode())
    return Sample("pairs", path.parent, lambda: {"pairs": len(read_pairs(path, capture))})


def _results(root: Path) -> Sample:
    path, capture = root / "results" / "poses.txt", small()
    path.parent.mkdir()
    estimates = [PoseEstimate(name, capture.pose(name), "pnp", 99, 120, np.eye(6)) for name in NAMES]
    write_results(path, estimates, {NAMES[0]: 0.5})
    return Sample("results", path.parent, lambda: {"poses": len(read_estimates(path))})


def _settings(root: Path) -> Sample:
    path = root / "settings" / "settings.toml"
    _put(path, b'extract = "sift:max_keypoints=500"\nseed = 3\n[match]\nratio = 0.75\n[pair]\nnum_pairs = 5\n')
    arguments = ["capture", "map", "--config", str(path)]
    return Sample("settings", path.parent, lambda: {"parts": len(parse("map", MapFlags, MappingConfig, arguments))})


def make_map(root: Path) -> Sample:
    """The files of a map of five small images."""
    folder, gallery = root / "map", root.parent / "gallery"
    make(gallery, GalleryConfig(num_images=5, num_queries=1, image_size=(160, 120)))
    if main(["map", str(gallery / "mapping"), str(folder), "--features", "sift:max_keypoints=200", "--quiet"]):
        raise RuntimeError("the gallery was not mapped")
    return Sample("map", folder, lambda: _counts_of(Map.open(folder)))


def _counts_of(map_: Map) -> dict[str, int]:
    vectors = map_.vectors.value
    keypoints = sum(len(map_.features[name]) for name in map_.features)
    points = len(map_.sparse.points) if map_.frame.unit else 0
    return {"keypoints": keypoints, "points": points, "vectors": len(vectors), "trained": len(map_.trained)}
