"""Viewpoints that are named once, of poses written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.errors import ConfigError
from vloc.geometry.rigid import Rigid
from vloc.retrieval import FUSIONS
from vloc.retrieval.reranking import RERANKINGS, Searcher, searcher


def base(xs: list[float], turned_deg: list[float]) -> Searcher:
    """References at (x, 0, 0), turned about the vertical, each less similar to the query (1, 0) than the one before."""
    angles = np.radians(turned_deg)
    c, s, zero, one = np.cos(angles), np.sin(angles), np.zeros(len(xs)), np.ones(len(xs))
    rotation = np.stack([c, zero, s, zero, one, zero, -s, zero, c], axis=1).reshape(-1, 3, 3)
    centers = np.stack([xs, zero, zero], axis=1)
    away = np.linspace(0.1, 1.0, len(xs))
    vectors = np.stack([np.cos(away), np.sin(away)], axis=1).astype(np.float32)
    return Searcher([vectors], FUSIONS.parse("mean"), Rigid(rotation, -np.einsum("nij,nj->ni", rotation, centers)))


def order(xs: list[float], turned_deg: list[float], setting: str, k: int = 9) -> list[int]:
    return (
        searcher(base(xs, turned_deg), [RERANKINGS.parse(setting)])([np.array([[1, 0]], np.float32)], k).of(0).tolist()
    )


def test_images_of_one_viewpoint_come_after_all_others() -> None:
    # 1 repeats 0, by distance and angle; 2 stands there and looks elsewhere; 4 repeats 3
    assert order([0, 0.3, 0.1, 5, 5.2], [0, 10, 90, 0, 0], "diverse") == [0, 2, 3, 1, 4]


def test_a_repetition_makes_no_repetitions() -> None:
    # 1 repeats 0; 2 is near to 1 but not to 0, so it is a viewpoint of its own
    assert order([0, 0.4, 0.8], [0, 0, 0], "diverse") == [0, 2, 1]


def test_only_so_many_are_put_in_another_order_and_so_many_listed() -> None:
    assert order([0, 0.1, 5, 6], [0, 0, 0, 0], "diverse:depth=2") == [0, 1, 2, 3]
    assert order([0, 0.1, 5, 6], [0, 0, 0, 0], "diverse", k=3) == [0, 2, 3]


def test_without_poses_it_cannot_be_told() -> None:
    with pytest.raises(ConfigError, match="needs the poses"):
        RERANKINGS.parse("diverse").over(Searcher([np.eye(2, dtype=np.float32)], FUSIONS.parse("mean")))
