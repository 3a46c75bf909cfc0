"""Scenes of benchmarks on disk."""

from pathlib import Path

import pytest
from vloc.datasets.importing import write_scene

from vloc.data.capture import Capture
from vloc.data.records import Records
from vloc.errors import DataError


def test_a_truth_that_is_there_is_kept_and_nothing_else_is_written(tmp_path: Path) -> None:
    (tmp_path / "query_truth.txt").write_text("mine")
    nothing = Capture({}, Records.from_rows([]))
    with pytest.raises(DataError, match=r"query_truth\.txt: exists already"):
        write_scene(tmp_path, nothing, nothing, "skip")
    assert [path.name for path in tmp_path.iterdir()] == ["query_truth.txt"]
    assert (tmp_path / "query_truth.txt").read_text() == "mine"
