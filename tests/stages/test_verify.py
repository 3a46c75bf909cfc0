"""Matches against the geometry of their two cameras, on pixels worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.data.features import Matches
from vloc.errors import DataError
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.runtime import Runtime
from vloc.stages.verify import VERIFY, VerifyConfig, View

from .two_views import FEATURES, LEFT_RIGHT, LONG, PIXELS, VIEWS, WIDE, features_at, matches_of


def verified(
    matches: dict[tuple[str, str], Matches], config: VerifyConfig | None = None, **other: object
) -> list[Matches]:
    inputs = {"features": FEATURES, "views": VIEWS, **other}
    run = VERIFY.start(config or VerifyConfig(), Runtime(), inputs["features"], matches, inputs["views"], 0)
    return list(run(list(matches)))


def test_true_matches_stay_with_their_scores_and_others_go() -> None:
    found = matches_of((0, 2), (1, 3), (2, 3), (2, 1), (3, 4), (4, 2), (4, 0))  # 2nd, 4th, 5th and 7th are true
    (kept,) = verified({("left", "right"): found})
    np.testing.assert_array_equal(kept.indices, LEFT_RIGHT.indices)
    np.testing.assert_array_equal(kept.scores, found.scores[[1, 3, 4, 6]])


def test_each_pair_has_its_own_cameras_and_answers_in_order() -> None:
    true = {
        ("right", "left"): matches_of((3, 1), (1, 2)),
        ("left", "far"): matches_of((1, 2), (3, 0)),
        ("far", "right"): matches_of((1, 0), (2, 3)),
    }
    for kept, expected in zip(verified(true), true.values(), strict=True):
        np.testing.assert_array_equal(kept.indices, expected.indices)


@pytest.mark.parametrize(("shift", "stays"), [(1.9, True), (2.1, False)])
def test_the_limit_is_in_pixels_of_the_image_where_the_match_is_further_off(shift: float, stays: bool) -> None:
    # B lies on row 170 of the right image; what is off by s px there is off by s / 2 px in the left, half as long.
    moved = [(x, y + shift * (row == 1)) for row, (x, y) in enumerate(PIXELS["right"])]
    features = {**FEATURES, "right": features_at(moved)}
    for pair, match in (("left", "right"), (2, 1)), (("right", "left"), (1, 2)):
        (kept,) = verified({pair: matches_of(match)}, features=features)
        assert len(kept) == stays
    (kept,) = verified({("left", "right"): matches_of((2, 1))}, VerifyConfig(max_error_px=3.0), features=features)
    assert len(kept) == 1


def test_a_match_whose_rays_meet_behind_the_cameras_goes() -> None:
    features = {"left": features_at([(180, 150)]), "right": features_at([(250, 150)])}  # on one line, but apart
    (kept,) = verified({("left", "right"): matches_of((0, 0))}, features=features)
    assert len(kept) == 0


def test_a_pair_without_matches_has_none_afterwards() -> None:
    (kept,) = verified({("left", "right"): matches_of()})
    assert kept.indices.shape == (0, 2)


def a_hundred_points(cameras: tuple[Camera, Camera]) -> tuple[dict, Matches]:
    """Features of two turned cameras and their matches, of which the last twenty are wrong."""
    rng = np.random.default_rng(0)
    points = rng.uniform([-2, -2, 4], [2, 2, 9], (100, 3))
    turned = Rigid.from_quat_wxyz(np.array([np.cos(0.1), 0.0, np.sin(0.1), 0.0]), np.array([-1.0, 0.3, 0.2]))
    pixels = [project(cameras[0], points), project(cameras[1], turned.apply(points))]
    pixels[1][80:] = rng.uniform([0, 0], [400, 300], (20, 2))
    order = rng.permutation(100)  # keypoint k of the second image shows point order[k]
    features = {"a": features_at(pixels[0]), "b": features_at(pixels[1][order])}
    return features, matches_of(*((i, int(np.flatnonzero(order == i)[0])) for i in range(100)))


def share_kept(kept: Matches) -> tuple[float, float]:
    """Of the true matches, and of the wrong ones."""
    rows = kept.indices[:, 0]
    return (rows < 80).sum() / 80, (rows >= 80).sum() / 20


@pytest.mark.parametrize("known", [(None, None), (Rigid.identity(), None), (None, Rigid.identity())])
def test_where_a_pose_is_unknown_the_motion_is_found(known: tuple[Rigid | None, Rigid | None]) -> None:
    features, matches = a_hundred_points((WIDE, LONG))
    views = {"a": View(WIDE, known[0]), "b": View(LONG, known[1])}
    (kept,) = verified({("a", "b"): matches}, features=features, views=views)
    true, wrong = share_kept(kept)
    assert true > 0.98 and wrong < 0.25


@pytest.mark.parametrize("guessed", [(True, False), (False, True), (True, True)])
def test_where_a_focal_length_is_guessed_no_intrinsics_are_needed(guessed: tuple[bool, bool]) -> None:
    features, matches = a_hundred_points((WIDE, LONG))
    nothing_known = Camera("UNKNOWN_CAMERA", 400, 300)
    devices = ["phone" if is_guess else "" for is_guess in guessed]
    views = {name: View(nothing_known, None, device) for name, device in zip("ab", devices, strict=True)}
    (kept,) = verified({("a", "b"): matches}, features=features, views=views)
    true, wrong = share_kept(kept)
    assert true > 0.98 and wrong < 0.25


def test_where_no_focal_length_is_guessed_intrinsics_are_used() -> None:
    features, matches = a_hundred_points((WIDE, LONG))
    views = dict.fromkeys("ab", View(Camera("UNKNOWN_CAMERA", 400, 300), None))
    with pytest.raises(DataError, match="intrinsics"):
        verified({("a", "b"): matches}, features=features, views=views)
