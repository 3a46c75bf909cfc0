from concurrent.futures import ThreadPoolExecutor

import numpy as np

from vloc.data.capture import GIVEN, Sensor
from vloc.data.features import LocalFeatures, Matches
from vloc.data.map_images import MapImages
from vloc.data.selection import Correspondences
from vloc.data.sparse_map import SparseMap
from vloc.features.root_sift import root_sift
from vloc.geometry.camera import Camera
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.matching.nearest_neighbour import NearestNeighbour
from vloc.runtime import Runtime
from vloc.solvers.pnp import PnpConfig
from vloc.stages.correspond import CorrespondConfig, MapMatcher, correspond, resolve, sureness

from .test_match import Preparing

SIZE = (10, 10)


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
    match = MapMatcher(NearestNeighbour(ratio=1.0).load(Runtime()), MapImages({"m.jpg": features}, sparse))
    result = resolve(match(features, SIZE, [0]))
    assert dict(zip(result.keypoints.tolist(), result.points.tolist(), strict=True)) == {1: 1, 3: 0}


def twelve_images(count=12, matcher=None):
    """Twelve map images, unless told, that show the same 60 points; the query is one of them."""
    rng = np.random.default_rng(0)
    descriptors = root_sift(rng.integers(0, 90, (60, 128)).astype(np.uint8))
    features = LocalFeatures(np.zeros((60, 2), np.float32), descriptors, *np.ones((2, 60), np.float32))
    names = [f"{i}.jpg" for i in range(count)]
    sparse = SparseMap(
        names,
        (Camera("PINHOLE", 10, 10, (9.0, 9.0, 5.0, 5.0)),),
        np.zeros(count, np.int32),
        Rigid.identity(count),
        np.zeros((60, 3)),
        np.zeros(60, np.float32),
        60 * np.arange(count + 1),
        np.tile(np.arange(60, dtype=np.int32), count),
    )
    shown = MapImages(dict.fromkeys(names, features), sparse)
    return features, MapMatcher(matcher or NearestNeighbour().load(Runtime()), shown)


def test_the_128_map_images_prepared_last_stay_in_memory():
    matcher = Preparing()
    features, match = twelve_images(129, matcher)
    match(features, SIZE, [*range(128), *range(128)])
    assert len(matcher.prepared) == 1 + 128  # the query itself, and each once
    match(features, SIZE, [128, 1, 0])  # 0 is the one used longest ago
    assert len(matcher.prepared) == 1 + 128 + 1 + 2


def test_matching_stops_as_soon_as_the_pose_is_sure():
    features, match = twelve_images()
    asked = []

    def is_sure(matches: Correspondences) -> bool:
        asked.append(matches.scores.max())  # a vote of 1 from each image that was matched
        return len(asked) == 2

    found = correspond(CorrespondConfig(strongest=40, images=3), match, features, SIZE, range(12), is_sure)
    np.testing.assert_allclose(asked, [3, 6], rtol=0.01)
    assert found.keypoints.tolist() == found.points.tolist() == list(range(40))  # the strongest are first


def test_a_pose_that_is_never_sure_gets_all_keypoints_of_all_images():
    features, match = twelve_images()
    everything = resolve(match(features, SIZE, range(12)))
    for strongest in (0, 40):
        found = correspond(
            CorrespondConfig(strongest=strongest), match, features, SIZE, range(12), lambda matches: False
        )
        assert found.keypoints.tolist() == list(range(60)) and found.scores.tolist() == everything.scores.tolist()


def test_several_images_at_a_time_give_the_same_matches():
    features, match = twelve_images()
    with ThreadPoolExecutor(3) as pool:
        found = resolve(match(features, SIZE, range(12), map_=pool.map))
    assert found.to_arrays().keys() == (alone := resolve(match(features, SIZE, range(12)))).to_arrays().keys()
    assert all((found.to_arrays()[key] == alone.to_arrays()[key]).all() for key in found.to_arrays())


def test_a_pose_is_sure_when_enough_and_most_of_its_matches_agree():
    camera, rng = Camera("PINHOLE", 1000, 800, (900.0, 900.0, 500.0, 400.0)), np.random.default_rng(0)
    points = rng.uniform([-2, -1.5, 4], [2, 1.5, 9], (300, 3))
    keypoints = project(camera, points).astype(np.float32)
    keypoints[150:] = rng.uniform(0, 800, (150, 2))  # the second half is wrong
    features = LocalFeatures(keypoints, np.zeros((300, 0), np.uint8), *np.ones((2, 300), np.float32))
    none = np.zeros(0, np.int32)
    sparse = SparseMap([], (), none, Rigid.identity(0), points, np.zeros(300, np.float32), np.zeros(1, np.int64), none)
    sensor = Sensor("camera", camera=camera, focal_source=GIVEN)
    is_sure = sureness(CorrespondConfig(sure_inliers=100, sure_share=0.6), PnpConfig(), features, sensor, sparse, 0)

    def first(count: int) -> Correspondences:
        rows = np.arange(count, dtype=np.int32)
        return Correspondences(rows, rows, np.ones(count, np.float32), rows)

    assert [is_sure(first(count)) for count in (99, 100, 240, 300)] == [False, True, True, False]
