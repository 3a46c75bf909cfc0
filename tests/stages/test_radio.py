"""Scans heard around images, worked out by hand, and places found again by what is heard there."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vloc
from vloc.data.capture import Capture, Sensor
from vloc.data.records import Readings, Records
from vloc.data.rigs import RigMember
from vloc.errors import ConfigError, DataError
from vloc.formats.results import read_poses
from vloc.retrieval.radio import Scan, Wifi
from vloc.runtime import Runtime
from vloc.stages.images import Photos
from vloc.stages.radio import ScanItems, scan_items

SCANS = [(100, "a", -50.0), (100, "b", -80.0), (110, "a", -40.0), (120, "c", -60.0)]
"""(time, address, dBm); a scan every 10"""


def content_hash(name: str, stamp: str | None, read: Callable[[], bytes]) -> str:
    return hashlib.sha256(read()).hexdigest()


def capture(times: list[int], rigs: tuple[RigMember, ...] = (), devices: tuple[str, ...] = ("w",)) -> Capture:
    """Images `0`, `1` ... of one camera at some times; every receiver heard the same."""
    rows = [(time, number, *heard) for number in range(len(devices)) for time, *heard in SCANS]
    rows.sort(key=lambda row: row[:2])
    columns = {"BSSID": [row[2] for row in rows], "RSSI": np.array([row[3] for row in rows])}
    readings = Readings(np.array([r[0] for r in rows]), np.array([r[1] for r in rows], np.int32), devices, columns)
    images = Records.from_rows([(time, "cam", str(row)) for row, time in enumerate(times)])
    sensors = {"cam": Sensor("camera")} | {device: Sensor("wifi") for device in devices}
    return Capture(sensors, images, rigs=rigs, readings={"wifi": readings})


def items(of: Capture) -> ScanItems:
    return scan_items(Photos(of, content_hash), of.images.names, "wifi")


def test_an_image_has_the_scan_that_is_nearest_in_time() -> None:
    scans = list(items(capture([94, 104, 106, 126])))
    assert [list(scan.addresses) for scan in scans] == [["a", "b"], ["a", "b"], ["a"], ["c"]]
    assert [scan.strengths.tolist() for scan in scans] == [[-50, -80], [-50, -80], [-40], [-60]]


def test_nothing_was_heard_farther_off_than_two_intervals() -> None:
    scans = list(items(capture([79, 80, 140, 141])))
    assert [list(scan.addresses) for scan in scans] == [[], ["a", "b"], ["c"], []]


def test_a_scan_is_of_the_receivers_on_the_cameras_rig() -> None:
    beside = tuple(RigMember("rig", sensor, None) for sensor in ("cam", "w"))
    away = RigMember("other", "v", None)
    scan = items(capture([110], (*beside, away), ("v", "w"))).load(0)
    assert (list(scan.addresses), scan.strengths.tolist()) == (["a"], [-40])
    both = (*beside, RigMember("rig", "v", None))
    assert list(items(capture([110], both, ("v", "w"))).load(0).addresses) == ["a", "a"]
    with pytest.raises(DataError, match=r"camera 'cam' shares no rig with any of the receivers v, w.*rigs\.txt"):
        items(capture([110], (), ("v", "w")))


def test_readings_that_are_missing_or_of_another_time_are_told() -> None:
    with pytest.raises(DataError, match=r"0, nor any other image, has wifi readings near it in time"):
        items(capture([500]))
    with pytest.raises(DataError, match=r"no bluetooth readings \(sensors/records_bluetooth\.txt\)"):
        scan_items(Photos(capture([100]), content_hash), ["0"], "bluetooth")


def test_an_item_depends_on_what_was_heard() -> None:
    marks = [items(capture([time])).fingerprint(0) for time in (100, 101, 110)]
    assert marks[0] == marks[1] != marks[2]


def test_a_strength_counts_by_its_distance_from_the_floor_to_the_power_e() -> None:
    describe = Wifi().load(Runtime(), {})
    heard = describe(Scan(["a", "b", "c", "d"], np.array([-50.0, -80.0, -100.0, -120.0]))).vector
    expected = np.array([0.5, 0.2]) ** 2.718281828
    np.testing.assert_allclose(np.sort(heard)[-2:][::-1], expected / np.linalg.norm(expected), rtol=1e-5)
    assert heard.shape == (4096,) and np.count_nonzero(heard) == 2
    alone = describe(Scan(["a"], np.array([-90.0]))).vector
    np.testing.assert_allclose(alone @ heard, np.max(heard), rtol=1e-5)
    assert not describe(Scan([], np.zeros(0))).vector.any()


def with_wifi(source: Path, folder: Path, capture: vloc.Capture, centers: np.ndarray) -> Path:
    """A copy of a kapture folder with a scan at every image: ten access points, their signal falling with distance."""
    points = np.random.default_rng(5).uniform(-8, 8, (10, 3))
    lines = {}
    for time, center in zip(capture.images.timestamps.tolist(), centers, strict=True):
        strengths = -30 - 25 * np.log10(np.maximum(np.linalg.norm(points - center, axis=1), 0.5))
        lines[time] = [f"{time}, w, ap{row}, 2412, {dbm:.1f}, net, 0, 0" for row, dbm in enumerate(strengths)]
    shutil.copytree(source, folder)
    with (folder / "sensors" / "sensors.txt").open("a") as sensors:
        sensors.write("w, , wifi\n")
    text = "\n".join(line for time in sorted(lines) for line in lines[time])
    (folder / "sensors" / "records_wifi.txt").write_text(f"# kapture format: 1.1\n{text}\n")
    return folder


def test_queries_are_found_by_what_is_heard_around_them(gallery: Path, tmp_path: Path) -> None:
    mapping, query = vloc.read(gallery / "mapping"), vloc.read(gallery / "query")
    truth = read_poses(gallery / "query_truth.txt")
    place = np.stack([truth[name].center for name in query.images.names])
    folders = [
        with_wifi(gallery / "mapping", tmp_path / "mapping", mapping, mapping.cam_from_world.center),
        with_wifi(gallery / "query", tmp_path / "query", query, place),
    ]
    few = {"extract": "sift:max_keypoints=1000", "describe": ["wifi"], "pair": {"num_pairs": 6}}
    map_ = vloc.build_map(folders[0], tmp_path / "map", **few)
    found = vloc.localize(map_, vloc.read(folders[1]), tmp_path / "poses", retrieve={"num_retrieved": 6})
    for estimate, center in zip(found, place, strict=True):
        away = np.linalg.norm(map_.sparse.cam_from_world.center - center, axis=1)
        nearest = map_.sparse.image_names[int(away.argmin())].split("/")[1]
        assert estimate.retrieved[0].split("/")[1] == nearest  # one of the three images of that stop
        assert estimate.cam_from_world is not None
    with pytest.raises(ConfigError, match=r"its wifi came with the capture"):
        vloc.Localizer(map_)
