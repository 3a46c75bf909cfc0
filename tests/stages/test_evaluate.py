from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.errors import DataError
from vloc.geometry.rigid import Rigid
from vloc.stages.evaluate import evaluate


def camera_at(x: float, turned_deg: float = 0.0) -> Rigid:
    rotation = Rotation.from_euler("y", turned_deg, degrees=True).as_matrix()
    return Rigid(rotation, -rotation @ np.array([x, 0.0, 0.0]))


TRUTH = {"a.jpg": camera_at(0), "b.jpg": camera_at(1), "c.jpg": camera_at(2), "d.jpg": camera_at(3)}


def test_errors_are_distances_of_centres_and_angles_of_rotations():
    result = evaluate({"a.jpg": camera_at(0.3, 4.0)}, {"a.jpg": TRUTH["a.jpg"]})
    np.testing.assert_allclose(result.translation_m, [0.3])
    np.testing.assert_allclose(result.rotation_deg, [4.0])
    assert result.recall == [0.0, 100.0, 100.0]


@pytest.mark.parametrize(
    ("metres", "degrees", "recall"),
    [
        (0.24, 1.9, [100, 100, 100]),
        (0.26, 1.9, [0, 100, 100]),
        (0.24, 2.1, [0, 100, 100]),
        (0.51, 4.9, [0, 0, 100]),
        (0.49, 5.1, [0, 0, 100]),
        (5.1, 9.9, [0, 0, 0]),
        (4.9, 10.1, [0, 0, 0]),
    ],
)
def test_recall_is_that_of_the_long_term_benchmark_unless_asked(
    metres: float, degrees: float, recall: list[float]
) -> None:
    """0.25 m and 2 deg, 0.5 m and 5 deg, 5 m and 10 deg (visuallocalization.net)."""
    assert evaluate({"a.jpg": camera_at(metres, degrees)}, {"a.jpg": TRUTH["a.jpg"]}).recall == recall


def test_a_missing_query_counts_as_infinitely_wrong():
    figures = evaluate({"a.jpg": camera_at(0), "b.jpg": camera_at(1)}, TRUTH).to_json()
    assert (figures["num_queries"], figures["num_localized"]) == (4, 2)
    assert figures["median_translation_m"] is None and figures["max_translation_m"] is None
    assert [recall["percent"] for recall in figures["recall"]] == [50.0, 50.0, 50.0]


def test_a_pose_exactly_on_a_threshold_is_within_it():
    moved = {"a.jpg": camera_at(0.25)}
    found = evaluate(moved, {"a.jpg": TRUTH["a.jpg"]}, [(0.25, 2.0)])
    assert found.recall == replace(found, rotation_deg=np.array([2.0])).recall == [100.0]


def test_both_limits_must_hold():
    turned = {"a.jpg": camera_at(0, 3.0)}
    assert evaluate(turned, {"a.jpg": TRUTH["a.jpg"]}, [(0.25, 2.0), (0.25, 3.5)]).recall == [0.0, 100.0]


def test_a_base_name_finds_its_folder():
    truth = {"left/1.jpg": camera_at(0), "left/2.jpg": camera_at(1)}
    assert evaluate({"1.jpg": camera_at(0), "2.jpg": camera_at(1)}, truth).num_localized == 2


def test_an_ambiguous_base_name_is_refused():
    truth = {"left/1.jpg": camera_at(0), "rear/1.jpg": camera_at(1)}
    with pytest.raises(DataError, match=r"'1\.jpg' fits 2 images .* 'left/1\.jpg' and 'rear/1\.jpg'"):
        evaluate({"1.jpg": camera_at(0)}, truth)


def test_results_of_another_data_set_are_refused():
    with pytest.raises(DataError, match="none of the 1 estimated names"):
        evaluate({"other.jpg": camera_at(0)}, TRUTH)


def test_poses_without_truth_are_counted_apart():
    estimates = {"a.jpg": camera_at(0), "extra.jpg": camera_at(9)}
    assert evaluate(estimates, {"a.jpg": TRUTH["a.jpg"]}).num_without_truth == 1


def test_only_what_was_asked_is_scored_and_the_rest_counted():
    found = evaluate({"a.jpg": camera_at(0)}, TRUTH, asked=["a.jpg", "c.jpg", "no truth.jpg"])
    assert found.names == ("a.jpg", "c.jpg") and found.num_localized == 1
    assert (found.num_not_asked, found.num_without_truth) == (2, 1)
    with pytest.raises(DataError, match="none of the 1 queries"):
        evaluate({}, TRUTH, asked=["no truth.jpg"])


def test_no_poses_at_all_is_a_result():
    assert evaluate({}, TRUTH).num_localized == 0


def test_an_empty_truth_is_refused():
    with pytest.raises(DataError, match="no poses"):
        evaluate({}, {})
