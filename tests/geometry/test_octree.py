"""Cubes that points fall into."""

import numpy as np
import pytest

from vloc.geometry.octree import cubes, neighbourhoods


def test_few_points_are_together_wherever_they_are() -> None:
    names, cube = cubes(np.array([[0.1, 0.2, 0.3], [-50.9, 0.1, 0.5]]), 2)
    assert names == ["all"] and cube.tolist() == [0, 0]


def test_a_cube_that_holds_too_many_falls_into_its_parts() -> None:
    names, cube = cubes(np.array([[0.1, 0.1, 0.1], [0.2, 0.2, 0.2], [0.9, 0.9, 0.9]]), 2)
    assert names == ["0.5: 0, 0, 0", "0.5: 1, 1, 1"] and cube.tolist() == [0, 0, 1]


@pytest.mark.parametrize("spread", [0.3, 40.0, 3e6])
def test_no_cube_holds_more_than_its_capacity_and_every_point_is_in_its_cube(spread: float) -> None:
    points = np.random.default_rng(0).normal(0, spread, (1000, 3))
    names, cube = cubes(points, 30)
    assert np.bincount(cube).max() <= 30 and len(names) == cube.max() + 1
    for name, inside in zip(names, (points[cube == row] for row in range(len(names))), strict=True):
        side, corner = name.split(":")
        lowest = float(side) * np.array([int(part) for part in corner.split(",")])
        assert (inside >= lowest).all() and (inside < lowest + float(side)).all()


def test_points_elsewhere_change_no_cube_but_those_that_they_overfill() -> None:
    rng = np.random.default_rng(1)
    points, more = rng.uniform(-8, 8, (500, 3)), rng.uniform(20, 30, (200, 3))
    names, cube = cubes(points, 20)
    names_then, cube_then = cubes(np.concatenate([points, more]), 20)
    assert [names[row] for row in cube] == [names_then[row] for row in cube_then[:500]]


def test_more_points_at_one_place_than_a_cube_may_hold_stay_together() -> None:
    names, cube = cubes(np.full((50, 3), 0.7), 8)
    assert len(names) == 1 and cube.tolist() == [0] * 50


def test_the_points_of_a_cube_that_holds_few_join_those_nearest_to_them() -> None:
    rng = np.random.default_rng(2)
    left, right = rng.uniform([-4, 0, 0], [-3, 1, 1], (40, 3)), rng.uniform([3, 0, 0], [4, 1, 1], (40, 3))
    points = np.concatenate([left, right, [[1.0, 0.5, 0.5]]])
    assert len(cubes(points, 40)[0]) == 3
    names, near = neighbourhoods(points, 40)
    assert len(names) == 2 and near.tolist() == [near[0]] * 40 + [near[40]] * 41 and near[0] != near[40]


def test_neighbourhoods_of_nothing_but_small_cubes_are_these() -> None:
    points = np.random.default_rng(3).uniform(-1, 1, (41, 3))
    assert neighbourhoods(points, 40)[0] == cubes(points, 40)[0]


def test_no_points_have_no_cubes() -> None:
    names, cube = cubes(np.zeros((0, 3)), 8)
    assert names == [] and len(cube) == 0
