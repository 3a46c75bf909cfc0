"""Structure from motion: poses, cameras and points of images without poses, by COLMAP in a child process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import msgspec
import numpy as np

from ..array_types import Float32, Int32
from ..data.mounting import Mounting
from ..data.sparse_map import SparseMap
from ..errors import ConfigError, DataError, StageError
from ..geometry.camera import Camera
from .colmap import PairMatches, check_keypoints, check_matches
from .point_refinement import with_covariances
from .pose_noise import pose_noise


@dataclass(frozen=True)
class SfmConfig:
    """How poses are found where none are known."""

    method: Literal["incremental", "global"] = "incremental"
    """incremental (Schoenberger and Frahm 2016) or global (Pan et al. 2024)"""
    refine_intrinsics: bool = True
    """whether focal lengths and distortions may change; principal points stay"""
    max_reproj_error: Annotated[float, msgspec.Meta(gt=0)] = 4.0
    """px; observations further from their point are dropped"""
    min_inliers: Annotated[int, msgspec.Meta(ge=6)] = 15
    """2D-3D matches; images with fewer stay out of an incremental model"""
    min_model_size: Annotated[int, msgspec.Meta(ge=2)] = 3
    """images; smaller models are not counted"""
    rigs: Literal["auto", "fixed", "refined", "none"] = "auto"
    """what is made of the rigs that took images together: their mounts stay as they are given (fixed), or are refined
    with everything else; auto: fixed for incremental, refined for global, which loses the scale of fixed ones; none:
    every image stands for itself"""
    num_threads: Annotated[int, msgspec.Meta(ge=1)] = field(default=1, metadata={"later": True})
    """of COLMAP's mapper; another number gives other last bits, and so another map (docs/scale.md)"""

    def __post_init__(self) -> None:
        if self.method == "global" and self.rigs == "fixed":
            raise ConfigError("sfm: global SfM loses the scale of fixed rigs: choose --sfm.rigs refined or none")


@dataclass(frozen=True, eq=False)
class UnposedImages:
    """Names and cameras, one row an image; `has_prior_focal[c]`: camera c's focal length is measured, not guessed.

    `mounting`: what rigs took together; a camera is then of one sensor alone.
    """

    names: Sequence[str]
    cameras: tuple[Camera, ...]
    camera_of_image: Int32[np.ndarray, "i"]
    has_prior_focal: tuple[bool, ...]
    mounting: Mounting | None = None


def reconstruct(
    images: UnposedImages,
    keypoints: Sequence[Float32[np.ndarray, "_ 2"]],
    matches: PairMatches,
    config: SfmConfig,
    seed: int = 0,
    pair_threads: int = -1,
) -> SparseMap:
    """Poses and points from matches (rows of `images` -> keypoint rows): the largest model, its images in input order.

    Cameras are refined; the scale and frame of the world are arbitrary, but with fixed rigs the scale is that of their
    mounts. Runs in a child process: whatever COLMAP dies of becomes a StageError, and so does having no model at the
    end. `pair_threads` (-1: all) are for the pairs; their number changes no result.
    """
    _check(images, keypoints, matches)
    with TemporaryDirectory(prefix="vloc-sfm-") as folder:
        settings = {**asdict(config), "rigs": _rigs(config), "seed": seed, "pair_threads": pair_threads}
        _write_job(Path(folder), images, keypoints, matches, settings)
        _run_child(Path(folder))
        sparse = _read_result(Path(folder), len(images.names), matches)
    return _with_uncertainty(sparse, images.names, keypoints)


def _with_uncertainty(
    sparse: SparseMap, names: Sequence[str], keypoints: Sequence[Float32[np.ndarray, "_ 2"]]
) -> SparseMap:
    """Poses are fitted to the keypoints here, so `pose_noise` is only what the model cannot explain."""
    own = dict(zip(names, keypoints, strict=True))
    registered = [own[name] for name in sparse.image_names]
    return with_covariances(replace(sparse, pose_noise=pose_noise([(sparse, registered)])), registered)


