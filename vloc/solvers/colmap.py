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
from functools import cache
from typing import Any

import numpy as np

from ..array_types import Float32, Shaped, UInt32
from ..errors import DataError
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .posed_images import PosedImages

PairMatches = Mapping[tuple[int, int], UInt32[np.ndarray, "_ 2"]]

FATAL_SIGNALS = (signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL, signal.SIGBUS)
CALIBRATED = 2  # TwoViewGeometryConfiguration; geometries left UNDEFINED are ignored in silence


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


def correspondence_graph(counts: Sequence[int], matches: PairMatches) -> Any:
    """COLMAP's graph of matches between images of `counts` keypoints; image i is image i + 1 there."""
    library = pycolmap()
    graph = library.CorrespondenceGraph()
    for image, count in enumerate(counts):
        graph.add_image(image + 1, count)
    for pair, indices in sorted(matches.items()):
        check_matches(pair, indices, counts)
        if len(indices):
            geometry = library.TwoViewGeometry()
            geometry.config = CALIBRATED
            geometry.inlier_matches = np.ascontiguousarray(indices, np.uint32)
            graph.add_two_view_geometry(pair[0] + 1, pair[1] + 1, geometry)
    graph.finalize()
    return graph


def posed_reconstruction(images: PosedImages, keypoints: Sequence[Float32[np.ndarray, "_ 2"]]) -> Any:
    """A COLMAP model of posed images without points; image i is image i + 1 there.

    Every camera is its own rig and every image its own frame: nothing ties poses together, so none can move.
    """
    if len(images) != len(keypoints):
        raise DataError(f"{len(keypoints)} sets of keypoints, expected one for each of {len(images)} images")
    library = pycolmap()
    model = library.Reconstruction()
    for index, camera in enumerate(images.cameras):
        if camera.is_known:
            model.add_camera_with_trivial_rig(colmap_camera(camera, index + 1))
    for index, (name, points) in enumerate(zip(images.names, keypoints, strict=True)):
        check_keypoints(name, points)
        if not images.camera(index).is_known:
            raise DataError(f"{name}: triangulation needs intrinsics, its camera has none")
        camera_id = int(images.camera_of_image[index]) + 1
        image = library.Image(
            name=name, keypoints=np.asarray(points, np.float64), camera_id=camera_id, image_id=index + 1
        )
        model.add_image_with_trivial_frame(image, colmap_pose(images.cam_from_world[index]))
    return model
