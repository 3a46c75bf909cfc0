"""Tracks of matches, against connected components of scipy."""

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from vloc.solvers import tracks
from vloc.solvers.tracks import UNMATCHED, connected, numbered


def random_matches(rng: np.random.Generator, counts: np.ndarray, num_pairs: int) -> list[tuple[int, int, np.ndarray]]:
    pairs = [sorted(rng.choice(len(counts), 2, replace=False).tolist()) for _ in range(num_pairs)]
    return [(a, b, rng.integers(0, [counts[a], counts[b]], (5, 2)).astype(np.uint32)) for a, b in pairs]


@pytest.mark.parametrize("at_a_time", [1, 7, 256])
def test_tracks_are_the_connected_components(monkeypatch: pytest.MonkeyPatch, at_a_time: int) -> None:
    monkeypatch.setattr(tracks, "PAIRS_AT_A_TIME", at_a_time)
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 40, 30)
    matches, starts = random_matches(rng, counts, 60), np.cumsum(counts) - counts
    edges = np.concatenate([rows + starts[[a, b]] for a, b, rows in matches])
    graph = coo_array((np.ones(len(edges)), tuple(edges.T)), shape=(counts.sum(), counts.sum()))
    label = connected_components(graph, directed=False)[1]
    found = connected(counts, rng.normal(0, 1, (30, 3)), matches)
    used = np.unique(edges)
    assert (found.root[np.setdiff1d(np.arange(counts.sum()), used)] == UNMATCHED).all()
    assert np.array_equal(found.root[used], [used[label[used] == own].min() for own in label[used]])
    assert all({row, found.partner[row]} in [set(edge) for edge in edges.tolist()] for row in used.tolist())


def test_the_partner_is_in_the_image_that_stands_farthest_away() -> None:
    centers = np.array([[0.0, 0, 0], [1, 0, 0], [5, 0, 0]])
    one = np.array([[0, 0]], np.uint32)
    found = connected(np.array([1, 1, 1]), centers, [(0, 1, one), (1, 2, one), (0, 2, one)])
    assert found.partner.tolist() == [2, 2, 0] and found.root.tolist() == [0, 0, 0]


def test_without_matches_there_are_no_tracks() -> None:
    found = connected(np.array([2, 3]), np.zeros((2, 3)), [(0, 1, np.zeros((0, 2), np.uint32))])
    assert (found.root == UNMATCHED).all() and (found.partner == UNMATCHED).all()


def test_tracks_are_numbered_from_0_and_partners_are_places_in_the_rows() -> None:
    matches = [(0, 1, np.array([[1, 2], [3, 0]], np.uint32))]
    found = connected(np.array([4, 3]), np.array([[0.0, 0, 0], [1, 0, 0]]), matches)
    rows = np.flatnonzero(found.root != UNMATCHED).astype(np.int32)
    # keypoints 1 and 3 of the first image, 0 and 2 of the second
    track, partner = numbered(found, rows)
    assert rows.tolist() == [1, 3, 4, 6] and track.tolist() == [0, 1, 1, 0] and partner.tolist() == [3, 2, 1, 0]
