"""What a view that differs from the photo does to a pose."""

from dataclasses import replace

import numpy as np
import pytest

from vloc.data.estimate import PoseEstimate
from vloc.data.view import ViewConfig, ViewSimilarity
from vloc.geometry.rigid import Rigid
from vloc.stages.view import judged

CHECK = ViewConfig("check", min_similarity=0.8, min_share=0.1)
HERE = PoseEstimate("q.jpg", Rigid.identity(), "pnp", 40, 50, np.eye(6), confidence=0.9)


def test_a_pose_whose_view_is_like_the_photo_stays_and_says_how_much() -> None:
    view = ViewSimilarity(0.8, 0.5)
    found = judged(CHECK, HERE, view)
    assert found.cam_from_world is HERE.cam_from_world and found.view is view and not found.reason


def test_a_pose_whose_view_differs_is_refused_with_both_numbers() -> None:
    found = judged(CHECK, HERE, ViewSimilarity(0.64, 0.5))
    assert (found.cam_from_world, found.covariance, found.source) == (None, None, "none")
    assert (found.confidence, found.num_inliers, found.view) == (0.9, 40, ViewSimilarity(0.64, 0.5))
    assert found.reason == (
        "a pose was found with confidence 0.90, but what it would see is like the photo by 0.64 (dense descriptors "
        "over 50 % of the picture), expected 0.8 or more"
    )


@pytest.mark.parametrize("view", [ViewSimilarity(0.0, 0.0), ViewSimilarity(0.5, 0.09)])
def test_a_view_of_which_too_little_can_be_compared_says_nothing(view: ViewSimilarity) -> None:
    assert judged(CHECK, HERE, view).is_localized
    refused = judged(replace(CHECK, use="require"), HERE, view)
    assert refused.cam_from_world is None
    assert refused.reason == (
        f"a pose was found with confidence 0.90, but {100 * view.share:g} % of the picture can be compared with what "
        "it would see, expected 10 % or more"
    )
