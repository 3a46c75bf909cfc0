"""Depth maps rendered from a scan, against those of the gallery, as a map and kapture readers see them."""

import shutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import vloc
from vloc.data.depth import depth_files
from vloc.data.scan import Scan
from vloc.errors import DataError
from vloc.formats.depth import decode_depth
from vloc.formats.results import write_poses
from vloc.rendering import with_rendered_depth
from vloc.solvers.ray_casting import RayCaster

from .jobs import run

pytest.importorskip("open3d", reason="the 'scan' extra is not installed", exc_type=ImportError)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small gallery with depth maps and a scan."""
    scene = import_module("vloc.datasets.synthetic_gallery")
    root = tmp_path_factory.mktemp("rendered")
    scene.make(root, scene.GalleryConfig(num_images=3, num_queries=2, image_size=(120, 90), with_depth=True))
    return root


@pytest.fixture(scope="module")
def bare(room: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its mapping images without depth."""
    folder = shutil.copytree(room / "mapping", tmp_path_factory.mktemp("bare") / "mapping")
    for name in ("sensors", "rigs"):
        path = folder / "sensors" / f"{name}.txt"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if "_depth" not in line))
    (folder / "sensors" / "records_depth.txt").unlink()
    return folder


def depths(capture: vloc.Capture) -> dict[str, np.ndarray]:
    assert capture.files is not None
    files = depth_files(capture)
    return {image: decode_depth(capture.files.read(file.name), image, file.camera) for image, file in files.items()}


def test_rendered_depth_is_that_of_the_gallery(room: Path, bare: Path, tmp_path: Path) -> None:
    assert run("render", bare, room / "scan.ply", tmp_path / "out") == 0
    rendered, truth = depths(vloc.read(tmp_path / "out")), depths(vloc.read(room / "mapping"))
    assert len(rendered) == len(truth) == 3
    for image, depth in rendered.items():
        assert (np.abs(depth - truth[image]) < 1e-4 * truth[image]).mean() > 0.999
    assert vloc.read(tmp_path / "out").notes == ()


def test_at_poses_from_a_file_and_of_another_size(room: Path, bare: Path, tmp_path: Path) -> None:
    capture = vloc.read(bare)
    one = capture.images.names[1]
    pose = capture.pose(one)
    assert pose is not None
    write_poses(tmp_path / "poses.txt", {one: pose})
    flags = ["--poses", tmp_path / "poses.txt", "--max-size", "40"]
    assert run("render", bare, room / "scan.ply", tmp_path / "out", *flags) == 0
    rendered = depths(vloc.read(tmp_path / "out"))
    assert {image: depth.shape for image, depth in rendered.items()} == {one: (30, 40)}
    truth = depths(vloc.read(room / "mapping"))[one]
    assert np.median(np.abs(rendered[one] - truth[1::3, 1::3]) / rendered[one]) < 1e-5  # the middle of 3 x 3 pixels


def test_what_has_depth_or_no_poses_is_refused(room: Path) -> None:
    caster = RayCaster(lambda: Scan(np.zeros((3, 3)), np.zeros((1, 3), np.int32)))
    with pytest.raises(DataError, match="'front_depth' is in the capture already"):
        with_rendered_depth(vloc.read(room / "mapping"), caster, 100)
    with pytest.raises(DataError, match="no image of the capture has a pose"):
        with_rendered_depth(vloc.read(room / "query"), caster, 100)
