"""The synthetic gallery: its pictures are where its poses say, at any size, every time."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import cv2
import numpy as np
import pycolmap
import pytest
from vloc.datasets.gallery_cameras import looking, phone_cameras, query, rig_cameras, rig_pose
from vloc.datasets.gallery_plan import DOOR_HEIGHT, DOOR_WIDTH
from vloc.datasets.gallery_render import render_depth, render_quads
from vloc.datasets.gallery_scan import mesh
from vloc.datasets.gallery_texture import Texture
from vloc.datasets.gallery_trace import Quad
from vloc.datasets.gallery_world import KEPT_ROOMS, World
from vloc.datasets.synthetic_gallery import GalleryConfig, make, render, world

from vloc.errors import ConfigError, DataError
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.runtime import Runtime

SQUARES = 16  # of the chessboard, each way
SIDE = 2.0  # m of the board
SMALL = GalleryConfig(num_images=7, num_queries=2, image_size=(160, 120), with_depth=True, seed=3)
CAMERAS = {**rig_cameras((640, 480)), **phone_cameras((640, 480))}


def board() -> Quad:
    """A chessboard in the plane x = 0, seen from positive x: columns along y, rows down."""
    squares = np.indices((SQUARES, SQUARES)).sum(0) % 2 * 255
    image = np.kron(squares, np.ones((64, 64))).astype(np.uint8)
    texture = Texture.from_image(np.repeat(image[..., None], 3, 2))
    return Quad(np.array([0, -SIDE / 2, SIDE / 2]), np.array([0, SIDE, 0]), np.array([0, 0, -SIDE]), lambda: texture)


def board_corners() -> np.ndarray:
    steps = np.arange(1, SQUARES) / SQUARES * SIDE - SIDE / 2
    y, z = np.meshgrid(steps, steps)
    return np.stack([np.zeros(y.size), y.ravel(), z.ravel()], -1)


def colmap_camera(camera: Camera) -> pycolmap.Camera:
    """Projection that is not ours."""
    return pycolmap.Camera(model=camera.model, width=camera.width, height=camera.height, params=list(camera.params))


def pixels_by_colmap(camera: Camera, cam_from_world: Rigid, points: np.ndarray) -> np.ndarray:
    return np.asarray(colmap_camera(camera).img_from_cam(cam_from_world.apply(points)))


@pytest.mark.parametrize("name", sorted(CAMERAS))
def test_chessboard_corners_land_where_colmap_projects_them(name: str) -> None:
    camera, board_pose = CAMERAS[name], looking(np.array([1.5, 0.4, 0.3]), np.pi + 0.12, -0.15, 0.2)
    picture = render_quads([board()], camera, board_pose)
    expected = pixels_by_colmap(camera, board_pose, board_corners())
    inside = ((expected > 12) & (expected < np.array([camera.width, camera.height]) - 12)).all(1)
    start = np.float32(expected[inside] - 0.5)[:, None].copy()  # OpenCV calls the first pixel's centre 0
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 1e-4)
    found = cv2.cornerSubPix(picture[..., 0], start, (5, 5), (-1, -1), criteria)[:, 0] + 0.5
    error = found - expected[inside]
    assert inside.sum() > 60
    assert np.abs(error.mean(0)).max() < 0.01
    # The detector itself is off by some hundredths of a pixel on slanted corners; see the next test.
    assert np.linalg.norm(error, axis=1).max() < 0.1


@pytest.mark.parametrize("name", sorted(CAMERAS))
def test_no_patch_is_moved_by_more_than_a_twentieth_of_a_pixel(name: str) -> None:
    camera, pose = CAMERAS[name], looking(np.array([1.3, 0.1, 0.1]), np.pi + 0.3, -0.1, 0.2)
    picture = render_quads([waves()], camera, pose)[..., 0].astype(np.float64)
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    plane = colmap_camera(camera).cam_from_img(np.stack([x.ravel(), y.ravel()], -1))
    rays = np.column_stack([plane, np.ones(len(plane))]) @ pose.rotation
    hit = pose.center - rays * (pose.center[0] / rays[:, 0])[:, None]  # the board is the plane x = 0
    expected = brightness(hit[:, 1] / SIDE + 0.5, 0.5 - hit[:, 2] / SIDE).reshape(picture.shape)
    on_board = (np.abs(hit[:, 1:]) < 0.49 * SIDE).all(1).reshape(picture.shape)
    shift = patch_shifts(expected, picture, on_board)
    assert len(shift) > 100
    assert np.abs(shift.mean(0)).max() < 0.001
    assert np.linalg.norm(shift, axis=1).max() < 0.05


def brightness(s: np.ndarray, t: np.ndarray) -> np.ndarray:
    """A smooth pattern: what the texture holds at (s, t), 0..1 each."""
    return 127 + 55 * np.sin(2 * np.pi * 23 * s) + 55 * np.sin(2 * np.pi * 19 * t)


def waves() -> Quad:
    s, t = np.meshgrid((np.arange(1024) + 0.5) / 1024, (np.arange(1024) + 0.5) / 1024)
    texture = Texture.from_image(np.repeat(np.uint8(np.rint(brightness(s, t)))[..., None], 3, 2))
    return Quad(board().corner, board().edge_u, board().edge_v, lambda: texture)


def patch_shifts(expected: np.ndarray, found: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The shift, px, of each patch of 24 x 24 px by least squares (Lucas and Kanade 1981)."""
    gradient = np.stack(np.gradient(expected)[::-1], -1)
    shifts = []
    for row in range(24, expected.shape[0] - 48, 24):
        for column in range(24, expected.shape[1] - 48, 24):
            part = np.s_[row : row + 24, column : column + 24]
            if valid[part].all():
                # found = expected - gradient . shift, but for contrast and brightness
                terms = np.column_stack([-gradient[part].reshape(-1, 2), expected[part].ravel(), np.ones(24 * 24)])
                shifts.append(np.linalg.lstsq(terms, found[part].ravel(), rcond=None)[0][:2])
    return np.array(shifts)


