"""Poses by similar images alone, in a ring of cameras whose descriptors say where they look."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.data.capture import Sensor
from vloc.errors import DataError
from vloc.geometry.camera import Camera
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.runtime import Runtime
from vloc.solvers.pose_approximation import ApproximationConfig
from vloc.stages.approximate import APPROXIMATE

SENSOR = Sensor("camera", camera=Camera("PINHOLE", 64, 48, (50.0, 50.0, 32.0, 24.0)))


def ring(degrees: np.ndarray) -> Rigid:
    """Cameras on a circle of 2 m, that look outwards."""
    rotation = Rotation.from_euler("y", degrees[:, None], degrees=True).as_matrix()
    return Rigid(rotation, -np.broadcast_to([0.0, 0.0, 2.0], (len(degrees), 3)))


def described(degrees: np.ndarray, seed: int) -> np.ndarray:
    """Unit vectors whose cosine falls with the angle between two cameras, to nothing at some 60 degrees."""
    centers = np.arange(0, 360, 5)
    apart = (degrees[:, None] - centers + 180) % 360 - 180
    bumps = np.exp(-np.square(apart / 20) / 2) + 0.05 * np.random.default_rng(seed).random((len(degrees), len(centers)))
    return (bumps / np.linalg.norm(bumps, axis=1, keepdims=True)).astype(np.float32)


def approximated(asked: np.ndarray, mapped: np.ndarray, config: ApproximationConfig, k: int = 6) -> list:
    queries, images = described(asked, 1), described(mapped, 2)
    names = [f"{row}.jpg" for row in range(len(asked))]
    retrieved = {name: np.argsort(-(images @ q))[:k] for name, q in zip(names, queries, strict=True)}
    sensors = dict.fromkeys(names, SENSOR)
    run = APPROXIMATE.start(config, Runtime(), retrieved, sensors, names, [queries], [images], ring(mapped), k)
    return list(run(names))


MAPPED, ASKED = np.sort(np.random.default_rng(0).uniform(0, 360, 60)), np.linspace(1, 350, 40)


@pytest.mark.parametrize(("weights", "metres"), [("ewb", 0.5), ("csi", 0.4), ("bdi", 0.3)])
def test_a_query_is_placed_between_the_images_that_look_like_it(weights: str, metres: float) -> None:
    found = approximated(ASKED, MAPPED, ApproximationConfig(weights))  # type: ignore[arg-type]
    errors = [pose_errors(e.cam_from_world, truth) for e, truth in zip(found, ring(ASKED), strict=True)]
    assert max(error for error, _ in errors) < metres
    assert {(e.source, e.confidence, e.num_matches, e.evidence) for e in found} == {("retrieval", 0.0, 0, None)}


def test_covariances_hold_what_errors_there_are() -> None:
    found = approximated(ASKED, MAPPED, ApproximationConfig())
    distances = []
    for estimate, truth in zip(found, ring(ASKED), strict=True):
        metres, radians = pose_errors(estimate.cam_from_world, truth)
        variances = np.diag(estimate.covariance)
        distances.append(radians**2 / variances[0] + metres**2 / variances[3])
    assert np.mean(np.array(distances) < 12.59) > 0.9  # the 95 % bound of chi2 with 6 degrees of freedom


def test_a_query_that_resembles_nothing_may_be_anywhere() -> None:
    images = described(MAPPED, 2)
    run = APPROXIMATE.start(
        ApproximationConfig(), Runtime(), {"q": np.arange(6)}, {"q": SENSOR}, ["q"],
        [np.zeros((1, images.shape[1]), np.float32)], [images], ring(MAPPED), 6,
    )  # fmt: skip
    (found,) = run(["q"])
    assert 2.8 * np.sqrt(found.covariance[3, 3]) > 1.5  # metres that 95 % are within, on a circle of 2


def test_a_query_that_may_be_given_no_image_has_no_pose() -> None:
    images = described(MAPPED, 2)
    run = APPROXIMATE.start(
        ApproximationConfig(), Runtime(), {"q": np.zeros(0, np.int64)}, {"q": SENSOR}, ["q"],
        [images[:1]], [images], ring(MAPPED), 6,
    )  # fmt: skip
    (found,) = run(["q"])
    assert (found.is_localized, found.source) == (False, "none") and "no map image" in found.reason


def test_a_map_of_two_images_is_refused() -> None:
    with pytest.raises(DataError, match="a map of 2 images: expected 3"):
        approximated(ASKED[:1], MAPPED[:2], ApproximationConfig())
