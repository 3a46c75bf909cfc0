"""Benchmark result lines, against lines written by hand and the ground truth of others."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.errors import DataError
from vloc.formats.results import read_poses, read_truth, write_poses
from vloc.geometry.rigid import Rigid

NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="#"), min_size=1, max_size=9).map(
    str.strip
)
NUMBERS = st.floats(-1e9, 1e9)
QUATERNIONS = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1)


def test_names_with_blanks_comments_and_windows_lines_are_understood(tmp_path):
    path = tmp_path / "r.txt"
    path.write_bytes(b"\xef\xbb\xbf# comment\r\n\r\nmy photo 1.jpg 0.6 0.8 0 0 1 2 3\r\n2.jpg 1 0 0 0 -1e-3 0 .5\r\n")
    poses = read_poses(path)
    assert list(poses) == ["my photo 1.jpg", "2.jpg"]
    # A turn about x by 2 acos(0.6): its cosine is 2 * 0.36 - 1 = -0.28.
    assert np.allclose(poses["my photo 1.jpg"].rotation, [[1, 0, 0], [0, -0.28, -0.96], [0, 0.96, -0.28]])
    assert poses["2.jpg"].translation.tolist() == [-0.001, 0, 0.5]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("b.jpg 1 0 0 0 0 0", "7 fields; expected 8"),
        ("b.jpg 1 0 0 0 0 0 nan", "not a number"),
        ("b.jpg 1 0 0 0 0 0 x", "not a number"),
        ("b.jpg 0 0 0 0 0 0 0", "quaternion of norm 0"),
        ("a.jpg 1 0 0 0 0 0 0", "'a.jpg' is here twice, also in line 2"),
    ],
)
def test_broken_lines_are_refused_by_file_and_line(line, message, tmp_path):
    path = tmp_path / "r.txt"
    path.write_text(f"# c\na.jpg 1 0 0 0 0 0 0\n\n{line}\n")
    with pytest.raises(DataError, match=rf"r\.txt:4: .*{message}"):
        read_poses(path)


def test_quaternions_off_norm_are_normalised_with_a_warning(tmp_path, caplog):
    (tmp_path / "r.txt").write_text("a.jpg 0 3.4 0 0 0 0 0\n")
    assert np.allclose(read_poses(tmp_path / "r.txt")["a.jpg"].quat_wxyz, [0, 1, 0, 0])
    assert "1 quaternions normalised" in caplog.text


@given(rows=st.dictionaries(NAMES, st.tuples(QUATERNIONS, st.tuples(NUMBERS, NUMBERS, NUMBERS)), max_size=5))
def test_written_poses_read_back_sorted_by_name(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("r") / "r.txt"
    poses = {name: Rigid.from_quat_wxyz(np.array(quat), np.array(t)) for name, (quat, t) in rows.items()}
    write_poses(path, poses)
    back = read_poses(path)
    assert list(back) == sorted(poses)
    for name, pose in poses.items():
        assert np.allclose(back[name].rotation, pose.rotation, atol=1e-14)
        assert np.array_equal(back[name].translation, pose.translation)


@pytest.mark.parametrize("name", ["", " a", "a ", "#a", "a\nb"])
def test_names_that_would_not_read_back_are_refused_and_no_file_appears(name, tmp_path):
    with pytest.raises(DataError, match="cannot be written"):
        write_poses(tmp_path / "r.txt", {name: Rigid.identity()})
    assert list(tmp_path.iterdir()) == []


def test_truth_may_be_a_capture_or_a_file_of_lines(folder, tmp_path):
    from_capture = read_truth(folder)
    write_poses(tmp_path / "truth.txt", from_capture)
    from_file = read_truth(tmp_path / "truth.txt")
    assert set(from_capture) == set(from_file) == {"a/0.jpg", "b/0.jpg", "a/1.jpg"}
    assert np.allclose(from_capture["b/0.jpg"].rotation, from_file["b/0.jpg"].rotation)


@pytest.mark.shared
def test_ground_truth_lines_agree_with_the_kapture_folder_of_the_same_photos(data: Path):
    lines = read_poses(data / "strecha/fountain-P11/gt_poses.txt")
    capture = read_truth(data / "strecha/fountain-P11/mapping")
    assert len(capture) == 7
    for name, pose in capture.items():
        assert np.allclose(pose.rotation, lines[name].rotation, atol=1e-14)
        assert np.allclose(pose.translation, lines[name].translation, atol=1e-14)
