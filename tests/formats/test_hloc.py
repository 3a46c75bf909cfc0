"""hloc folders: half pixels by hand, round trips, and HDF5 files that reach outside."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from scenes import converted, maupertuis

from vloc.data.capture import Capture, Sensor
from vloc.data.reconstruction import Features, InMemory, MatchedPairs, Reconstruction
from vloc.data.records import Records
from vloc.errors import DataError
from vloc.formats.access import find_format, read, write
from vloc.geometry.camera import Camera


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What hloc writes for two images, one in a folder."""
    root = tmp_path / "hloc"
    root.mkdir()
    with h5py.File(root / "feats-sp.h5", "w") as file:
        for name, count in (("db/a.jpg", 3), ("b.jpg", 2)):
            group = file.create_group(name)
            group["keypoints"] = np.arange(2 * count, dtype=np.float32).reshape(-1, 2)
            group["descriptors"] = np.arange(4 * count, dtype=np.float16).reshape(4, -1)
            group["scores"] = np.ones(count, np.float16)
            group["image_size"] = np.array([64, 48])
    with h5py.File(root / "feats-sp_matches-lg_pairs.h5", "w") as file:
        group = file.create_group("db-a.jpg").create_group("b.jpg")
        group["matches0"] = np.array([1, -1, 0], np.int16)
        group["matching_scores0"] = np.array([0.5, 0, 0.25], np.float16)
    with h5py.File(root / "global.h5", "w") as file:
        file.create_group("b.jpg")["global_descriptor"] = np.array([0.6, 0.8], np.float32)
    (root / "queries.txt").write_text("b.jpg SIMPLE_RADIAL 64 48 50 32 24 0.1\n")
    (root / "pairs.txt").write_text("db/a.jpg b.jpg\n")
    return root


def test_keypoints_move_by_half_a_pixel_and_descriptors_become_rows(folder):
    capture = read(folder)
    work = capture.reconstruction
    assert work.keypoints["feats-sp"].load("b.jpg").tolist() == [[0.5, 1.5], [2.5, 3.5]]
    assert work.descriptors["feats-sp"].load("b.jpg").tolist() == [[0, 2, 4, 6], [1, 3, 5, 7]]
    assert np.allclose(work.global_features["global"].load("b.jpg"), [[0.6, 0.8]])


def test_intrinsics_come_from_the_list_and_sizes_from_the_features(folder):
    capture = read(folder)
    assert capture.camera("b.jpg") == Camera("SIMPLE_RADIAL", 64, 48, (50.0, 32.0, 24.0, 0.1))
    assert capture.camera("db/a.jpg") == Camera("UNKNOWN_CAMERA", 64, 48)
    assert any("arrays 'scores' left out" in note for note in capture.notes)


def test_matches_have_their_columns_in_the_order_of_the_names(folder):
    matches = read(folder).reconstruction.matches["feats-sp"]
    assert matches.pairs == [("b.jpg", "db/a.jpg")]
    # db/a.jpg's keypoints 0 and 2 are b.jpg's 1 and 0.
    assert sorted(matches.load(("b.jpg", "db/a.jpg")).tolist()) == [[0, 2, 0.25], [1, 0, 0.5]]


def test_real_features_are_read_as_they_were_written(data, tmp_path):
    capture = maupertuis(data)
    losses = write(capture, f"hloc:{tmp_path / 'out'}", transfer="skip")
    assert any("3355 observations" in line for line in losses)
    again = read(tmp_path / "out")
    assert find_format(tmp_path / "out")[0].name == "hloc"
    first, second = capture.reconstruction, again.reconstruction
    for name in capture.images.names:
        assert again.camera(name) == capture.camera(name)
        before = first.keypoints["SIFT"].load(name)[:, :2]
        assert np.abs(second.keypoints["features"].load(name) - before).max() == 0
        assert np.array_equal(second.descriptors["features"].load(name), first.descriptors["SIFT"].load(name))
    assert second.matches["features"].pairs == sorted(first.matches["SIFT"].pairs)
    for pair in second.matches["features"].pairs:
        theirs = first.matches["SIFT"].load(pair)
        ours = second.matches["features"].load(pair)
        assert {tuple(row) for row in ours.tolist()} <= {tuple(row) for row in theirs.tolist()}
        assert len(ours) == len(np.unique(theirs[:, 0]))


