"""Which image was where: readings of its camera, and a receiver's track."""

import numpy as np
import pytest

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Readings, Records
from vloc.errors import DataError
from vloc.formats.gps import LOCAL, WGS84, Position, gnss_readings, gps_sensor
from vloc.geometry.camera import Camera
from vloc.stages.positions import positions_of

CAMERA = Sensor("camera", camera=Camera("SIMPLE_PINHOLE", 10, 10, (9.0, 5.0, 5.0)))


def capture(times: list[int], device: str, readings: Readings, system: str = WGS84) -> Capture:
    rows = [(time, "cam", f"{time}.jpg") for time in times]
    return Capture({"cam": CAMERA, device: gps_sensor(system)}, Records.from_rows(rows), readings={"gnss": readings})


def readings(device: str, rows: list[tuple[int, float, float, float]]) -> Readings:
    return gnss_readings([(time, device, Position(north, east, up)) for time, east, north, up in rows])


def test_exif_positions_belong_to_the_image_of_their_time_and_to_no_other() -> None:
    own = readings("GPS_cam", [(0, 2.0, 48.0, 50.0), (2, 2.0, 48.001, 60.0)])
    found = positions_of(capture([0, 1, 2], "GPS_cam", own))
    assert found.origin == (48.0005, 2.0, 55.0)
    assert set(found.xyz) == {"0.jpg", "2.jpg"}  # the one between has none of its own, and none is made up
    # 0.001 degrees of latitude at 48 degrees: the meridian's radius there is 6,370,733 m
    apart = found.xyz["2.jpg"] - found.xyz["0.jpg"]
    np.testing.assert_allclose(apart, [0, 6_370_788 * np.radians(0.001), 10], atol=2e-3)


def test_a_receivers_track_is_read_between_two_readings_but_not_across_a_gap_nor_beyond_its_end() -> None:
    track = readings("receiver", [(t, float(t), 2.0 * t, 0.0) for t in (0, 10, 20, 30, 100, 110)])
    found = positions_of(capture([5, 20, 60, 105, 200], "receiver", track, LOCAL))
    assert found.origin is None
    assert {name: xyz.tolist() for name, xyz in found.xyz.items()} == {
        "5.jpg": [5, 10, 0], "20.jpg": [20, 40, 0], "105.jpg": [105, 210, 0],
    }  # fmt: skip


def test_a_gap_is_longer_than_two_usual_intervals() -> None:
    track = readings("receiver", [(t, float(t), 0.0, 0.0) for t in (0, 10, 20, 30, 49, 70)])  # 10 s, then 19 and 21
    found = positions_of(capture([40, 60], "receiver", track, LOCAL))
    assert {name: xyz.tolist() for name, xyz in found.xyz.items()} == {"40.jpg": [40, 0, 0]}


def test_two_readings_are_a_track_with_both_its_ends() -> None:
    track = readings("receiver", [(0, 5.0, 6.0, 7.0), (1, 8.0, 9.0, 10.0)])
    found = positions_of(capture([0, 1, 2], "receiver", track, LOCAL))
    assert {name: xyz.tolist() for name, xyz in found.xyz.items()} == {"0.jpg": [5, 6, 7], "1.jpg": [8, 9, 10]}
    assert positions_of(capture([0], "receiver", readings("receiver", [(0, 5.0, 6.0, 7.0)]), LOCAL)) is None


def test_readings_in_two_systems_are_refused() -> None:
    both = gnss_readings([(time, f"GPS_{time}", Position(0.0, 0.0, 0.0)) for time in (1, 2)])
    sensors = {"cam": CAMERA, "GPS_1": gps_sensor(WGS84), "GPS_2": gps_sensor(LOCAL)}
    with pytest.raises(DataError, match="expected all in"):
        positions_of(Capture(sensors, Records.from_rows([(1, "cam", "1.jpg")]), readings={"gnss": both}))


def test_a_capture_without_readings_has_no_positions() -> None:
    assert positions_of(Capture({"cam": CAMERA}, Records.from_rows([(1, "cam", "1.jpg")]))) is None
    assert positions_of(capture([1], "GPS_cam", readings("GPS_cam", []))) is None
    assert positions_of(capture([1], "GPS_cam", readings("GPS_cam", [(7, 0.0, 0.0, 0.0)]))) is None


def test_coordinates_of_another_system_are_refused_by_its_name() -> None:
    with pytest.raises(DataError, match="EPSG:2154"):
        positions_of(capture([1], "GPS_cam", readings("GPS_cam", [(1, 0.0, 0.0, 0.0)]), "EPSG:2154"))
