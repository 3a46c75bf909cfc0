"""Cameras brought onto others of which some are wrong: exact worlds, noise of a known size, and what fixes nothing."""

from functools import partial

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.geometry import robust_alignment
from vloc.geometry.alignment import Similarity
from vloc.geometry.robust_alignment import RobustAlignment, _limit, _samples

align_robustly = partial(robust_alignment.align_robustly, seed=0)
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


@pytest.mark.parametrize("size", [1e-6, 1e6])
def test_in_a_world_of_any_size_exact_cameras_agree_and_others_do_not(size: float) -> None:
    target = TRUTH.apply(CENTERS) * size
    target[4] += 1e-6 * size
    found = align_robustly(CENTERS, target)
    assert np.flatnonzero(~found.agrees).tolist() == [4]
    assert found.target_from_source.scale == pytest.approx(2.5 * size)


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
    for seed in range(30):
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


def test_cameras_on_a_slightly_bent_line_fix_the_rotation_about_it() -> None:
    bent = LINE + 0.01 * np.outer([1, -1, -1, 1, -1, 1], [2, -1, 0])
    assert_is_truth(align_robustly(bent, TRUTH.apply(bent)).target_from_source, 1e-6)


def test_a_millimetre_is_no_rounding_however_far_away_the_world_begins() -> None:
    target = TRUTH.apply(CENTERS) + 1e6
    target[4] += [1e-3, 0, 0]
    assert np.flatnonzero(~align_robustly(CENTERS, target).agrees).tolist() == [4]


@pytest.mark.parametrize("size", [1, 1e-6])
def test_rotations_of_the_cameras_settle_what_a_line_leaves_free(size: float) -> None:
    twice = np.concatenate([LINE, LINE[:1]]) * size  # two cameras in one place fix nothing
    found = align_robustly(twice, TRUTH.apply(twice), np.tile(TRUTH.rotation, (7, 1, 1)))
    assert_is_truth(found.target_from_source)


def test_cameras_in_one_place_have_no_scale_whatever_their_rotations() -> None:
    with pytest.raises(ValueError, match="one place"):
        align_robustly(np.ones((5, 3)), np.ones((5, 3)), np.tile(np.eye(3), (5, 1, 1)))


def test_three_cameras_are_enough() -> None:
    assert_is_truth(align_robustly(CENTERS[:3], TRUTH.apply(CENTERS[:3])).target_from_source, 1e-6)


def test_spread_and_errors_by_hand() -> None:
    residuals, agrees = np.array([3.0, 4, 100, 0, 0, 0]), np.array([True, True, False, True, True, True])
    found = RobustAlignment(TRUTH, residuals, agrees, 10.0, 2.0)
    spread = np.sqrt(25 / (5 - 7 / 3))  # 15 numbers, of which 7 have been fitted
    assert found.spread == pytest.approx(spread)
    assert found.scale_error == pytest.approx(spread / np.sqrt(3) / (10 * np.sqrt(5)))
    assert found.turn_error == pytest.approx(spread / np.sqrt(3) / (2 * np.sqrt(5)))
    assert RobustAlignment(TRUTH, residuals / 1e6, agrees, 1e-5, 2e-6).turn_error == pytest.approx(found.turn_error)
    assert RobustAlignment(TRUTH, np.ones(2), np.ones(2, bool), 1.0, 1.0).spread == pytest.approx(np.sqrt(2))


@pytest.mark.parametrize("with_rotations", [False, True])
def test_extent_and_breadth_of_a_rectangle_by_hand(with_rotations: bool) -> None:
    source = np.array([[0.0, 0, 0], [6, 0, 0], [6, 2, 0], [0, 2, 0], [3, 1, 0]])
    rotations = np.tile(np.eye(3), (5, 1, 1)) if with_rotations else None
    found = align_robustly(source, 2 * source + [5, 5, 5], rotations)
    assert found.extent == pytest.approx(np.sqrt(4 / 5 * (6**2 + 2**2)))  # of four corners and the middle, of 12 x 4
    assert found.breadth == pytest.approx(np.sqrt(4 / 5 * 2**2))
    np.testing.assert_allclose(found.target_from_source.apply(source), 2 * source + [5, 5, 5], atol=1e-12)


def test_residuals_agree_up_to_two_and_a_half_medians_and_more_where_there_are_few() -> None:
    assert _limit(np.array([1.0, 2, 3])) == pytest.approx(2.5 * 6 * 2)
    assert _limit(np.arange(103.0)) == pytest.approx(2.5 * 1.05 * 51)


def test_few_cameras_are_fitted_by_all_their_triples_and_rotations_by_all_their_pairs() -> None:
    triples, pairs = ([tuple(rows.tolist()) for rows in _samples(4, turns, 0)] for turns in (False, True))
    assert triples == [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)]
    assert pairs == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]


def test_many_cameras_are_fitted_by_five_hundred_samples_of_different_ones() -> None:
    samples = list(_samples(40, has_rotations=True, seed=1))  # of 780 pairs
    assert len(samples) == 500 and all(a != b and min(a, b) >= 0 and max(a, b) < 40 for a, b in samples)
    assert [len(set(rows.tolist())) for rows in _samples(100, has_rotations=False, seed=1)] == [3] * 500


def test_rotations_and_centres_that_disagree_give_the_nearest_rotation_to_their_sum() -> None:
    """Centres turned by 0.2 about z, as 2 R of four cameras in a cross; the cameras say 4 I."""
    source = np.array([[-1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0]])
    turn = Rotation.from_rotvec([0, 0, 0.2]).as_matrix()
    found = align_robustly(source, source @ turn.T + [5.0, 6, 7], np.tile(np.eye(3), (4, 1, 1)))
    angle = np.arctan2(2 * np.sin(0.2), 4 + 2 * np.cos(0.2))
    expected = Rotation.from_rotvec([0, 0, angle]).as_matrix()
    np.testing.assert_allclose(found.target_from_source.rotation, expected, atol=1e-12)
    assert found.target_from_source.scale == pytest.approx(np.cos(0.2 - angle))