def test_depth_is_the_distance_to_the_plane_along_the_optical_axis() -> None:
    camera, pose = CAMERAS["front"], looking(np.array([1.2, 0.1, 0.2]), np.pi + 0.2, -0.1, 0.3)
    depth = render_depth([board()], camera, pose)
    for row, column in ((240, 320), (200, 250), (300, 400)):
        plane = colmap_camera(camera).cam_from_img(np.array([[column + 0.5, row + 0.5]]))[0]
        ray = pose.rotation.T @ np.append(plane, 1.0)
        # The board is the plane x = 0: center + depth * ray has no x.
        assert depth[row, column] == pytest.approx(-pose.center[0] / ray[0], rel=1e-5)


def test_where_there_is_nothing_depth_is_zero_and_the_picture_black() -> None:
    pose = looking(np.array([5.0, 0, 0]), np.pi, 0.0, 0.0)
    depth, picture = render_depth([board()], CAMERAS["front"], pose), render_quads([board()], CAMERAS["front"], pose)
    assert depth[5, 5] == 0
    assert picture[5, 5].max() == 0


def test_board_is_invisible_from_behind() -> None:
    pose = looking(np.array([-2.0, 0, 0]), 0.0, 0.0, 0.0)
    assert render_quads([board()], CAMERAS["left"], pose).max() == 0


def test_nearer_surface_hides_the_farther_one_whatever_their_order() -> None:
    near, far = board(), board()
    near = Quad(near.corner * 0.2 + (1.0, 0, 0), near.edge_u * 0.2, near.edge_v * 0.2, near.texture)
    pose = looking(np.array([3.0, 0, 0]), np.pi, 0.0, 0.0)
    depth = render_depth([near, far], CAMERAS["left"], pose)
    assert depth[240, 320] == pytest.approx(2.0, rel=1e-5)
    assert depth.max() == pytest.approx(3.0, rel=1e-5)
    np.testing.assert_array_equal(depth, render_depth([far, near], CAMERAS["left"], pose))


def test_surface_that_reaches_behind_the_camera_is_drawn_up_to_it() -> None:
    floor = board()
    floor = Quad(np.array([-50.0, 50, 0]), np.array([100.0, 0, 0]), np.array([0, -100.0, 0]), floor.texture)
    depth = render_depth([floor], CAMERAS["left"], looking(np.array([0, 0, 1.5]), 0.3, 0.0, 0.0))
    assert (depth[:235] == 0).all()
    # 1.5 m above the floor, a ray falling by y per metre meets it at 1.5 / y.
    _, fy, _, cy = CAMERAS["left"].params
    assert depth[470, 10] == pytest.approx(1.5 / ((470.5 - cy) / fy), rel=1e-4)


