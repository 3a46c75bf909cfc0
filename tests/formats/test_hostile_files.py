"""Files that would block, never end or overflow: each is refused in a moment, by an error that names it."""

import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from vloc.cli.main import main
from vloc.errors import DataError
from vloc.formats.access import read
from vloc.formats.images import FolderImages, unsafe_path
from vloc.formats.opensfm.features import load_npz

pytestmark = pytest.mark.timeout(20)

CAMERAS = "1 PINHOLE 64 48 50 50 32 24\n"
IMAGES = "1 1 0 0 0 0 0 0 1 0.jpg\n20 10 7\n"
POINTS = "7 0.19 0.25 2 10 20 30 0.5 1 0\n"


@pytest.fixture
def model(tmp_path):
    """A COLMAP text model of one image and one point."""
    for name, text in {"cameras": CAMERAS, "images": IMAGES, "points3D": POINTS}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    return tmp_path


@pytest.fixture
def photo(tmp_path):
    """A folder with one photo."""
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (64, 48)).save(tmp_path / "photos" / "a.png")
    return tmp_path / "photos"


@pytest.mark.parametrize("name", ["sensors", "rigs", "trajectories", "records_camera", "records_wifi"])
def test_a_pipe_as_table_is_refused_by_read_and_check(name, folder, capsys):
    path = folder / "sensors" / f"{name}.txt"
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    with pytest.raises(DataError, match=rf"{name}\.txt: (a named pipe|no such file)"):
        read(f"kapture:{folder}")
    assert main(["check", f"kapture:{folder}"]) == 3
    assert f"{name}.txt: " in capsys.readouterr().out


@pytest.mark.parametrize("form", ["list", "tum", "bundler", "nvm", "nerfstudio", "openmvg", "opensfm", "ply", "video"])
def test_a_pipe_as_location_is_refused(form, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError):
        read(f"{form}:{tmp_path / 'pipe'}")


def test_pipes_links_to_themselves_and_folders_among_photos_are_remarked_and_the_others_read(photo, capsys):
    os.mkfifo(photo / "pipe.jpg")
    (photo / "loop.jpg").symlink_to("loop.jpg")
    (photo / "folder.jpg").mkdir()
    capture = read(f"images:{photo}")
    assert capture.images.names == ["a.png", "loop.jpg", "pipe.jpg"]
    assert any("2 images that cannot be read" in note for note in capture.notes)
    for name, reason in {"pipe.jpg": "a named pipe", "loop.jpg": "symbolic links"}.items():
        with pytest.raises(DataError, match=rf"{name}: .*{reason}"):
            FolderImages(photo).read(name)
    assert main(["check", str(photo)]) == 3
    assert "pipe.jpg" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("part", "old", "new", "message"),
    [
        ("points3D", "0.25", "0.25,496", r"points3D\.txt:1: not a number: '0\.25,496'"),
        ("points3D", "0.25", "1e308", r"points3D\.txt:1: number out of range: '1e308'"),
        ("cameras", "64 48", f"{2**70} 48", r"cameras\.txt:1: image size 1180591620717411303424 x 48, expected 1 to"),
        ("images", "1 0.jpg", "2 0.jpg", r"images\.txt: image '0\.jpg' has camera 2, which cameras\.txt lacks"),
        ("images", "0.jpg", "../0.jpg", r"images\.txt: image '\.\./0\.jpg': '\.\.' leads out"),
        ("points3D", " 1 0\n", " 1 5\n", r"points3D\.txt: a point lists keypoint 5 of image 1, which has 1"),
    ],
)
def test_numbers_and_names_of_colmap_text_are_refused_by_their_own_file(part, old, new, message, model):
    text = (model / f"{part}.txt").read_text()
    assert old in text
    (model / f"{part}.txt").write_text(text.replace(old, new))
    with pytest.raises(DataError, match=message):
        read(f"colmap:{model}")


def test_a_pose_of_a_rig_without_rotation_is_refused_by_its_file(model):
    (model / "rigs.txt").write_text("1 2 CAMERA 1 CAMERA 2 1 0 0 0 0 0 0 0\n")
    with pytest.raises(DataError, match=r"rigs\.txt: 'sensor 2 of rig 1' has the pose \[0\.0.*expected a unit"):
        read(f"colmap:{model}")


@pytest.mark.parametrize(
    ("observation", "message"),
    [
        ("1 0 99999999999999999999999 1 1", r"bundle\.out:10: observation of key 1e\+23 in image 0"),
        ("1 0 1e308 1 1", r"bundle\.out:10: number out of range: '1e308'"),
    ],
)
def test_absurd_keys_of_bundler_are_refused_by_line(observation, message, tmp_path):
    camera = "50 0 0\n1 0 0\n0 1 0\n0 0 1\n0 0 0\n"
    (tmp_path / "list.txt").write_text("0.jpg\n")
    (tmp_path / "bundle.out").write_text(f"# Bundle file v0.3\n1 1\n{camera}1 2 3\n10 20 30\n{observation}\n")
    with pytest.raises(DataError, match=message):
        read(f"bundler:{tmp_path}", camera="SIMPLE_PINHOLE,64,48,50,32,24")


