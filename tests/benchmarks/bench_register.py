"""Registering a query against the solver's own time: 50 retrieved images, 4,096 keypoints, 7,000 2D-3D matches.

    python tests/benchmarks/bench_register.py

Ours is everything from the matches of every retrieved image to the pose with its covariance; the solver's is PoseLib's
`estimate_absolute_pose` (LO-RANSAC with its own final refinement), with the same options, on the same 2D-3D matches.
"""

import time

import numpy as np
import poselib
from scipy.spatial.transform import Rotation

from vloc.data.capture import Sensor
from vloc.data.evidence import Calibration, Trials
from vloc.data.features import LocalFeatures, Matches
from vloc.data.quality import ImageQuality
from vloc.data.sparse_map import SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.pnp import PnpConfig
from vloc.stages.correspond import resolve
from vloc.stages.register import register

CAMERA = Camera("PINHOLE", 1600, 1200, (1300.0, 1300.0, 800.0, 600.0))
MODEL = {"model": CAMERA.model, "width": CAMERA.width, "height": CAMERA.height, "params": list(CAMERA.params)}
LOSS = {"loss_type": "CAUCHY", "loss_scale": PnpConfig().loss_scale_px}
GOOD = ImageQuality(megapixels=1.92, brightness=0.8, blown_out=0.0, noise=0.01, sharpness=1.0, texture=1.0)
NOTHING_TRIED = Calibration(1.0, 0.0, Trials.joined([]))
IMAGES, KEYPOINTS, MATCHES = 50, 4096, 7000


def scene(seed: int, outliers: float) -> tuple[LocalFeatures, np.ndarray, list[tuple[Matches, np.ndarray, int]]]:
    """A query's features, the map's points, and the query's matches with every retrieved image."""
    rng = np.random.default_rng(seed)
    points = rng.uniform([-8, -5, 6], [8, 5, 25], (30_000, 3))
    pose = Rigid(Rotation.from_euler("xyz", rng.normal(0, 0.1, 3)).as_matrix(), rng.normal(0, 0.5, 3))
    pixels = project(CAMERA, pose.apply(points))
    seen = np.flatnonzero(np.all((pixels > 0) & (pixels < (1600, 1200)), axis=1))[:KEYPOINTS]
    keypoints = (pixels[seen] + rng.normal(0, 0.5, (len(seen), 2))).astype(np.float32)
    found = []
    for image in range(IMAGES):
        rows = np.sort(rng.choice(len(seen), MATCHES // IMAGES, replace=False))
        shown = seen[rows].astype(np.int32)
        wrong = rng.random(len(rows)) < outliers
        shown[wrong] = rng.integers(0, len(points), wrong.sum())
        indices = np.stack([rows, np.arange(len(rows))], axis=1).astype(np.uint32)
        found.append((Matches(indices, rng.random(len(rows), np.float32)), shown, image))
    none = np.zeros((len(keypoints), 0), np.uint8)
    ones = np.ones(len(keypoints), np.float32)
    return LocalFeatures(keypoints, none, ones, ones), points, found


def map_of(points: np.ndarray) -> SparseMap:
    """A map of these points, whose images nobody looks at."""
    none = np.zeros(0, np.int32)
    return SparseMap([], (), none, Rigid.identity(0), points, np.zeros(len(points), np.float32), np.zeros(1, int), none)


def ransac_options(config: PnpConfig) -> dict[str, float]:
    """PoseLib's names of the same settings."""
    return {
        "max_reproj_error": config.max_error_px,
        "max_iterations": config.max_iterations,
        "min_iterations": config.min_iterations,
        "success_prob": config.success_probability,
    }


def milliseconds(run, repeats: int = 15) -> float:
    """The quickest of several runs."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return 1000 * min(times)


def compare(outliers: float) -> str:
    """One line of figures."""
    config = PnpConfig()
    features, points, found = scene(0, outliers)
    matches = resolve(found)
    pixels = features.keypoints[matches.keypoints].astype(np.float64)
    world = points[matches.points] - points[matches.points].mean(0)
    ransac = ransac_options(config)
    known, sensor = (map_of(points), NOTHING_TRIED, 0), Sensor("camera", camera=CAMERA)
    ours = milliseconds(lambda: register(config, "q", sensor, GOOD, features, resolve(found), *known))
    theirs = milliseconds(lambda: poselib.estimate_absolute_pose(pixels, world, MODEL, ransac, LOSS))
    return (
        f"{outliers:.0%} outliers, {MATCHES} matches, {len(matches)} after duplicates: "
        f"register {ours:.1f} ms, solver {theirs:.1f} ms, ratio {ours / theirs:.2f}"
    )


if __name__ == "__main__":
    for share in (0.3, 0.5, 0.7):
        print(compare(share))
