"""Damaged files of every format: each is read, or refused by an error that names a file; see `mutations.py`."""

from pathlib import Path

import mutations
import pytest

from vloc.errors import DataError

SLICE, CHUNK, CHUNKS = 400, 5000, 10


def test_four_hundred_damaged_files_are_read_or_refused_by_name(tmp_path: Path) -> None:
    assert mutations.in_a_child(0, 0, SLICE, tmp_path) == []


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_fifty_thousand_damaged_files_are_read_or_refused_by_name(chunk: int, tmp_path: Path) -> None:
    assert mutations.in_a_child(1, chunk * CHUNK, CHUNK, tmp_path, timeout_s=3600) == []


def test_the_harness_notices_what_it_should(tmp_path: Path) -> None:
    def silent() -> dict[str, int]:
        raise DataError("something is wrong")

    def crash() -> dict[str, int]:
        raise TypeError("bug")

    assert mutations.complaint(silent, ["a.txt"], {}) == ("names no file: something is wrong", False)
    assert "TypeError: bug" in mutations.complaint(crash, ["a.txt"], {})[0]
    assert mutations.complaint(lambda: {"images": 99}, [], {"images": 3})[0].startswith("more than there was")
