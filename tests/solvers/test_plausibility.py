"""Poses that no motion reaches are found, and right ones of any motion stay."""

from dataclasses import replace

import numpy as np
import pytest

from vloc.geometry.motion import by_motion
from vloc.geometry.rigid import Rigid
from vloc.solvers.interpolation import Track
from vloc.solvers.plausibility import ANY, Reach, speeds_of, unreached
from vloc.solvers.rig_consensus import Belief


def along(places: np.ndarray, times: np.ndarray | None = None) -> Track:
    beliefs = [Belief(Rigid(np.eye(3), np.array([-float(x), 0, 0])), 1e-6 * np.eye(6), 0.9) for x in places]
    return Track(np.arange(len(places)) if times is None else times, beliefs)


def found(track: Track) -> list[int]:
    return unreached(track, Reach(*speeds_of(track), 0.5, 0.1)).tolist()


@pytest.mark.parametrize("wrong", [0, 1, 10, 29])
def test_a_wrong_pose_is_found_wherever_it_is(wrong: int) -> None:
    places = np.arange(30.0)
    places[wrong] += 12
    assert found(along(places)) == [wrong]


def test_a_pose_that_looks_elsewhere_is_found() -> None:
    track = along(np.arange(30.0))
    turned = by_motion(np.array([0, 2.0, 0, 0, 0, 0])) @ track.beliefs[7].rig_from_world
    beliefs = [replace(b, rig_from_world=turned) if i == 7 else b for i, b in enumerate(track.beliefs)]
    assert found(Track(track.times, beliefs)) == [7]


def test_two_wrong_poses_in_a_row_that_agree_are_found() -> None:
    places = np.arange(50.0)
    places[[20, 21]] += 40
    assert found(along(places)) == [20, 21]


@pytest.mark.parametrize(
    "places",
    [
        np.where(np.arange(60) < 50, 0.0, 3.0 * (np.arange(60) - 50)),  # stands, then drives off
        np.concatenate([np.arange(20), 100 + np.arange(20)]),  # was carried away
        np.cumsum(np.abs(np.random.default_rng(0).normal(size=80)) ** 3),  # of very uneven speed
        100 * np.sin(np.arange(40) ** 2),  # anywhere
        np.zeros(9),
    ],
)
def test_right_poses_of_any_motion_stay(places: np.ndarray) -> None:
    assert found(along(places)) == []


def test_time_decides_how_far_a_body_gets() -> None:
    times = np.concatenate([np.arange(20), 60 + np.arange(20)])
    assert found(along(times.astype(float), times)) == []


def test_what_is_given_goes_over_what_is_seen() -> None:
    track = along(np.array([0.0, 1, 2, 3, 6, 5, 6, 7, 8, 9]))
    assert found(track) == []  # within three times a metre a second
    assert unreached(track, Reach(1.2, 1.0, 0.5, 0.1)).tolist() == [4]


def test_three_poses_are_too_few_to_tell() -> None:
    assert speeds_of(along(np.array([0.0, 9, 1]))) == (ANY, ANY) and found(along(np.array([0.0, 9, 1]))) == []
