"""Features beside a capture: one folder for several captures, a kapture folder, .h5 files."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from everything import IMAGES, everything
from test_kapture_reconstruction import pack

from vloc.errors import DataError
from vloc.formats.access import write
from vloc.formats.beside import read_features_beside


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("beside") / "whole"
    write(everything(), f"kapture:{path}", transfer="skip")
    return path


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    """A folder of type `sift` as kapture-localization's users keep it."""
    for kind, name in (("keypoints", "sift"), ("descriptors", "root")):
        shutil.copytree(whole / "reconstruction" / kind / name, tmp_path / "sift" / kind)
    return tmp_path / "sift"


def expected(kind: str) -> np.ndarray:
    work = everything().reconstruction
    return next(iter(getattr(work, kind).values())).load(IMAGES[0])


@pytest.mark.parametrize("packed", [False, True])
def test_the_folder_names_the_type_and_features_of_other_images_are_left_alone(folder, packed):
    if packed:
        pack(folder / "keypoints", "keypoints")
    made = read_features_beside(folder, IMAGES[:1], 0.5)
    assert list(made.keypoints) == list(made.descriptors) == ["sift"]
    assert made.descriptors["sift"].keypoints_type == "sift"
    assert tuple(made.keypoints["sift"].images) == IMAGES[:1]
    assert np.array_equal(made.keypoints["sift"].load(IMAGES[0]), expected("keypoints"))
    assert np.array_equal(made.descriptors["sift"].load(IMAGES[0]), expected("descriptors"))


def test_keypoints_follow_the_pixel_center_of_the_capture(folder):
    moved = read_features_beside(folder, IMAGES, 0.0).keypoints["sift"].load(IMAGES[0])
    assert np.array_equal(moved[:, :2], expected("keypoints")[:, :2] + np.float32(0.5))


def test_a_renamed_folder_keeps_its_descriptors_with_its_keypoints(folder):
    made = read_features_beside(folder.rename(folder.parent / "mine"), IMAGES, 0.5)
    assert made.descriptors["mine"].keypoints_type == "mine" and "mine" in made.keypoints


def test_a_kapture_folder_has_its_types(whole):
    assert read_features_beside(whole, IMAGES, 0.5).descriptors["root"].keypoints_type == "sift"


def test_h5_files_are_read_alone_or_in_their_folder_and_have_pixel_centers_of_their_own(tmp_path):
    with h5py.File(tmp_path / "feats.h5", "w") as file:
        group = file.create_group("a/1.jpg")
        group["keypoints"] = np.array([[3, 4]], np.float32)
        group["descriptors"] = np.array([[0.6], [0.8]], np.float32)
    for path in (tmp_path, tmp_path / "feats.h5"):
        made = read_features_beside(path, IMAGES, 0.5)
        assert made.keypoints["feats"].load("a/1.jpg").tolist() == [[3.5, 4.5]]
        assert made.descriptors["feats"].keypoints_type == "feats"


def test_a_stamp_changes_with_the_file_and_with_the_pixel_center(folder):
    def stamp(pixel_center: float) -> str:
        return read_features_beside(folder, IMAGES, pixel_center).keypoints["sift"].source.stamp(IMAGES[0])

    before = stamp(0.5)
    assert before == stamp(0.5) != stamp(0.0)
    path = folder / "keypoints" / f"{IMAGES[0]}.kpt"
    path.write_bytes(path.read_bytes() * 2)
    shutil.rmtree(folder / "descriptors")
    assert stamp(0.5) != before


def test_rows_of_another_width_are_named_with_their_file(folder):
    text = folder / "descriptors" / "descriptors.txt"
    lines = text.read_text().splitlines()
    fields = lines[-1].split(", ")
    text.write_text("\n".join([*lines[:-1], ", ".join([*fields[:2], "7", *fields[3:]])]) + "\n")
    with pytest.raises(DataError, match=r"\.desc: \d+ bytes, expected rows of \d+ \(7 x"):
        read_features_beside(folder, IMAGES, 0.5)


@pytest.mark.parametrize("packed", [False, True])
def test_matches_lie_beside_their_keypoints_or_alone(whole, folder, packed):
    shutil.copytree(whole / "reconstruction" / "matches" / "sift", folder / "matches")
    if packed:
        pack(folder / "matches", "matches")
    pair = (IMAGES[0], IMAGES[2])
    for alone in (False, True):
        if alone:
            shutil.rmtree(folder / "keypoints")
            shutil.rmtree(folder / "descriptors")
        found = read_features_beside(folder, IMAGES, 0.5).matches["sift"]
        assert found.pairs == [pair]
        assert np.array_equal(found.load(pair), everything().reconstruction.matches["sift"].load(pair))
        assert found.source.stamp(pair)
