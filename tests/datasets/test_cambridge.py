"""Cambridge Landmarks in a scene of three photos, placed by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from vloc.datasets.cambridge import CambridgeConfig, make

import vloc
from vloc.errors import DataError
from vloc.formats.results import read_poses

TITLE = "Visual Landmark Dataset V1\nImageFile, Camera Position [X, Y, Z, W, P, Q, R]\n\n"
# A quarter turn about y: the world's x is the camera's -z, its z the camera's x.
TURN = "0.7071067811865476 0 0.7071067811865476 0"
NVM = f"""NVM_V3

2
seq1/a.jpg 1600.5 {TURN} 1 2 3 -0.05 0
seq1/b.jpg 1600.5 1 0 0 0 4 5 6 -0.05 0

0
"""


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    folder = tmp_path / "Shop"
    (folder / "seq1").mkdir(parents=True)
    for name in "abc":
        Image.new("RGB", (64, 36)).save(folder / "seq1" / f"{name}.png")
    (folder / "dataset_train.txt").write_text(f"{TITLE}seq1/a.png 1 2 3 {TURN}\nseq1/b.png 4 5 6 1 0 0 0\n")
    (folder / "dataset_test.txt").write_text(f"{TITLE}seq1/c.png -1 0 0 2 0 0 0\n")
    (folder / "reconstruction.nvm").write_text(NVM)
    return folder


def test_a_line_is_the_centre_of_the_camera_and_the_turn_from_the_world(scene: Path, tmp_path: Path) -> None:
    make(tmp_path / "out", CambridgeConfig(scene))
    mapping = vloc.read(tmp_path / "out" / "mapping")
    pose = mapping.pose("seq1/a.png")
    assert np.allclose(pose.center, [1, 2, 3])
    # One metre along the world's z from the camera is one metre to its right.
    assert np.allclose(pose.apply(np.array([[1.0, 2, 4]])), [[1, 0, 0]])
    assert np.allclose(mapping.pose("seq1/b.png").center, [4, 5, 6])
    assert np.allclose(read_poses(tmp_path / "out" / "query_truth.txt")["seq1/c.png"].center, [-1, 0, 0])
    assert not vloc.read(tmp_path / "out" / "query").has_pose.any()


def test_intrinsics_are_those_of_the_model_and_k_makes_the_distortion_that_it_removes(
    scene: Path, tmp_path: Path
) -> None:
    make(tmp_path / "out", CambridgeConfig(scene))
    camera = vloc.read(tmp_path / "out" / "mapping").camera("seq1/a.png")
    assert (camera.model, camera.params) == ("SIMPLE_RADIAL", (1600.5, 32, 18, 0.05))
    # VisualSFM undistorts a measured radius r to r (1 - 0.05 r^2); ours distorts that back, to first order.
    straight = 0.1 * (1 - 0.05 * 0.1**2)
    assert straight * (1 + camera.distortion[0] * straight**2) == pytest.approx(0.1, abs=1e-7)
    assert len(vloc.read(tmp_path / "out" / "mapping").sensors) == 1


def test_an_image_that_the_model_lacks_has_no_intrinsics(scene: Path, tmp_path: Path) -> None:
    make(tmp_path / "out", CambridgeConfig(scene))
    assert not vloc.read(tmp_path / "out" / "query").camera("seq1/c.png").is_known


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("seq1/b.png 4 5 6 1 0 0", r"dataset_train\.txt:4: "),
        ("seq1/b.png 4 5 6 0 0 0 0", r"dataset_train\.txt:4: quaternion of norm 0"),
        ("../b.png 4 5 6 1 0 0 0", r"dataset_train\.txt:4: '\.\.' leads out"),
        ("seq1/z.png 4 5 6 1 0 0 0", r"seq1/z\.png: No such file"),
    ],
)
def test_broken_rows_are_named_by_line(scene: Path, tmp_path: Path, row: str, message: str) -> None:
    (scene / "dataset_train.txt").write_text(f"{TITLE}{row}\n")
    with pytest.raises(DataError, match=message):
        make(tmp_path / "out", CambridgeConfig(scene))
