from dataclasses import replace

import numpy as np
import pytest

from vloc.data.evidence import Evidence
from vloc.data.selection import evenly
from vloc.data.sparse_map import SparseMap
from vloc.geometry.rigid import Rigid
from vloc.matching.nearest_neighbour import NearestNeighbour
from vloc.retrieval.fusion import Mean
from vloc.runtime import Runtime
from vloc.solvers.calibration import confidence
from vloc.stages.calibrate import CALIBRATE, TRY, CalibrateConfig, other_places

from .places import COUNT, random_descriptors, two_places, vectors_of_places
from .two_views import WIDE

FOUR = CalibrateConfig(num_images=4)


def trials_of(sparse, features, config=FOUR):
    context = features, sparse, vectors_of_places(), Mean(), NearestNeighbour(), 0
    names = evenly(sparse.image_names, config.num_images)
    return dict(zip(names, TRY.start(config, Runtime(), *context)(names), strict=True))


def test_other_places_share_no_point_and_no_view():
    sparse, _ = two_places()
    assert other_places(sparse, 0).tolist() == list(range(COUNT, 2 * COUNT))
    assert other_places(sparse, COUNT).tolist() == list(range(COUNT))


def test_a_place_is_seen_from_the_first_pixel_to_the_last() -> None:
    """Two cameras of 400 x 300 that share no point; the second one's show up at a corner of the first."""
    for pixel, is_elsewhere in (((0.5, 0.5), False), ((399.5, 299.5), False), ((-0.5, 0.5), True), ((9, 300.5), True)):
        seen = np.array([[(pixel[0] - 200) / 100, (pixel[1] - 150) / 100, 1.0], [0.0, 0.0, -1.0]])
        poses = Rigid(np.stack([np.eye(3), np.diag([-1.0, 1, -1])]), np.zeros((2, 3)))
        names, cameras, rows = ["a", "b"], (WIDE,), np.zeros(2, np.int32)
        shown = np.array([1, 0], np.int32)
        sparse = SparseMap(names, cameras, rows, poses, seen, np.zeros(2, np.float32), np.arange(3), shown)
        assert other_places(sparse, 1).tolist() == ([0] if is_elsewhere else [])


@pytest.mark.parametrize(("in_view", "is_elsewhere"), [(1, True), (2, False)])
def test_a_place_is_seen_where_more_than_a_twentieth_of_its_points_lie_in_view(in_view, is_elsewhere):
    points = np.array([[0.0, 0.0, 1.0]] * in_view + [[0.0, 0.0, -1.0]] * (20 - in_view))
    offsets, shown = np.array([0, 0, 20]), np.arange(20, dtype=np.int32)  # all by the second image
    cameras = (WIDE,), np.zeros(2, np.int32), Rigid.identity(2)
    sparse = SparseMap(["a", "b"], *cameras, points, np.zeros(20, np.float32), offsets, shown)
    assert other_places(sparse, 1).tolist() == ([0] if is_elsewhere else [])


def test_images_are_localized_without_themselves_and_not_where_they_are_not():
    trials = trials_of(*two_places())
    assert list(trials) == ["a0.jpg", "a3.jpg", "b1.jpg", "b5.jpg"]
    for trial in trials.values():
        assert trial.num_attempts.tolist() == [[1, 1]]
        assert trial.is_right[~trial.against_wrong_images].tolist() == [True]
        assert not trial.is_right[trial.against_wrong_images].any()


def test_two_places_that_look_the_same_make_a_map_cautious():
    usual, repeated = (CALIBRATE.run(None, Runtime(), trials_of(*two_places(repeated=same))) for same in (False, True))
    wrong = repeated.trials.against_wrong_images
    assert wrong.sum() == 4 and not repeated.trials.is_right[wrong].any()
    seen = Evidence.from_row(repeated.trials.evidence[wrong][0])
    assert confidence(seen, repeated) < confidence(seen, usual)


@pytest.mark.parametrize(("seeing", "poses"), [(2, 0), (3, 1)])
def test_points_help_where_two_others_see_them(seeing: int, poses: int):
    sparse, features = two_places()
    seen = np.full(len(sparse.point_of_keypoint), -1, np.int32)
    seen[: sparse.offsets[seeing]] = sparse.point_of_keypoint[: sparse.offsets[seeing]]
    trials = trials_of(replace(sparse, point_of_keypoint=seen), features)
    assert len(trials["a0.jpg"].is_right) == poses and trials["a0.jpg"].num_attempts[0, 0] == 1


def test_no_images_mean_no_trials():
    assert evenly(["a.jpg", "b.jpg"], 0) == []
    assert CALIBRATE.run(None, Runtime(), {}).slope == 1.0


def test_an_image_is_never_matched_with_itself():
    sparse, features = two_places()
    rng = np.random.default_rng(0)
    unlike = {name: replace(f, descriptors=random_descriptors(rng, len(f))) for name, f in features.items()}
    trials = trials_of(sparse, {**unlike, "a0.jpg": features["a0.jpg"]}, CalibrateConfig(num_images=1))
    assert trials["a0.jpg"].num_attempts[0, 0] == 1 and not len(trials["a0.jpg"].is_right)
