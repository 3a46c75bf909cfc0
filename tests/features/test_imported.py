"""What becomes of another program's arrays: order, types and lengths."""

import numpy as np
import pytest

from vloc.errors import DataError
from vloc.features import FEATURES
from vloc.features.imported import comparable, local_features
from vloc.matching import MATCHERS
from vloc.runtime import Runtime

KEYPOINTS = np.array([[1.5, 2.5, 64.0], [3.5, 4.5, 76.0]], np.float32)
DESCRIPTORS = np.array([[3.0, 4.0], [0.0, -2.0]], np.float32)


def test_r2d2_writes_its_strongest_keypoint_last_and_others_are_left_in_order() -> None:
    for spec, order in (("r2d2_500", [1, 0]), ("feats-r2d2-n5000", [1, 0]), ("superpoint", [0, 1])):
        found = FEATURES.parse(f"imported:type={spec}").load(Runtime())((KEYPOINTS, DESCRIPTORS))
        assert np.array_equal(found.keypoints, KEYPOINTS[order, :2])
        assert np.array_equal(found.descriptors, np.array([[0.6, 0.8], [0, -1]], np.float16)[order])


def test_features_are_as_vloc_keeps_them() -> None:
    found = local_features(KEYPOINTS.astype(np.float64), DESCRIPTORS.astype(np.float64))
    assert {name: array.dtype for name, array in found.to_arrays().items()} == {
        "keypoints": np.float32, "descriptors": np.float16, "scores": np.float32, "scales": np.float32,
        "quarter_turns": np.uint8,
    }  # fmt: skip
    assert all(array.flags.c_contiguous for array in found.to_arrays().values())


def test_bytes_of_sift_stay_as_they_are_and_get_their_length_where_they_lack_it() -> None:
    rows = np.zeros((4, 128), np.uint8)
    rows[0, :16] = 128  # 512 long
    rows[1, :16] = 125  # 500: rounded while it was made
    rows[2, :16] = 64  # half as long
    assert comparable(rows).dtype == np.uint8
    assert np.array_equal(comparable(rows)[:2], rows[:2])
    assert (comparable(rows)[2, :16] == 128).all() and not comparable(rows)[3].any()


def test_other_whole_numbers_become_unit_vectors() -> None:
    rows = np.array([[3, 4], [0, 0]], np.uint8)
    assert comparable(rows).dtype == np.float16
    assert np.array_equal(comparable(rows), np.array([[0.6, 0.8], [0, 0]], np.float16))


def test_colmaps_columns_tell_the_scale() -> None:
    """4 columns: x, y, scale, orientation; 6: x, y and the matrix of 2 px turned by 90 degrees."""
    four = np.array([[1, 2, 3.5, 0.1]], np.float32)
    six = np.array([[1, 2, 0, -2, 2, 0]], np.float32)
    ones = np.ones((1, 2), np.float32)
    assert [local_features(rows, ones).scales.tolist() for rows in (four, six)] == [[3.5], [2.0]]


@pytest.mark.parametrize("broken", ["keypoints", "descriptors"])
def test_numbers_that_are_not_finite_are_refused(broken: str) -> None:
    arrays = {"keypoints": KEYPOINTS.copy(), "descriptors": DESCRIPTORS.copy()}
    arrays[broken][0, 1] = np.nan
    with pytest.raises(DataError, match="not finite"):
        local_features(**arrays)


def test_no_keypoints_are_none() -> None:
    found = local_features(KEYPOINTS[:0], DESCRIPTORS[:0])
    assert len(found) == 0 and found.descriptors.shape == (0, 2)


@pytest.mark.parametrize(
    ("spec", "matcher"),
    [
        ("type=r2d2_500,dims=128,dtype=float32", "bands:ratio=1"),
        ("type=mine,dims=128,dtype=uint8", "bands"),
        ("type=feats-SIFT,dims=128,dtype=float32", "bands"),
        ("type=superpoint,dims=256,dtype=float16", "bands:ratio=1"),
    ],
)
def test_learned_features_are_matched_without_the_ratio_of_sift(spec: str, matcher: str) -> None:
    assert MATCHERS.parse(FEATURES.parse(f"imported:{spec}").matcher) == MATCHERS.parse(matcher)
