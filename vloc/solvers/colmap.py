"""The one door to pycolmap: checks what pycolmap does not, since bad values kill the interpreter or pass unseen.

Checked before each call: shapes, finite values, index bounds, camera parameters.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from ..array_types import Shaped, UInt32
from ..data.sparse_map import SparseMap
from ..errors import DataError
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .posed_images import PosedImages, without_points

PairMatches = Mapping[tuple[int, int], UInt32[np.ndarray, "_ 2"]]

FATAL_SIGNALS = (signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGBUS)


@cache
def pycolmap() -> Any:
    """The library, with its log silenced and Python's own signal handlers back in place.

    Call it first in the main thread: only there can handlers be restored.
    """
    with _keep_signal_handlers():
        import pycolmap as library
    library.logging.minloglevel = 2  # errors and worse
    return library


@contextmanager
def _keep_signal_handlers() -> Iterator[None]:
    """Importing pycolmap installs glog's handlers, after which a Python SIGTERM handler never runs."""
    if "pycolmap" in sys.modules or threading.current_thread() is not threading.main_thread():
        yield
        return
    before, faults = {number: signal.getsignal(number) for number in FATAL_SIGNALS}, faulthandler.is_enabled()
    yield
    for number, handler in before.items():
        if handler is not None:
            signal.signal(number, handler)
    if faults and sys.__stderr__ is not None:
        faulthandler.enable(sys.__stderr__)


def colmap_camera(camera: Camera, camera_id: int = 1) -> Any:
    """A pycolmap Camera, its parameters verified; DataError for an unknown camera."""
    if not camera.is_known:
        raise DataError(f"camera {camera.width} x {camera.height}: expected intrinsics, found none")
    made = pycolmap().Camera(
        camera_id=camera_id, model=camera.model, width=camera.width, height=camera.height, params=list(camera.params)
    )
    if not made.verify_params():
        raise DataError(f"{camera}: COLMAP refuses these parameters")
    return made


def vloc_camera(camera: Any) -> Camera:
    """Our Camera of a pycolmap one."""
    return Camera(camera.model.name, camera.width, camera.height, tuple(map(float, camera.params)))


def colmap_pose(pose: Rigid) -> Any:
    """A pycolmap Rigid3d of one transform."""
    if not (np.isfinite(pose.rotation).all() and np.isfinite(pose.translation).all()):
        raise DataError("pose: expected finite numbers")
    return pycolmap().Rigid3d(np.hstack([pose.rotation, pose.translation[:, None]]))


def check_intrinsics(name: str, camera: Camera) -> None:
    """DataError unless a camera has intrinsics."""
    if not camera.is_known:
        raise DataError(f"{name}: triangulation needs intrinsics, its camera has none")


def check_keypoints(name: str, keypoints: Shaped[np.ndarray, "n 2"]) -> None:
    """DataError unless keypoints are n finite pairs."""
    if keypoints.ndim != 2 or keypoints.shape[1] != 2:
        raise DataError(f"{name}: keypoints of shape {keypoints.shape}, expected (n, 2)")
    if not np.isfinite(keypoints).all():
        raise DataError(f"{name}: keypoints that are not finite numbers")


def check_matches(pair: tuple[int, int], matches: Shaped[np.ndarray, "m 2"], counts: Sequence[int]) -> None:
    """DataError unless a pair names two different images and its matches two existing keypoints each."""
    first, second = pair
    if not (0 <= first < len(counts) and 0 <= second < len(counts)) or first == second:
        raise DataError(f"pair {pair}: expected two different images of {len(counts)}")
    if matches.ndim != 2 or matches.shape[1] != 2 or matches.dtype.kind not in "ui":
        raise DataError(f"pair {pair}: matches {matches.dtype} {matches.shape}, expected integers (m, 2)")
    limits = counts[first], counts[second]
    if len(matches) and (matches.min() < 0 or (matches.max(0) >= limits).any()):
        raise DataError(f"pair {pair}: matches name keypoints {matches.min(0)} to {matches.max(0)} of {limits}")


def sparse_map(images: PosedImages, counts: Sequence[int], model: Any, image_ids: Sequence[int]) -> SparseMap:
    """The points of a COLMAP model in the order of their ids; `image_ids`: what it calls each row of `images`."""
    ids, points = np.array(sorted(model.point3D_ids()), np.int64), model.points3D
    kept = [points[row] for row in ids.tolist()]
    empty = without_points(images, counts)
    observed = empty.point_of_keypoint.copy()
    for start, image_id in zip(empty.offsets[:-1], image_ids, strict=True):
        image = model.image(image_id)
        shown = np.array([seen.point3D_id for seen in image.get_observation_points2D()], np.int64)
        observed[start + np.array(image.get_observation_point2D_idxs(), np.int64)] = np.searchsorted(ids, shown)
    return replace(
        empty,
        points=np.array([point.xyz for point in kept], np.float64).reshape(len(kept), 3),
        point_errors=np.array([point.error for point in kept], np.float32),
        point_of_keypoint=observed,
    )
