from dataclasses import replace
from math import comb, log10, pi

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.data.evidence import Evidence
from vloc.errors import DataError
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.solvers.absolute_pose import absolute_pose
from vloc.solvers.acceptance import agreement, coverage, doubt, is_elsewhere, log10_false_alarms, one_a_place, weigh
from vloc.solvers.pnp import PnpConfig, PnpResult

from .world import PINHOLE, sightings

AREA = 1000.0 * 800.0


def weighed(pixels, points, images=None):
    images = np.zeros(len(pixels), np.int32) if images is None else images
    found = absolute_pose(pixels, points, PINHOLE, PnpConfig(min_inliers=4))
    return weigh(pixels, points, images, found, 8.0, 0)


def test_false_alarms_are_those_counted_by_hand():
    errors = np.array([2.0] * 5 + [300.0] * 5)
    expected = 4 * (10 - 3) * comb(10, 5) * comb(5, 3) * (pi * 2.0**2 / AREA) ** 2
    assert log10_false_alarms(errors, AREA, 8.0) == pytest.approx(log10(expected))


def test_false_alarms_where_all_agree_are_those_counted_by_hand():
    expected = 4 * (6 - 3) * 1 * comb(6, 3) * (pi * 2.0**2 / AREA) ** 3
    assert log10_false_alarms(np.full(6, 2.0), AREA, 8.0) == pytest.approx(log10(expected))


def test_the_threshold_is_the_one_that_surprises_most():
    tight = np.array([1.0] * 20 + [7.9] + [300.0] * 20)
    expected = 4 * 38 * comb(41, 20) * comb(20, 3) * (pi / AREA) ** 17
    assert log10_false_alarms(tight, AREA, 8.0) == pytest.approx(log10(expected))


def test_errors_below_half_a_pixel_say_no_more():
    errors = np.array([0.5] * 10 + [100.0] * 10)
    small, same, more = (log10_false_alarms(np.where(errors < 1, e, errors), AREA, 8.0) for e in (0.01, 0.5, 0.6))
    assert small == same < more


def test_poses_fitted_to_random_matches_are_told_from_chance_once_in_a_hundred_at_most():
    rng = np.random.default_rng(0)
    surprising = 0
    for seed in range(100):
        pixels, points, *_ = sightings(PINHOLE, 150, seed=seed)
        pixels = rng.uniform(0, [1000, 800], pixels.shape)
        found = absolute_pose(pixels, points, PINHOLE, PnpConfig(min_inliers=4, max_iterations=1000))
        if found.cam_from_world is not None:
            surprising += weigh(pixels, points, np.zeros(150, np.int32), found, 8.0, 0).log10_false_alarms < -2
    assert surprising <= 1


def test_a_true_pose_is_beyond_chance_however_many_matches_are_wrong():
    pixels, points, _, _ = sightings(PINHOLE, 400, noise=0.5, outliers=0.8, seed=1)
    assert weighed(pixels, points).log10_false_alarms < -100


def test_matches_in_one_place_count_once():
    crowd = np.full((50, 2), 300.0) + np.linspace(0, 1, 50)[:, None]
    apart = np.array([[10.0, 10.0], [900.0, 700.0]])
    assert one_a_place(np.concatenate([crowd, apart]), PINHOLE).tolist() == [51 - 1, 0, 51]


def test_agreement_looks_at_the_images_that_support_the_pose():
    images = np.repeat(np.array([3, 5, 8], np.int32), [10, 10, 80])
    agrees = np.concatenate([np.arange(10) < 9, np.arange(10) < 8, np.zeros(80, bool)])
    # Wilson's interval of 9 of 10 begins at (0.9 + 0.19208 - 1.96 sqrt(0.009 + 0.009604)) / 1.38416
    assert agreement(images, agrees) == pytest.approx(0.5958, abs=1e-4)
    assert agreement(images[:20], agrees[:20]) == agreement(images, agrees)


def test_agreement_is_that_of_the_fewest_images_that_give_half_of_it():
    images = np.repeat(np.array([1, 2, 3], np.int32), [10, 3, 3])
    agrees = np.concatenate([np.arange(10) < 4, np.ones(6, bool)])  # the first gives 4 of 10, with the second 7
    first_two = agreement(np.zeros(13, np.int32), agrees[:13])
    assert agreement(images, agrees) == first_two


def test_the_same_share_of_more_matches_is_more_agreement():
    few, many = (agreement(np.zeros(n, np.int32), np.ones(n, bool)) for n in (12, 300))
    assert few == pytest.approx(12 / (12 + 1.96**2)) and many == pytest.approx(300 / (300 + 1.96**2))


def test_coverage_is_the_share_of_cells_with_a_match():
    # cells of 1000 / 8 = 125 px: 8 x 7 of them, the lowest row cut by the border
    assert coverage(np.array([[10.0, 10.0], [20.0, 20.0], [990.0, 790.0]]), PINHOLE) == 2 / 56


def test_a_second_pose_as_well_supported_is_a_rival():
    pixels, points, pose, _ = sightings(PINHOLE, 200, noise=0.3, seed=3)
    moved = pose.inverse().apply(
        pose.apply(points[120:]) + np.array([2.0, 0.0, 0.0])
    )  # repeated two metres to the right
    both = np.concatenate([points[:120], moved])
    assert weighed(pixels, both).rival == pytest.approx(80 / 120, abs=0.03)
    assert weighed(pixels, points).rival == 0


