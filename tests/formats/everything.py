"""A capture that holds one of everything kapture can hold, and a plain view of captures for comparing."""

import hashlib
from typing import Any

import numpy as np

from vloc.data.capture import Capture, Sensor
from vloc.data.reconstruction import Features, InMemory, MatchedPairs, Observations, Points, Reconstruction
from vloc.data.records import Readings, Records, Trajectory
from vloc.data.rigs import RigMember
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

READINGS: dict[str, dict[str, list]] = {
    "wifi": {
        "BSSID": ["68:72:51", "68:9c:e2"], "frequency": [2417, 5765], "RSSI": [-33.5, -49.0],
        "SSID": ["my net", "@ü"], "scan_time_start": [0, 1], "scan_time_end": [2, 3],
    },
    "bluetooth": {"address": ["35:A8", "6F:80"], "RSSI": [-73.0, -88.25], "name": ["", "phone"]},
    "gnss": {"x": [13.4, 13.5], "y": [52.5, -0.1], "z": [27.0, 1 / 3], "utc": [0, 514850400], "dop": [5.0, 10.0]},
    "accelerometer": {"x_accel": [0.1, 0.2], "y_accel": [9.81, -9.81], "z_accel": [1e-9, 1e9]},
    "gyroscope": {"x_speed": [0.1, 0.2], "y_speed": [0.0, 1.0], "z_speed": [1e-9, 1e9]},
    "magnetic": {"x_strength": [0.1, 0.2], "y_strength": [0.0, 1.0], "z_strength": [1e-9, 1e9]},
}  # fmt: skip
IMAGES = ("a/0 ü.jpg", "a/1.jpg", "b/0.jpg")
POSE = Rigid.from_quat_wxyz(np.array([0.5, 0.5, -0.5, 0.5]), np.array([1.0, -2.0, 1 / 3]))


def everything() -> Capture:
    """All sensor types, nested rigs, whole, half and unknown poses, all records, features, matches and points."""
    depth = Camera("SIMPLE_PINHOLE", 64, 48, (50.0, 32.5, 24.5))
    sensors = {
        "cam a": Sensor("camera", "left", Camera("OPENCV", 640, 480, (500.5, 501, 320, 240, 0.1, -0.2, 1e-5, 0))),
        "cam/b": Sensor("camera", "", Camera("UNKNOWN_CAMERA", 64, 48)),
        "d": Sensor("depth", "kinect", depth),
        "l": Sensor("lidar"),
        "odometry": Sensor("odometry", "wheel", None, ("0.1", "x")),
        **{kind: Sensor(kind, "", None, ("EPSG:4326",) if kind == "gnss" else ()) for kind in READINGS},
    }
    half = np.array([[0.6, 0.8, 0, 0], [np.nan] * 4, [np.nan] * 4])
    trajectory = Trajectory(
        np.array([-5, 7, 1555399760151000123]), np.array([1, 0, 0], np.int32), ("cam/b", "outer"),
        half, np.array([[1.0, 2, 3], [4, 5, 6], [np.nan] * 3]),
    )  # fmt: skip
    rigs = (RigMember("rig", "cam a", POSE), RigMember("rig", "d", None), RigMember("outer", "rig", POSE))
    return Capture(
        sensors,
        Records.from_rows([(-5, "cam a", IMAGES[0]), (7, "cam a", IMAGES[1]), (7, "cam/b", IMAGES[2])]),
        trajectory,
        rigs,
        {"depth": Records.from_rows([(7, "d", "a/1.depth")]), "lidar": Records.from_rows([(7, "l", "l/1.pcd")])},
        {kind: readings(kind) for kind in READINGS},
        reconstruction(),
    )


def readings(kind: str) -> Readings:
    """Two rows: at one time where a scan sees many, else at two."""
    columns = {n: c if isinstance(c[0], str) else np.array(c) for n, c in READINGS[kind].items()}
    times = [7, 7] if kind in ("wifi", "bluetooth") else [7, 8]
    return Readings(np.array(times), np.zeros(2, np.int32), (kind,), columns)


def reconstruction() -> Reconstruction:
    """Two types of keypoints of different dtypes, descriptors of both, a global descriptor, matches and points."""
    rng = np.random.default_rng(0)
    sift = {name: rng.uniform(0, 99, (n, 4)).astype(np.float32) for name, n in zip(IMAGES, (5, 0, 3), strict=True)}
    orb = {IMAGES[0]: rng.uniform(0, 99, (2, 2))}
    codes = {name: rng.integers(0, 255, (len(a), 8), np.uint8) for name, a in sift.items()}
    halves = {IMAGES[0]: rng.normal(size=(2, 3)).astype(np.float32)}
    vectors = {name: rng.normal(size=(1, 6)).astype(np.float32) for name in IMAGES}
    pair = (IMAGES[0], IMAGES[2])
    return Reconstruction(
        Points(rng.normal(size=(3, 3)), np.array([[0, 1, 255]] * 3, np.uint8)),
        {
            "sift": Observations(*(np.array(c, np.int32) for c in ([0, 0, 2], [0, 2, 0], [4, 2, 1]))),
            "orb": Observations(*(np.array(c, np.int32) for c in ([0], [0], [1]))),
        },
        {"sift": features("SIFT", sift), "orb": features("ORB", orb)},
        {"root": features("rootsift", codes, "sift", "L2"), "orb": features("orb", halves, "orb", "hamming")},
        {"gem": features("dirtorch", vectors, "", "L2")},
        {"sift": MatchedPairs([pair], InMemory({pair: np.array([[4, 0, 0.5], [1, 2, 1 / 3]])}))},
    )