def outside(file: h5py.File, kind: str, folder: Path) -> None:
    """Make b.jpg's keypoints come from elsewhere."""
    del file["b.jpg/keypoints"]
    if kind == "ExternalLink":
        file["b.jpg/keypoints"] = h5py.ExternalLink(str(folder / "secret.h5"), "/x")
    elif kind == "SoftLink":
        file["b.jpg/keypoints"] = h5py.SoftLink("/db/a.jpg/keypoints")
    elif kind == "external file":
        file.create_dataset("b.jpg/keypoints", (2, 2), "f4", external=[("/etc/passwd", 0, 16)])
    elif kind == "virtual dataset":
        layout = h5py.VirtualLayout((2, 2), "f4")
        layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "x", (2, 2))
        file.create_virtual_dataset("b.jpg/keypoints", layout)
    elif kind == "contain each other":
        file["b.jpg/inner"] = file["b.jpg"]
    elif kind == "type object":
        file.create_dataset("b.jpg/keypoints", data=["a", "b"])


@pytest.mark.parametrize(
    "kind",
    ["ExternalLink", "SoftLink", "external file", "virtual dataset", "contain each other", "type object"],
)
def test_files_that_reach_outside_or_hold_no_numbers_are_refused_by_place(kind, folder):
    with h5py.File(folder / "feats-sp.h5", "a") as file:
        outside(file, kind, folder)
    with pytest.raises(DataError, match=rf"feats-sp.h5: b.jpg/.*{kind}"):
        read(folder)