def test_absurd_numbers_of_nvm_are_refused_by_line(tmp_path):
    nvm = "NVM_V3\n\n1\n0.jpg 50 1 0 0 0 0 0 0 0 0\n\n1\n1 2 3 10 20 30 1 0 1e308 1 1\n0\n"
    (tmp_path / "model.nvm").write_text(nvm)
    with pytest.raises(DataError, match=r"model\.nvm:7: number out of range: '1e308'"):
        read(f"nvm:{tmp_path}", camera="SIMPLE_PINHOLE,64,48,50,32,24")
    (tmp_path / "model.nvm").write_text(nvm.replace("0.jpg 50", "0.jpg 1e-90").replace(" 0 0\n\n1", " 1e90 0\n\n1"))
    with pytest.raises(DataError, match=r"model\.nvm:4: .*too strong to be a lens"):
        read(f"nvm:{tmp_path}", camera="SIMPLE_PINHOLE,64,48,50,32,24")


@pytest.mark.parametrize("numbers", ["1e200 0 0 0 0 0 1", "0 0 0 1e200 1e200 0 1", "0 0 0 1e-200 0 0 1e-200"])
def test_numbers_that_would_overflow_are_refused_without_a_warning(numbers, tmp_path):
    # pytest makes every warning an error
    (tmp_path / "track.txt").write_text(f"1.5 {numbers}\n")
    with pytest.raises(DataError, match=r"track\.txt:1: "):
        read(f"tum:{tmp_path / 'track.txt'}")
    matrix = np.eye(4).tolist()
    matrix[0][0] = 1e200
    frame = {"file_path": "0.jpg", "transform_matrix": matrix, "w": 64, "h": 48, "fl_x": 50}
    (tmp_path / "transforms.json").write_text(json.dumps({"frames": [frame]}))
    with pytest.raises(DataError, match=r"transforms\.json: \$\.frames\[0\]\.transform_matrix\[0\]\[0\]"):
        read(f"nerfstudio:{tmp_path}")


def test_names_longer_than_file_systems_hold_are_refused_and_not_printed_whole(tmp_path):
    assert unsafe_path("a/" * 100 + "ü" * 127) is None
    assert unsafe_path("ü" * 128) == "a part of 256 bytes, and file systems hold at most 255"
    (tmp_path / "list.txt").write_text(f"{'x' * 10_000_000} PINHOLE 64 48 50 50 32 24\n")
    with pytest.raises(DataError, match=r"list\.txt:1: a part of 10,000,000 bytes") as caught:
        read(f"list:{tmp_path / 'list.txt'}")
    assert len(str(caught.value)) < 3000


def test_an_image_that_leaves_through_a_link_is_never_read(photo, tmp_path):
    shutil.copy(photo / "a.png", tmp_path / "secret.png")
    (photo / "out.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="a symbolic link leads out"):
        FolderImages(photo).read("out.png")


def test_a_damaged_header_of_exif_is_no_exif_and_no_warning(photo):
    # pytest makes every warning an error; Pillow warns of tags that pass the end of the file
    tags = Image.Exif()
    tags[0x0112] = 6
    tags.get_ifd(0x8825).update({1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 0.0, 0.0)})
    Image.new("RGB", (64, 48)).save(photo / "b.jpg", exif=tags)
    data = (photo / "b.jpg").read_bytes()
    for place in range(data.index(b"Exif"), data.index(b"Exif") + 120):
        (photo / "b.jpg").write_bytes(data[:place] + b"\xff" + data[place + 1 :])
        assert len(read(f"images:{photo}").images) == 2


def test_a_file_of_features_that_links_to_itself_is_refused_by_name(folder):
    kind = folder / "reconstruction" / "keypoints" / "sift"
    (kind / "a").mkdir(parents=True)
    (kind / "keypoints.txt").write_text("# kapture format: 1.1\nsift, float32, 2\n")
    (kind / "a" / "0.jpg.kpt").symlink_to("0.jpg.kpt")
    with pytest.raises(DataError, match=r"0\.jpg\.kpt: Too many levels of symbolic links"):
        read(f"kapture:{folder}")


def test_compressed_features_that_were_damaged_are_refused_by_file(tmp_path):
    np.savez_compressed(tmp_path / "f.npz", points=np.arange(4000.0))
    data = (tmp_path / "f.npz").read_bytes()
    for place in range(100, 200):
        (tmp_path / "f.npz").write_bytes(data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :])
        with pytest.raises(DataError, match=r"f\.npz: points: broken"):
            load_npz(tmp_path / "f.npz", "points")