@pytest.mark.parametrize(("right", "apart", "share"), [(20, 6, 6 / 20), (20, 5, 0), (40, 10, 10 / 40), (40, 9, 0)])
def test_a_rival_has_a_quarter_of_the_inliers_and_six_at_least(right, apart, share):
    pixels, points, pose, _ = sightings(PINHOLE, right + apart, noise=0.1, seed=3)
    points[right:] = pose.inverse().apply(pose.apply(points[right:]) + np.array([2.0, 0.0, 0.0]))
    assert weighed(pixels, points).rival == pytest.approx(share)


def test_no_rival_is_made_of_random_matches_or_of_a_pose_nearby():
    pixels, points, pose, _ = sightings(PINHOLE, 200, noise=0.3, outliers=0.4, seed=3)
    assert weighed(pixels, points).rival == 0
    pixels, points, pose, _ = sightings(PINHOLE, 200, noise=0.3, seed=3)
    points[120:] = pose.inverse().apply(pose.apply(points[120:]) + np.array([0.15, 0.0, 0.0]))  # 20 px and more
    assert weighed(pixels, points).rival == 0


@pytest.mark.parametrize("sample", [3, 4])  # 4 where the focal length was found as well
def test_an_exact_pose_is_weighed_as_by_hand(sample):
    rays = np.column_stack([np.random.default_rng(0).uniform(-0.4, 0.4, (9, 2)), np.ones(9)])
    points = 10 * rays / np.linalg.norm(rays, axis=1, keepdims=True)  # all at 10 m
    covariance = np.diag([1, 1, 1, 0.04, 0.04, 0.01, 1e-4][: 3 + sample])  # of the centre: 0.3 m
    pose = Rigid(np.eye(3), np.array([1.0, -2.0, 30.0]))
    found, in_world = PnpResult(pose, np.ones(9, bool), covariance, "", PINHOLE), pose.inverse().apply(points)
    evidence = weigh(project(PINHOLE, points), in_world, np.zeros(9, np.int32), found, 8.0, 0)
    chance = pi * 0.5**2 / AREA
    expected = 4 * (9 - sample) * comb(9, sample) * chance ** (9 - sample)
    assert evidence.log10_false_alarms == pytest.approx(log10(expected))
    assert evidence.relative_error == pytest.approx(0.3 / 10)
    near = weigh(project(PINHOLE, points), in_world, np.zeros(9, np.int32), found, 8.0, 0, area_px=AREA / 100)
    assert near.log10_false_alarms == pytest.approx(log10(expected) + 2 * (9 - sample))


def test_elsewhere_is_a_tenth_of_the_distance_or_five_degrees_away():
    here = Rigid.identity()
    for moved, turned_deg, expected in ((1.0, 0, False), (0.9, 4.9, False), (1.1, 0, True), (0, 5.1, True)):
        rotation = Rotation.from_euler("y", turned_deg, degrees=True).as_matrix()
        there = Rigid(rotation, -rotation @ np.array([0, 0, moved]))
        assert is_elsewhere(here, there, 10.0) is expected


def test_a_match_at_the_threshold_does_not_agree():
    of_last = [log10_false_alarms(np.array([2.0] * 4 + [last] + [300.0] * 4), AREA, 8.0) for last in (7.999, 8.0, 300)]
    assert of_last[0] < of_last[1] == of_last[2]


def test_a_tight_crowd_of_points_leaves_the_place_open():
    pixels, points, *_ = sightings(PINHOLE, 200, noise=0.5, seed=4)
    near = np.linalg.norm(pixels - [500, 400], axis=1) < 60
    assert weighed(pixels[near], points[near]).relative_error > 5 * weighed(pixels, points).relative_error


@pytest.mark.parametrize("missing", ["cam_from_world", "covariance", "camera"])
def test_nothing_is_weighed_without_a_pose(missing):
    pixels, points, *_ = sightings(PINHOLE, 20)
    whole = PnpResult(Rigid.identity(), np.ones(20, bool), np.eye(6), "", PINHOLE)
    with pytest.raises(DataError, match="no pose"):
        weigh(pixels, points, np.zeros(20, np.int32), replace(whole, **{missing: None}), 8.0, 0)


@pytest.mark.parametrize(
    ("false_alarms", "rival", "error", "says"),
    [
        (-4.9, 0.9, 0.9, "agree by chance (false alarms: 1e-5)"),
        (-5.0, 0.51, 0.9, "a pose elsewhere is supported by 51% as many"),
        (-5.0, 0.5, 0.06, "they leave 6% of the distance to the points open"),
        (-5.0, 0.5, 0.05, "most, 30% agree"),
    ],
)
def test_a_doubt_names_the_first_that_is_plain(false_alarms, rival, error, says):
    assert says in doubt(Evidence(false_alarms, 0.3, 0.8, rival, error))


def test_a_doubt_names_what_speaks_most_against_a_pose():
    rng = np.random.default_rng(5)
    _, points, *_ = sightings(PINHOLE, 60, seed=5)
    chance = PnpResult(Rigid.identity(), np.ones(60, bool), np.eye(6), "", PINHOLE)
    assert "by chance" in doubt(weigh(rng.uniform(0, 800, (60, 2)), points, np.zeros(60, np.int32), chance, 2000.0, 0))
