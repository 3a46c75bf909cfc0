"""Retrieved images in the order of what they show, in a map of two places that is known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.data.capture import GIVEN, Sensor
from vloc.matching.nearest_neighbour import NearestNeighbour
from vloc.retrieval.geometric import Geometric
from vloc.runtime import Runtime
from vloc.stages.arrange import ARRANGE

from .places import COUNT, two_places

WRONG_FIRST = np.array([*range(COUNT, 2 * COUNT), *range(1, COUNT)], np.uint32)
"""for an image of the first place, all of the second one first"""


def arranged(config: Geometric, focal_source: str = GIVEN) -> list[tuple[int, float]]:
    """(row, inliers) for the first image of the map as a query."""
    sparse, features = two_places()
    name = sparse.image_names[0]
    tables = (
        {name: features[name]},
        {name: WRONG_FIRST},
        {name: Sensor("camera", "", sparse.camera(0), (), focal_source)},
    )
    run = ARRANGE.start(config, Runtime(), *tables, features, sparse, NearestNeighbour(), 0)
    (ranking,) = run([name])
    return list(zip(ranking.of(0).tolist(), ranking.scores.tolist(), strict=True))


@pytest.mark.parametrize("focal_source", [GIVEN, "guessed"])
def test_images_of_the_place_come_first_by_how_much_agrees(focal_source: str) -> None:
    found = arranged(Geometric(), focal_source)
    assert {row for row, _ in found[: COUNT - 1]} == {*range(1, COUNT)}
    inliers = [count for _, count in found]
    assert inliers == sorted(inliers, reverse=True) and inliers[COUNT - 2] > 50 and inliers[COUNT - 1] == 0


def test_those_of_which_nothing_agrees_keep_their_order() -> None:
    assert [row for row, _ in arranged(Geometric())[COUNT - 1 :]] == [*range(COUNT, 2 * COUNT)]


def test_those_beyond_the_depth_stay_where_they_are() -> None:
    found = [row for row, _ in arranged(Geometric(depth=COUNT + 2))]
    assert {*found[:2]} == {1, 2} and found[COUNT + 2 :] == [3, 4, 5]
