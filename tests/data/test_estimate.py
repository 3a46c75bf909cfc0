"""What localization says of a query survives its stored form."""

from dataclasses import replace

import numpy as np
import pytest

from vloc.data.estimate import PoseEstimate
from vloc.data.evidence import Evidence
from vloc.data.quality import ImageQuality
from vloc.data.view import ViewSimilarity
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

CAMERA = Camera("SIMPLE_RADIAL", 640, 480, (768.1, 320.0, 1 / 3, -0.1))
PLACED = PoseEstimate(
    "night/ü 1.jpg",
    Rigid(np.eye(3), np.array([1.0, 2.0, 3.0])),
    "pnp",
    20,
    30,
    np.diag(np.arange(1.0, 7.0)),
    ("a b.jpg", "c.jpg"),
    camera=CAMERA,
    focal_source="EXIF 35 mm tag",
    focal_sigma_px=1.25,
    view=ViewSimilarity(0.9, 0.5),
    similarities=(0.75, 0.5),
)
LOST = PoseEstimate("q.jpg", None, "none", 3, 9, reason="3 inliers, a pose needs 12")


@pytest.mark.parametrize("estimate", [PLACED, LOST])
def test_an_estimate_reads_back_as_it_was(estimate):
    again = PoseEstimate.from_arrays(estimate.to_arrays())
    for name in ("name", "source", "num_inliers", "num_matches", "retrieved", "reason"):
        assert getattr(again, name) == getattr(estimate, name)
    for name in ("camera", "focal_source", "focal_sigma_px", "view", "similarities"):
        assert getattr(again, name) == getattr(estimate, name)
    assert again.is_localized == estimate.is_localized
    if estimate.covariance is not None:
        assert np.array_equal(again.covariance, estimate.covariance)


def test_images_that_were_not_listed_have_no_similarity():
    given = LOST.given(["a", "b", "c"], [2, 0], {0: 0.25, 1: 0.5})
    assert given.retrieved == ("c", "a") and np.array_equal(given.similarities, (np.nan, 0.25), equal_nan=True)


def test_estimates_with_and_without_a_pose_are_stored_side_by_side():
    scores = {"quality": ImageQuality(*np.arange(6.0)), "evidence": Evidence(*np.arange(6.0))}
    known = replace(PLACED, **scores)
    arrays = [estimate.to_arrays() for estimate in (LOST, known, LOST)]
    joined = {name: np.concatenate([own[name] for own in arrays]) for name in arrays[0]}
    for name in ("rotation", "translation", "covariance", "quality", "evidence", "view"):
        np.testing.assert_array_equal(joined[name], arrays[1][name])


def test_a_query_of_which_nothing_is_known_counts_nothing():
    unknown = PoseEstimate("q.jpg", None, "none")
    counts = unknown.num_inliers, unknown.num_matches, unknown.num_guided, unknown.seconds, unknown.confidence
    assert counts == (0, 0, 0, 0, 0) and unknown.focal_sigma_px == 0