def test_every_ray_ends_on_a_surface() -> None:
    gallery = world(GalleryConfig(num_images=270))
    assert gallery.num_rooms == 9
    for position in range(0, 90, 9):
        depth = gallery.depth(rig_cameras((160, 120))["front"], rig_pose(gallery, position, 90))
        assert depth.min() > 0.2
        assert depth.max() < 100


def test_two_views_agree_through_the_depth_map() -> None:
    gallery, camera = world(GalleryConfig()), rig_cameras((320, 240))["left"]
    first, second = rig_pose(gallery, 3, 20), rig_pose(gallery, 4, 20)
    (_, depth_first), (_, depth_second) = (render(gallery, camera, pose) for pose in (first, second))
    x, y = (grid.ravel() for grid in np.meshgrid(np.arange(5, 320, 7) + 0.5, np.arange(5, 240, 7) + 0.5))
    fx, fy, cx, cy = camera.params
    distance = depth_first[y.astype(int), x.astype(int)].astype(np.float64)
    points = first.inverse().apply(np.stack([(x - cx) / fx * distance, (y - cy) / fy * distance, distance], -1))
    moved = second.apply(points)
    at = np.floor(moved[:, :2] / moved[:, 2:] * (fx, fy) + (cx, cy)).astype(int)
    seen = (moved[:, 2] > 0) & (at >= 0).all(1) & (at < (320, 240)).all(1)
    ratio = depth_second[at[seen, 1], at[seen, 0]] / moved[seen, 2]
    # Some points are hidden from the second view; nothing may be nearer than what hides it.
    assert np.median(np.abs(ratio - 1)) < 5e-3
    assert (np.abs(ratio - 1) < 0.02).mean() > 0.8


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gallery")
    make(root, SMALL, Runtime(workers=1))
    return root


def contents(root: Path) -> dict[str, str]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows(path: Path) -> list[list[str]]:
    return [line.split(", ") for line in path.read_text().splitlines() if not line.startswith("#")]


def pose_of(fields: list[str]) -> Rigid:
    numbers = np.array(fields, np.float64)
    return Rigid.from_quat_wxyz(numbers[:4], numbers[4:])


def test_two_workers_write_the_same_bytes_as_one(written: Path, tmp_path: Path) -> None:
    make(tmp_path / "again", SMALL, Runtime(workers=2))
    assert contents(tmp_path / "again") == contents(written)


def test_another_seed_is_another_gallery() -> None:
    first, second = (world(GalleryConfig(seed=seed)) for seed in (0, 1))
    assert first.plan(0).half != second.plan(0).half
    paintings = [gallery.room(0)[0][6].texture().atlas for gallery in (first, second)]
    assert paintings[0].tobytes() != paintings[1].tobytes()


def test_cut_short_run_goes_on_and_keeps_what_is_there(written: Path, tmp_path: Path) -> None:
    seen: list[int] = []

    def stop(done: int, _: int) -> None:
        seen.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path, SMALL, Runtime(workers=1), on_progress=stop)
    images = tmp_path / "mapping/sensors/records_data"
    assert not (tmp_path / "mapping/sensors/sensors.txt").exists()
    assert '"is_complete": false' in (tmp_path / "gallery.json").read_text()
    (images / "left/000001.jpg").unlink()
    kept = (images / "front/000000.jpg").stat().st_mtime_ns
    make(tmp_path, SMALL, Runtime(workers=1))
    assert (images / "front/000000.jpg").stat().st_mtime_ns == kept
    assert contents(tmp_path) == contents(written)


def test_folder_of_another_gallery_is_refused(written: Path) -> None:
    with pytest.raises(DataError, match=r"gallery\.json: holds the gallery"):
        make(written, GalleryConfig(num_images=8))
    assert '"is_complete": true' in (written / "gallery.json").read_text()


