"""Poses held against what they would see of a scan, end to end on the small gallery."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import vloc
from vloc.config import LocalizationConfig
from vloc.data.estimate import PoseEstimate
from vloc.data.view import ViewConfig
from vloc.errors import ConfigError, DataError, StageError
from vloc.formats.results import read_poses
from vloc.looking import Looked
from vloc.placed import Placed
from vloc.run.progress import Silent
from vloc.run.workspace import Workspace
from vloc.runtime import Runtime
from vloc.stages.images import Photos
from vloc.view_check import is_own, with_views

from .jobs import run

CHECK = {"use": "check"}


@pytest.fixture(scope="module")
def scan(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The surfaces of the gallery."""
    pytest.importorskip("open3d", reason="the 'scan' extra is not installed", exc_type=ImportError)
    scene, surfaces = (import_module(f"vloc.datasets.{name}") for name in ("synthetic_gallery", "gallery_scan"))
    world = scene.world(scene.GalleryConfig(num_images=21, num_queries=4, image_size=(480, 360)))
    path = tmp_path_factory.mktemp("scan") / "scan.ply"
    path.write_bytes(surfaces.ply(*surfaces.mesh(world)))
    return path


def seen_at(poses: dict[str, vloc.Rigid], gallery: Path, built: Path, scan: Path, folder: Path) -> list[PoseEstimate]:
    """What the queries' photos say of some poses of theirs, all map images taken for retrieved."""
    map_, queries = vloc.Map.open(built), vloc.read(gallery / "query")
    estimates = {
        name: PoseEstimate(name, pose, "pnp", covariance=np.eye(6), camera=queries.camera(name), confidence=0.9)
        for name, pose in poses.items()
    }
    with Workspace(folder, Runtime(), Silent()) as work:
        rows = {name: np.arange(21) for name in poses}
        seen = Looked(Photos(queries, work.content_hash), {}, {}, None, (), {}, rows, {}, {})
        config = LocalizationConfig(view=ViewConfig("check", num_photos=21))
        return list(with_views(work, map_, config, seen, Placed(estimates, None, ()), scan).estimates.values())


def test_right_poses_see_what_the_photos_show_by_day_and_by_night(
    gallery: Path, built: Path, scan: Path, tmp_path: Path
) -> None:
    flags = ["--view", "check", "--scan", scan, "--quiet"]
    assert run("localize", built, gallery / "query", tmp_path / "poses.txt", *flags) == 0
    rows = json.loads((tmp_path / "poses.txt.json").read_text())
    assert [row["status"] for row in rows] == ["localized"] * 4
    assert all(row["view"]["similarity"] > 0.95 and row["view"]["share"] > 0.3 for row in rows)


def test_poses_that_are_off_are_refused(gallery: Path, built: Path, scan: Path, tmp_path: Path) -> None:
    truth = read_poses(gallery / "query_truth.txt")
    right = seen_at(truth, gallery, built, scan, tmp_path)
    assert all(estimate.is_localized for estimate in right)
    aside = {name: replace(pose, translation=pose.translation + 0.2) for name, pose in truth.items()}
    angle = np.radians(5)
    turn = np.array([(np.cos(angle), 0, np.sin(angle)), (0, 1, 0), (-np.sin(angle), 0, np.cos(angle))])
    turned = {name: vloc.Rigid(turn, np.zeros(3)) @ pose for name, pose in truth.items()}
    for poses in (aside, turned):
        for before, after in zip(right, seen_at(poses, gallery, built, scan, tmp_path), strict=True):
            assert before.view is not None and after.view is not None
            assert not after.is_localized and after.view.similarity < before.view.similarity - 0.1
            assert f"like the photo by {after.view.similarity:.2f}" in after.reason


def test_poses_that_a_photo_gave_itself_are_held_to_its_view_and_no_others() -> None:
    pose = PoseEstimate("q", vloc.Rigid.identity(), "pnp")
    sources = ("pnp", "depth", "retrieval", "rig", "sequence")
    assert [source for source in sources if is_own(replace(pose, source=source))] == ["pnp", "depth", "retrieval"]
    assert not is_own(PoseEstimate("q", None, "none"))


def test_a_changed_threshold_does_not_render_again(gallery: Path, built: Path, scan: Path, tmp_path: Path) -> None:
    map_, queries = vloc.Map.open(built), gallery / "query"
    vloc.localize(map_, queries, tmp_path, scan=scan, view=CHECK)
    shards = sorted(tmp_path.glob("view-*/*"))
    strict = vloc.localize(map_, queries, tmp_path, scan=scan, view={**CHECK, "min_similarity": 1.0})
    assert sorted(tmp_path.glob("view-*/*")) == shards != []
    assert not any(estimate.is_localized for estimate in strict)
    assert all("expected 1 or more" in estimate.reason for estimate in strict)


