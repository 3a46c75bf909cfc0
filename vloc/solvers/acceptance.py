"""Is a pose to be believed? How unlikely its agreement is by chance, and what chance alone does not see.

The measure is a contrario (Moisan and Stival 2004; Moulon, Monasse and Marlet 2012): under the hypothesis that matches
are independent and uniform in the image, the expected number of poses with k of n matches within e px is
    NFA(k, e) = 4 (n - 3) C(n, k) C(k, 3) (pi e^2 / area)^(k - 3),
for samples of 3 matches (4 where the focal length is found too) with up to 4 poses each. Repeated structures are
neither independent nor uniform, so matches in one place count once, and the belief also asks how many of the matches
with the supporting images agree, over how much of the image, whether a pose elsewhere does as well, and how precisely
the matches fix the pose.
"""

from __future__ import annotations

import numpy as np

from ..array_types import Bool, Float64, Int32, Int64
from ..data.evidence import Evidence
from ..errors import DataError
from ..geometry.camera import Camera
from ..geometry.pose_error import pose_errors
from ..geometry.rigid import Rigid
from . import poselib
from .pnp import PnpResult
from .pose_refinement import reprojection_errors

SAMPLE, POSES_PER_SAMPLE = 3, 4
SMALLEST_ERROR_PX = 0.5
"""no match counts as closer: keypoints are not found better than that"""
PLACES = 64
"""matches in one cell, a 64th of the longer side wide, count once"""
COVERAGE_CELLS = 8
"""cells along the longer side in which agreement is looked for"""
ELSEWHERE_DEG, ELSEWHERE = 5.0, 0.1
"""a pose is another one from so many degrees, or so many distances of the points, on"""
PLAIN_CHANCE, PLAIN_RIVAL, PLAIN_ERROR = -5.0, 0.5, 0.05
"""false alarms (log10), rival and relative error from which each is what a refusal names"""
RIVAL_SHARE, RIVAL_ITERATIONS = 0.25, 500
"""of the inliers; a rival with fewer is none, and as many samples find a larger one"""


def log10_false_alarms(
    errors_px: Float64[np.ndarray, "m"], area_px: float, max_error_px: float, sample: int = SAMPLE
) -> float:
    """log10 of the number of false alarms of a pose and its matches, at its smallest under `max_error_px`."""
    n, errors = len(errors_px), np.sort(errors_px[errors_px < max_error_px])[sample:]
    if not len(errors):
        return float(np.log10(POSES_PER_SAMPLE * max(n - sample, 1)))
    factorial = np.append(0, np.log10(np.arange(1, n + 1)).cumsum())

    def log10_choose(n: np.ndarray | int, k: np.ndarray | int) -> np.ndarray:
        return factorial[n] - factorial[k] - factorial[np.subtract(n, k)]

    k = np.arange(len(errors)) + sample + 1
    chance = np.minimum(np.pi * np.maximum(errors, SMALLEST_ERROR_PX) ** 2 / area_px, 1.0)
    tests = np.log10(POSES_PER_SAMPLE * (n - sample)) + log10_choose(n, k) + log10_choose(k, sample)
    return float((tests + (k - sample) * np.log10(chance)).min())


def weigh(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    images: Int32[np.ndarray, "m"],
    found: PnpResult,
    max_error_px: float,
    seed: int,
    area_px: float = np.inf,
) -> Evidence:
    """What matches, each made with one of `images` and without knowing the pose, say for the pose that was found.

    `points2d`: px in the distorted image. `area_px`: px^2 in which each match was looked for, where that is less than
    the image: so much likelier does it agree by chance. DataError where no pose was found.
    """
    pose, covariance, camera = found.cam_from_world, found.covariance, found.camera
    if pose is None or covariance is None or camera is None:
        raise DataError("no pose was found: there is nothing to weigh")
    errors = reprojection_errors(points2d, points_in_world, camera, pose)
    agrees, area = errors < max_error_px, min(area_px, float(camera.width * camera.height))
    distance = median_distance(points_in_world[agrees], pose)
    rest = points2d[~agrees], points_in_world[~agrees]
    return Evidence(
        log10_false_alarms(errors[one_a_place(points2d, camera)], area, max_error_px, SAMPLE + bool(found.focal_sigma)),
        agreement(images, agrees),
        coverage(points2d[agrees], camera),
        _rival(*rest, camera, pose, distance, int(agrees.sum()), max_error_px, seed),
        relative_error=float(np.sqrt(np.diag(covariance)[3:6].sum())) / distance,
    )