def test_the_scan_holds_the_surfaces_of_all_rooms_and_leaves_doors_open(written: Path) -> None:
    vertices, triangles = mesh(World(3, 2))
    first, second, third = (vertices[triangles[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(second - first, third - first), axis=1).sum() / 2
    quads = [quad for room in range(2) for part in World(3, 2).room(room) for quad in part]
    whole = sum(np.linalg.norm(np.cross(quad.edge_u, quad.edge_v)) for quad in quads)
    assert whole - area == pytest.approx(2 * DOOR_WIDTH * DOOR_HEIGHT, rel=1e-6)
    assert (written / "scan.ply").read_bytes().startswith(b"ply\nformat binary_little_endian")


def test_folder_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mapping").mkdir()
    with pytest.raises(DataError, match="no synthetic gallery"):
        make(tmp_path, SMALL)


@pytest.mark.parametrize("part", ["mapping", "query"])
def test_records_name_the_files_that_exist_and_no_others(written: Path, part: str) -> None:
    sensors = written / part / "sensors"
    named = {
        row[2]
        for kind in ("camera", "depth")
        if (path := sensors / f"records_{kind}.txt").exists()
        for row in rows(path)
    }
    data = sensors / "records_data"
    assert named == {str(path.relative_to(data)) for path in data.rglob("*") if path.is_file()}
    assert len(named) == (14 if part == "mapping" else 4)


def test_queries_come_without_poses_and_truth_beside_them(written: Path) -> None:
    files = {path.name for path in (written / "query/sensors").glob("*.txt")}
    assert files == {"sensors.txt", "records_camera.txt", "records_depth.txt"}
    truth = {
        line.split()[0]: pose_of(line.split()[1:]) for line in (written / "query_truth.txt").read_text().splitlines()
    }
    assert sorted(truth) == ["day/000000.jpg", "night/000001.jpg"]
    photo = query(world(SMALL), 0, 2)
    np.testing.assert_allclose(truth[photo.name].rotation, photo.cam_from_world.rotation, atol=1e-12)
    np.testing.assert_allclose(truth[photo.name].translation, photo.cam_from_world.translation, atol=1e-12)


def test_written_poses_composed_through_the_rig_explain_the_written_depth(written: Path) -> None:
    sensors = written / "mapping/sensors"
    cameras = {
        row[0]: Camera(row[3], int(row[4]), int(row[5]), tuple(map(float, row[6:])))
        for row in rows(sensors / "sensors.txt")
    }
    rig = {row[1]: pose_of(row[2:]) for row in rows(sensors / "rigs.txt")}
    rig_from_world = {row[0]: pose_of(row[2:]) for row in rows(sensors / "trajectories.txt")}
    for timestamp, device, name in rows(sensors / "records_depth.txt"):
        depth = np.fromfile(sensors / "records_data" / name, "<f4").reshape(120, 160)
        truth = world(SMALL).depth(cameras[device], rig[device] @ rig_from_world[timestamp])
        np.testing.assert_allclose(depth, truth, rtol=1e-5, err_msg=name)


def test_night_is_darker_and_noisier_than_day(written: Path) -> None:
    day, night = (
        cv2.imread(str(written / "query/sensors/records_data" / name))
        for name in ("day/000000.jpg", "night/000001.jpg")
    )
    assert night.mean() < 0.7 * day.mean()
    noisy, clean = (np.abs(cv2.Laplacian(np.float32(image), -1)) / image.mean() for image in (night, day))
    assert np.median(noisy) > np.median(clean)


def test_timestamps_are_integers_that_grow_and_the_rig_has_one_each(written: Path) -> None:
    times = [int(row[0]) for row in rows(written / "mapping/sensors/trajectories.txt")]
    assert times == sorted(set(times))
    assert {int(row[0]) for row in rows(written / "mapping/sensors/records_camera.txt")} == set(times)


def test_any_image_of_a_hundred_thousand_is_made_at_once_and_on_its_own() -> None:
    start = time.process_time()
    gallery = world(GalleryConfig(num_images=100_000))
    pose = rig_pose(gallery, 33_333, 33_334)
    assert time.process_time() - start < 0.5
    assert gallery.picture(rig_cameras((160, 120))["front"], pose).std() > 10


def test_rooms_left_behind_are_forgotten() -> None:
    gallery = world(GalleryConfig(num_images=100_000))
    for index in range(20):
        gallery.room(index)
    assert len(gallery._rooms) == KEPT_ROOMS


def test_steps_between_stops_are_even_across_doors() -> None:
    gallery = world(GalleryConfig(num_images=270))
    centers = np.stack([rig_pose(gallery, position, 90).center for position in range(90)])
    steps = np.linalg.norm(np.diff(centers, axis=0), axis=1)
    assert 0.4 < steps.min() < steps.max() < 1.8


@pytest.mark.parametrize(
    "wrong", [{"num_images": 2}, {"num_images": 100_001}, {"num_queries": -1}, {"image_size": (8, 480)}, {"seed": -1}]
)
def test_setting_out_of_range_is_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        GalleryConfig(**wrong)  # type: ignore[arg-type]
