"""Where a map's points come from, end to end on a small gallery with depth maps."""

import json
import shutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import vloc
from vloc.errors import ConfigError, DataError
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors
from vloc.solvers.calibration import likelier

from .jobs import FAST, run


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of 12 images with depth maps, and 2 queries."""
    scene = import_module("vloc.datasets.synthetic_gallery")
    root = tmp_path_factory.mktemp("room")
    scene.make(root, scene.GalleryConfig(num_images=12, num_queries=2, image_size=(320, 240), with_depth=True))
    return root


@pytest.fixture(scope="module")
def maps(room: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A map from depth, and one of both; what they share is made once."""
    both = tmp_path_factory.mktemp("maps") / "both"
    assert run("map", room / "mapping", both, *FAST, "--points", "hybrid") == 0
    depth = shutil.copytree(both, both.parent / "depth")
    assert run("map", room / "mapping", depth, *FAST, "--points", "depth") == 0
    return {"hybrid": both, "depth": depth}


@pytest.mark.parametrize("source", ["depth", "hybrid"])
def test_queries_are_placed_in_a_map_with_depth(room: Path, maps: dict[str, Path], tmp_path: Path, source: str) -> None:
    poses, figures = tmp_path / "poses.txt", tmp_path / "f.json"
    assert run("localize", maps[source], room / "query", poses, "--quiet") == 0
    assert run("evaluate", poses, room / "query_truth.txt", "--json", figures) == 0
    found = json.loads(figures.read_text())
    assert found["num_localized"] == 2
    assert found["max_translation_m"] < 0.01 and found["max_rotation_deg"] < 0.2


def test_depth_maps_of_queries_refine_their_poses_or_refuse_them(
    room: Path, maps: dict[str, Path], tmp_path: Path
) -> None:
    plain = vloc.localize(vloc.Map.open(maps["hybrid"]), room / "query", tmp_path / "work")
    refined = vloc.localize(vloc.Map.open(maps["hybrid"]), room / "query", tmp_path / "work", depth={"use": "refine"})
    for before, after in zip(plain, refined, strict=True):
        assert before.covariance is not None and after.covariance is not None
        assert np.trace(after.covariance) < np.trace(before.covariance)
    far = shutil.copytree(room / "query", tmp_path / "far")
    for path in far.rglob("*.depth"):
        path.write_bytes((np.frombuffer(path.read_bytes(), "<f4") * np.float32(1.3)).tobytes())
    for lost in vloc.localize(vloc.Map.open(maps["hybrid"]), far, tmp_path / "work", depth={"use": "check"}):
        assert not lost.is_localized and "depth map has its points 1.3" in lost.reason
    with pytest.raises(ConfigError, match="a single photo has no depth map"):
        vloc.Localizer(maps["hybrid"], depth={"use": "check"})


def test_depth_maps_place_queries_whose_photos_say_too_little(
    room: Path, maps: dict[str, Path], tmp_path: Path
) -> None:
    map_, truth = vloc.Map.open(maps["hybrid"]), read_poses(room / "query_truth.txt")
    surest = max(vloc.localize(map_, room / "query", tmp_path / "work"), key=lambda each: each.confidence)
    least = {"min_confidence": likelier(surest.confidence, 2.0)}
    lost, depth = (
        vloc.localize(map_, room / "query", tmp_path / "work", register=least, depth={"use": use})
        for use in ("refine", "orient")
    )
    assert not any(each.is_localized for each in lost)
    (placed,) = (each for each in depth if each.name == surest.name)
    assert placed.source == "depth" and placed.cam_from_world is not None
    assert pose_errors(placed.cam_from_world, truth[surest.name])[0] < 0.005


def test_depth_gives_points_to_keypoints_that_no_other_image_shows(maps: dict[str, Path]) -> None:
    for source, folder in maps.items():
        sparse = vloc.Map.open(folder).sparse
        assert (sparse.track_lengths == 1).sum() > 1000, source
        assert sparse.depth_information is not None and sparse.mean_error < 0.5
        assert vloc.Map.open(folder).config.points.source == source


@pytest.mark.parametrize("source", ["scan", "hybrid"])
def test_a_scan_gives_the_points_that_its_depth_maps_would(
    room: Path, maps: dict[str, Path], tmp_path: Path, source: str
) -> None:
    pytest.importorskip("open3d", reason="the 'scan' extra is not installed", exc_type=ImportError)
    folder = shutil.copytree(maps["depth"], tmp_path / "scan.map")
    assert run("map", room / "mapping", folder, *FAST, "--points", source, "--scan", room / "scan.ply") == 0
    before, after = vloc.Map.open(maps["depth" if source == "scan" else "hybrid"]).sparse, vloc.Map.open(folder).sparse
    assert abs(len(after.points) / len(before.points) - 1) < 0.01
    same = np.flatnonzero((before.point_of_keypoint >= 0) & (after.point_of_keypoint >= 0))
    apart = before.points[before.point_of_keypoint[same]] - after.points[after.point_of_keypoint[same]]
    assert np.median(np.linalg.norm(apart, axis=1)) < 1e-4


def test_a_scan_that_is_missing_elsewhere_or_of_no_use_is_refused(room: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--points scan: needs the file of the scan"):
        vloc.build_map(room / "mapping", tmp_path / "m", points={"source": "scan"})
    with pytest.raises(ConfigError, match="--points depth: has no use for a scan"):
        vloc.build_map(room / "mapping", tmp_path / "m", points={"source": "depth"}, scan=room / "scan.ply")
    pytest.importorskip("open3d", reason="the 'scan' extra is not installed", exc_type=ImportError)
    with pytest.raises(DataError, match=r"none\.ply: No such file"):
        vloc.build_map(room / "mapping", tmp_path / "m", points={"source": "scan"}, scan=tmp_path / "none.ply")


def test_a_map_of_poses_has_no_points_and_says_so(room: Path, maps: dict[str, Path], tmp_path: Path) -> None:
    folder = shutil.copytree(maps["depth"], tmp_path / "poses.map")
    assert run("map", room / "mapping", folder, *FAST, "--points", "none") == 0
    map_ = vloc.Map.open(folder)
    assert len(map_.sparse.image_names) == 12 and len(map_.sparse.points) == 0
    with pytest.raises(ConfigError, match=r"a map of poses alone \(--points none\): it has no points to localize by"):
        vloc.localize(map_, room / "query", tmp_path / "work")
    with pytest.raises(ConfigError, match="no points to localize by"):
        vloc.Localizer(map_)


def test_what_the_capture_lacks_is_said_before_any_work(room: Path, tmp_path: Path) -> None:
    bare = shutil.copytree(room / "mapping", tmp_path / "bare")
    (bare / "sensors" / "records_depth.txt").unlink()
    with pytest.raises(DataError, match="the capture has no depth maps"):
        vloc.build_map(bare, tmp_path / "m", points={"source": "depth"})
    with pytest.raises(ConfigError, match="--points none: needs the poses of images"):
        vloc.build_map(room / "query", tmp_path / "m", points={"source": "none"})
    with pytest.raises(ConfigError, match="--points none: weights of descriptors are chosen by points"):
        vloc.build_map(
            bare, tmp_path / "m", points={"source": "none"}, retrieval=["densevlad", "vlad"], fuse={"weights": "auto"}
        )
