"""A real run killed at 50 random moments: resumed, it ends with the bytes of an uninterrupted one."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "run"))

from squares import Numbers, Power, killed_after, run_all, tree_hash

COUNT, PAUSE, SECONDS = 40, 0.03, 0.6


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50))
def test_a_kill_at_a_random_moment_loses_nothing(tmp_path: Path, seed: int) -> None:
    settings = Power(pause=PAUSE)
    run_all(tmp_path / "whole", Numbers.first(COUNT), settings)
    rng = np.random.default_rng(seed)
    # killed again and again, until one run gets through
    for _ in range(10):
        if not killed_after(rng.uniform(0, SECONDS), tmp_path / "killed", COUNT, PAUSE):
            break
    run_all(tmp_path / "killed", Numbers.first(COUNT), settings)
    assert tree_hash(tmp_path / "killed") == tree_hash(tmp_path / "whole")
