"""Blocks in a workspace: what is redone, and that nothing depends on who does it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vloc
from tests.jobs import content
from vloc.blocks import triangulated
from vloc.data.features import Matches
from vloc.errors import DataError, StageError
from vloc.mapping import view
from vloc.run.store import open_results
from vloc.run.workspace import Workspace
from vloc.runtime import Runtime
from vloc.solvers.track_points import TriangulationConfig


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vloc.stages.track_blocks.BLOCK_SIZE", 6)


def matches_of(folder: Path) -> Matches:
    (listed,) = folder.glob("match-posed-*/set-*.json")
    return open_results(folder, f"{listed.parent.name}/{listed.stem[4:]}", Matches)


def again(gallery: Path, built: Path, folder: Path, workers: int = 1, turned: str = "", **settings: float):
    """The points of the gallery's images in blocks; `turned`: an image whose pose is another one."""
    map_, capture = vloc.Map.open(built), vloc.read(gallery / "mapping")
    views = {name: view(capture, name) for name in map_.sparse.image_names}
    if turned:
        pose = views[turned].cam_from_world
        views[turned] = replace(views[turned], cam_from_world=replace(pose, translation=pose.translation + 1e-4))
    with Workspace(folder, Runtime(workers=workers)) as work:
        config = TriangulationConfig(**settings)
        sparse = triangulated(work, views, map_.features, matches_of(built), config)[0].value
    return sparse, {row.stage: (row.total, row.todo) for row in work.plan}


@pytest.mark.usefixtures("small_blocks")
def test_the_number_of_workers_changes_no_byte(gallery: Path, built: Path, tmp_path: Path) -> None:
    for workers in (1, 3):
        _, done = again(gallery, built, tmp_path / str(workers), workers)
        assert done["triangulate"][0] > 3
    assert content(tmp_path / "1") == content(tmp_path / "3")


@pytest.mark.usefixtures("small_blocks")
def test_another_pose_redoes_the_blocks_that_see_the_image_and_no_others(
    gallery: Path, built: Path, tmp_path: Path
) -> None:
    again(gallery, built, tmp_path / "map", pose_error_px=0.0)
    name = vloc.Map.open(built).sparse.image_names[0]
    _, done = again(gallery, built, tmp_path / "map", turned=name, pose_error_px=0.0)
    total, todo = done["triangulate"]
    assert 0 < todo < total
    _, done = again(gallery, built, tmp_path / "map", turned=name, pose_error_px=0.0)
    assert {todo for _, todo in done.values()} == {0}


@pytest.mark.usefixtures("small_blocks")
def test_blocks_and_the_whole_show_the_same_points(gallery: Path, built: Path, tmp_path: Path) -> None:
    parts, _ = again(gallery, built, tmp_path / "map")
    whole = vloc.Map.open(built).sparse
    assert np.array_equal(parts.point_of_keypoint < 0, whole.point_of_keypoint < 0)
    shown = whole.point_of_keypoint >= 0
    apart = parts.points[parts.point_of_keypoint[shown]] - whole.points[whole.point_of_keypoint[shown]]
    assert np.median(np.linalg.norm(apart, axis=1)) < 1e-4  # m: the errors of poses are found from other images


def test_a_block_that_fails_ends_the_run(
    gallery: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DataError("as the test wants it")

    monkeypatch.setattr("vloc.stages.triangulate.make_points", refuse)
    with pytest.raises(StageError, match=r"block .*: as the test wants it"):
        again(gallery, built, tmp_path / "map")
