import numpy as np

from vloc.data.features import LocalFeatures, Matches
from vloc.data.sparse_map import SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.matching.nearest_neighbour import NearestNeighbour
from vloc.runtime import Runtime
from vloc.stages.correspond import MapMatcher, resolve


def matches(pairs: list[tuple[int, int]], scores: list[float]) -> Matches:
    return Matches(np.array(pairs, np.uint32).reshape(-1, 2), np.array(scores, np.float32))


def test_a_keypoint_goes_to_the_point_with_most_votes():
    points = np.array([7, 8], np.int32)
    found = [
        (matches([(0, 0)], [0.9]), points, 0),
        (matches([(0, 1)], [0.6]), points, 1),
        (matches([(0, 1)], [0.5]), points, 2),
    ]
    result = resolve(found)
    assert result.keypoints.tolist() == [0] and result.points.tolist() == [8]
    np.testing.assert_allclose(result.scores, [1.1], rtol=1e-6)
    assert result.images.tolist() == [1]


def test_a_point_goes_to_one_keypoint_only():
    points = np.array([5, 5], np.int32)
    result = resolve([(matches([(0, 0), (1, 1)], [0.7, 0.8]), points, 3)])
    assert result.keypoints.tolist() == [1] and result.points.tolist() == [5]


def test_equal_votes_go_to_the_lower_rows():
    result = resolve([(matches([(0, 0), (0, 1)], [0.5, 0.5]), np.array([4, 2], np.int32), 0)])
    assert result.points.tolist() == [2]


def test_no_matches_give_no_correspondences():
    assert len(resolve([])) == 0
    assert len(resolve([(Matches.none(), np.zeros(0, np.int32), 0)])) == 0


def test_the_order_of_retrieved_images_does_not_change_the_matches():
    points = np.array([7, 8, 9], np.int32)
    one, two = (matches([(0, 0), (1, 2)], [0.9, 0.4]), points, 0), (matches([(0, 1), (2, 0)], [0.3, 0.8]), points, 1)
    first, second = resolve([one, two]), resolve([two, one])
    assert first.keypoints.tolist() == second.keypoints.tolist() and first.points.tolist() == second.points.tolist()


def test_only_keypoints_that_show_a_point_are_matched():
    rng = np.random.default_rng(0)
    descriptors = rng.integers(0, 90, (6, 128)).astype(np.uint8)
    features = LocalFeatures(np.zeros((6, 2), np.float32), descriptors, np.ones(6, np.float32), np.ones(6, np.float32))
    sparse = SparseMap(
        ["m.jpg"],
        (Camera("PINHOLE", 10, 10, (9.0, 9.0, 5.0, 5.0)),),
        np.zeros(1, np.int32),
        Rigid.identity(1),
        np.zeros((2, 3)),
        np.zeros(2, np.float32),
        np.array([0, 6]),
        np.array([-1, 1, -1, 0, -1, -1], np.int32),
    )
    match = MapMatcher(NearestNeighbour(ratio=1.0).load(Runtime()), {"m.jpg": features}, sparse)
    result = match(features, [0])
    assert dict(zip(result.keypoints.tolist(), result.points.tolist(), strict=True)) == {1: 1, 3: 0}
