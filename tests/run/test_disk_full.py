"""A full disk ends the run with exit status 4, what was finished intact; with room again it resumes."""

import json
import subprocess
from pathlib import Path

import pytest
from squares import Numbers, run_all, spawn, tree_hash

from tests.full_disks import files_of_at_most
from vloc.errors import ResourceError
from vloc.run.workspace import Workspace

COUNT = 60


def test_a_full_disk_is_told_with_the_bytes_needed_and_the_run_resumes(small_disk: Path, tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match=r"\.h5: No space left on device: [\d,]+ bytes needed, [\d,]+ free"):
        run_all(small_disk, Numbers.first(COUNT))
    kept = tree_hash(small_disk)
    assert len(kept) > 5
    assert not list(small_disk.rglob("*.tmp"))
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    again = Numbers.first(COUNT)
    run_all(small_disk, again)
    run_all(tmp_path / "whole", Numbers.first(COUNT))
    assert tree_hash(small_disk) == tree_hash(tmp_path / "whole")
    assert kept.items() <= tree_hash(small_disk).items()
    assert len(again.loaded) < COUNT


def test_a_disk_full_at_any_fsync_or_rename_loses_nothing(tmp_path: Path) -> None:
    run_all(tmp_path / "whole", Numbers.first(12))
    (tmp_path / "struck").mkdir()
    with spawn("faults", tmp_path / "struck", "disk_full", 12) as child:
        rows = [json.loads(line) for line in child.stdout]
    assert [row["status"] for row in rows] == [4] * (len(rows) - 1) + [0]
    for row in rows:
        assert (row["call"], row["resumed"], row["tree"]) == (row["call"], 0, tree_hash(tmp_path / "whole"))


def test_a_manifest_that_finds_no_room_leaves_the_old_one(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(3))
    before = tree_hash(tmp_path)
    with Workspace(tmp_path) as work, files_of_at_most(4096), pytest.raises(ResourceError, match="10,016 bytes needed"):
        work.publish("manifest.json", {"long": "x" * 10_000})
    assert tree_hash(tmp_path) == before
