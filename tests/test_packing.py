"""A packed map gives the poses of its folder, bit for bit, and refuses what it cannot do."""

import json
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import vloc
from tests.jobs import FAST, content, run
from vloc.data.sparse_map import NO_POINT
from vloc.errors import ConfigError, DataError, StoreError
from vloc.known_cameras import recognised
from vloc.map import Map
from vloc.packing import pack
from vloc.run.packed import PackedFile, is_packed, write_packed


@pytest.fixture(scope="module")
def packed(built, tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "gallery.vloc"
    assert run("pack", built, path, "--quiet") == 0
    return path


def poses_of(results):
    rows = json.loads(results.with_name(results.name + ".json").read_text())
    return results.read_bytes(), [{**row, "seconds": 0} for row in rows]


def test_its_parts_travel_to_another_process_as_the_path_of_the_file(packed):
    map_ = Map.open(packed)
    parts = map_.features, map_.stored, map_.calibration, map_.vectors, *map_.trained
    name = map_.sparse.image_names[3]
    data = pickle.dumps(parts)
    features, stored, _, vectors, *_ = pickle.loads(data)
    assert len(data) < 4000
    assert np.array_equal(features[name].descriptors, map_.features[name].descriptors)
    assert np.array_equal(stored.value.points, map_.sparse.points)
    assert np.array_equal(np.asarray(vectors.value[0][:]), np.asarray(map_.vectors.value[0][:]))


def test_localize_gives_the_same_poses_and_reruns_nothing(built, packed, gallery, tmp_path, capsys):
    ours, theirs = tmp_path / "ours.txt", tmp_path / "theirs.txt"
    assert run("localize", built, gallery / "query", ours, "--quiet") == 0
    assert run("localize", packed, gallery / "query", theirs, "--quiet") == 0
    assert poses_of(ours) == poses_of(theirs)
    assert len(ours.read_text().splitlines()) == 4
    capsys.readouterr()
    assert run("localize", packed, gallery / "query", ours, "--dry-run", "--json") == 0
    assert [row["todo"] for row in json.loads(capsys.readouterr().out)] == [0] * 7


@pytest.mark.parametrize("settings", [{}, {"reranking": ["geometric"]}, {"match": "adalam"}])
def test_a_localizer_gives_the_same_poses(built, packed, gallery, settings):
    if "match" in settings:
        pytest.importorskip("kornia")
    ours, theirs = vloc.Localizer(built, **settings), vloc.Localizer(str(packed), **settings)
    for image in sorted((gallery / "query").rglob("*.jpg"))[:2]:
        pose, other = (localizer.localize(image).cam_from_world for localizer in (ours, theirs))
        assert pose.rotation.tobytes() == other.rotation.tobytes()
        assert pose.translation.tobytes() == other.translation.tobytes()


def test_what_is_kept_is_what_was_there(built, packed):
    folder, file = Map.open(built), Map.open(packed)
    ours, theirs = folder.sparse, file.sparse
    assert list(theirs.image_names) == list(ours.image_names)
    assert list(theirs.cameras) == list(ours.cameras)
    assert theirs.points.tobytes() == ours.points.tobytes()
    assert (theirs.num_observations, theirs.mean_error) == (ours.num_observations, ours.mean_error)
    assert theirs.track_lengths.tolist() == ours.track_lengths.tolist()
    some = np.arange(0, len(ours.points), 7, np.int32)
    for mine, other in zip(ours.observations_of(some), theirs.observations_of(some), strict=True):
        assert mine.tolist() == other.tolist()
    for row, name in enumerate(ours.image_names):
        shown = ours.points_of(row) != NO_POINT
        kept, whole = file.features[name].to_arrays(), folder.features[name][shown].to_arrays()
        assert {key: value.tobytes() for key, value in kept.items()} == {k: v.tobytes() for k, v in whole.items()}
        assert theirs.row_of[name] == row
        assert file.descriptors[0][name].vector.tobytes() == folder.descriptors[0][name].vector.tobytes()
    assert file.frame == folder.frame
    assert (file.taken.names, file.taken.centers.tolist()) == (folder.taken.names, folder.taken.centers.tolist())
    marks = [(m.stored, m.features, m.vectors, m.calibration, *m.descriptors, *m.trained) for m in (folder, file)]
    assert [each.fingerprint for each in marks[0]] == [each.fingerprint for each in marks[1]]


def test_packing_reads_and_writes_nothing_else(built, packed, tmp_path):
    before = content(built)
    pack(Map.open(built), tmp_path / "again.vloc")
    assert content(built) == before
    assert (tmp_path / "again.vloc").read_bytes() == packed.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.vloc"]


def test_sparse_descriptors_and_weights_are_kept(gallery, tmp_path):
    chosen = "--retrieval", "bow:num_words=64", "densevlad", "--fusion-weights", "auto"
    assert run("map", gallery / "mapping", tmp_path / "map", *FAST, *chosen) == 0
    assert run("pack", tmp_path / "map", tmp_path / "map.vloc", "--quiet") == 0
    cameras = ["--filter.cameras", "/".join(Map.open(tmp_path / "map").taken.device_ids)]
    for name in ("map", "map.vloc"):
        assert run("localize", tmp_path / name, gallery / "query", tmp_path / f"{name}.txt", "--quiet", *cameras) == 0
    assert poses_of(tmp_path / "map.txt") == poses_of(tmp_path / "map.vloc.txt")
    assert len(poses_of(tmp_path / "map.txt")[0].splitlines()) == 4


def test_show_and_check_take_it_like_a_folder(built, packed, tmp_path, capsys):
    capsys.readouterr()
    facts = []
    for place in (built, packed):
        assert run("show", place, "--json") == 0
        facts.append(json.loads(capsys.readouterr().out))
    own = {"map", "versions", "stores", "packed", "compressed_to", "total_bytes"}
    assert {k: v for k, v in facts[0].items() if k not in own} == {k: v for k, v in facts[1].items() if k not in own}
    assert facts[1]["total_bytes"] == packed.stat().st_size
    assert run("show", packed) == 0
    assert "features" in capsys.readouterr().out
    assert run("check", packed) == 0
    broken = tmp_path / "broken.vloc"
    whole = packed.read_bytes()
    at = PackedFile(packed).forms["features/descriptors"].offset + 1000
    broken.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    assert run("check", broken) == 3
    assert "'features/descriptors' are not those that were written" in capsys.readouterr().out
    broken.write_bytes(whole[:-9])
    assert run("check", broken) == 3
    assert run("show", broken) == 2


def test_it_opens_in_a_fifth_of_a_second(packed):
    seconds = []
    for _ in range(5):  # the least of them: others may be busy
        began = time.perf_counter()
        assert len(Map.open(packed).sparse.image_names) == 21
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.2


def test_a_query_of_a_device_of_the_map_gets_its_camera(built, packed):
    folder, sparse = Map.open(built), Map.open(built).sparse
    phone = [name for row, name in enumerate(sparse.image_names) if sparse.camera_of_image[row] == 0]
    devices = {"phone": phone, "several": list(sparse.image_names), "other": ["none"]}
    told = replace(folder, manifest={**folder.manifest, "devices": devices})
    path = packed.with_name("devices.vloc")
    pack(told, path)
    for device in devices:
        rough = vloc.Sensor("camera", camera=sparse.camera(3), focal_source="guessed", device=device)
        known = recognised(told, rough)
        assert recognised(Map.open(path), rough) == known
        assert known.focal_source.startswith("map:" if device == "phone" else "guessed")


def test_what_it_cannot_do_is_refused_with_the_reason(built, packed, gallery, tmp_path, capsys):
    with pytest.raises(DataError, match="is packed already"):
        pack(Map.open(packed), tmp_path / "again.vloc")
    with pytest.raises(ConfigError, match="keeps only those that show a point"):
        vloc.localize(Map.open(packed), gallery / "query", tmp_path / "work", paradigm="local-sfm")
    with pytest.raises(DataError, match="is one version"):
        Map.open(packed, version=1)
    capsys.readouterr()
    for command in (["map", gallery / "mapping", packed], ["align", packed, "--to", gallery / "mapping"]):
        assert run(*command) == 2
        assert "is a packed map, which is only read" in capsys.readouterr().err
    assert is_packed(packed)


def test_a_file_of_something_else_is_not_replaced(built, gallery, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert run("pack", built, tmp_path / "notes.txt") == 2
    assert "this command did not write it" in capsys.readouterr().err
    assert run("pack", built, gallery / "query_truth.txt") == 2
    assert run("pack", built, tmp_path) == 2
    assert run("pack", gallery / "query", tmp_path / "new.vloc") == 2
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("manifest", [{"format": 1}, {"format": 2, "config": {}}, {}])
def test_files_of_other_maps_are_refused(manifest, tmp_path):
    write_packed(tmp_path / "map.vloc", [], {"manifest": manifest, "marks": {}})
    with pytest.raises((DataError, StoreError), match=r"map\.vloc"):
        Map.open(tmp_path / "map.vloc")
    write_packed(tmp_path / "map.vloc", [], {"else": 1})
    with pytest.raises(DataError, match="not the file of a map"):
        Map.open(tmp_path / "map.vloc")


def test_half_precision_is_told_and_found_by_its_own_marks(built, gallery, tmp_path, capsys):
    capsys.readouterr()
    assert run("pack", built, tmp_path / "half.vloc", "--half", "--json") == 0
    assert 0.9 < json.loads(capsys.readouterr().out)["recall_of_retrieval"] <= 1
    whole, half = Map.open(built), Map.open(tmp_path / "half.vloc")
    assert np.abs(np.asarray(half.vectors.value[0]) - whole.vectors.value[0]).max() < 1e-3
    assert half.vectors.fingerprint != whole.vectors.fingerprint
    assert half.features.fingerprint == whole.features.fingerprint
    chosen = "--rerank", "dba:k=2", "alpha_qe:k=2", "--quiet"
    assert run("localize", tmp_path / "half.vloc", gallery / "query", tmp_path / "poses.txt", *chosen) == 0
    assert len((tmp_path / "poses.txt").read_text().splitlines()) == 4


def test_a_map_of_poses_alone_is_packed_and_not_compressed(gallery, tmp_path, capsys):
    assert run("map", gallery / "mapping", tmp_path / "map", *FAST, "--points", "none") == 0
    assert run("pack", tmp_path / "map", tmp_path / "map.vloc", "--quiet") == 0
    chosen = "--paradigm", "approximation", "--quiet"
    for name in ("map", "map.vloc"):
        assert run("localize", tmp_path / name, gallery / "query", tmp_path / f"{name}.txt", *chosen) == 0
    assert poses_of(tmp_path / "map.txt") == poses_of(tmp_path / "map.vloc.txt")
    capsys.readouterr()
    assert run("compress", tmp_path / "map", tmp_path / "small.vloc", "--points", "9") == 2
    assert "no points to localize by" in capsys.readouterr().err


def test_two_at_once_leave_one_whole_file(built, tmp_path):
    map_ = Map.open(built)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: pack(map_, tmp_path / "map.vloc"), range(3)))
    assert list(PackedFile(tmp_path / "map.vloc").problems()) == []
    assert [path.name for path in tmp_path.iterdir()] == ["map.vloc"]
