"""Published benchmarks of rooms and buildings in their own raw formats, tiny, drawn in the synthetic gallery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat
from vloc.datasets import seven_scenes
from vloc.datasets.gallery_cameras import query, rig_pose, sensors_from_rig
from vloc.datasets.gallery_world import World
from vloc.datasets.inloc_cutouts import cutout_camera
from vloc.datasets.synthetic_gallery import GalleryConfig, render, world

import vloc
from vloc.geometry.camera import Camera

CAMERA = Camera("SIMPLE_PINHOLE", 320, 240, (240.0, 160.0, 120.0))
"""of a wider view than those of the benchmarks"""


@dataclass(frozen=True)
class Shot:
    """A picture by CAMERA, with its depth at the pixels' centres (m) and pose."""

    picture: np.ndarray
    depth: np.ndarray
    cam_from_world: vloc.Rigid


@dataclass(frozen=True)
class Rooms:
    """A gallery with what was photographed to map it, and what is to be localized."""

    world: World
    mapping: Sequence[Shot]
    query: Sequence[Shot]


def rooms(num_stops: int, num_queries: int) -> Rooms:
    """Three pictures at each stop of the rig, and photos by hand, by day."""
    gallery = world(GalleryConfig(num_images=3 * num_stops))
    mapping = [
        camera_from_rig @ rig_pose(gallery, stop, num_stops)
        for stop in range(num_stops)
        for camera_from_rig in sensors_from_rig().values()
    ]
    asked = [query(gallery, index, num_queries).cam_from_world for index in range(num_queries)]
    taken = [[Shot(*render(gallery, CAMERA, pose), pose) for pose in poses] for poses in (mapping, asked)]
    return Rooms(gallery, *taken)


def numbers(values: np.ndarray) -> str:
    """Numbers that read back exactly."""
    return " ".join(map(repr, np.ravel(values).tolist()))


def matrix_of(pose: vloc.Rigid) -> np.ndarray:
    """The transform as a 4 x 4 matrix."""
    return np.vstack([np.hstack([pose.rotation, pose.translation[:, None]]), [0, 0, 0, 1]])


