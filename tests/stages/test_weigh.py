"""Weights of descriptors on a map of which it is known by construction who sees the same."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.data.selection import Weighing
from vloc.data.sparse_map import SparseMap
from vloc.errors import ConfigError
from vloc.geometry.rigid import Rigid
from vloc.retrieval import FUSIONS
from vloc.runtime import Runtime
from vloc.stages.weigh import WEIGH, ascend, covisible, mean_average_precision

from .two_views import WIDE

PLACES, SEEN_BY = 8, 5
AUTO = FUSIONS.parse("mean:weights=auto")


def sparse_map(points_of_images: list[list[int]]) -> SparseMap:
    """Images of which it is known which points they show."""
    count, num_points = len(points_of_images), 1 + max(max(points, default=0) for points in points_of_images)
    offsets = np.cumsum([0, *map(len, points_of_images)])
    shown = np.concatenate([np.array(points, np.int32) for points in points_of_images])
    points = np.zeros((num_points, 3)), np.zeros(num_points, np.float32)
    names = [f"{row}.jpg" for row in range(count)]
    return SparseMap(names, (WIDE,), np.zeros(count, np.int32), Rigid.identity(count), *points, offsets, shown)


def places() -> SparseMap:
    return sparse_map([list(range(20 * place, 20 * place + 20)) for place in range(PLACES) for _ in range(SEEN_BY)])


def vectors(noise: float, seed: int) -> np.ndarray:
    """One direction a place, and noise."""
    rng = np.random.default_rng(seed)
    made = np.repeat(np.eye(PLACES), SEEN_BY, axis=0) + noise * rng.normal(size=(PLACES * SEEN_BY, PLACES))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


def test_a_descriptor_that_tells_nothing_gets_little() -> None:
    found = WEIGH.run(AUTO, Runtime(), places(), [vectors(0.15, 0), vectors(30, 1)])
    assert found.weights[0] == 1 and found.weights[1] <= 1 / 4
    assert found.alone[0] > 0.9 > 0.4 > found.alone[1]
    assert found.weighed > found.alike


def test_equals_keep_equal_weights() -> None:
    found = WEIGH.run(AUTO, Runtime(), places(), [vectors(0.01, 0), vectors(0.01, 1)])
    assert found.weights.tolist() == [1, 1] and found.alike == found.weighed == pytest.approx(1)


def test_a_map_without_neighbours_says_nothing() -> None:
    found = WEIGH.run(AUTO, Runtime(), sparse_map([[0], [1], []]), [np.eye(3, dtype=np.float32)] * 2)
    assert found.weights.tolist() == [1, 1] and found.weighed == 0


def test_neighbours_show_more_than_a_twentieth_of_the_points_and_are_not_the_image_itself() -> None:
    # 20 points: one in common is a twentieth, two are more; -1 is no point, a point seen twice is one
    images = [[*range(20), -1], [0, 0, 30], [0, 1], [-1, 40]]
    assert covisible(sparse_map(images), 0).tolist() == [False, False, True, False]
    assert covisible(sparse_map(images), 1).tolist() == [True, False, True, False]


def test_precision_is_the_mean_over_images() -> None:
    similarity = np.array([[0.9, 0.8, 0.1], [0.9, 0.8, 0.1]], np.float32)
    is_near = np.array([[True, False, False], [False, True, False]])
    assert mean_average_precision(similarity, is_near) == pytest.approx((1 + 1 / 4) / 2)  # second place: (0 + 1/2) / 2


def test_the_ascent_ends_where_nothing_pays() -> None:
    weights, most = ascend(lambda w: -float(np.abs(np.log2(w[1] / w[0]) - 2)), 2)
    assert weights.tolist() == [0.25, 1] and most == 0


def test_weights_are_stored_and_have_a_written_form() -> None:
    weighing = Weighing(np.array([1.0, 0.25]), np.array([0.5, 0.25]), 0.5, 0.75)
    assert Weighing.from_arrays(weighing.to_arrays()).weighed == 0.75
    assert FUSIONS.parse("gharm:weights=auto").weighed(weighing.weights) == FUSIONS.parse("gharm:weights=1.0/0.25")
    assert FUSIONS.parse("gharm:weights=auto").weighed(None) == FUSIONS.parse("gharm")


def test_weights_that_are_still_open_fuse_nothing() -> None:
    with pytest.raises(ConfigError, match="'auto'"):
        AUTO.fuse([np.eye(2, dtype=np.float32)] * 2)