def features(extractor: str, arrays: dict[str, np.ndarray], keypoints: str = "", metric: str = "") -> Features:
    """Features from arrays."""
    first = next(iter(arrays.values()))
    return Features(extractor, first.dtype, first.shape[1], list(arrays), InMemory(arrays), keypoints, metric)


def plain(capture: Capture) -> dict[str, Any]:
    """The same view as `kapture_dump.py` gives of what kapture reads."""
    view: dict[str, Any] = {"sensors": {i: [s.kind, s.name, sensor_numbers(s)] for i, s in capture.sensors.items()}}
    poses = [(m, *pose(m.sensor_from_rig)) for m in capture.rigs]
    view["rigs"] = sorted([m.rig_id, m.sensor_id, unit(q, canonical=True), t] for m, q, t in poses)
    track = capture.trajectory
    view["trajectories"] = [
        [time, track.device_ids[device], *(None if np.isnan(part[0]) else part.tolist() for part in parts)]
        for time, device, *parts in zip(
            track.timestamps.tolist(), track.devices, track.quat_wxyz, track.translation, strict=True
        )
    ]
    for kind, rows in {"camera": capture.images, **capture.others}.items():
        names = [rows.device_ids[device] for device in rows.devices]
        view[kind] = sorted(map(list, zip(rows.timestamps.tolist(), names, rows.names, strict=True)))
    for kind, own in capture.readings.items():
        columns = [np.asarray(column).tolist() for column in own.columns.values()]
        view[kind] = sorted(
            [time, own.device_ids[device], *values]
            for time, device, *values in zip(own.timestamps.tolist(), own.devices, *columns, strict=True)
        )
    return {**view, **plain_reconstruction(capture)}


def plain_reconstruction(capture: Capture) -> dict[str, Any]:
    """The computed part of the view."""
    work, view = capture.reconstruction or Reconstruction(), dict[str, Any]()
    for kind in ("keypoints", "descriptors", "global_features"):
        view[kind] = {}
        for name, own in getattr(work, kind).items():
            said = [own.extractor, np.dtype(own.dtype).name, own.width]
            said += {"keypoints": [], "descriptors": [own.keypoints_type, own.metric], "global_features": [own.metric]}[
                kind
            ]
            view[kind][name] = {
                "said": said,
                "images": {image: digest(own.load(image)) for image in sorted(own.images)},
            }
    view["matches"] = {n: [[*pair, own.load(pair).tolist()] for pair in own.pairs] for n, own in work.matches.items()}
    points = work.points
    view["points"] = (
        None if points is None else (points.xyz if points.rgb is None else np.hstack([points.xyz, points.rgb])).tolist()
    )
    view["observations"] = sorted(
        [int(point), kind, capture.images.names[image], int(keypoint)]
        for kind, seen in work.observations.items()
        for point, image, keypoint in zip(seen.points, seen.images, seen.keypoints, strict=True)
    )
    return view


def sensor_numbers(sensor: Sensor) -> list:
    """The parameters, those of cameras as numbers."""
    camera = sensor.camera
    return list(sensor.params) if camera is None else [camera.model, camera.width, camera.height, *camera.params]


def pose(rigid: Rigid | None) -> list:
    """[rotation or None, translation or None]"""
    return [None, None] if rigid is None else [rigid.quat_wxyz.tolist(), rigid.translation.tolist()]


def digest(array: np.ndarray) -> list:
    """Shape and content of an array."""
    return [list(array.shape), hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()]


def of_kapture(dump: dict[str, Any]) -> dict[str, Any]:
    """kapture's view with its known liberties undone: numbers as text, quaternions as they are, unordered pairs."""
    view = dict(dump)
    view["sensors"] = {
        i: [k, n, numbers(p) if k in ("camera", "depth") else p] for i, (k, n, p) in dump["sensors"].items()
    }
    view["rigs"] = sorted([rig, sensor, unit(q, canonical=True), t] for rig, sensor, q, t in dump["rigs"])
    view["trajectories"] = [[time, device, unit(q), t] for time, device, q, t in dump["trajectories"]]
    for kind in ("keypoints", "descriptors", "global_features"):
        view[kind] = {
            name: {**own, "said": [{"float": "float64", "int": "int64"}.get(x, x) for x in own["said"]]}
            for name, own in dump[kind].items()
        }
    view["matches"] = {name: sorted(map(ordered, own)) for name, own in dump["matches"].items()}
    view["observations"] = sorted(dump["observations"])
    return {key: value for key, value in view.items() if value or key in ("points", "sensors")}


def numbers(params: list[str]) -> list:
    """A camera's parameters."""
    return [params[0], int(params[1]), int(params[2]), *map(float, params[3:])]


def unit(quat: list[float] | None, canonical: bool = False) -> list[float] | None:
    """A quaternion of norm 1; with `canonical`, of a scalar part that is not negative."""
    if quat is None:
        return None
    values = np.array(quat) / np.linalg.norm(quat)
    first = next(value for value in values if abs(value) > 1e-12)
    return (values if not canonical or first > 0 else -values).tolist()


def ordered(pair: list) -> list:
    """Matches of the smaller name first."""
    first, second, rows = pair
    return pair if first < second else [second, first, [[b, a, score] for a, b, score in rows]]