def median_distance(points_in_world: Float64[np.ndarray, "m 3"], cam_from_world: Rigid) -> float:
    """Of points from the camera's centre."""
    return float(np.median(np.linalg.norm(points_in_world - cam_from_world.center, axis=1)))


def doubt(evidence: Evidence) -> str:
    """What speaks most against a pose, in words."""
    if evidence.log10_false_alarms > PLAIN_CHANCE:
        return f"as many agree by chance (false alarms: 1e{evidence.log10_false_alarms:+.0f})"
    if evidence.rival > PLAIN_RIVAL:
        return f"a pose elsewhere is supported by {evidence.rival:.0%} as many"
    if evidence.relative_error > PLAIN_ERROR:
        return f"they leave {evidence.relative_error:.0%} of the distance to the points open"
    return f"of those with the map images that support it most, {evidence.agreement:.0%} agree"


def is_elsewhere(pose: Rigid, other: Rigid, distance: float) -> bool:
    """Whether two `cam_from_world` are different places, seen from points at that distance."""
    metres, radians = pose_errors(pose, other)
    return bool(metres > ELSEWHERE * distance or np.degrees(radians) > ELSEWHERE_DEG)


def one_a_place(points2d: Float64[np.ndarray, "m 2"], camera: Camera) -> np.ndarray:
    """Rows of the first match in every place."""
    return np.unique(_cells(points2d, max(camera.width, camera.height) / PLACES), return_index=True)[1]


def _cells(points2d: Float64[np.ndarray, "m 2"], side: float) -> Int64[np.ndarray, "m"]:
    """The number of the square that each point lies in, column by column."""
    columns, rows = np.floor(points2d / side).astype(np.int64).T
    return (columns << 32) ^ rows


def agreement(images: Int32[np.ndarray, "m"], agrees: Bool[np.ndarray, "m"]) -> float:
    """The share of agreeing matches with the fewest images that give half of them: what it is at least, with few too.

    Retrieved images of other places only add matches that disagree, so they are no evidence against a pose. The bound
    is the lower one of Wilson's interval of 95 % (1927).
    """
    _, image = np.unique(images, return_inverse=True)
    total, agreeing = np.bincount(image), np.bincount(image, agrees)
    order = np.argsort(-agreeing, kind="stable")
    sums = np.cumsum(agreeing[order])
    supporting = order[: int(np.searchsorted(sums, sums[-1] / 2)) + 1]
    return _wilson(float(agreeing[supporting].sum()), float(total[supporting].sum()))


def _wilson(successes: float, trials: float) -> float:
    share, z = successes / trials, 1.96
    spread = z * np.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    return float((share + z**2 / (2 * trials) - spread) / (1 + z**2 / trials))


def coverage(points2d: Float64[np.ndarray, "m 2"], camera: Camera) -> float:
    """The share of the cells of a coarse grid over the image that hold a point."""
    side = max(camera.width, camera.height) / COVERAGE_CELLS
    cells = np.unique(_cells(points2d, side))
    return float(len(cells) / (np.ceil(camera.width / side) * np.ceil(camera.height / side)))


def _rival(
    points2d: Float64[np.ndarray, "m 2"],
    points_in_world: Float64[np.ndarray, "m 3"],
    camera: Camera,
    cam_from_world: Rigid,
    distance: float,
    num_inliers: int,
    max_error_px: float,
    seed: int,
) -> float:
    """How many of the matches that disagree with a pose agree with one pose elsewhere, relative to its inliers."""
    least = max(RIVAL_SHARE * num_inliers, 2 * SAMPLE)
    if len(points2d) < least:
        return 0.0
    origin = points_in_world.mean(0)
    ransac = {"max_reproj_error": max_error_px, "max_iterations": RIVAL_ITERATIONS, "min_iterations": 100, "seed": seed}
    found = poselib.ransac_pose(points2d, points_in_world - origin, camera, ransac, {})
    other = Rigid(found.rotation, found.translation - found.rotation @ origin)
    inliers = int((reprojection_errors(points2d, points_in_world, camera, other) < max_error_px).sum())
    return inliers / num_inliers if inliers >= least and is_elsewhere(other, cam_from_world, distance) else 0.0
