"""Places by satellite as descriptors, held against distances on the earth, and alike photos told apart by them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vloc
from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records
from vloc.errors import ConfigError, DataError, StageError
from vloc.formats.gps import LOCAL, WGS84, Position, gnss_readings, gps_sensor
from vloc.formats.results import read_poses
from vloc.retrieval import FUSIONS
from vloc.retrieval.gnss import Gnss, Place
from vloc.retrieval.search import search
from vloc.runtime import Runtime
from vloc.stages.images import Photos
from vloc.stages.places import PlaceItems, place_items

NORTH, EAST = 6_370_788.0, 4_276_000.0
"""m for a radian of latitude and of longitude at 48 degrees north (EPSG 9602, worked out by hand)"""
NOWHERE = Place(np.full(3, np.nan))


def content_hash(name: str, stamp: str | None, read: Callable[[], bytes]) -> str:
    return hashlib.sha256(read()).hexdigest()


def items(positions: dict[int, tuple[float, float]], times: list[int], system: str = WGS84) -> PlaceItems:
    """Of images `0`, `1` ... of one camera at some times; readings at some times, degrees or metres east and north."""
    rows = [(time, "GPS_cam", Position(north, east, 77.0)) for time, (east, north) in positions.items()]
    sensors = {"cam": Sensor("camera"), "GPS_cam": gps_sensor(system)}
    images = Records.from_rows([(time, "cam", str(row)) for row, time in enumerate(times)])
    capture = Capture(sensors, images, readings={"gnss": gnss_readings(rows)} if rows else {})
    return place_items(Photos(capture, content_hash), images.names)


def vectors(descriptor: Gnss, places: PlaceItems | list[Place]) -> np.ndarray:
    """Of all places, after learning from them."""
    describe = descriptor.load(Runtime(), descriptor.train(Runtime(), places, 0))
    return np.stack([describe(place).vector for place in places])


@pytest.mark.parametrize("metres", [0, 5, 25, 50, 500, 50_000])
@pytest.mark.parametrize("way", ["north", "east"])
def test_similarity_falls_with_metres_on_the_ground(metres: float, way: str) -> None:
    degrees = np.degrees(metres / {"north": NORTH, "east": EAST}[way])
    moved = (2.0, 48.0 + degrees) if way == "north" else (2.0 + degrees, 48.0)
    first, second = vectors(Gnss(), items({0: (2.0, 48.0), 1: moved}, [0, 1]))
    expected = (1 + np.exp(-((metres / 25) ** 2) / 2)) / 2
    assert abs(first @ second - expected) < 3 * 0.008
    assert abs(first @ first - 1) < 1e-5 and first.dtype == np.float32 and first.shape == (4097,)


def test_readings_in_metres_are_taken_as_they_are() -> None:
    places = items({0: (1.0, 2.0), 1: (4.0, 6.0)}, [0, 1], LOCAL)
    first, second = vectors(Gnss(scale=5), places)
    assert abs(first @ second - (1 + np.exp(-0.5)) / 2) < 3 * 0.008


def test_an_image_without_a_position_has_the_same_similarity_to_all() -> None:
    places = items({0: (2.0, 48.0), 1: (2.1, 48.0)}, [0, 1, 2, 3])
    made = vectors(Gnss(), places)
    np.testing.assert_allclose(made[2:] @ made.T, 0.5, atol=1e-6)


@pytest.mark.parametrize("name", FUSIONS.names())
def test_a_query_without_a_position_is_ranked_by_the_others_alone(name: str) -> None:
    rng = np.random.default_rng(0)
    looks = np.abs(rng.normal(size=(9, 5)).astype(np.float32))
    looks /= np.linalg.norm(looks, axis=1, keepdims=True)
    places = [Place(rng.uniform(0, 100, 3), True) for _ in range(8)] + [NOWHERE]
    made = vectors(Gnss(), places)
    references, queries = [looks[:8], made[:8]], [looks[8:], made[8:]]
    fused = search(queries, references, FUSIONS.parse(name), 8).of(0)
    if name in ("maximum", "minimum", "villena_roman", "min_and_max", "round_robin"):
        assert set(fused.tolist()) == set(range(8))  # these do not keep the order of any single descriptor
    else:
        assert fused.tolist() == np.argsort(-looks[:8] @ looks[8], kind="stable").tolist()


def test_a_map_without_any_position_is_told() -> None:
    with pytest.raises(StageError, match=r"gnss: no image has a position by satellite \(EXIF, .*records_gnss\.txt\)"):
        Gnss().train(Runtime(), items({}, [0, 1]), 0)


def test_positions_of_queries_are_in_the_system_of_the_maps() -> None:
    trained = Gnss().train(Runtime(), items({0: (2.0, 48.0)}, [0]), 0)
    describe = Gnss().load(Runtime(), trained)
    with pytest.raises(DataError, match=r"position is in metres of a local frame, those of the map in degrees"):
        describe(items({0: (2.0, 48.0)}, [0], LOCAL).load(0))
    describe(NOWHERE)


@pytest.mark.parametrize(
    ("reading", "told"),
    [
        ((2.0, 95.0), r"latitude 95 near the time of 0, expected -90 to 90"),
        ((-181.0, 48.0), r"longitude -181 near the time of 0, expected -180 to 180"),
        ((float("nan"), 48.0), r"longitude nan near the time of 0"),
    ],
)
def test_a_reading_that_is_not_on_earth_is_told(reading: tuple[float, float], told: str) -> None:
    with pytest.raises(DataError, match=rf"sensors/records_gnss\.txt: {told}"):
        items({0: reading}, [0])
    with pytest.raises(DataError, match=r"sensors/records_gnss\.txt: \[nan, .* near the time of 0, expected numbers"):
        items({0: (float("nan"), 48.0)}, [0], LOCAL)


def test_an_item_depends_on_its_place() -> None:
    marks = [items(readings, [0]).fingerprint(0) for readings in ({0: (2.0, 48.0)}, {0: (2.0, 48.1)}, {})]
    assert len({*marks}) == 3
    assert marks[0] == items({0: (2.0, 48.0), 9: (3.0, 48.0)}, [0]).fingerprint(0)


def with_gnss(source: Path, folder: Path, capture: vloc.Capture, centers: np.ndarray, but: int) -> Path:
    """A copy of a kapture folder with a reading at every image but one, of a place at 48 degrees north."""
    lines = [
        f"{time}, GPS_{capture.images.device_ids[device]}, {2 + np.degrees(x / EAST):.9f}, "
        f"{48 + np.degrees(y / NORTH):.9f}, 70, 0, 1"
        for time, device, (x, y, _) in zip(capture.images.timestamps, capture.images.devices, centers, strict=True)
    ]
    shutil.copytree(source, folder)
    with (folder / "sensors" / "sensors.txt").open("a") as sensors:
        sensors.write("".join(f"GPS_{device}, , gnss, EPSG:4326\n" for device in capture.images.device_ids))
    del lines[but]
    text = "\n".join(["# kapture format: 1.1", *lines, ""])
    (folder / "sensors" / "records_gnss.txt").write_text(text)
    return folder


def test_queries_are_found_by_where_they_were(gallery: Path, tmp_path: Path) -> None:
    mapping, query = vloc.read(gallery / "mapping"), vloc.read(gallery / "query")
    truth = read_poses(gallery / "query_truth.txt")
    place = np.stack([truth[name].center for name in query.images.names])
    folders = [
        with_gnss(gallery / "mapping", tmp_path / "mapping", mapping, mapping.cam_from_world.center, but=0),
        with_gnss(gallery / "query", tmp_path / "query", query, place, but=0),
    ]
    few = {"extract": "sift:max_keypoints=1000", "describe": ["gnss:scale=2"], "pair": {"num_pairs": 6}}
    map_ = vloc.build_map(folders[0], tmp_path / "map", **few)
    assert len(map_.sparse.image_names) == len(mapping.images)  # also the one without a reading
    found = vloc.localize(map_, vloc.read(folders[1]), tmp_path / "poses", retrieve={"num_retrieved": 6})
    known = np.array([name != mapping.images.names[0] for name in map_.sparse.image_names])
    for estimate, center in list(zip(found, place, strict=True))[1:]:
        away = np.linalg.norm((map_.sparse.cam_from_world.center - center)[:, :2], axis=1)[known].min()
        row = map_.sparse.image_names.index(estimate.retrieved[0])
        assert np.linalg.norm((map_.sparse.cam_from_world.center[row] - center)[:2]) < away + 0.5
        assert estimate.cam_from_world is not None
    assert len(found[0].retrieved) == 6  # the query without a reading is not refused
    with pytest.raises(ConfigError, match=r"its gnss:scale=2\.0 came with the capture"):
        vloc.Localizer(map_)
