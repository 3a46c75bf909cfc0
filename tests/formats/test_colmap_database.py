"""COLMAP's databases, with pycolmap as the judge of what vloc writes and the writer of what it reads."""

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from everything import POSE, everything, features

from vloc.data.capture import Capture, Sensor
from vloc.data.reconstruction import InMemory, MatchedPairs, Reconstruction
from vloc.data.records import Records, Trajectory
from vloc.data.rigs import RigMember
from vloc.errors import DataError
from vloc.formats.access import read, write
from vloc.formats.colmap_database.schema import MAX_IMAGE_ID, opened
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

PINHOLE = Camera("PINHOLE", 640, 480, (500.0, 501, 320, 240))
PAIR = ("a.jpg", "b c.jpg")


def rig_capture(**changes: object) -> Capture:
    """Two cameras on a rig that took one image each at one time, and a third image by a camera of its own."""
    rng = np.random.default_rng(1)
    keypoints = {name: rng.uniform(0, 400, (n, 4)).astype(np.float32) for name, n in zip(PAIR, (5, 3), strict=True)}
    codes = {name: rng.integers(0, 255, (len(a), 128), np.uint8) for name, a in keypoints.items()}
    work = Reconstruction(
        keypoints={"sift": features("SIFT", keypoints)},
        descriptors={"sift": features("SIFT", codes, "sift", "L2")},
        matches={"sift": MatchedPairs([PAIR], InMemory({PAIR: np.array([[4.0, 0, 0], [1, 2, 0]])}))},
    )
    parts = {
        "sensors": {name: Sensor("camera", camera=PINHOLE) for name in ("left", "right", "solo")},
        "images": Records.from_rows([(10, "left", PAIR[0]), (10, "right", PAIR[1]), (20, "solo", "d.jpg")]),
        "trajectory": Trajectory.from_rows([(10, "rig", POSE), (20, "solo", Rigid.identity())]),
        "rigs": (RigMember("rig", "left", POSE), RigMember("rig", "right", Rigid.identity())),
        "reconstruction": work,
    }
    return Capture(**(parts | changes))


def test_pycolmap_reads_cameras_features_matches_rigs_frames_and_priors(tmp_path: Path) -> None:
    import pycolmap

    capture = rig_capture()
    write(capture, f"colmap-db:{tmp_path / 'a.db'}", transfer="skip")
    with pycolmap.Database.open(tmp_path / "a.db") as database:
        assert [i.name for i in database.read_all_images()] == [*PAIR, "d.jpg"]
        assert database.read_camera(1).params.tolist() == [500, 501, 320, 240]
        assert database.read_camera(1).has_prior_focal_length
        work = capture.reconstruction
        assert np.array_equal(database.read_keypoints(1), work.keypoints["sift"].load(PAIR[0]))
        assert np.array_equal(database.read_descriptors(2).data, work.descriptors["sift"].load(PAIR[1]))
        assert database.read_matches(1, 2).tolist() == [[4, 0], [1, 2]]
        assert database.read_two_view_geometry(1, 2).inlier_matches.tolist() == [[4, 0], [1, 2]]
        rig = next(rig for rig in database.read_all_rigs() if rig.num_sensors() == 2)
        right_from_left = rig.sensor_from_rig(pycolmap.sensor_t(pycolmap.SensorType.CAMERA, 2))
        assert np.allclose(right_from_left.matrix()[:, :3], POSE.inverse().rotation)
        assert np.allclose(right_from_left.translation, POSE.inverse().translation)
        frames = [sorted(d.id for d in frame.data_ids) for frame in database.read_all_frames()]
        assert sorted(frames) == [[1, 2], [3]]
        priors = {prior.corr_data_id.id: prior for prior in database.read_all_pose_priors()}
        assert np.allclose(priors[1].position, capture.pose(PAIR[0]).center)
        assert priors[1].coordinate_system == pycolmap.PosePriorCoordinateSystem.CARTESIAN


def test_pycolmap_upgrades_a_database_of_the_old_schema(tmp_path: Path) -> None:
    import pycolmap

    write(rig_capture(), f"colmap-db3:{tmp_path / 'a.db'}", transfer="skip")
    with pycolmap.Database.open(tmp_path / "a.db") as database:
        assert database.num_images() == 3
        assert database.read_matches(1, 2).tolist() == [[4, 0], [1, 2]]
        assert database.num_descriptors() == 8


