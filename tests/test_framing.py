"""The frame of a map: its own, kept when photos are added, metres by poses, satellite or a distance."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vloc.cli.estimates import read_estimates
from vloc.data.capture import Capture
from vloc.data.mounting import Mounting
from vloc.data.records import Records, Trajectory
from vloc.data.sparse_map import SparseMap
from vloc.errors import StageError
from vloc.formats.access import read, write
from vloc.formats.gps import Position, gnss_readings, gps_sensor, gps_sensor_id
from vloc.geometry.rigid import Rigid
from vloc.map import Map
from vloc.stages.align import frame_of_baselines

from .jobs import run

FAST = ["--features", "sift:max_keypoints=1000", "--quiet"]
METRES_A_DEGREE = 6_378_137 * np.pi / 180
"""of longitude at the equator, WGS84; of latitude it is 0.67 % less there"""


@pytest.fixture(scope="module")
def posed(gallery: Path) -> Capture:
    return read(f"kapture:{gallery / 'mapping'}")


def photos(posed: Capture, count: int, folder: Path, noise: float | None = None) -> Path:
    """The first images without their poses; with `noise` (m), positions by satellite at the equator instead."""
    images = posed.images
    rows = list(zip(images.timestamps.tolist(), images.devices.tolist(), images.names, strict=True))[:count]
    records = Records.from_rows([(time, images.device_ids[device], name) for time, device, name in rows])
    capture = replace(posed, images=records, trajectory=Trajectory.empty(), rigs=())
    if noise is not None:
        moved = np.random.default_rng(0).normal(0, noise, (count, 3))
        places = [posed.pose(name).center + moved[i] for i, (_, _, name) in enumerate(rows)]
        found = [
            (
                time,
                gps_sensor_id(images.device_ids[device]),
                Position(y / METRES_A_DEGREE / 0.993305620, x / METRES_A_DEGREE, z),
            )
            for (time, device, _), (x, y, z) in zip(rows, places, strict=True)
        ]
        sensors = {sensor: gps_sensor() for _, sensor, _ in found}
        capture = replace(capture, sensors={**capture.sensors, **sensors}, readings={"gnss": gnss_readings(found)})
    write(capture, f"kapture:{folder}")
    return folder


def copy(folder: Path, target: Path) -> Path:
    shutil.copytree(folder, target)
    return target


@pytest.fixture(scope="module")
def fifteen(posed: Capture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map by SfM of fifteen photos; copy it before changing it."""
    root = tmp_path_factory.mktemp("fifteen")
    assert run("map", photos(posed, 15, root / "photos"), root / "map", *FAST) == 0
    return root / "map"


