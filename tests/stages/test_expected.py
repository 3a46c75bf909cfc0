"""Matches near where a pose puts points, on a made map: which map images, which points, and what they are worth."""

from __future__ import annotations

import numpy as np

from vloc.data.features import LocalFeatures
from vloc.data.map_images import MapImages
from vloc.data.sparse_map import SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.solvers.acceptance import log10_false_alarms
from vloc.stages.expected import expected_matches

CAMERA = Camera("PINHOLE", 100, 100, (100.0, 100.0, 50.0, 50.0))
RNG = np.random.default_rng(0)
POINTS = np.column_stack([RNG.uniform(-1, 1, (40, 2)), np.full(40, 4.0)])
DESCRIPTORS = RNG.integers(0, 255, (40, 32), dtype=np.uint8)
SHOWS = [np.arange(40), np.arange(10, 40), np.arange(30, 40)]
"""points that each of three map images shows"""


def features(rows: np.ndarray, moved: float = 0.0) -> LocalFeatures:
    pixels = 100 * POINTS[rows, :2] / 4 + 50 + moved
    ones = np.ones(len(rows), np.float32)
    return LocalFeatures(pixels.astype(np.float32), DESCRIPTORS[rows], ones, ones)


def made() -> tuple[SparseMap, MapImages]:
    offsets = np.cumsum([0, *map(len, SHOWS)])
    sparse = SparseMap(
        ("a", "b", "c"),
        (CAMERA,),
        np.zeros(3, np.int32),
        Rigid.identity(3),
        POINTS,
        np.ones(40, np.float32),
        offsets,
        np.concatenate(SHOWS).astype(np.int32),
    )
    return sparse, MapImages({name: features(rows) for name, rows in zip("abc", SHOWS, strict=True)}, sparse)


def test_points_are_found_within_the_circle_and_only_there() -> None:
    sparse, shown = made()
    query = features(np.arange(40), moved=3.0)  # 4.2 px away
    known = CAMERA, Rigid.identity(), [1, 0], shown, sparse
    found = expected_matches(0.85, query, *known, 5.0)
    assert np.array_equal(found.points, found.keypoints) and len(found) >= 38
    assert set(found.images[found.points >= 10]) == {1} and set(found.images[found.points < 10]) == {0}
    assert np.isclose(found.area_px, np.pi * 25)
    assert not len(expected_matches(0.01, query, *known, 4.0))
    assert not len(expected_matches(0.85, query, CAMERA, Rigid.identity(), [], shown, sparse, 5.0))


def test_agreement_is_worth_less_the_nearer_it_was_looked_for() -> None:
    errors = np.full(30, 2.0)
    everywhere, near = (log10_false_alarms(errors, area, 8.0) for area in (100 * 100, np.pi * 5.0**2))
    assert everywhere < near and np.isclose(near - everywhere, 27 * np.log10(10_000 / (np.pi * 25)))
