"""Cameras that a map knows: recognised by what photos' headers say, or named; else EXIF, else a guess."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from vloc import Camera, Capture, DataError, Localizer, Map, Sensor, build_map, camera_of, localize, read
from vloc.cli.main import main
from vloc.data.splitting import named, part_of
from vloc.formats.results import read_truth
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.known_cameras import calibrated_devices, recognised, with_known_cameras

DEVICE = "maker phone 3; wide; 480 x 360; 4.2 mm"
QUERY = "front/000003.jpg"
FAST = {"features": "sift:max_keypoints=800", "pair": {"num_pairs": 6}}


def stamp(photo: Path, focal_mm: float = 4.2) -> None:
    """Write into a JPEG's header who took it; its pixels stay."""
    exif = Image.Exif()
    exif.update({0x010F: "Maker", 0x0110: "Phone 3"})
    exif.get_ifd(0x8769).update({0x920A: IFDRational(int(10 * focal_mm), 10), 0xA434: "wide"})
    with Image.open(photo) as image:
        image.save(photo, quality="keep", exif=exif)


@pytest.fixture(scope="module")
def place(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gallery as recorded by a rig whose front camera is a phone, and photos beside it that say so, or nothing."""
    root = tmp_path_factory.mktemp("place")
    shutil.copytree(gallery / "mapping", root / "mapping")
    photo = root / "mapping" / "sensors" / "records_data" / QUERY
    for folder in ("stamped", "bare"):
        (root / folder).mkdir()
        shutil.copy(photo, root / folder / "photo.jpg")
    for path in [*photo.parent.iterdir(), root / "stamped" / "photo.jpg"]:
        stamp(path)
    return root


@pytest.fixture(scope="module")
def map_(place: Path) -> Map:
    """The map of all but one photo of the front camera."""
    capture = read(place / "mapping")
    return build_map(part_of(capture, ~named(capture, [QUERY])), place / "map", **FAST)


@pytest.fixture(scope="module")
def truth(place: Path) -> Rigid:
    return read_truth(place / "mapping")[QUERY]


def front(map_: Map) -> Camera:
    return map_.sparse.camera(map_.sparse.row_of["front/000000.jpg"])


def test_a_photo_of_a_device_that_the_map_knows_takes_its_calibration(place: Path, map_: Map, truth: Rigid) -> None:
    (estimate,) = localize(map_, read(place / "stamped"), place / "stamped.work")
    assert estimate.camera == front(map_)
    assert estimate.focal_source.startswith("map:front/") and estimate.focal_sigma_px == 0
    assert pose_errors(estimate.cam_from_world, truth)[0] < 0.01


def test_a_photo_that_says_nothing_of_its_camera_is_located_by_a_guess(place: Path, map_: Map, truth: Rigid) -> None:
    (estimate,) = localize(map_, read(place / "bare"), place / "bare.work")
    assert estimate.focal_source == "guessed" and estimate.focal_sigma_px > 0
    assert estimate.camera.focal[0] == pytest.approx(front(map_).focal[0], rel=0.01)  # the guess is 58 % longer
    assert pose_errors(estimate.cam_from_world, truth)[0] < 0.05


def test_the_camera_may_be_left_out_in_python(place: Path, map_: Map, truth: Rigid) -> None:
    localizer = Localizer(map_)
    for folder, source in (("stamped", "map:front/"), ("bare", "guessed")):
        estimate = localizer.localize(place / folder / "photo.jpg")
        assert estimate.focal_source.startswith(source)
        assert pose_errors(estimate.cam_from_world, truth)[0] < 0.05
    pixels = np.array(Image.open(place / "bare" / "photo.jpg"))
    assert localizer.localize(pixels, "map:front/000000.jpg").camera == front(map_)


def test_camera_of_says_what_would_be_used(place: Path, map_: Map) -> None:
    photo = place / "stamped" / "photo.jpg"
    alone, known = camera_of(photo), camera_of(photo, map_)
    assert (alone.focal_source, alone.camera.focal[0]) == ("guessed", 1.2 * 480)
    assert known.focal_source.startswith("map:front/") and known.camera == front(map_)
    with pytest.raises(DataError, match=r"nothing\.jpg: No such file"):
        camera_of(place / "nothing.jpg")


def test_the_command_line_takes_a_camera_of_the_map(place: Path, map_: Map, tmp_path: Path, capsys) -> None:
    arguments = ["localize", str(map_.folder), str(place / "bare"), str(tmp_path / "poses.txt")]
    assert main([*arguments, "--camera", "map:front/000000.jpg"]) == 0
    assert "cameras: 1 map:front/000000.jpg" in capsys.readouterr().out
    (row,) = json.loads((tmp_path / "poses.txt.json").read_text())
    assert row["camera"]["params"] == list(front(map_).params)
    assert row["camera"]["focal_source"] == "map:front/000000.jpg"


@pytest.mark.parametrize(
    ("name", "camera", "message"),
    [
        ("nowhere.jpg", Camera("SIMPLE_RADIAL", 480, 360, (500, 240, 180, 0)), "no image of this name"),
        (
            "front/000000.jpg",
            Camera("SIMPLE_RADIAL", 240, 180, (500, 120, 90, 0)),
            "for images of 480 x 360 px, the query",
        ),
    ],
)
def test_a_camera_of_the_map_that_does_not_fit_is_refused(map_: Map, name: str, camera: Camera, message: str) -> None:
    with pytest.raises(DataError, match=message):
        with_known_cameras(map_, one_photo(Sensor("camera", camera=camera)), f"map:{name}")


def one_photo(sensor: Sensor) -> Capture:
    from vloc.data.records import Records

    return Capture({"camera": sensor}, Records.from_rows([(0, "camera", "q.jpg")]))


ROUGH = Sensor("camera", camera=Camera("SIMPLE_RADIAL", 480, 360, (576, 240, 180, 0)), focal_source="guessed")


def test_only_rough_intrinsics_of_the_same_device_give_way(map_: Map) -> None:
    assert recognised(map_, replace(ROUGH, device=DEVICE)).camera == front(map_)
    for sensor in (ROUGH, replace(ROUGH, device="another"), replace(ROUGH, device=DEVICE, focal_source="given")):
        assert recognised(map_, sensor) == sensor


def test_a_device_with_several_focal_lengths_is_not_one_camera(map_: Map) -> None:
    mixed = replace(map_, manifest={"devices": {DEVICE: ["front/000000.jpg", "right/000000.jpg"]}})
    assert recognised(mixed, replace(ROUGH, device=DEVICE)).focal_source == "guessed"


def test_images_that_are_not_in_the_map_say_nothing_of_a_device(map_: Map) -> None:
    lost = replace(map_, manifest={"devices": {DEVICE: [QUERY]}})
    assert recognised(lost, replace(ROUGH, device=DEVICE)).focal_source == "guessed"


def test_a_map_notes_the_devices_whose_intrinsics_are_calibrated() -> None:
    rough = one_photo(replace(ROUGH, device=DEVICE))
    assert calibrated_devices(rough, all_refined=False) == {}
    assert calibrated_devices(rough, all_refined=True) == {DEVICE: ["q.jpg"]}
    exact = one_photo(replace(ROUGH, device=DEVICE, focal_source="calibrated"))
    assert calibrated_devices(exact, all_refined=False) == {DEVICE: ["q.jpg"]}
