from pathlib import Path

import pytest

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records
from vloc.errors import DataError
from vloc.formats.pairs import read_pairs, read_ranked
from vloc.geometry.camera import Camera

CAMERA = Sensor("camera", camera=Camera("SIMPLE_PINHOLE", 9, 9, (9.0, 4.5, 4.5)))
CAPTURE = Capture({"c": CAMERA}, Records.from_rows([(i, "c", n) for i, n in enumerate(["a.jpg", "b c.jpg", "d.jpg"])]))


def pairs(folder: Path, text: str) -> list[tuple[str, str]]:
    path = folder / "pairs.txt"
    path.write_text(text, encoding="utf-8")
    return read_pairs(path, CAPTURE)


def test_lines_of_kapture_and_of_hloc_are_read(tmp_path: Path) -> None:
    text = "# kapture format: 1.1\n# query_image, map_image, score\nb c.jpg, a.jpg, 0.5\n\nd.jpg a.jpg\n"
    assert pairs(tmp_path, text) == [("a.jpg", "b c.jpg"), ("a.jpg", "d.jpg")]


def test_a_pair_counts_once_and_never_with_itself(tmp_path: Path) -> None:
    assert pairs(tmp_path, "a.jpg d.jpg\nd.jpg a.jpg\na.jpg a.jpg\n") == [("a.jpg", "d.jpg")]


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert pairs(tmp_path, "\ufeffa.jpg d.jpg") == [("a.jpg", "d.jpg")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.jpg d.jpg\na.jpg e.jpg\n", r"pairs\.txt:2: image 'e\.jpg' is not in the capture"),
        ("a.jpg\n", r"pairs\.txt:1: expected two image names"),
        ("a.jpg, d.jpg, 1, 2\n", r"pairs\.txt:1: expected two image names"),
    ],
)
def test_a_broken_line_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        pairs(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.txt: No such file"):
        read_pairs(tmp_path / "none.txt", CAPTURE)


def test_pairs_of_queries_are_ranked_by_score_or_else_as_they_come(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("q 1.jpg, a.jpg, 0.2\nq 1.jpg, b.jpg, 0.9\nq2.jpg d.jpg\nq2.jpg c.jpg\n")
    assert read_ranked(tmp_path / "pairs.txt") == {"q 1.jpg": ["b.jpg", "a.jpg"], "q2.jpg": ["d.jpg", "c.jpg"]}


def test_a_score_that_is_no_number_is_named_by_line(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("q.jpg, a.jpg, high\n")
    with pytest.raises(DataError, match=r"pairs\.txt:1: score 'high'"):
        read_ranked(tmp_path / "pairs.txt")