def put(pixels: np.ndarray, path: Path) -> None:
    """An image file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    how = {"compress_level": 1} if path.suffix == ".png" else {"quality": 95, "subsampling": 0}
    Image.fromarray(pixels).save(path, **how)


def through(shot: Shot, camera: Camera) -> np.ndarray:
    """The picture that another pinhole camera of a narrower view would have taken."""
    (fx, fy), (cx, cy) = CAMERA.focal, CAMERA.principal_point
    a, b = fx / camera.focal[0], fy / camera.focal[1]
    x, y = camera.principal_point
    size, placed = (camera.width, camera.height), (a, 0, cx - a * x, 0, b, cy - b * y)
    return np.array(
        Image.fromarray(shot.picture).transform(size, Image.Transform.AFFINE, placed, Image.Resampling.BICUBIC)
    )


def cambridge(root: Path, made: Rooms, scenes: Sequence[str]) -> None:
    """Cambridge Landmarks: for each scene lists of poses (centre, then world to camera) and the model of VisualSFM."""
    title = "Visual Landmark Dataset V1\nImageFile, Camera Position [X, Y, Z, W, P, Q, R]\n\n"
    for scene in scenes:
        lenses = []
        for sequence, (split, shots) in enumerate([("train", made.mapping), ("test", made.query)], start=1):
            rows = []
            for index, shot in enumerate(shots, start=1):
                name, pose = f"seq{sequence}/frame{index:05d}", shot.cam_from_world
                put(shot.picture, root / scene / f"{name}.png")
                rows.append(f"{name}.png {numbers(pose.center)} {numbers(pose.quat_wxyz)}\n")
                lenses.append(f"{name}.jpg {CAMERA.focal[0]!r} 1 0 0 0 0 0 0 0 0\n")
            (root / scene / f"dataset_{split}.txt").write_text(title + "".join(rows))
        (root / scene / "reconstruction.nvm").write_text(f"NVM_V3\n\n{len(lenses)}\n{''.join(lenses)}\n0\n")


def seven_scenes_room(root: Path, made: Rooms) -> None:
    """A scene of 7-Scenes: Kinect frames at the poses of colour, in a sequence to train with and one to test."""
    for number, shots in enumerate((made.mapping, made.query), start=1):
        for index, shot in enumerate(shots):
            stem = root / f"seq-{number:02d}" / f"frame-{index:06d}"
            kinect_from_world = seven_scenes.COLOR_FROM_DEPTH.inverse() @ shot.cam_from_world
            put(through(shot, seven_scenes.COLOR), Path(f"{stem}.color.png"))
            depth = made.world.depth(seven_scenes.DEPTH, kinect_from_world)
            put(np.rint(depth * 1000).astype(np.uint16), Path(f"{stem}.depth.png"))
            rows = matrix_of(kinect_from_world.inverse())
            Path(f"{stem}.pose.txt").write_text("".join(f"{numbers(row)}\n" for row in rows))
    (root / "TrainSplit.txt").write_text("sequence1\n")
    (root / "TestSplit.txt").write_text("sequence2\n")


INLOC_SCAN = vloc.Rigid.from_quat_wxyz(np.array([0.5, 0.5, -0.5, 0.5]), np.array([3.0, -1.0, 0.5]))
"""world from scan, of all scans"""


def inloc(root: Path, made: Rooms) -> None:
    """InLoc: three cutouts a scan with their points, where the scans are, and the photos of the phone."""
    camera = cutout_camera(CAMERA.width, CAMERA.height)
    for index, shot in enumerate(made.mapping):
        floor, scan, yaw = ("DUC1", "DUC2")[index // 6], f"{index // 3:03d}", 30 * (index % 3 - 1)
        name = root / "database" / "cutouts" / floor / scan / f"DUC_cutout_{scan}_{yaw}_0.jpg"
        put(through(shot, camera), name)
        depth = made.world.depth(camera, shot.cam_from_world)
        savemat(f"{name}.mat", {"XYZcut": scanned(depth, camera, shot.cam_from_world @ INLOC_SCAN)})
        placed = root / "database" / "alignments" / floor / "transformations" / f"DUC_trans_{scan}.txt"
        placed.parent.mkdir(parents=True, exist_ok=True)
        matrix = "".join(f"{numbers(row)}\n" for row in matrix_of(INLOC_SCAN))
        placed.write_text(f"P_before_GICP:\n{'1 2 3 4' * 4}\n\n\n\n\nP_after_GICP:\n{matrix}")
    phone = Camera("SIMPLE_PINHOLE", 320, 240, (320 * 28 / 36, 160.0, 120.0))
    for index, shot in enumerate(made.query):
        put(through(shot, phone), root / "query" / "iphone7" / f"IMG_{731 + index:04d}.JPG")


def scanned(depth: np.ndarray, camera: Camera, cam_from_scan: vloc.Rigid) -> np.ndarray:
    """The points of a depth map in the frame of the scan; NaN where nothing was hit."""
    (fx, fy), (cx, cy) = camera.focal, camera.principal_point
    y, x = np.mgrid[: camera.height, : camera.width] + 0.5
    rays = np.stack([(x - cx) / fx, (y - cy) / fy, np.ones_like(x)], axis=2)
    points = np.where(depth > 0, depth, np.nan)[..., None] * rays
    return cam_from_scan.inverse().apply(points.reshape(-1, 3)).reshape(points.shape)


def naver(root: Path, made: Rooms, floors: Sequence[str]) -> None:
    """Gangnam Station or Hyundai Department Store: kapture folders, poses of queries for validation alone."""
    for number, floor in enumerate(floors):
        for part, shots in {"mapping": made.mapping, "test": made.query[:1], "validation": made.query[1:]}.items():
            names = [f"images/{part}_{number}{index:04d}.jpg" for index in range(len(shots))]
            folder = root / floor / "release" / part / "sensors"
            for name, shot in zip(names, shots, strict=True):
                put(shot.picture, folder / "records_data" / name)
            posed = "test" not in part
            write_kapture(folder, names, [shot.cam_from_world for shot in shots] if posed else [])


def write_kapture(folder: Path, names: Sequence[str], poses: Sequence[vloc.Rigid]) -> None:
    """Tables of kapture: one camera, a time for each image, and poses, if any."""
    first = "# kapture format: 1.1\n"
    intrinsics = ", ".join(map(repr, CAMERA.params))
    (folder / "sensors.txt").write_text(
        f"{first}cam, phone, camera, {CAMERA.model}, {CAMERA.width}, {CAMERA.height}, {intrinsics}\n"
    )
    rows = [f"{time}, cam, {name}\n" for time, name in enumerate(names)]
    (folder / "records_camera.txt").write_text(first + "".join(rows))
    if poses:
        text = [f"{time}, cam, {csv(pose)}\n" for time, pose in enumerate(poses)]
        (folder / "trajectories.txt").write_text(first + "".join(text))


def csv(pose: vloc.Rigid) -> str:
    """Seven numbers, quaternion first."""
    return ", ".join(map(repr, [*pose.quat_wxyz.tolist(), *pose.translation.tolist()]))


def lamar(root: Path, made: Rooms, scene: str) -> None:
    """A scene of LaMAR: the map, queries of phones and, as a rig of two cameras, HoloLenses; validation has truth."""
    sessions = root / scene / "sessions"
    lamar_session(sessions / "map", {"ios_map": [(made.mapping, vloc.Rigid.identity())]}, "trajectories.txt")
    first = {"ios_1": [(made.query[:1], vloc.Rigid.identity())]}
    lamar_session(sessions / "query_phone", first, None)
    lamar_session(sessions / "query_val_phone", first, "proc/alignment_trajectories.txt")
    mounts = [shot.cam_from_world @ made.query[0].cam_from_world.inverse() for shot in made.query]
    heads = [([shot], mount) for shot, mount in zip(made.query, mounts, strict=True)]
    lamar_session(sessions / "query_hololens", {"hl_1": heads}, None)


def lamar_session(
    folder: Path, devices: Mapping[str, Sequence[tuple[Sequence[Shot], vloc.Rigid]]], poses: str | None
) -> None:
    """A session of devices, of which each camera took one shot at each time; all of them are asked for.

    `poses`: file of the poses, device to world; a HoloLens' cameras are mounted on it, camera to rig.
    """
    rows: dict[str, list[str]] = {name: [] for name in ("sensors", "rigs", "images", "queries", "poses")}
    for rig, cameras in devices.items():
        for number, (shots, cam_from_rig) in enumerate(cameras):
            camera = f"{rig}/cam{number}"
            rows["sensors"].append(
                f"{camera}, , camera, {CAMERA.model}, {CAMERA.width}, {CAMERA.height}, "
                f"{', '.join(map(repr, CAMERA.params))}"
            )
            device = rig if rig.startswith("hl") else camera  # a phone's camera is its own
            if device == rig:
                rows["rigs"].append(f"{rig}, {camera}, {csv(cam_from_rig.inverse())}")
            for time, shot in enumerate(shots, start=1_000_000):
                put(shot.picture, folder / "raw_data" / f"{camera}/{time}.jpg")
                rows["images"].append(f"{time}, {camera}, {camera}/{time}.jpg")
                if number == 0:
                    world_from_rig = shot.cam_from_world.inverse() @ cam_from_rig
                    rows["poses"].append(f"{time}, {device}, {csv(world_from_rig)}")
                    rows["queries"].append(f"{time}, {device}")
    pose_rows = rows.pop("poses")
    for name, lines in rows.items():
        if lines:
            (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))
    if poses:
        (folder / poses).parent.mkdir(exist_ok=True)
        (folder / poses).write_text("".join(f"{row}\n" for row in pose_rows))


def twelve_scenes_room(root: Path, made: Rooms) -> None:
    """A room of 12-Scenes: frames of a tablet and a depth sensor in the same place, the first sequence for testing."""
    (root / "data").mkdir(parents=True)
    sensor = Camera("SIMPLE_PINHOLE", 160, 120, (120.0, 80.0, 60.0))
    for index, shot in enumerate((*made.query, *made.mapping)):
        stem = root / "data" / f"frame-{index:06d}"
        put(shot.picture, Path(f"{stem}.color.jpg"))
        depth = made.world.depth(sensor, shot.cam_from_world)
        put(np.rint(depth * 1000).astype(np.uint16), Path(f"{stem}.depth.png"))
        rows = matrix_of(shot.cam_from_world.inverse())
        Path(f"{stem}.pose.txt").write_text("".join(f"{numbers(row)}\n" for row in rows))
    info = [
        f"m_{kind}Width = {camera.width}\nm_{kind}Height = {camera.height}\n"
        f"m_calibration{kind.capitalize()}Intrinsic = {numbers(intrinsic_matrix(camera))}\n"
        for kind, camera in {"color": CAMERA, "depth": sensor}.items()
    ]
    (root / "info.txt").write_text("".join(info))
    counts = len(made.query), len(made.mapping)
    bounds = (0, counts[0] - 1), (counts[0], sum(counts) - 1)
    rows = [
        f"sequence{number} [frames={count}]  [start={first} ; end={last}]\n"
        for number, (count, (first, last)) in enumerate(zip(counts, bounds, strict=True))
    ]
    (root / "split.txt").write_text("".join(rows))


def intrinsic_matrix(camera: Camera) -> np.ndarray:
    """Focal lengths and principal point in a 4 x 4 matrix."""
    matrix = np.diag([*camera.focal, 1.0, 1.0])
    matrix[:2, 2] = camera.principal_point
    return matrix


WIDE = Camera("SIMPLE_PINHOLE", 1920, 1080, (480.0, 960.0, 540.0))
"""of the size of Virtual Gallery's, whose files put the centre of the first pixel at 0; dark around the picture"""


