"""Cameras brought onto others of which some are wrong: exact worlds, noise of a known size, and what fixes nothing."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.geometry.alignment import Similarity
from vloc.geometry.robust_alignment import align_robustly

RNG = np.random.default_rng(5)
TRUTH = Similarity(2.5, Rotation.from_rotvec([0.4, -1.0, 2.0]).as_matrix(), np.array([10.0, -3, 7]))
CENTERS = RNG.normal(size=(20, 3))
LINE = np.outer(np.arange(6.0), [1, 2, 3])


def assert_is_truth(found: Similarity, tolerance: float = 1e-9) -> None:
    assert found.scale == pytest.approx(TRUTH.scale, rel=tolerance)
    assert np.allclose(found.apply(CENTERS), TRUTH.apply(CENTERS), atol=tolerance * 30)


def test_exact_cameras_give_the_exact_similarity_and_all_agree() -> None:
    found = align_robustly(CENTERS, TRUTH.apply(CENTERS))
    assert_is_truth(found.target_from_source)
    assert found.agrees.all() and found.residuals.max() < 1e-12 and found.scale_error < 1e-12


@pytest.mark.parametrize("with_rotations", [False, True])
def test_eight_of_twenty_cameras_elsewhere_change_nothing_and_are_named(with_rotations: bool) -> None:
    target = TRUTH.apply(CENTERS)
    wrong = RNG.permutation(20)[:8]
    target[wrong] += RNG.normal(0, 50, (8, 3))
    rotations = np.tile(TRUTH.rotation, (20, 1, 1)) if with_rotations else None
    found = align_robustly(CENTERS, target, rotations)
    assert_is_truth(found.target_from_source)
    assert set(np.flatnonzero(~found.agrees)) == set(wrong)


def test_three_hundred_cameras_are_sampled_and_the_seed_decides() -> None:
    source = RNG.normal(size=(300, 3))
    target = TRUTH.apply(source) + RNG.normal(0, 0.01, source.shape)
    target[:120] = RNG.normal(0, 50, (120, 3))
    first, again = (align_robustly(source, target, seed=3) for _ in range(2))
    assert first.target_from_source.scale == again.target_from_source.scale == pytest.approx(2.5, rel=2e-3)
    assert not first.agrees[:120].any() and first.agrees[120:].mean() > 0.97


def test_the_errors_of_scale_and_turn_are_those_of_many_repetitions() -> None:
    scales, turns, expected = [], [], []
    for seed in range(60):
        noise = np.random.default_rng(seed).normal(0, 0.2, CENTERS.shape)
        found = align_robustly(CENTERS * [1, 0.3, 0.05], TRUTH.apply(CENTERS * [1, 0.3, 0.05]) + noise)
        scales.append(found.target_from_source.scale / 2.5 - 1)
        turns.append(Rotation.from_matrix(found.target_from_source.rotation @ TRUTH.rotation.T).magnitude())
        expected.append((found.scale_error, found.turn_error))
    told_scale, told_turn = np.median(expected, axis=0)
    assert 0.6 < np.std(scales) / told_scale < 1.6
    assert 0.6 < np.sqrt(np.mean(np.square(turns))) / told_turn < 1.8


@pytest.mark.parametrize(
    ("source", "says"),
    [(CENTERS[:2], "2 images in common"), (np.ones((5, 3)), "one place"), (LINE, "on one line")],
)
def test_centres_that_fix_no_similarity_are_refused_by_name(source: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        align_robustly(source, source)


def test_rotations_of_the_cameras_settle_what_a_line_leaves_free() -> None:
    found = align_robustly(LINE, TRUTH.apply(LINE), np.tile(TRUTH.rotation, (6, 1, 1)))
    assert_is_truth(found.target_from_source)


def test_cameras_in_one_place_have_no_scale_whatever_their_rotations() -> None:
    with pytest.raises(ValueError, match="one place"):
        align_robustly(np.ones((5, 3)), np.ones((5, 3)), np.tile(np.eye(3), (5, 1, 1)))