def test_files_that_are_no_hdf5_are_refused(folder):
    (folder / "feats-sp.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"x" * 100)
    with pytest.raises(DataError, match=r"feats-sp.h5: broken HDF5 file"):
        read(folder)


def test_shapes_that_contradict_each_other_are_refused(folder):
    with h5py.File(folder / "feats-sp.h5", "a") as file:
        del file["b.jpg/descriptors"]
        file["b.jpg/descriptors"] = np.zeros((4, 3), np.float16)
    with pytest.raises(DataError, match=r"b.jpg/descriptors: 3 columns, there are 2 keypoints"):
        read(folder)


def test_matches_beyond_the_keypoints_are_refused_when_they_are_read(folder):
    with h5py.File(folder / "feats-sp_matches-lg_pairs.h5", "a") as file:
        file["db-a.jpg/b.jpg/matches0"][0] = 2
    with pytest.raises(DataError, match=r"db-a.jpg/b.jpg/matches0: 3 rows up to 2, there are 3 and 2 keypoints"):
        read(folder).reconstruction.matches["feats-sp"].load(("b.jpg", "db/a.jpg"))


def test_names_that_hloc_gives_one_key_are_refused(folder):
    with h5py.File(folder / "feats-sp.h5", "a") as file:
        file.copy("db/a.jpg", "db-a.jpg")
    with pytest.raises(DataError, match="have one key in hloc's matches"):
        read(folder)


def test_images_without_intrinsics_or_size_are_refused(folder):
    with h5py.File(folder / "feats-sp.h5", "a") as file:
        del file["db/a.jpg/image_size"]
    with pytest.raises(DataError, match=r"'db/a.jpg' is in no list .* give --camera"):
        read(folder)
    capture = read(folder, camera="PINHOLE 64 48 50 50 32 24")
    assert capture.camera("db/a.jpg").model == "PINHOLE"


def test_group_names_that_leave_the_folder_are_refused(folder):
    with h5py.File(folder / "feats-sp.h5", "a") as file:
        file.create_group("..").create_group("x.jpg")["keypoints"] = np.zeros((1, 2))
    with pytest.raises(DataError, match=r"\.\./x.jpg: '\.\.' leads out"):
        read(folder)


def test_names_with_blanks_are_refused_at_write_time(folder, tmp_path):
    capture = read(folder)
    names = ["a b.jpg" if name == "b.jpg" else name for name in capture.images.names]
    images = type(capture.images)(capture.images.timestamps, capture.images.devices, capture.images.device_ids, names)
    with pytest.raises(DataError, match=r"image 'a b\.jpg' cannot be written"):
        write(type(capture)(capture.sensors, images), f"hloc:{tmp_path / 'out'}")


def columns(drawn: st.DrawFn, dtype: type, rows: int, width: int) -> np.ndarray:
    # Halves of whole numbers, which our half pixel leaves exact.
    return drawn(arrays.arrays(dtype, (rows, width), elements=st.integers(0, 60))) / dtype(2)


@st.composite
def features(draw: st.DrawFn) -> tuple[list[str], dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Names, some in folders; keypoints and descriptors; a vector for each image; matches of the first two."""
    word = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="/\\-#."), min_size=1)
    names = sorted(
        draw(st.lists(st.lists(word, min_size=1, max_size=2).map("/".join), min_size=2, max_size=4, unique=True))
    )
    names = [f"{name}{number}.jpg" for number, name in enumerate(names)]
    counts = {name: draw(st.integers(0, 5)) for name in names}
    keypoints = {name: columns(draw, np.float64, count, 2) for name, count in counts.items()}
    descriptors = {name: columns(draw, np.float32, count, 3) for name, count in counts.items()}
    least = min(counts[name] for name in names[:2])
    matched = draw(st.lists(st.integers(0, max(least - 1, 0)), unique=True, max_size=least))
    pairs = np.array([(first, least - 1 - first, draw(st.integers(0, 4)) / 4) for first in sorted(matched)])
    return names, keypoints, descriptors, columns(draw, np.float32, len(names), 4), pairs.reshape(-1, 3)


@settings(max_examples=30, deadline=None)
@given(features())
def test_captures_are_read_as_they_were_written(drawn):
    names, keypoints, descriptors, vectors, pairs = drawn
    vector_of = {name: vectors[row][None] for row, name in enumerate(names)}
    first, second = sorted(names[:2])
    work = Reconstruction(
        None,
        {},
        {"features": Features("features", np.dtype(np.float64), 2, sorted(names), InMemory(keypoints))},
        {"features": Features("features", np.dtype(np.float32), 3, names, InMemory(descriptors), "features", "L2")},
        {"g": Features("g", np.dtype(np.float32), 4, names, InMemory(vector_of), "", "L2")},
        {"features": MatchedPairs([(first, second)], InMemory({(first, second): pairs}))},
    )
    cameras = [
        Camera("PINHOLE", 64, 48, (50.0, 51.0, 32.0, 24.5)),
        Camera("SIMPLE_RADIAL", 9, 9, (1 / 3, 4.0, 5.0, 0.1)),
    ]
    sensors = {f"camera{number}": Sensor("camera", camera=camera) for number, camera in enumerate(cameras)}
    records = Records.from_rows([(row, f"camera{row % 2}", name) for row, name in enumerate(names)])
    again = converted(Capture(sensors, records, reconstruction=work), "hloc")
    assert list(again.images.names) == names
    assert dict(again.sensors) == sensors
    check_same_features(work.keypoints["features"], again.reconstruction.keypoints["features"])
    check_same_features(work.descriptors["features"], again.reconstruction.descriptors["features"])
    check_same_features(work.global_features["g"], again.reconstruction.global_features["global_features"])
    matches = again.reconstruction.matches["features"]
    assert matches.pairs == [(first, second)]
    assert np.array_equal(matches.load((first, second)), pairs)


def check_same_features(first: Features, second: Features) -> None:
    assert (first.dtype, first.width, sorted(first.images)) == (second.dtype, second.width, sorted(second.images))
    for name in first.images:
        assert np.array_equal(first.load(name), second.load(name))


def test_guessed_focal_lengths_and_poses_of_lists_are_remarked(folder):
    Image.new("L", (64, 48)).save(folder / "c.jpg")
    (folder / "queries.txt").write_text("b.jpg SIMPLE_RADIAL 64 48 50 32 24 0.1 1 0 0 0 0 0 0\nc.jpg\n")
    capture = read(folder)
    assert capture.sensor("c.jpg").has_guessed_focal
    assert not capture.sensor("b.jpg").has_guessed_focal
    assert any("queries.txt: 1 poses left out" in line for line in capture.left_out)
    assert any("guessed focal length" in note for note in capture.notes)
