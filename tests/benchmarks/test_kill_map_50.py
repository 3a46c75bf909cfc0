"""50 real runs killed at random moments; 5 more are among the default tests."""

from pathlib import Path

import pytest

from ..jobs import FAST, content, map_and_kill, run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def whole(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The map of a run that nobody killed."""
    folder = tmp_path_factory.mktemp("whole") / "m"
    assert run("map", gallery / "mapping", folder, *FAST) == 0
    return folder


@pytest.mark.parametrize("seed", range(100, 150))
def test_a_killed_run_resumes_to_the_same_map(gallery: Path, whole: Path, tmp_path: Path, seed: int) -> None:
    map_and_kill(gallery, tmp_path / "m", seed)
    assert run("map", gallery / "mapping", tmp_path / "m", *FAST) == 0
    assert content(tmp_path / "m") == content(whole)