def test_the_old_schema_keeps_poses(tmp_path: Path) -> None:
    before = rig_capture()
    write(before, f"colmap-db3:{tmp_path / 'a.db'}", transfer="skip")
    after = read(f"colmap-db:{tmp_path / 'a.db'}")
    for name in before.images.names:
        assert np.allclose(after.pose(name).rotation, before.pose(name).rotation, atol=1e-15)
        assert np.allclose(after.pose(name).translation, before.pose(name).translation, atol=1e-15)


@pytest.mark.parametrize("form", ["colmap-db", "colmap-db3"])
def test_features_and_matches_come_back_as_they_were(tmp_path: Path, form: str) -> None:
    before = rig_capture().reconstruction
    write(rig_capture(), f"{form}:{tmp_path / 'a.db'}", pixel_center=0.0, transfer="skip")
    work = read(tmp_path / "a.db", pixel_center=0.0).reconstruction
    assert work.matches["colmap"].pairs == [PAIR]
    assert np.array_equal(work.matches["colmap"].load(PAIR), before.matches["sift"].load(PAIR))
    for name in PAIR:
        assert np.allclose(work.keypoints["colmap"].load(name), before.keypoints["sift"].load(name), atol=1e-4)
        assert np.array_equal(work.descriptors["colmap"].load(name), before.descriptors["sift"].load(name))
    assert work.keypoints["colmap"].width == 4


def test_rigs_and_frames_come_back(tmp_path: Path) -> None:
    write(rig_capture(), f"colmap-db:{tmp_path / 'a.db'}", transfer="skip")
    after = read(tmp_path / "a.db")
    assert [(m.rig_id, m.sensor_id) for m in after.rigs] == [("rig_00001", "cam_00001"), ("rig_00001", "cam_00002")]
    assert np.allclose(after.rigs[1].sensor_from_rig.translation, POSE.inverse().translation)
    assert after.images.timestamps.tolist() == [1, 1, 2]


def test_a_rig_of_unknown_geometry_stays_unknown(tmp_path: Path) -> None:
    import pycolmap

    unknown = (RigMember("rig", "left", None), RigMember("rig", "right", None))
    write(rig_capture(rigs=unknown), f"colmap-db:{tmp_path / 'a.db'}", transfer="skip")
    with pycolmap.Database.open(tmp_path / "a.db") as database:
        rig = next(rig for rig in database.read_all_rigs() if rig.num_sensors() == 2)
        assert rig.sensor_from_rig(pycolmap.sensor_t(pycolmap.SensorType.CAMERA, 2)) is None
    assert [member.sensor_from_rig is None for member in read(tmp_path / "a.db").rigs] == [False, True]


def test_columns_of_images_that_pycolmap_wrote_are_read(tmp_path: Path) -> None:
    import pycolmap as pc

    gps = pc.PosePrior(position=np.array([48.5, -2.25, 30.0]), coordinate_system=pc.PosePriorCoordinateSystem.WGS84)
    learned = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
    with pc.Database.open(tmp_path / "a.db") as database:
        camera = database.write_camera(
            pc.Camera(model="OPENCV", width=64, height=48, params=[50, 51, 32, 24, 1, 2, 3, 4])
        )
        image = database.write_image(pc.Image(name="x.jpg", camera_id=camera))
        database.write_keypoints(image, np.array([[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]], np.float32))
        raw = pc.FeatureDescriptors(pc.FeatureExtractorType.ALIKED_N32, learned.view(np.uint8))
        database.write_descriptors(image, raw)
        gps.corr_data_id = pc.data_t(pc.sensor_t(pc.SensorType.CAMERA, camera), image)
        database.write_pose_prior(gps)
    capture = read(tmp_path / "a.db", pixel_center=0.5)
    assert capture.camera("x.jpg").params == (50, 51, 32, 24, 1, 2, 3, 4)
    assert capture.reconstruction.keypoints["colmap"].load("x.jpg").tolist() == [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]]
    assert np.array_equal(capture.reconstruction.descriptors["colmap"].load("x.jpg"), learned)
    columns = capture.readings["gnss"].columns
    assert [columns[name].tolist() for name in "xyz"] == [[-2.25], [48.5], [30.0]]
    assert capture.sensors["GPS_cam_00001"].params == ("EPSG:4326",)


