"""What each benchmark's file holds, written out by hand; hloc reads the lines as we mean them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records
from vloc.data.rigs import RigMember
from vloc.errors import ConfigError, DataError
from vloc.formats.result_styles import STYLES, keys_of, read_back, read_lines, style_of, text_of, written
from vloc.geometry.rigid import Rigid

# World to camera: a half turn about z, and 1, 2, 3 m. Camera to world: the same turn, and 1, 2, -3 m.
POSE = Rigid(np.diag([-1.0, -1.0, 1.0]), np.array([1.0, 2.0, 3.0]))
LINE, INVERSE = "0.0 0.0 0.0 1.0 1.0 2.0 3.0", "0.0 -0.0 -0.0 -1.0 1.0 2.0 -3.0"
NAME = "query/rear/frame.10.jpg"


def queries(*rows: tuple[int, str, str], rigs: tuple[RigMember, ...] = ()) -> Capture:
    return Capture({device: Sensor("camera") for _, device, _ in rows}, Records.from_rows(list(rows)), rigs=rigs)


ALONE = queries((7, "phone", NAME))
GOLDEN = {
    "plain": f"{NAME} {LINE}\n",
    "aachen": f"frame.10.jpg {LINE}\n",
    "inloc": f"frame.10.jpg {LINE}\n",
    "cmu": f"frame.10.jpg {LINE}\n",
    "silda": f"frame.10.jpg {LINE}\n",
    "robotcar": f"rear/frame.10.jpg {LINE}\n",
    "naver": f"{NAME} {LINE}\n",
    "eth-ms": f"7/phone {LINE}\n",
    "rio10": f"query/rear/frame {INVERSE}\n",
    "lamar": f"# timestamp, device_id, qw, qx, qy, qz, tx, ty, tz\n7, phone, {INVERSE.replace(' ', ', ')}\n",
}


def same(text: str) -> list[str]:
    """Its fields, quaternions up to their sign and zeros up to theirs."""
    rows = [line.replace(",", " ").split() for line in text.splitlines() if not line.startswith("#")]
    fields = []
    for row in rows:
        quaternion = np.array([*map(float, row[-7:-3])])
        quaternion = quaternion * np.sign(quaternion[np.flatnonzero(quaternion)[0]])
        fields.append(f"{row[:-7]} {quaternion + 0.0} {[*map(float, row[-3:])]}")
    return fields


@pytest.mark.parametrize("name", STYLES)
def test_each_style_writes_what_its_benchmark_documents_and_reads_it_back(name: str, tmp_path: Path) -> None:
    style, path = style_of(name), tmp_path / "results.txt"
    text = text_of(path, style, written(style, {NAME: POSE}, ALONE))
    assert same(text) == same(GOLDEN[name])
    assert text.startswith("#") == GOLDEN[name].startswith("#")
    path.write_text(text)
    entries, broken = read_lines(path, style)
    found = read_back(style, entries, ALONE)[NAME]
    assert not broken
    np.testing.assert_allclose(found.rotation, POSE.rotation, atol=1e-15)
    np.testing.assert_allclose(found.translation, POSE.translation)
    assert text_of(path, style, written(style, {NAME: found}, ALONE)) == text


def test_equal_poses_give_equal_bytes_in_the_order_of_the_names() -> None:
    capture = queries((0, "a", "b.jpg"), (1, "a", "a.jpg"))
    files = [
        text_of(Path("r.txt"), STYLES["plain"], written(STYLES["plain"], dict.fromkeys(order, POSE), capture))
        for order in (("a.jpg", "b.jpg"), ("b.jpg", "a.jpg"))
    ]
    assert files[0] == files[1] == f"a.jpg {LINE}\nb.jpg {LINE}\n"


def test_two_images_that_a_style_calls_the_same_are_refused() -> None:
    capture = queries((0, "a", "left/1.jpg"), (0, "b", "rear/1.jpg"))
    with pytest.raises(DataError, match=r"'left/1\.jpg' and 'rear/1\.jpg' are both '1\.jpg'"):
        written(STYLES["aachen"], dict.fromkeys(capture.images.names, POSE), capture)
    with pytest.raises(DataError, match=r"are both '1\.jpg'"):
        keys_of(STYLES["aachen"], capture)
    assert keys_of(STYLES["robotcar"], capture) == ["left/1.jpg", "rear/1.jpg"]


@pytest.mark.parametrize("name", ["eth-ms", "lamar"])
def test_cameras_of_a_rig_share_the_pose_of_the_rig(name: str) -> None:
    mounts = {"a": Rigid(np.eye(3), np.array([1.0, 0, 0])), "b": POSE}
    rigs = tuple(RigMember("rig", camera, mount) for camera, mount in mounts.items())
    capture, style = queries((5, "a", "a5.jpg"), (5, "b", "b5.jpg"), rigs=rigs), style_of(name)
    rig_from_world = Rigid(np.eye(3), np.array([0.0, 4, 0]))
    poses = {f"{camera}5.jpg": mount @ rig_from_world for camera, mount in mounts.items()}
    for part in (poses, {"b5.jpg": poses["b5.jpg"]}):
        ((key, pose),) = written(style, part, capture).items()
        assert key == {"eth-ms": "5/rig", "lamar": "5, rig"}[name]
        np.testing.assert_allclose(pose.translation, [0, -4 if style.is_inverse else 4, 0], atol=1e-12)
    back = read_back(style, written(style, poses, capture), capture)
    for image, expected in poses.items():
        np.testing.assert_allclose(back[image].translation, expected.translation, atol=1e-12)


def test_lines_that_are_unclear_are_told_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "results.txt"
    path.write_text(f"a {LINE}\na {LINE}\nb 2 0 0 0 0 0 0\nc 1 0 0 0 0 nan 0\nd 1 0 0\n")
    entries, broken = read_lines(path, STYLES["plain"])
    assert [*entries] == ["a"]
    assert [line.partition(": ")[2].partition(";")[0] for line in broken] == [
        "'a' is here twice",
        "quaternion of norm 2",
        "not a number",
        "4 fields",
    ]


def test_an_unknown_style_is_refused_with_the_choices() -> None:
    with pytest.raises(ConfigError, match="--style foo: choose from plain, aachen, inloc"):
        style_of("foo")
