"""A compressed map keeps what was asked for, every query of the gallery, and says what it cost."""

import json

import numpy as np
import pytest

import vloc
from tests.jobs import content, run
from vloc.compressing import CODES, Goal, compress
from vloc.errors import ConfigError, DataError
from vloc.formats.results import read_poses, read_truth
from vloc.geometry.pose_error import pose_errors
from vloc.held_out import held_out, tried_images
from vloc.map import Map
from vloc.packing import pack


@pytest.fixture(scope="module")
def whole(built, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "gallery.vloc"
    pack(Map.open(built), path)
    return path


def medians(results, gallery):
    poses, truth = read_poses(results), read_truth(gallery / "query_truth.txt")
    return len(poses), float(np.median([pose_errors(pose, truth[name])[0] for name, pose in poses.items()]))


def test_at_a_tenth_of_the_size_no_query_is_lost(built, whole, gallery, tmp_path, capsys):
    goal = whole.stat().st_size // 10
    assert run("compress", built, tmp_path / "small.vloc", "--size", f"{goal}", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert 0.8 * goal < told["bytes"] == (tmp_path / "small.vloc").stat().st_size <= goal
    assert told["before"]["localized"] == told["tried"] == 21
    assert told["after"]["localized"] > 18
    for place in (built, tmp_path / "small.vloc"):
        assert run("localize", place, gallery / "query", tmp_path / f"{place.name}.txt", "--quiet") == 0
    before, after = (medians(tmp_path / f"{name}.txt", gallery) for name in ("map", "small.vloc"))
    assert after[0] == before[0] == 4
    assert after[1] < 3 * before[1] + 0.005
    assert run("check", tmp_path / "small.vloc") == 0
    assert run("show", tmp_path / "small.vloc") == 0
    assert f"num_bytes: {goal:,}" in capsys.readouterr().out


def test_points_and_images_are_as_many_as_were_asked_for(built, tmp_path):
    before = content(built)
    made = compress(Map.open(built), tmp_path / "points.vloc", Goal(num_points=500), tried=2)
    smaller = Map.open(tmp_path / "points.vloc")
    assert len(smaller.sparse.points) == made.num_points == 500
    assert smaller.sparse.track_lengths.min() > 1
    made = compress(Map.open(built), tmp_path / "images.vloc", Goal(num_images=7), tried=2)
    smaller = Map.open(tmp_path / "images.vloc")
    assert len(smaller.sparse.image_names) == made.num_images == 7
    assert set(smaller.sparse.image_names) < set(Map.open(built).sparse.image_names)
    assert smaller.sparse.track_lengths.min() > 1
    assert len(smaller.vectors.value[0]) == len(smaller.taken.names) == 7
    assert content(built) == before


def test_the_same_map_gives_the_same_bytes_and_other_marks_than_its_own(built, tmp_path):
    for name in "ab":
        compress(Map.open(built), tmp_path / name, Goal(num_points=300), tried=2)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    ours, theirs = Map.open(built), Map.open(tmp_path / "a")
    assert ours.features.fingerprint != theirs.features.fingerprint
    assert ours.stored.fingerprint != theirs.stored.fingerprint


def test_what_images_show_is_where_points_project_with_the_points_descriptor(built, tmp_path):
    compress(Map.open(built), tmp_path / "some.vloc", Goal(num_points=2000), tried=2)
    whole, smaller = Map.open(built), Map.open(tmp_path / "some.vloc")
    for name in smaller.sparse.image_names[::5]:
        ours, theirs = whole.features[name], smaller.features[name]
        shown = whole.sparse.points[np.maximum(whole.sparse.points_of(whole.sparse.row_of[name]), 0)]
        points = smaller.sparse.points[smaller.sparse.points_of(smaller.sparse.row_of[name])]
        nearest = np.linalg.norm(points[:, None] - shown, axis=2).argmin(axis=1)
        assert np.median(np.linalg.norm(theirs.keypoints - ours.keypoints[nearest], axis=1)) < 1
        cosines = (
            theirs.descriptors / theirs.lengths[:, None] * (ours.descriptors / ours.lengths[:, None])[nearest]
        ).sum(1)
        assert np.median(cosines) > 0.9
        assert 0.5 < np.median(theirs.scales / ours.scales[nearest]) < 2


@pytest.mark.parametrize("share", [0.35, 0.15])
def test_descriptors_get_as_few_bytes_as_let_most_points_stay(built, whole, share, tmp_path):
    made = compress(Map.open(built), tmp_path / "x.vloc", Goal(num_bytes=int(share * whole.stat().st_size)), tried=8)
    assert made.num_bytes <= share * whole.stat().st_size
    if share > 0.3:
        assert (made.num_codes, made.num_points) == (0, len(Map.open(built).sparse.points))
    else:
        assert made.num_codes in CODES[1:]
    assert made.after.num_localized == 8
    smaller = Map.open(tmp_path / "x.vloc")
    features = smaller.features[smaller.sparse.image_names[3]]
    assert (features.descriptors.dtype, features.descriptors.shape[1]) == (np.uint8, 128)


def test_a_packed_map_is_compressed_as_its_folder_is(built, whole, tmp_path):
    made = [compress(Map.open(place), tmp_path / "x.vloc", Goal(num_points=800), tried=2) for place in (built, whole)]
    assert made[0].num_images == made[1].num_images
    assert abs(made[0].num_bytes - made[1].num_bytes) < 100


def test_a_map_loses_nothing_against_itself(built):
    map_ = Map.open(built)
    worth = held_out(map_, map_, tried_images(map_.sparse, 5))
    assert worth.num_localized == 5
    assert worth.medians[0] < 0.02


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "expected one of --size, --points, --images, got 0"),
        (["--points", "5", "--images", "5"], "got 2"),
        (["--points", "0"], "above 0"),
        (["--size", "much"], "expected a number with kB, MB or GB"),
        (["--size", "20kB"], "go to what is no point"),
    ],
)
def test_goals_that_are_none_are_refused(flags, message, built, tmp_path, capsys):
    assert run("compress", built, tmp_path / "x.vloc", *flags) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_what_is_compressed_is_not_compressed_again_nor_foreign_files_replaced(built, gallery, tmp_path, capsys):
    compress(Map.open(built), tmp_path / "x.vloc", Goal(num_points=300), tried=2)
    with pytest.raises(DataError, match="is compressed already"):
        compress(Map.open(tmp_path / "x.vloc"), tmp_path / "y.vloc", Goal(num_points=10), tried=2)
    (tmp_path / "notes.txt").write_text("mine")
    assert run("compress", built, tmp_path / "notes.txt", "--points", "5") == 2
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with pytest.raises(ConfigError):
        vloc.localize(Map.open(tmp_path / "x.vloc"), gallery / "query", tmp_path / "work", paradigm="local-sfm")
