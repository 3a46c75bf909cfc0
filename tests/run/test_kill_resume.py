"""A run that is killed anywhere resumes, and ends with the bytes of a run that was not."""

import json
from pathlib import Path

import numpy as np
import pytest
from squares import Numbers, Power, killed_after, run_all, spawn, tree_hash

COUNT, PAUSE = 40, 0.03
SECONDS = 0.5
"""how long a run takes, about, from its first word"""


def test_a_kill_at_any_fsync_or_rename_loses_nothing(tmp_path: Path) -> None:
    run_all(tmp_path / "whole", Numbers.first(12))
    (tmp_path / "killed").mkdir()
    with spawn("faults", tmp_path / "killed", "kill", 12) as child:
        rows = [json.loads(line) for line in child.stdout]
    assert len(rows) > 30
    assert [row["status"] for row in rows] == [-9] * (len(rows) - 1) + [0]
    for row in rows:
        assert (row["call"], row["resumed"], row["tree"]) == (row["call"], 0, tree_hash(tmp_path / "whole"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What an uninterrupted run leaves."""
    folder = tmp_path_factory.mktemp("whole")
    run_all(folder, Numbers.first(COUNT), Power(pause=PAUSE))
    return tree_hash(folder)


@pytest.mark.parametrize("seed", range(5))
def test_a_kill_at_a_random_moment_loses_nothing(tmp_path: Path, whole: dict[str, str], seed: int) -> None:
    moment = np.random.default_rng(seed).uniform(0, SECONDS)
    assert killed_after(moment, tmp_path / "killed", COUNT, PAUSE)
    run_all(tmp_path / "killed", Numbers.first(COUNT), Power(pause=PAUSE))
    assert tree_hash(tmp_path / "killed") == whole
