"""Run by the Python that has PyPI kapture (`kapture_dump.py ROOT...`): prints what kapture itself reads, as JSON."""

import contextlib
import hashlib
import json
import logging
import sys

import kapture
from kapture.io.csv import get_all_tar_handlers, kapture_from_dir
from kapture.io.features import (
    get_descriptors_fullpath,
    get_global_features_fullpath,
    get_keypoints_fullpath,
    get_matches_fullpath,
    image_descriptors_from_file,
    image_global_features_from_file,
    image_keypoints_from_file,
    image_matches_from_file,
)

READINGS = {
    "wifi": ("frequency", "rssi", "ssid", "scan_time_start", "scan_time_end"),
    "bluetooth": ("rssi", "name"),
    "gnss": ("x", "y", "z", "utc", "dop"),
    "accelerometer": ("x_accel", "y_accel", "z_accel"),
    "gyroscope": ("x_speed", "y_speed", "z_speed"),
    "magnetic": ("x_strength", "y_strength", "z_strength"),
}
FEATURES = {
    "keypoints": (get_keypoints_fullpath, image_keypoints_from_file),
    "descriptors": (get_descriptors_fullpath, image_descriptors_from_file),
    "global_features": (get_global_features_fullpath, image_global_features_from_file),
}


def pose(transform):
    """[rotation or None, translation or None]"""
    translation = None if transform.t is None else transform.t.flatten().tolist()
    return [None if transform.r is None else transform.r_raw, translation]


def readings(data, names, keyed):
    """Rows of [timestamp, device, (transmitter,) values...]."""
    rows = []
    for time, device in sorted(data.key_pairs()):
        record = data[time, device]
        for key, value in sorted(record.items()) if keyed else [(None, record)]:
            rows.append([time, device, *([key] if keyed else []), *[getattr(value, name) for name in names]])
    return rows


def digest(array):
    """Shape and content of an array."""
    return [list(array.shape), hashlib.sha256(array.tobytes()).hexdigest()]


def features(data, kind, root, tars):
    """By type: what the text file says, and a digest an image."""
    result = {}
    path_of, load = FEATURES[kind]
    for name, own in (getattr(data, kind) or {}).items():
        images = {}
        for image in sorted(own):
            images[image] = digest(load(path_of(name, root, image, tars), own.dtype, own.dsize))
        said = [own.type_name, own.dtype if isinstance(own.dtype, str) else own.dtype.__name__, own.dsize]
        said += [getattr(own, extra) for extra in ("keypoints_type", "metric_type") if hasattr(own, extra)]
        result[name] = {"said": said, "images": images}
    return result


def dump(root):
    """Everything kapture reads in a folder."""
    tars = get_all_tar_handlers(root)
    data = kapture_from_dir(root, tar_handlers=tars)
    result = {
        "sensors": {i: [s.sensor_type, s.name or "", list(map(str, s.sensor_params))] for i, s in data.sensors.items()}
    }
    result["rigs"] = [[rig, s, *pose(p)] for rig, ss in (data.rigs or {}).items() for s, p in ss.items()]
    times = data.trajectories.key_pairs() if data.trajectories is not None else []
    result["trajectories"] = [[time, device, *pose(data.trajectories[time, device])] for time, device in sorted(times)]
    for kind in ("camera", "depth", "lidar"):
        records = getattr(data, f"records_{kind}")
        result[kind] = sorted([t, d, p] for t, d, p in kapture.flatten(records)) if records is not None else []
    for kind, names in READINGS.items():
        records = getattr(data, f"records_{kind}")
        result[kind] = readings(records, names, kind in ("wifi", "bluetooth")) if records is not None else []
    for kind in FEATURES:
        result[kind] = features(data, kind, root, tars)
    result["matches"] = {
        name: [
            [a, b, image_matches_from_file(get_matches_fullpath((a, b), name, root, tars)).tolist()]
            for a, b in sorted(pairs)
        ]
        for name, pairs in (data.matches or {}).items()
    }
    result["points"] = None if data.points3d is None else data.points3d.as_array().tolist()
    result["observations"] = []
    if data.observations is not None:
        for point, by_kind in data.observations.items():
            for kind, seen in by_kind.items():
                result["observations"] += [[point, kind, image, keypoint] for image, keypoint in seen]
    tars.close()
    return result


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    with contextlib.redirect_stdout(sys.stderr):
        everything = {root: dump(root) for root in sys.argv[1:]}
    print(json.dumps(everything))
