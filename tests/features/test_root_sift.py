import numpy as np

from vloc.features.root_sift import root_sift, strongest


def test_equal_entries_share_the_length_of_512() -> None:
    assert (root_sift(np.full((1, 128), 7, np.uint8)) == 45).all()  # 512 sqrt(1 / 128) = 45.25


def test_entries_are_roots_of_shares() -> None:
    histogram = np.zeros((1, 128), np.uint8)
    histogram[0, :3] = 10, 40, 200  # of 250: 512 sqrt(0.04) = 102.4, 512 sqrt(0.16) = 204.8, the last is cut
    assert root_sift(histogram)[0, :4].tolist() == [102, 205, 255, 0]


def test_an_empty_histogram_stays_empty() -> None:
    assert not root_sift(np.zeros((2, 128), np.uint8)).any()


def test_products_of_bytes_are_close_to_those_of_exact_root_sift() -> None:
    histograms = np.random.default_rng(0).integers(0, 120, (50, 128)).astype(np.uint8)
    exact = np.sqrt(histograms / histograms.sum(axis=1, keepdims=True, dtype=np.float64))
    stored = root_sift(histograms) / 512.0
    assert np.abs(stored @ stored.T - exact @ exact.T).max() < 5e-3


def test_ties_are_ordered_by_position_and_then_as_they_came() -> None:
    keypoints = np.array([[3, 1], [2, 5], [2, 4], [9, 9], [2, 4]], np.float32)
    assert strongest(keypoints, np.array([1, 1, 1, 2, 1], np.float32), 4).tolist() == [3, 2, 4, 1]