def _check(images: UnposedImages, keypoints: Sequence[np.ndarray], matches: PairMatches) -> None:
    if not len(images.names) == len(keypoints) == len(images.camera_of_image):
        raise DataError(f"{len(keypoints)} sets of keypoints for {len(images.names)} images, expected one each")
    for name, points, camera in zip(images.names, keypoints, images.camera_of_image, strict=True):
        check_keypoints(name, points)
        if not images.cameras[camera].is_known:
            raise DataError(f"{name}: SfM starts from intrinsics, its camera has none (a guess will do)")
    counts = [len(points) for points in keypoints]
    for pair, indices in matches.items():
        check_matches(pair, indices, counts)


def _write_job(
    folder: Path,
    images: UnposedImages,
    keypoints: Sequence[np.ndarray],
    matches: PairMatches,
    settings: dict[str, object],
) -> None:
    text = {
        "names": list(images.names),
        "cameras": [asdict(camera) for camera in images.cameras],
        "camera_of_image": images.camera_of_image.tolist(),
        "has_prior_focal": list(images.has_prior_focal),
        "settings": settings,
        **({} if images.mounting is None else _tied(images, images.mounting)),
    }
    (folder / "job.json").write_text(json.dumps(text))
    pairs = sorted(pair for pair, indices in matches.items() if len(indices))
    none = np.zeros((0, 2))
    np.savez(
        folder / "job.npz",
        counts=np.array([len(points) for points in keypoints], np.int64),
        keypoints=np.concatenate([none, *keypoints]).astype(np.float32),
        pairs=np.array(pairs, np.int64).reshape(len(pairs), 2),
        match_counts=np.array([len(matches[pair]) for pair in pairs], np.int64),
        matches=np.concatenate([none, *[matches[pair] for pair in pairs]]).astype(np.uint32),
    )


def _rigs(config: SfmConfig) -> str:
    """`config.rigs`, resolved."""
    return config.rigs if config.rigs != "auto" else {"incremental": "fixed", "global": "refined"}[config.method]


def _tied(images: UnposedImages, mounting: Mounting) -> dict[str, object]:
    """Of every rig, its cameras and where they are on it; of every instant, its rig and images."""
    cameras: dict[int, int] = dict(zip(mounting.sensor_of_image.tolist(), images.camera_of_image.tolist(), strict=True))
    rigs: list[list[object]] = [[] for _ in range(int(mounting.rig_of_sensor.max()) + 1)]
    for sensor, camera in sorted(cameras.items()):
        pose = mounting.sensors_from_rig[sensor]
        rigs[mounting.rig_of_sensor[sensor]].append([camera, pose.rotation.tolist(), pose.translation.tolist()])
    together = mounting.images_together()
    frames = [[int(mounting.rig_of_sensor[mounting.sensor_of_image[rows[0]]]), rows.tolist()] for rows in together]
    return {"rigs": rigs, "frames": frames}


def _run_child(folder: Path) -> None:
    command = [sys.executable, "-m", "vloc.solvers.sfm_child", str(folder)]
    child = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if child.returncode != 0:
        end = f"signal {-child.returncode}" if child.returncode < 0 else f"status {child.returncode}"
        last = " | ".join(child.stderr.strip().splitlines()[-3:])
        raise StageError(f"SfM: the mapper ended with {end}: {last or 'it said nothing'}")


def _read_result(folder: Path, num_images: int, matches: PairMatches) -> SparseMap:
    if not (folder / "model.npz").exists():
        total = sum(map(len, matches.values()))
        raise StageError(
            f"SfM registered none of {num_images} images ({len(matches)} pairs, {total} matches): "
            "the images overlap too little, or were taken from one spot"
        )
    with np.load(folder / "model.npz") as arrays:
        return SparseMap.from_arrays(dict(arrays))