def test_positions_by_satellite_go_out_as_they_came(tmp_path: Path) -> None:
    import pycolmap as pc

    test_columns_of_images_that_pycolmap_wrote_are_read(tmp_path)
    write(read(tmp_path / "a.db"), f"colmap-db:{tmp_path / 'b.db'}", transfer="skip")
    with pc.Database.open(tmp_path / "b.db") as database:
        (prior,) = database.read_all_pose_priors()
        assert prior.position.tolist() == [48.5, -2.25, 30]
        assert prior.coordinate_system == pc.PosePriorCoordinateSystem.WGS84
        assert database.read_descriptors(1).type == pc.FeatureExtractorType.ALIKED_N32


def test_a_capture_of_everything_goes_in_and_losses_are_counted(tmp_path: Path) -> None:
    losses = write(everything(), f"colmap-db:{tmp_path / 'a.db'}", keypoints_type="sift", transfer="skip")
    assert "1 cameras without intrinsics, written with a guessed focal length" in losses
    assert "3 points" in losses
    assert "2 wifi records" in losses
    assert "2 scores of matches" in losses
    work = read(tmp_path / "a.db").reconstruction
    assert set(work.matches["colmap"].pairs) == {("a/0 ü.jpg", "b/0.jpg")}


def test_what_is_no_database_is_refused_by_name_and_nothing_is_created(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.db: no such file"):
        read(f"colmap-db:{tmp_path / 'nowhere.db'}")
    (tmp_path / "text.db").write_text("hello")
    with pytest.raises(DataError, match=r"text\.db: not an SQLite database"):
        read(f"colmap-db:{tmp_path / 'text.db'}")
    sqlite3.connect(tmp_path / "other.db").executescript("CREATE TABLE songs (name TEXT)").connection.close()
    with pytest.raises(DataError, match=r"other\.db: not a COLMAP database: no table cameras"):
        read(tmp_path / "other.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.db", "text.db"]


BROKEN = {
    "camera model 77": "UPDATE cameras SET model = 77",
    "3 parameters": "UPDATE cameras SET params = x'000000000000f03f000000000000f03f000000000000f03f'",
    "has camera 9": "UPDATE images SET camera_id = 9 WHERE image_id = 2",
    "'..' leads out": "UPDATE images SET name = '../x.jpg' WHERE image_id = 2",
    "keypoints of 'a.jpg'": "UPDATE keypoints SET rows = 99 WHERE image_id = 1",
    "2 descriptors": "UPDATE descriptors SET rows = 2 WHERE image_id = 1",
    "two_view_geometries of images 1 and 2": "UPDATE two_view_geometries SET cols = 3",
    "in no frame": "DELETE FROM frame_data WHERE data_id = 2",
    "sensor_from_rig": "UPDATE rig_sensors SET sensor_from_rig = x'00'",
    "expected int": "UPDATE cameras SET width = 'wide'",
    "model is None, expected int": "CREATE TABLE t AS SELECT * FROM cameras; DROP TABLE cameras; "
    "ALTER TABLE t RENAME TO cameras; UPDATE cameras SET model = NULL",
}  # fmt: skip


@pytest.mark.parametrize("message", BROKEN)
def test_broken_rows_are_refused_with_file_and_item(tmp_path: Path, message: str) -> None:
    path = tmp_path / "a.db"
    write(rig_capture(), f"colmap-db:{path}", transfer="skip")
    database = sqlite3.connect(path)
    database.executescript(BROKEN[message])
    database.close()
    with pytest.raises(DataError, match=message) as refused:
        read(path)
    assert str(refused.value).startswith(str(path))


def test_rows_that_lead_nowhere_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(rig_capture(), f"colmap-db:{path}", transfer="skip")
    database = sqlite3.connect(path)
    database.executescript(f"UPDATE two_view_geometries SET pair_id = {MAX_IMAGE_ID + 9}")
    database.close()
    assert any("1 two_view_geometries left out: no such images" in line for line in read(path).left_out)


def test_an_index_beyond_the_keypoints_is_refused_when_read(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(rig_capture(), f"colmap-db:{path}", transfer="skip")
    database = sqlite3.connect(path)
    database.executescript("UPDATE two_view_geometries SET data = x'63000000000000000100000002000000'")
    database.close()
    with pytest.raises(DataError, match="name a keypoint that the images do not have"):
        read(path).reconstruction.matches["colmap"].load(PAIR)


@pytest.mark.shared
def test_maupertuis_is_read_as_pycolmap_reads_it(data: Path, tmp_path: Path) -> None:
    import pycolmap

    source = data / "format_samples" / "maupertuis" / "colmap" / "colmap.db"
    shutil.copyfile(source, tmp_path / "colmap.db")  # pycolmap upgrades what it opens
    capture = read(source)
    work = capture.reconstruction
    with pycolmap.Database.open(tmp_path / "colmap.db") as database:
        for image in database.read_all_images():
            assert np.array_equal(work.keypoints["colmap"].load(image.name), database.read_keypoints(image.image_id))
            codes = database.read_descriptors(image.image_id).data
            assert np.array_equal(work.descriptors["colmap"].load(image.name), codes)
        names = {image.name: image.image_id for image in database.read_all_images()}
        for first, second in work.matches["colmap"].pairs:
            inliers = database.read_two_view_geometry(names[first], names[second]).inlier_matches
            assert np.array_equal(work.matches["colmap"].load((first, second))[:, :2], inliers)
        camera = database.read_all_cameras()[0]
        assert capture.camera("00.jpg").params == tuple(camera.params)


@pytest.mark.shared
def test_maupertuis_and_its_kapture_hold_the_same_matches(data: Path) -> None:
    root = data / "format_samples" / "maupertuis"
    ours, kapture = read(root / "colmap" / "colmap.db").reconstruction, read(root / "kapture").reconstruction
    pairs = next(iter(kapture.matches.values()))
    assert ours.matches["colmap"].pairs == pairs.pairs
    for pair in pairs.pairs:
        assert np.array_equal(ours.matches["colmap"].load(pair)[:, :2], pairs.load(pair)[:, :2])


@pytest.mark.shared
def test_colmap_maps_from_what_vloc_wrote_as_from_its_own_database(data: Path, tmp_path: Path) -> None:
    import pycolmap

    root, target = data / "format_samples" / "maupertuis", tmp_path / "written.db"
    write(read(root / "kapture"), f"colmap-db:{target}", transfer="skip")
    shutil.copyfile(root / "colmap" / "colmap.db", tmp_path / "own.db")
    counts = []
    for name in ("written", "own"):
        (tmp_path / name).mkdir()
        models = pycolmap.incremental_mapping(tmp_path / f"{name}.db", root / "colmap" / "images", tmp_path / name)
        assert models[0].num_reg_images() == 4
        counts.append(models[0].num_points3D())
    assert counts[0] == pytest.approx(counts[1], rel=0.02)


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("table", ["cameras", "images", "keypoints", "matches", "pose_priors", "rigs"])
def test_a_view_without_end_in_the_place_of_a_table_is_no_table(table: str, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(rig_capture(), f"colmap-db:{path}", transfer="skip")
    database = sqlite3.connect(path)
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
    values = ", ".join(f"i AS {name}" for name in columns)
    database.executescript(f"DROP TABLE {table}; CREATE VIEW {table} AS {ENDLESS} {values} FROM n")
    database.close()
    if table in ("pose_priors", "rigs"):
        assert len(read(path).images) == 3  # tables that only newer databases have
    else:
        with pytest.raises(DataError, match=rf"a\.db: not a COLMAP database: no table {table}"):
            read(path)


@pytest.mark.timeout(20)
def test_a_database_that_asks_for_more_work_than_its_bytes_is_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(rig_capture(), f"colmap-db:{path}", transfer="skip")
    with pytest.raises(DataError, match=r"a\.db: broken database: interrupted"), opened(path) as database:
        database.execute(f"{ENDLESS} max(i) FROM n")


def test_columns_that_are_computed_and_not_stored_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(rig_capture(), f"colmap-db:{path}", transfer="skip")
    database = sqlite3.connect(path)
    database.executescript(
        "ALTER TABLE cameras DROP COLUMN params; ALTER TABLE cameras ADD COLUMN params AS (zeroblob(99))"
    )
    database.close()
    with pytest.raises(DataError, match=r"a\.db: table cameras: no column params"):
        read(path)


def test_keys_that_are_texts_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    write(rig_capture(), f"colmap-db:{path}", transfer="skip")
    database = sqlite3.connect(path)
    database.executescript(
        "DROP TABLE keypoints; CREATE TABLE keypoints (image_id, rows, cols, data);"
        "INSERT INTO keypoints VALUES ('x', 0, 2, NULL)"
    )
    database.close()
    with pytest.raises(DataError, match=r"a\.db: table keypoints, row x: sizes"):
        read(path)