@pytest.fixture(scope="module")
def eighteen(fifteen: Path, posed: Capture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same map after three photos were added."""
    root = tmp_path_factory.mktemp("eighteen")
    copy(fifteen, root / "map")
    assert run("map", photos(posed, 18, root / "photos"), root / "map", *FAST) == 0
    return root / "map"


def centers(sparse: SparseMap, names: list[str]) -> np.ndarray:
    return sparse.cam_from_world.center[[sparse.row_of[name] for name in names]]


def size(points: np.ndarray) -> float:
    return float(np.linalg.norm(np.ptp(points, axis=0)))


def test_a_reconstruction_is_told_in_map_units_everywhere(
    fifteen: Path, posed: Capture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("map", fifteen.parent / "photos", copy(fifteen, tmp_path / "m"), *FAST[:2]) == 0
    assert run("show", fifteen) == 0
    told = capsys.readouterr().out
    assert "frame: map units" in told and "extent map units" in told
    assert not [line for line in told.splitlines() if " m " in line or "metres" in line or "extent m " in line]
    assert not Map.open(fifteen).frame.metric


def test_poses_in_map_units_are_never_told_in_metres(
    fifteen: Path, gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "poses.txt"
    assert run("localize", fifteen, gallery / "query", results, "--quiet") == 0
    assert {row["unit"] for row in json.loads((tmp_path / "poses.txt.json").read_text())} == {"map units"}
    capsys.readouterr()
    assert run("evaluate", results, gallery / "query_truth.txt", "--json", tmp_path / "f.json") == 0
    told, figures = capsys.readouterr().out, json.loads((tmp_path / "f.json").read_text())
    assert " map units, " in told and "no recall" in told and " cm" not in told and " m," not in told
    assert figures["recall"] == [] and "median_translation_m" not in figures
    assert figures["median_translation_map_units"] > 0.05  # another frame
    assert not [key for key in figures["queries"][0] if key.endswith("_m")]


def test_added_photos_leave_the_old_ones_where_they_were(fifteen: Path, eighteen: Path) -> None:
    before, after = Map.open(fifteen).sparse, Map.open(eighteen)
    names = list(before.image_names)
    assert len(after.sparse.image_names) == 18 and "15 of 15 images agree" in after.frame.kept
    apart = np.linalg.norm(centers(after.sparse, names) - centers(before, names), axis=1)
    assert apart.max() < 0.01 * size(centers(before, names))
    moved_by = after.frame.placement.similarity  # without it they would be elsewhere
    assert size(np.stack([moved_by.translation, np.zeros(3)])) > 10 * apart.max()


def test_a_map_of_an_older_format_hands_its_frame_on_and_an_unreadable_one_does_not(
    fifteen: Path, eighteen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, photos18 = copy(eighteen, tmp_path / "m"), eighteen.parent / "photos"
    old = json.loads((fifteen / "map.json").read_text())
    references = {**old["references"], "sparse": old["references"]["reconstruction"]}
    del old["frame"], references["reconstruction"], references["colors"]
    (folder / "map.json").write_text(json.dumps({**old, "format": 1, "references": references}))
    assert run("map", photos18, folder, *FAST) == 0
    assert np.array_equal(Map.open(folder).sparse.points, Map.open(eighteen).sparse.points)
    (folder / "map.json").write_text("{")
    assert run("map", photos18, folder, *FAST) == 3
    assert "cannot be kept" in capsys.readouterr().err


def test_a_frame_that_cannot_be_kept_ends_with_status_3_and_leaves_the_map(
    fifteen: Path, posed: Capture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy(fifteen, tmp_path / "m")
    manifest = (folder / "map.json").read_bytes()
    capture = photos(posed, 6, tmp_path / "photos")
    others = tmp_path / "others"
    shutil.copytree(capture, others)
    renamed = (others / "sensors" / "records_camera.txt").read_text().replace("/0000", "/9900")
    (others / "sensors" / "records_camera.txt").write_text(renamed)
    for photo in (others / "sensors" / "records_data").rglob("*.jpg"):
        photo.rename(photo.with_name(photo.name.replace("0000", "9900", 1)))
    assert run("map", others, folder, *FAST) == 3
    told = capsys.readouterr().err
    assert "cannot be kept" in told and "0 images in common" in told and "map.json" in told
    assert (folder / "map.json").read_bytes() == manifest
    assert run("check", folder) == 0


def test_aligned_to_poses_it_stays_so_and_localizes_there(
    fifteen: Path, gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy(fifteen, tmp_path / "m")
    assert run("align", folder, "--to", gallery / "mapping") == 0
    told = capsys.readouterr().out
    assert "frame: metres, aligned" in told and "15 of 15 images agree, residuals median" in told
    manifest = (folder / "map.json").read_bytes()
    assert run("map", fifteen.parent / "photos", folder, *FAST) == 0  # nothing is undone
    assert (folder / "map.json").read_bytes() == manifest
    assert run("check", folder) == 0
    assert run("localize", folder, gallery / "query", tmp_path / "poses.txt", "--quiet") == 0
    assert run("evaluate", tmp_path / "poses.txt", gallery / "query_truth.txt", "--json", tmp_path / "f.json") == 0
    assert json.loads((tmp_path / "f.json").read_text())["median_translation_m"] < 0.05


def test_aligned_to_another_map_it_has_that_maps_unit(
    fifteen: Path, eighteen: Path, built: Path, posed: Capture, tmp_path: Path
) -> None:
    folder = copy(fifteen, tmp_path / "m")
    assert run("align", folder, "--to", eighteen, "--quiet") == 0
    assert (Map.open(folder).frame.source, Map.open(folder).frame.metric) == ("aligned", False)
    assert run("align", folder, "--to", built, "--quiet") == 0
    map_ = Map.open(folder)
    truth = [posed.pose(name).center for name in map_.sparse.image_names]
    assert map_.frame.metric and np.allclose(map_.sparse.cam_from_world.center, truth, atol=0.05)


def test_poses_and_covariances_are_the_same_in_every_frame(fifteen: Path, gallery: Path, tmp_path: Path) -> None:
    folder = copy(fifteen, tmp_path / "m")
    assert run("align", folder, "--to", gallery / "mapping", "--quiet") == 0
    by_similarity = Map.open(folder).frame.similarity
    assert abs(np.log(by_similarity.scale)) > 0.1
    estimates = []
    for map_, results in ((fifteen, tmp_path / "own.txt"), (folder, tmp_path / "metres.txt")):
        assert run("localize", map_, gallery / "query", results, "--quiet") == 0
        estimates.append(read_estimates(results))
    for own, there in zip(*estimates, strict=True):
        assert (own.unit, there.unit) == ("map units", "m")
        moved = by_similarity.apply_to_cameras(own.cam_from_world)
        sigma = np.sqrt(np.trace(there.covariance[3:, 3:]))
        assert np.linalg.norm(moved.center - there.cam_from_world.center) < 0.1 * sigma
        ratio = np.trace(there.covariance[3:, 3:]) / np.trace(own.covariance[3:, 3:])
        assert ratio == pytest.approx(by_similarity.scale**2, rel=0.02)


def test_photos_added_after_an_alignment_come_into_its_frame(
    fifteen: Path, eighteen: Path, posed: Capture, gallery: Path, tmp_path: Path
) -> None:
    folder = copy(eighteen, tmp_path / "m")
    shutil.copy(fifteen / "map.json", folder)  # as before the photos came
    assert run("align", folder, "--to", gallery / "mapping", "--quiet") == 0
    assert run("map", eighteen.parent / "photos", folder, *FAST) == 0
    map_ = Map.open(folder)
    assert len(map_.sparse.image_names) == 18
    assert (map_.frame.metric, map_.frame.source) == (True, "aligned") and map_.frame.kept
    truth = np.stack([posed.pose(name).center for name in map_.sparse.image_names])
    assert np.linalg.norm(map_.sparse.cam_from_world.center - truth, axis=1).max() < 0.05


def test_a_distance_gives_metres(fifteen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copy(fifteen, tmp_path / "m")
    ends = ["front/000000.jpg", "front/000004.jpg"]
    assert run("align", folder, "--distance", *ends, "3.5", "--json") == 0
    assert json.loads(capsys.readouterr().out)["frame"]["source"] == "distance"
    assert np.linalg.norm(np.subtract(*centers(Map.open(folder).sparse, ends))) == pytest.approx(3.5)
    for wrong in (["--distance", *ends, "-1"], ["--distance", "no.jpg", ends[0], "1"], [], ["--to", "gnss"]):
        assert run("align", folder, *wrong) == 2


def test_positions_by_satellite_that_agree_give_metres_east_north_and_up(
    posed: Capture, fifteen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = photos(posed, 15, tmp_path / "photos", noise=0.005)
    begun = copy(fifteen, tmp_path / "m")
    (begun / "map.json").unlink()  # the same reconstruction, no frame yet
    assert run("map", capture, begun, *FAST[:2]) == 0
    told = capsys.readouterr().out
    assert "frame: metres, east, north and up of " in told and "of 15 images agree" in told
    map_ = Map.open(begun)
    truth = np.stack([posed.pose(name).center for name in map_.sparse.image_names])
    found = map_.sparse.cam_from_world.center
    assert size(found) == pytest.approx(size(truth), rel=0.02)
    assert np.abs((found - found.mean(0)) - (truth - truth.mean(0))).max() < 0.05
    assert map_.frame.origin == pytest.approx(
        (np.median(truth[:, 1]) / METRES_A_DEGREE, *map_.frame.origin[1:]), abs=1e-6
    )


def test_a_rig_makes_metres_of_a_map_without_poses(
    posed: Capture, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(replace(posed, trajectory=Trajectory.empty()), f"kapture:{tmp_path / 'photos'}")
    assert run("map", tmp_path / "photos", tmp_path / "m", *FAST[:2]) == 0
    assert "frame: metres, scaled by the mounts of its rigs" in capsys.readouterr().out
    map_ = Map.open(tmp_path / "m")
    assert len(map_.sparse.image_names) == 21 and map_.frame.metric
    truth = np.stack([posed.pose(name).center for name in map_.sparse.image_names])
    assert size(map_.sparse.cam_from_world.center) == pytest.approx(size(truth), rel=0.002)
    assert "21 distances of cameras on rigs" in map_.frame.about


def test_mounts_that_give_no_scale_leave_map_units_and_say_so(fifteen: Path) -> None:
    sparse, rows = Map.open(fifteen).sparse, np.arange(15, dtype=np.int32)
    in_one_place = Mounting(rows % 3, rows // 3, np.zeros(3, np.int32), Rigid.identity(3))
    with pytest.raises(StageError, match="mounted in one place"):
        frame_of_baselines(sparse, in_one_place, Map.open(fifteen).frame)
    drawn = np.random.default_rng(0).lognormal(0, 1, (15, 3))
    moved = replace(sparse, cam_from_world=Rigid(np.tile(np.eye(3), (15, 1, 1)), drawn))
    mounts = Rigid(np.tile(np.eye(3), (3, 1, 1)), np.diag([0.1, 0.2, 0.3]))
    with pytest.raises(StageError, match="disagree about the scale"):
        frame_of_baselines(moved, replace(in_one_place, sensors_from_rig=mounts), Map.open(fifteen).frame)


def test_positions_that_disagree_leave_map_units_and_say_so(
    posed: Capture, fifteen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = photos(posed, 15, tmp_path / "photos", noise=3.0)
    begun = copy(fifteen, tmp_path / "m")
    (begun / "map.json").unlink()
    assert run("map", capture, begun, *FAST[:2]) == 0
    told = capsys.readouterr().out
    assert "frame: map units" in told and "positions by satellite were not used: " in told


def test_points_have_the_colours_of_the_photos(fifteen: Path, posed: Capture) -> None:
    map_ = Map.open(fifteen)
    from PIL import Image

    name = map_.sparse.image_names[0]
    photo = np.asarray(Image.open(posed.files.path(name)).convert("RGB"))
    points = map_.sparse.points_of(0)
    shown = np.flatnonzero(points >= 0)
    x, y = map_.features[name].keypoints[shown].astype(int).T
    apart = map_.sparse.colors[points[shown]].astype(float) - photo[y, x]
    assert (
        np.median(np.abs(apart)) < 12 and np.corrcoef(map_.sparse.colors[points[shown], 0], photo[y, x, 0])[0, 1] > 0.9
    )