def test_single_photos_are_held_to_what_they_would_see(gallery: Path, built: Path, scan: Path, tmp_path: Path) -> None:
    queries = vloc.read(gallery / "query")
    name = queries.images.names[0]
    path = gallery / "query" / "sensors" / "records_data" / name
    batch = {e.name: e for e in vloc.localize(vloc.Map.open(built), queries, tmp_path, scan=scan, view=CHECK)}
    for turned in (False, True):
        image = path if not turned else turned_by_exif(path, tmp_path / "turned.jpg")
        found = vloc.Localizer(built, scan=scan, view=CHECK).localize(image, queries.camera(name))
        assert found.is_localized and found.view is not None and batch[name].view is not None
        assert abs(found.view.similarity - batch[name].view.similarity) < 0.01
    strict = vloc.Localizer(built, scan=scan, view={**CHECK, "min_similarity": 1.0})
    assert "expected 1 or more" in strict.localize(path, queries.camera(name)).reason


def turned_by_exif(source: Path, target: Path) -> Path:
    """The same pixels, said to be upside down."""
    from PIL import Image

    with Image.open(source) as image:
        exif = image.getexif()
        exif[274] = 3
        image.save(target, quality=95, exif=exif)
    return target


def test_a_scan_in_another_frame_is_refused(gallery: Path, built: Path, scan: Path, tmp_path: Path) -> None:
    files, moved = import_module("open3d").io, tmp_path / "moved.ply"
    files.write_triangle_mesh(str(moved), files.read_triangle_mesh(str(scan)).translate((3.0, 1.0, 0.5)))
    with pytest.raises(StageError, match=r"rays from map images to their points .* in the frame of the map"):
        vloc.localize(vloc.Map.open(built), gallery / "query", tmp_path / "work", scan=moved, view=CHECK)


def test_what_is_missing_is_said_before_any_work(gallery: Path, built: Path, scan: Path, tmp_path: Path) -> None:
    map_, queries, work = vloc.Map.open(built), gallery / "query", tmp_path / "work"
    with pytest.raises(ConfigError, match=r"--view check: needs the file of the scan \(--scan FILE\)"):
        vloc.localize(map_, queries, work, view=CHECK)
    with pytest.raises(ConfigError, match=r"--scan .*scan\.ply: poses are held against it by --view check or require"):
        vloc.localize(map_, queries, work, scan=scan)
    with pytest.raises(DataError, match=r"none\.ply: no such file of a scan"):
        vloc.localize(map_, queries, work, scan=tmp_path / "none.ply", view=CHECK)
    alone = shutil.copytree(built, tmp_path / "map")
    manifest = json.loads((alone / "map.json").read_text())
    manifest["capture"]["location"] = str(tmp_path / "gone")
    (alone / "map.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=r"compared with the map's own photos, and .*gone: no such file or folder"):
        vloc.localize(vloc.Map.open(alone), queries, work, scan=scan, view=CHECK)
    with pytest.raises(ConfigError, match="--view check: needs the file of the scan"):
        vloc.Localizer(map_, view=CHECK)
    with pytest.raises(DataError, match="no such file of a scan"):
        vloc.Localizer(map_, view=CHECK, scan=tmp_path / "none.ply")
    assert not list(work.glob("*-*"))


def test_a_photo_of_the_map_that_is_gone_is_named_and_the_pose_stays(
    gallery: Path, built: Path, scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping, map_ = shutil.copytree(gallery / "mapping", tmp_path / "mapping"), shutil.copytree(built, tmp_path / "map")
    manifest = json.loads((map_ / "map.json").read_text())
    manifest["capture"]["location"] = str(mapping)
    (map_ / "map.json").write_text(json.dumps(manifest))
    for photo in mapping.rglob("front/*.jpg"):
        photo.unlink()
    flags = ["--view", "check", "--scan", scan, "--quiet"]
    assert run("localize", map_, gallery / "query", tmp_path / "poses.txt", *flags) == 3
    rows = json.loads((tmp_path / "poses.txt.json").read_text())
    assert "front/" in capsys.readouterr().err
    failed = [row for row in rows if row["view"] is None]
    assert failed and all(row["status"] == "localized" for row in failed)
