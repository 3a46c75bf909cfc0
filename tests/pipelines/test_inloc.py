"""InLoc on a tiny tree of cutouts with MATLAB files, from the folder to the file to submit."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from vloc.datasets.inloc_cutouts import cam_from_scan, cutout_camera, read_points

import vloc
from tests import raw_trees_indoor as raw
from tests.jobs import run
from vloc.errors import DataError
from vloc.formats.images import FolderImages
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors

CUTOUT = "database/cutouts/DUC1/000/DUC_cutout_000_0_0.jpg"


@pytest.fixture(scope="module")
def tree(rooms: raw.Rooms, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("inloc")
    raw.inloc(root, rooms)
    return root


@pytest.mark.slow
def test_the_recipe_places_the_photos_in_the_frame_of_the_scans(
    tree: Path, rooms: raw.Rooms, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("run", "inloc_benchmark", "--data", tree, "--out", out, "--fast", "--quiet") == 0
    told = capsys.readouterr().out
    assert "DUC1: 41.4 / 60.1 / 73.7" in told and "9 images of 'mapping', expected 9972" in told
    made = vloc.read(f"kapture:{out / 'captures' / 'mapping'}")
    for index, shot in enumerate(rooms.mapping[:3]):
        metres, radians = pose_errors(made.pose(made.images.names[index]), shot.cam_from_world)
        assert metres < 1e-6 and radians < 1e-6
    seen = np.frombuffer((out / "captures/mapping/sensors/records_data" / f"{CUTOUT}.depth").read_bytes(), "<f4")
    front = next(shot for shot, name in zip(rooms.mapping, made.images.names, strict=True) if name == CUTOUT)
    truth = rooms.world.depth(cutout_camera(320, 240), front.cam_from_world).ravel()
    np.testing.assert_allclose(seen, truth, atol=1e-5)
    submitted = read_poses(out / "inloc_benchmark_eval_vloc_fast.txt")
    assert sorted(submitted) == ["IMG_0731.JPG", "IMG_0732.JPG"]
    for name, shot in zip(sorted(submitted), rooms.query, strict=True):
        assert pose_errors(submitted[name], shot.cam_from_world)[0] < 0.01


def test_points_of_a_newer_matlab_file_are_the_same(tree: Path, tmp_path: Path) -> None:
    points = read_points(FolderImages(tree), CUTOUT)
    with h5py.File(tmp_path / "new.jpg.mat", "w", userblock_size=512) as file:
        file["XYZcut"] = points.T
    with (tmp_path / "new.jpg.mat").open("r+b") as opened:
        opened.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
    np.testing.assert_array_equal(read_points(FolderImages(tmp_path), "new.jpg"), points)


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        (f"{CUTOUT}.mat", b"no matlab", r"DUC_cutout_000_0_0\.jpg\.mat: cannot read 'XYZcut'"),
        ("database/alignments/DUC1/transformations/DUC_trans_000.txt", b"a\n" * 12, r"DUC_trans_000\.txt:8: 1 numbers"),
        ("database/alignments/DUC1/transformations/DUC_trans_000.txt", b"a\n", r"trans_000\.txt: 1 lines, expected a"),
    ],
)
def test_broken_files_are_named(
    tree: Path, tmp_path: Path, path: str, content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("database/cutouts/DUC1/000", "database/alignments/DUC1", "query"):
        shutil.copytree(tree / part, tmp_path / "raw" / part)
    (tmp_path / "raw" / path).write_bytes(content)
    assert run("run", "inloc", tmp_path / "made", "--source", tmp_path / "raw") == 2
    assert re.search(message, capsys.readouterr().err)


def test_points_that_no_camera_sees_are_refused(tree: Path, tmp_path: Path) -> None:
    shuffled = np.random.default_rng(0).permutation(read_points(FolderImages(tree), CUTOUT).reshape(-1, 3))
    savemat(tmp_path / "x.jpg.mat", {"XYZcut": shuffled.reshape(240, 320, 3)})
    with pytest.raises(DataError, match=r"x\.jpg\.mat: \d+ of \d+ points are where a camera of 60 degrees sees them"):
        cam_from_scan(FolderImages(tmp_path), "x.jpg", cutout_camera(320, 240))
