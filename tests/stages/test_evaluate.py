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


def test_the_area_under_the_curve_is_the_recall_averaged_over_shrinking_limits():
    found = evaluate({"a.jpg": camera_at(0.1), "b.jpg": camera_at(1, 1.5), "c.jpg": camera_at(2.2)}, TRUTH)
    (metres, degrees), shares = found.thresholds[0], (np.arange(10_000) + 0.5) / 10_000
    within = [(found.translation_m <= u * metres) & (found.rotation_deg <= u * degrees) for u in shares]
    assert found.auc[0] == pytest.approx(100 * np.mean(within), abs=0.01)


def test_conditions_are_told_or_the_folders_in_which_names_differ():
    truth = {"query/day/1.jpg": camera_at(0), "query/night/1.jpg": camera_at(1), "query/night/2.jpg": camera_at(2)}
    found = evaluate({name: truth[name] for name in list(truth)[:2]}, truth)
    assert {name: part.recall[0] for name, part in found.by_condition().items()} == {
        "query/day": 100.0,
        "query/night": 50.0,
    }
    told = found.by_condition({name: "dawn" if name.endswith("1.jpg") else "dusk" for name in truth})
    assert {name: part.names for name, part in told.items()} == {"dawn": tuple(truth)[:2], "dusk": tuple(truth)[2:]}
    with pytest.raises(DataError, match=r"2 queries have no condition, such as 'query/night/1\.jpg'"):
        found.by_condition({"query/day/1.jpg": "day"})
    assert evaluate({}, TRUTH).by_condition() == {}


def test_what_a_condition_is_part_of_has_figures_of_its_own():
    truth = {name: camera_at(0) for name in ("1.jpg", "2.jpg", "3.jpg", "4.jpg")}
    told = dict(zip(truth, ("day/dawn", "night/night", "night/rain", "night/rain"), strict=True))
    counts = {name: len(part.names) for name, part in evaluate(truth, truth).by_condition(told).items()}
    assert counts == {"day": 1, "day/dawn": 1, "night": 3, "night/night": 1, "night/rain": 2}


def test_medians_of_the_localized_leave_missing_poses_out():
    figures = evaluate({"a.jpg": camera_at(0.1), "b.jpg": camera_at(1.3)}, TRUTH).figures()
    assert figures["median_translation_m"] is None
    assert figures["median_localized_translation_m"] == pytest.approx(0.2)
    assert evaluate({}, TRUTH).figures()["median_localized_translation_m"] is None


def test_errors_are_those_of_kapture_localization():
    """The values of its tests/test_evaluation.py: 0.801 m and 15 degrees, and its counts within (0.9, 5), (10, 105)."""

    def at(x: float, degrees: float) -> Rigid:
        """Kapture's world_from_cam of three z-y-z Euler angles, of which it gives the first."""
        world_from_cam = Rigid(Rotation.from_euler("z", degrees, degrees=True).as_matrix(), np.array([x, -74.0, -20.0]))
        return world_from_cam.inverse()

    single = evaluate({"a": at(144.801, 110)}, {"a": at(144, 125)})
    assert (single.translation_m[0], single.rotation_deg[0]) == pytest.approx((0.801, 15.0))
    poses = {"a": at(2.658, 111), "b": at(1.758, 108), "c": at(10.1, 10), "d": at(2, 110)}
    found = evaluate(poses, dict.fromkeys("abcde", at(1.658, 110)), [(0.9, 5), (10, 105)])
    np.testing.assert_allclose(found.translation_m, [1.0, 0.1, 8.442, 0.342, np.inf])
    np.testing.assert_allclose(found.rotation_deg, [1.0, 2.0, 100.0, 0.0, np.inf], atol=1e-9)
    assert found.recall == [40.0, 80.0]  # 2 and 4 of 5