def virtual_gallery(root: Path, made: Rooms) -> None:
    """Virtual Gallery: a loop of one camera, and photos with one light and occlusion."""
    parts = {"training/gallery_light1_loop2": made.mapping, "testing/gallery_light3_occlusion4": made.query}
    for part, shots in parts.items():
        intrinsics, extrinsics = ["frame cameraID fx fy cx cy\n"], ["frame cameraID r11 ...\n"]
        for index, shot in enumerate(shots):
            put(through(shot, WIDE), root / part / "frames" / "rgb" / "camera_0" / f"rgb_{index:05d}.jpg")
            intrinsics.append(f"{index} 0 480.0 480.0 959.5 539.5\n")
            extrinsics.append(f"{index} 0 {numbers(matrix_of(shot.cam_from_world))}\n")
        (root / part / "intrinsic.txt").write_text("".join(intrinsics))
        (root / part / "extrinsic.txt").write_text("".join(extrinsics))


def four_seasons(root: Path, made: Rooms, recordings: Sequence[str]) -> None:
    """4Seasons: recordings to map, for validation and for the test, with poses camera to world, and pairs."""
    times = []
    for number, (name, shots) in enumerate(zip(recordings, (made.mapping, made.query, made.query), strict=True), 1):
        folder = root / f"recording_{name}"
        times.append([1_600_000_000_000_000_000 + 1_000_000 * number + index for index in range(len(shots))])
        rows = ["# frame_id, translation_x, ...\n"]
        for time, shot in zip(times[-1], shots, strict=True):
            put(shot.picture, folder / "undistorted_images" / "cam0" / f"{time}.png")
            placed = shot.cam_from_world.inverse()
            w, *xyz = placed.quat_wxyz.tolist()
            rows.append(f"{time},{','.join(map(repr, [*placed.translation.tolist(), *xyz, w]))},1.0,1,0\n")
        (folder / "GNSSPoses.txt").write_text("".join(rows))
        still = "0,0,0,0,0,0,1"
        (folder / "Transformations.txt").write_text(
            f"# transform_S_AS: scale\n{still}\n\n# transform_w_gpsw: local\n{still}\n\n"
            "# transform_e_gpsw: earth\n4000000,500000,4900000,0,0,0,1\n\n# GNSS scale\n1.0\n"
        )
    (root / "calibration").mkdir()
    (x, y), (f, _) = CAMERA.principal_point, CAMERA.focal
    for number in (0, 1):
        text = f"Pinhole {f} {f} {x} {y} 0 0 0 0\n{CAMERA.width} {CAMERA.height}\ncrop\n"
        (root / "calibration" / f"undistorted_calib_{number}.txt").write_text(text)
    (root / "calibration" / "undistorted_calib_stereo.txt").write_text("1 0 0 -0.3\n0 1 0 0\n0 0 1 0\n0 0 0 1\n")
    mapped, _, test = recordings
    pairs = root / f"relocalizationFile_recording_{mapped}_to_recording_{test}.txt"
    pairs.write_text(f"{times[0][1]} {times[2][0]} 0 0 0 0 0 0 1\n")
