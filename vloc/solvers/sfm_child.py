"""The child process of `sfm`: fills a COLMAP database from `job.json` and `job.npz`, maps, writes `model.npz`."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .colmap import colmap_camera, colmap_pose, pycolmap, sparse_map, vloc_camera
from .posed_images import PosedImages

Job = dict[str, Any]


def main(folder: Path) -> None:
    """Run the job in a folder; of the models that it gives, if any, the one of most images is written there."""
    job = _read_job(folder)
    database = folder / "database.db"
    _fill_database(database, job)
    models = _map(database, folder, job["settings"])
    if models:
        largest = max(models, key=lambda model: model.num_reg_images())
        np.savez(folder / "model.npz", allow_pickle=False, **_arrays(largest, job))


def _read_job(folder: Path) -> Job:
    job: Job = json.loads((folder / "job.json").read_text())
    with np.load(folder / "job.npz") as arrays:
        stored = dict(arrays)
    job["pairs"] = [(int(a), int(b)) for a, b in stored["pairs"]]
    job["keypoints"] = np.split(stored["keypoints"], np.cumsum(stored["counts"]))[:-1]
    job["matches"] = np.split(stored["matches"], np.cumsum(stored["match_counts"]))[:-1]
    cameras = [Camera(**{**camera, "params": tuple(camera["params"])}) for camera in job["cameras"]]
    job["cameras"] = [colmap_camera(camera, i + 1) for i, camera in enumerate(cameras)]
    for camera, is_prior in zip(job["cameras"], job["has_prior_focal"], strict=True):
        camera.has_prior_focal_length = is_prior
    return job


def _fill_database(path: Path, job: Job) -> None:
    """Image i is image i + 1 there. Where nothing ties images together, COLMAP makes a rig of every camera."""
    library = pycolmap()
    with library.Database.open(path) as database, library.DatabaseTransaction(database):
        for camera in job["cameras"]:
            database.write_camera(camera, use_camera_id=True)
        for i, name in enumerate(job["names"]):
            image = library.Image(name=name, camera_id=job["camera_of_image"][i] + 1, image_id=i + 1)
            database.write_image(image, use_image_id=True)
            database.write_keypoints(i + 1, job["keypoints"][i])
        _write_rigs(database, job)
        for (a, b), matches, geometry in zip(job["pairs"], job["matches"], _geometries(job), strict=True):
            database.write_matches(a + 1, b + 1, matches)
            database.write_two_view_geometry(a + 1, b + 1, geometry)


def _write_rigs(database: Any, job: Job) -> None:
    """The first camera of a rig is its reference there; frame k holds what instant k - 1 took."""
    library = pycolmap()
    for number, members in enumerate(job.get("rigs", ())):
        rig = library.Rig(rig_id=number + 1)
        (reference, *pose), *others = members
        rig.add_ref_sensor(_sensor(reference))
        rig_from_reference = Rigid(*map(np.array, pose)).inverse()
        for camera, *mount in others:
            rig.add_sensor(_sensor(camera), colmap_pose(Rigid(*map(np.array, mount)) @ rig_from_reference))
        database.write_rig(rig, use_rig_id=True)
    for number, (rig_number, images) in enumerate(job.get("frames", ())):
        frame = library.Frame(frame_id=number + 1, rig_id=rig_number + 1)
        for image in images:
            frame.add_data_id(library.data_t(_sensor(job["camera_of_image"][image]), image + 1))
        database.write_frame(frame, use_frame_id=True)


def _sensor(camera: int) -> Any:
    library = pycolmap()
    return library.sensor_t(library.SensorType.CAMERA, camera + 1)


def _geometries(job: Job) -> list[Any]:
    """COLMAP's own account of every pair: both mappers need to know its kind, the global one its motion."""
    library = pycolmap()
    options = library.TwoViewGeometryOptions(compute_relative_pose=True)
    options.ransac.random_seed = job["settings"]["seed"]
    pixels = [points.astype(np.float64) for points in job["keypoints"]]

    def estimate(index: int) -> Any:
        (a, b), matches = job["pairs"][index], job["matches"][index]
        first, second = (job["cameras"][job["camera_of_image"][image]] for image in (a, b))
        return library.estimate_two_view_geometry(first, pixels[a], second, pixels[b], matches, options)

    threads = job["settings"]["pair_threads"]
    with ThreadPoolExecutor(threads if threads > 0 else None) as pool:
        return list(pool.map(estimate, range(len(job["pairs"]))))


def _map(database: Path, folder: Path, settings: dict[str, Any]) -> list[Any]:
    """On as many threads as asked: both mappers give other bytes on another number of them, whatever their seed."""
    library = pycolmap()
    (folder / "models").mkdir()
    if settings["method"] == "global":
        models = library.global_mapping(database, folder, folder / "models", _global_options(settings))
    else:
        models = library.incremental_mapping(database, folder, folder / "models", _incremental_options(settings))
    return [models[i] for i in sorted(models)]


def _incremental_options(settings: dict[str, Any]) -> Any:
    """With pycolmap's own tolerances, all 0, every adjustment runs to its last iteration."""
    options = pycolmap().IncrementalPipelineOptions(
        random_seed=settings["seed"],
        num_threads=settings["num_threads"],
        min_model_size=settings["min_model_size"],
        extract_colors=False,
        ba_refine_focal_length=settings["refine_intrinsics"],
        ba_refine_extra_params=settings["refine_intrinsics"],
        ba_global_function_tolerance=1e-6,
        ba_local_function_tolerance=1e-5,
        ba_refine_sensor_from_rig=settings["rigs"] == "refined",
    )
    options.mapper.filter_max_reproj_error = settings["max_reproj_error"]
    options.mapper.abs_pose_min_num_inliers = settings["min_inliers"]
    options.mapper.abs_pose_refine_focal_length = settings["refine_intrinsics"]
    options.mapper.abs_pose_refine_extra_params = settings["refine_intrinsics"]
    return options


def _global_options(settings: dict[str, Any]) -> Any:
    options = pycolmap().GlobalPipelineOptions(
        random_seed=settings["seed"],
        num_threads=settings["num_threads"],
        min_model_size=settings["min_model_size"],
    )
    options.mapper.bundle_adjustment.refine_focal_length = settings["refine_intrinsics"]
    options.mapper.bundle_adjustment.refine_extra_params = settings["refine_intrinsics"]
    options.mapper.bundle_adjustment.refine_sensor_from_rig = settings["rigs"] == "refined"
    return options


def _arrays(model: Any, job: Job) -> dict[str, np.ndarray]:
    """The model as a SparseMap of its registered images, in input order."""
    ids = sorted(model.reg_image_ids())
    poses = [model.image(i).cam_from_world().matrix() for i in ids]
    images = PosedImages(
        [job["names"][i - 1] for i in ids],
        tuple(vloc_camera(model.camera(c.camera_id)) for c in job["cameras"]),
        np.array([job["camera_of_image"][i - 1] for i in ids], np.int32),
        Rigid.stack([Rigid(np.array(pose[:, :3]), np.array(pose[:, 3])) for pose in poses]),
    )
    model.update_point_3d_errors()
    return sparse_map(images, [len(job["keypoints"][i - 1]) for i in ids], model, ids).to_arrays()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
