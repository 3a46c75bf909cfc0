"""4Seasons' pairs, with motions worked by hand."""

from pathlib import Path

import numpy as np
import pytest

from vloc.errors import DataError
from vloc.formats.reference_pairs import read_reference_pairs, relative_text
from vloc.geometry.rigid import Rigid

TURN = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])  # by 90 degrees about z


def at(x: float) -> Rigid:
    return Rigid(np.eye(3), np.array([x, 0.0, 0.0]))


def test_a_line_is_the_motion_from_the_reference_camera_to_the_query_camera() -> None:
    queries = {
        "undistorted_images/cam0/20.png": Rigid(TURN, np.array([5.0, 0, 0])),
        "undistorted_images/cam1/20.png": at(9),
    }
    text, missing = relative_text([(10, 20), (10, 30)], queries, {"cam0/10.png": at(2), "cam1/10.png": at(7)})
    # x_query = TURN x + (5, 0, 0), x = x_reference - (2, 0, 0): the translation is (5, 0, 0) - TURN (2, 0, 0).
    half = 0.5**0.5
    assert text.split()[:2] == ["10", "20"] and missing == [(10, 30)]
    np.testing.assert_allclose([*map(float, text.split()[2:])], [5, -2, 0, 0, 0, half, half], atol=1e-15)


def test_lists_are_read_whatever_follows_the_times(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("10 20 1.0 2.0\n10 30\n")
    assert read_reference_pairs(tmp_path / "list.txt") == [(10, 20), (10, 30)]
    (tmp_path / "list.txt").write_text("10 20\n10\n")
    with pytest.raises(DataError, match=r"list\.txt:2: no two timestamps"):
        read_reference_pairs(tmp_path / "list.txt")


def test_a_reference_that_the_map_lacks_is_refused() -> None:
    with pytest.raises(DataError, match="reference frame 11 is no image of the map"):
        relative_text([(11, 20)], {"cam0/20.png": at(0)}, {"cam0/10.png": at(0)})
