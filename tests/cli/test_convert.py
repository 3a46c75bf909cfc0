"""`vloc convert` between formats, with pycolmap as the judge of what was written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import vloc
from vloc.cli.main import main
from vloc.map import Map


def test_help_lists_the_formats(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["convert", "--help"])
    text = capsys.readouterr().out
    assert "kapture" in text
    assert "colmap" in text


def test_a_capture_keeps_poses_and_intrinsics_through_colmap(gallery, tmp_path: Path) -> None:
    assert main(["convert", str(gallery.mapping), f"colmap:{tmp_path / 'model'}"]) == 0
    before, after = vloc.read(str(gallery.mapping)), vloc.read(f"colmap:{tmp_path / 'model'}")
    for name in before.images.names:
        assert np.allclose(after.pose(name).translation, before.pose(name).translation, atol=1e-9)
        assert np.allclose(after.camera(name).matrix, before.camera(name).matrix, atol=1e-9)


def test_losses_are_told_on_standard_error(gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(gallery.mapping), f"colmap:{tmp_path / 'model'}"]) == 0
    told = capsys.readouterr()
    assert "12 images" in told.out
    assert "lost:" in told.err


def test_nothing_is_overwritten(gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.txt").write_text("mine")
    assert main(["convert", str(gallery.mapping), f"colmap:{tmp_path / 'model'}"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "model" / "mine.txt").read_text() == "mine"


def test_an_output_without_a_format_is_refused_with_the_choices(
    gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(gallery.mapping), str(tmp_path / "model")]) == 2
    assert "colmap" in capsys.readouterr().err


def test_colmap_opens_a_map_and_sees_the_same_points_and_errors(job, tmp_path: Path) -> None:
    import pycolmap

    assert main(["convert", str(job.map), f"colmap:{tmp_path / 'model'}"]) == 0
    folder = next(path.parent for path in (tmp_path / "model").rglob("points3D.*"))
    model, sparse = pycolmap.Reconstruction(str(folder)), Map.open(job.map).sparse
    assert model.num_reg_images() == len(sparse.image_names)
    assert model.num_points3D() == len(sparse.points)
    assert model.compute_num_observations() == sparse.num_observations
    model.update_point_3d_errors()
    # COLMAP averages over points, `mean_error` over observations
    assert model.compute_mean_reprojection_error() == pytest.approx(float(sparse.point_errors.mean()), rel=1e-3)


def test_files_that_cannot_be_copied_are_told_by_reason_and_end_with_status_3(
    gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = shutil.copytree(gallery.queries, tmp_path / "query")
    images = sorted((source / "sensors" / "records_data").rglob("*.jpg"))
    images[0].unlink()
    shutil.move(images[1], tmp_path / "elsewhere.jpg")
    images[1].symlink_to(tmp_path / "elsewhere.jpg")
    images[2].unlink()
    os.mkfifo(images[2])
    assert main(["convert", str(source), f"kapture:{tmp_path / 'out'}"]) == 3
    told = capsys.readouterr().err
    assert "1 of 4 record files: missing in the source" in told
    assert "1 of 4 record files: symbolic links that lead out of" in told
    assert "1 of 4 record files: no regular files" in told
    assert len(list((tmp_path / "out").rglob("*.jpg"))) == 1
    # nothing is lost where nothing was to be copied
    assert main(["convert", str(source), f"list:{tmp_path / 'list.txt'}"]) == 0
    assert main(["convert", str(source), f"kapture:{tmp_path / 'again'}", "--transfer", "skip"]) == 0
    assert main(["split", str(source), str(tmp_path / "a"), str(tmp_path / "b"), "--every-nth", "2"]) == 3


def test_points_have_the_colours_that_colmap_itself_finds(job, tmp_path: Path) -> None:
    import pycolmap

    assert main(["convert", str(job.map), f"colmap:{tmp_path / 'model'}"]) == 0
    folder = next(path.parent for path in (tmp_path / "model").rglob("points3D.*"))
    model, sparse = pycolmap.Reconstruction(str(folder)), Map.open(job.map).sparse
    ours = np.array([model.points3D[i + 1].color for i in range(len(sparse.points))], np.int64)
    np.testing.assert_array_equal(ours, sparse.colors)
    model.extract_colors_for_all_images(str(job.mapping / "sensors" / "records_data"))
    theirs = np.array([model.points3D[i + 1].color for i in range(len(sparse.points))], np.int64)
    assert np.median(np.abs(ours - theirs)) <= 3  # they interpolate


@pytest.mark.parametrize("form", ["kapture", "opensfm"])
def test_formats_keep_the_colours_of_a_map(job, tmp_path: Path, form: str) -> None:
    assert main(["convert", str(job.map), f"{form}:{tmp_path / 'out'}"]) == 0
    points = vloc.read(f"{form}:{tmp_path / 'out'}").reconstruction.points
    np.testing.assert_array_equal(points.rgb, Map.open(job.map).sparse.colors)
