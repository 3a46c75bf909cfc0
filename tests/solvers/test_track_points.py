"""Points of tracks that are right, joined by mistake, or mistaken altogether, in a world of exact truth."""

import numpy as np
import pytest
from world import walk

from vloc.data.sparse_map import NO_POINT
from vloc.solvers.posed_images import without_points
from vloc.solvers.track_points import Tracks, TriangulationConfig, meeting_points, track_points, widest_angles


def tracks_of(world, groups):
    """Tracks of (image, true point) pairs; the partner of each is the next one of its track."""
    rows = sorted((image, group, point) for group, members in enumerate(groups) for image, point in members)
    image, group, point = np.array(rows).T
    pixels = np.array([world.keypoints[i][world.point_of[i] == p][0] for i, p in zip(image, point, strict=True)])
    places = [np.flatnonzero(group == own) for own in range(len(groups))]
    partner = np.empty(len(rows), np.int32)
    for own in places:
        partner[own] = np.roll(own, 1)
    empty = without_points(world.images, np.bincount(image, minlength=len(world.images)).tolist())
    return empty, Tracks(image.astype(np.int32), pixels.astype(np.float64), group.astype(np.int32), partner), point


def seen_by(world, images):
    """True points that all of some images see."""
    return [p for p in range(len(world.points)) if all(p in world.point_of[i] for i in images)]


def test_every_track_gives_the_point_that_it_shows():
    world = walk()
    shared = seen_by(world, range(4))[:30]
    empty, tracks, point = tracks_of(world, [[(i, p) for i in range(4)] for p in shared])
    points, shown = track_points(empty, tracks, TriangulationConfig())
    assert np.abs(points - world.points[shared]).max() < 1e-3
    assert np.array_equal(np.array(shared)[shown], point)


def test_two_points_that_a_false_match_joins_are_told_apart():
    world = walk()
    near, far = seen_by(world, range(6))[:2]
    empty, tracks, point = tracks_of(world, [[(i, near) for i in (0, 1, 2)] + [(i, far) for i in (3, 4, 5)]])
    points, shown = track_points(empty, tracks, TriangulationConfig())
    assert len(points) == 2 and np.abs(points[shown] - world.points[point]).max() < 1e-3


def test_a_keypoint_of_another_point_is_left_out():
    world = walk()
    true, other = seen_by(world, range(5))[:2]
    empty, tracks, point = tracks_of(world, [[(i, true) for i in range(4)] + [(4, other)]])
    points, shown = track_points(empty, tracks, TriangulationConfig())
    assert len(points) == 1 and (shown == NO_POINT).tolist() == (point == other).tolist()


def test_rays_that_meet_at_too_small_an_angle_make_no_point():
    world = walk()
    (shared, *_) = seen_by(world, (0, 1))
    empty, tracks, _ = tracks_of(world, [[(0, shared), (1, shared)]])
    assert len(track_points(empty, tracks, TriangulationConfig())[0]) == 1
    points, shown = track_points(empty, tracks, TriangulationConfig(min_tri_angle_deg=30))
    assert len(points) == 0 and (shown == NO_POINT).all()


def test_points_do_not_depend_on_how_many_are_looked_at_at_a_time(monkeypatch):
    world = walk(noise=0.5)
    shared = seen_by(world, range(5))[:40]
    empty, tracks, _ = tracks_of(world, [[(i, p) for i in range(5)] for p in shared])
    whole = track_points(empty, tracks, TriangulationConfig())[0]
    monkeypatch.setattr("vloc.solvers.track_points.PAIRS_AT_A_TIME", 13)
    assert np.allclose(track_points(empty, tracks, TriangulationConfig())[0], whole, atol=1e-9)


def test_no_tracks_have_no_points():
    world = walk(count=2)
    none = np.zeros(0, np.int32)
    points, shown = track_points(
        without_points(world.images, [0, 0]), Tracks(none, np.zeros((0, 2)), none, none), TriangulationConfig()
    )
    assert points.shape == (0, 3) and len(shown) == 0


@pytest.mark.parametrize(("second", "angle"), [([-1.0, 0, 1], np.pi / 2), ([1.0, 0, 1], np.nan)])
def test_rays_meet_where_they_do_or_part(second, angle):
    rays = np.array([[1.0, 0, 1]]) / np.sqrt(2), np.array([second]) / np.sqrt(2)
    points, angles = meeting_points(np.zeros((1, 3)), rays[0], np.array([[2.0, 0.2, 0]]), rays[1])
    assert np.allclose(angles, angle, equal_nan=True)
    if angle == angle:
        assert np.allclose(points, [[1, 0.1, 1]])  # the rays pass each other 0.2 apart


def test_widest_angles_by_hand():
    angles = np.deg2rad([0, 10, 20, 5, 5, 5, 0, 90])
    rays = np.stack([np.cos(angles), np.sin(angles), np.zeros(8)])
    found = widest_angles(rays, np.array([0, 3, 6]))
    np.testing.assert_allclose(np.rad2deg(found), [20, 0, 90], atol=1e-5)
    assert not len(widest_angles(np.zeros((3, 0)), np.zeros(0, np.int64)))
