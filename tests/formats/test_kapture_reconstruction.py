"""The computed part of kapture folders: features, matches, points and observations, whole and broken."""

import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from everything import IMAGES, everything, plain

from vloc.data.capture import Capture
from vloc.errors import DataError
from vloc.formats.access import read, write

SIFT = "reconstruction/keypoints/sift"
PAIR = f"{IMAGES[0]}.overlapping/{IMAGES[2]}.matches"


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """One of everything, written once."""
    path = tmp_path_factory.mktemp("w") / "whole"
    write(everything(), f"kapture:{path}", transfer="skip")
    return path


@pytest.fixture
def root(written, tmp_path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(written, tmp_path / "copy"))


def load_all(capture: Capture) -> None:
    plain(capture)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def pack(folder: Path, kind: str) -> Path:
    """Move the files of a type into its tar."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".txt"]
    with tarfile.open(folder / f"{kind}.tar", "w") as tar:
        for path in files:
            tar.add(path, path.relative_to(folder).as_posix())
            path.unlink()
    return folder / f"{kind}.tar"


def test_pixel_center_moves_keypoints_with_the_cameras(root, tmp_path):
    at_half, at_zero = read(root), read(root, pixel_center=0)
    for name, kind in (("sift", np.float32), ("orb", np.float64)):
        before = at_half.reconstruction.keypoints[name].load(IMAGES[0])
        after = at_zero.reconstruction.keypoints[name].load(IMAGES[0])
        assert after.dtype == kind
        assert np.array_equal(after[:, :2], before[:, :2] + kind(0.5))
        assert np.array_equal(after[:, 2:], before[:, 2:])
    write(at_zero, f"kapture:{tmp_path / 'back'}", pixel_center=0, transfer="skip")
    back = read(tmp_path / "back").reconstruction.keypoints["orb"].load(IMAGES[0])
    assert np.allclose(back, at_half.reconstruction.keypoints["orb"].load(IMAGES[0]), atol=1e-13)


@pytest.mark.parametrize("dtype", ["float", "float32", "np.float32", "numpy.float32", "uint8", "float16"])
def test_names_of_types_come_from_a_table(dtype, root):
    edit(root / SIFT / "keypoints.txt", "float32", dtype)
    if dtype in ("float32", "np.float32", "numpy.float32"):
        load_all(read(root))
    else:
        # The files hold other numbers of bytes a row than the text says, or as many descriptors no more.
        with pytest.raises(DataError, match=r"bytes, expected rows|descriptors for"):
            read(root)


@pytest.mark.parametrize("dtype", ["__import__('os').system('true')", "object", "str", "U8", "eval", "float32*2", ""])
def test_text_that_is_no_type_is_refused_and_never_run(dtype, root):
    edit(root / SIFT / "keypoints.txt", "float32", dtype)
    with pytest.raises(DataError, match=r"keypoints\.txt:3: dtype is not known; expected one of float16"):
        read(root)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (f"{SIFT}/keypoints.txt", ", 4", ", 0", r"keypoints\.txt:3: dsize out of range"),
        (f"{SIFT}/keypoints.txt", ", 4", ", x", r"keypoints\.txt:3: dsize: not an integer"),
        (f"{SIFT}/keypoints.txt", ", 4", "", r"keypoints\.txt:3: 2 fields"),
        (f"{SIFT}/keypoints.txt", ", 4", ", 4\nSIFT, float32, 4", r"keypoints\.txt:4: 2 rows of data; expected 1"),
        (f"{SIFT}/keypoints.txt", "SIFT, float32, 4\n", "", r"keypoints\.txt: 0 rows of data; expected 1"),
        ("reconstruction/observations.txt", "0, orb", "7, orb", r"observations\.txt:\d: point out of range"),
        ("reconstruction/observations.txt", "0, orb", "0, sift", r"point 0 with 'sift' is here twice, also in line 3"),
        ("reconstruction/observations.txt", "a/0 ü.jpg, 4", "a/0 ü.jpg, 5", r"keypoint of 'a/0 ü\.jpg' out of range"),
        ("reconstruction/observations.txt", "a/0 ü.jpg, 4", "a/0 ü.jpg", r"observations\.txt:\d: 5 fields"),
        ("reconstruction/observations.txt", "a/0 ü.jpg, 4", "a/0 ü.jpg, -1", r"out of range; expected 0 to 4"),
        ("reconstruction/points3d.txt", ", 255", "", r"points3d\.txt:3: 5 fields; expected 6: X, Y, Z, R, G, B"),
        ("reconstruction/points3d.txt", "255", "256", r"points3d\.txt:3: colour out of range"),
        ("reconstruction/points3d.txt", "255", "nan", r"points3d\.txt:3: B: not a number"),
    ],
)  # fmt: skip
def test_broken_text_is_refused_by_file_and_line(file, old, new, message, root):
    edit(root / file, old, new)
    with pytest.raises(DataError, match=message):
        read(root)


def test_files_of_broken_rows_or_counts_are_refused_by_name(root):
    path = root / SIFT / f"{IMAGES[0]}.kpt"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(DataError, match=r"a/0 ü\.jpg\.kpt: 79 bytes, expected rows of 16 \(4 x float32\)"):
        read(root)
    (root / "reconstruction/observations.txt").unlink()
    path.write_bytes(whole[:-16])
    with pytest.raises(DataError, match=r"a/0 ü\.jpg\.desc: 5 descriptors for 4 keypoints of type 'sift'"):
        read(root)
    path.unlink()
    with pytest.raises(DataError, match=r"a/0 ü\.jpg\.desc: 5 descriptors for no keypoints of type 'sift'"):
        read(root)


def test_two_global_descriptors_of_an_image_are_refused(root):
    path = root / "reconstruction/global_features/gem" / f"{IMAGES[0]}.gfeat"
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(DataError, match=r"a/0 ü\.jpg\.gfeat: 2 rows, expected 1"):
        read(root)


def test_keypoints_that_are_not_finite_are_refused_when_they_are_asked_for(root):
    path = root / SIFT / f"{IMAGES[0]}.kpt"
    array = np.fromfile(path, np.float32)
    array[1] = np.nan
    array.tofile(path)
    capture = read(root)
    with pytest.raises(DataError, match=r"a/0 ü\.jpg\.kpt: keypoints that are not finite"):
        capture.reconstruction.keypoints["sift"].load(IMAGES[0])


def test_file_that_changes_after_it_was_opened_is_noticed(root):
    capture = read(root)
    (root / SIFT / f"{IMAGES[0]}.kpt").write_bytes(b"")
    with pytest.raises(DataError, match="0 bytes, but 80 when it was opened"):
        capture.reconstruction.keypoints["sift"].load(IMAGES[0])


def test_folder_without_its_text_file_is_refused_as_half_written(root):
    (root / SIFT / "keypoints.txt").unlink()
    with pytest.raises(DataError, match=r"keypoints\.txt: no such file, but its folder is there"):
        read(root)


def test_features_matches_and_observations_of_unknown_images_are_counted(root):
    edit(root / "sensors/records_camera.txt", IMAGES[2], "b/renamed.jpg")
    notes = read(root).left_out
    for what in ("keypoints left out", "descriptors left out", "global_features left out", "matches left out"):
        assert any(f"1 {what}: records_camera.txt has no such image" in note for note in notes), what
    assert any("1 observations left out: the image has no such keypoints" in note for note in notes)


def test_pairs_named_the_other_way_round_come_in_order_with_their_columns(root):
    folder = root / "reconstruction/matches/sift"
    turned = folder / f"{IMAGES[2]}.overlapping/{IMAGES[0]}.matches"
    turned.parent.mkdir(parents=True, exist_ok=True)
    np.fromfile(folder / PAIR).reshape(-1, 3)[:, [1, 0, 2]].tofile(turned)
    with pytest.raises(DataError, match="both ways round"):
        read(root)
    (folder / PAIR).unlink()
    matches = read(root).reconstruction.matches["sift"]
    assert matches.pairs == [(IMAGES[0], IMAGES[2])]
    assert matches.load(matches.pairs[0]).tolist() == [[4, 0, 0.5], [1, 2, 1 / 3]]


@pytest.mark.parametrize("row", [[5, 0, 1], [0, 3, 1], [-1, 0, 1], [0.5, 0, 1], [0, 0, np.nan]])
def test_matches_that_are_no_rows_of_keypoints_are_refused(row, root):
    np.array(row, float).tofile(root / "reconstruction/matches/sift" / PAIR)
    matches = read(root).reconstruction.matches["sift"]
    with pytest.raises(DataError, match=r"b/0\.jpg\.matches: (matches that are|an index beyond)"):
        matches.load(matches.pairs[0])


def test_match_file_that_names_no_pair_is_refused(root):
    (root / "reconstruction/matches/sift/alone.matches").write_bytes(b"")
    with pytest.raises(DataError, match=r"alone\.matches: expected FIRST\.overlapping/SECOND\.matches"):
        read(root)


def test_packed_features_are_read_as_the_loose_ones(root, written):
    pack(root / SIFT, "keypoints")
    pack(root / "reconstruction/matches/sift", "matches")
    assert plain(read(root)) == plain(read(written))
    assert read(root).notes == ()


def test_tar_cut_anywhere_is_refused_or_whole(root):
    tar = pack(root / SIFT, "keypoints")
    data = tar.read_bytes()
    with tarfile.open(tar) as whole:
        members = whole.getmembers()
        end_mark = whole.offset
    assert len(members) == 3
    for end in range(0, len(data), 97):
        tar.write_bytes(data[:end])
        if end < end_mark + 512:
            with pytest.raises(DataError):
                read(root)
        else:
            load_all(read(root))


def test_damaged_header_inside_a_tar_is_refused_though_tarfile_stops_in_silence(root):
    tar = pack(root / SIFT, "keypoints")
    data = bytearray(tar.read_bytes())
    with tarfile.open(tar) as whole:
        second = whole.getmembers()[1]
    data[second.offset + 150] ^= 1
    tar.write_bytes(data)
    with tarfile.open(tar) as damaged:
        assert len(damaged.getmembers()) == 1
    with pytest.raises(DataError, match=rf"keypoints\.tar: damaged after byte {second.offset}"):
        read(root)


def test_tar_members_that_are_links_or_leave_the_folder_are_refused(root):
    tar = pack(root / SIFT, "keypoints")
    whole = tar.read_bytes()
    for name, kind in (("../out.kpt", tarfile.REGTYPE), ("/etc/x.kpt", tarfile.REGTYPE), ("l.kpt", tarfile.SYMTYPE)):
        tar.write_bytes(whole)
        with tarfile.open(tar, "a") as archive:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        with pytest.raises(DataError, match=r"keypoints\.tar: member"):
            read(root)


def test_later_member_of_the_same_name_counts_and_is_remarked(root):
    tar = pack(root / SIFT, "keypoints")
    changed = np.full((5, 4), 7, np.float32)
    with tarfile.open(tar, "a") as archive:
        member = tarfile.TarInfo(f"{IMAGES[0]}.kpt")
        member.size = changed.nbytes
        archive.addfile(member, io.BytesIO(changed.tobytes()))
    capture = read(root)
    assert np.array_equal(capture.reconstruction.keypoints["sift"].load(IMAGES[0]), changed)
    assert any("1 members replaced by later ones" in note for note in capture.notes)


def test_symbolic_link_out_of_a_feature_folder_is_refused(root, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(16))
    (root / SIFT / "x.kpt").symlink_to(tmp_path / "secret")
    with pytest.raises(DataError, match=r"x\.kpt: a symbolic link leads out"):
        read(root)


def downgrade(root: Path) -> None:
    """A 1.1 folder with one type of each kind as kapture 1.0 laid it out."""
    for kind, name in (("keypoints", "sift"), ("descriptors", "root"), ("global_features", "gem"), ("matches", "sift")):
        folder = root / "reconstruction" / kind
        shutil.move(folder / name, root / "moved")
        shutil.rmtree(folder)
        shutil.move(root / "moved", folder)
    edit(root / "reconstruction/descriptors/descriptors.txt", ", sift, L2", "")
    edit(root / "reconstruction/descriptors/descriptors.txt", ", keypoints_type, metric_type", "")
    edit(root / "reconstruction/global_features/global_features.txt", ", L2", "")
    edit(root / "reconstruction/global_features/global_features.txt", ", metric_type", "")
    path = root / "reconstruction/observations.txt"
    lines = [line for line in path.read_text().split("\n") if ", orb" not in line]
    path.write_text("\n".join(lines).replace(", sift", "").replace(", keypoints_type", ""))
    for path in root.rglob("*.txt"):
        path.write_text(path.read_text().replace("kapture format: 1.1", "kapture format: 1.0"))


def test_folder_of_version_1_0_is_read_whole(root, written):
    downgrade(root)
    old, new = read(root), plain(read(written))
    view = plain(old)
    assert old.notes == ()
    # 1.0 has one type of each kind, named by its extractor; its metric is taken to be L2, as by kapture's upgrade.
    assert view["keypoints"]["SIFT"] == new["keypoints"]["sift"]
    assert view["descriptors"]["rootsift"]["images"] == new["descriptors"]["root"]["images"]
    assert view["descriptors"]["rootsift"]["said"][3:] == ["SIFT", "L2"]
    assert view["global_features"]["dirtorch"] == new["global_features"]["gem"]
    assert view["matches"]["SIFT"] == new["matches"]["sift"]
    assert view["observations"] == [[p, "SIFT", *rest] for p, kind, *rest in new["observations"] if kind == "sift"]


def test_files_of_1_0_in_a_1_1_folder_are_refused_with_a_hint(root):
    shutil.copy(root / SIFT / "keypoints.txt", root / "reconstruction/keypoints/keypoints.txt")
    with pytest.raises(DataError, match=r"is this a 1\.0 folder\?"):
        read(root)


def test_keypoint_that_shows_two_points_keeps_the_first_in_colmap_and_the_loss_is_counted(root, tmp_path):
    path = root / "reconstruction/observations.txt"
    path.write_text(path.read_text() + f"1, sift, {IMAGES[0]}, 4\n")
    edit(
        root / "sensors/trajectories.txt", "7, cam/b, , , , ,", "-5, cam a, 1, 0, 0, 0, 0, 0, 0\n7, cam/b, 1, 0, 0, 0,"
    )
    edit(root / "sensors/sensors.txt", "UNKNOWN_CAMERA, 64, 48", "SIMPLE_PINHOLE, 64, 48, 9, 32, 24")
    capture = read(root)
    with pytest.raises(DataError, match="several types of keypoints: choose one of orb, sift"):
        write(capture, f"colmap:{tmp_path / 'none'}", transfer="skip")
    losses = write(capture, f"colmap:{tmp_path / 'out'}", transfer="skip", keypoints_type="sift")
    assert "1 observations in images without a pose, or of a keypoint that shows another point" in losses
    seen = read(tmp_path / "out").reconstruction.observations["colmap"]
    assert (seen.points.tolist(), seen.keypoints.tolist()) == ([0, 0, 2], [4, 2, 1])


@pytest.mark.shared
def test_poses_and_intrinsics_survive_the_way_through_colmap_and_back(data, tmp_path):
    start = read(data / "virtual_gallery_tutorial/mapping", pixel_center=0)
    write(start, f"colmap:{tmp_path / 'colmap'}")
    write(read(tmp_path / "colmap"), f"kapture:{tmp_path / 'kapture'}", pixel_center=0)
    end = read(tmp_path / "kapture", pixel_center=0)
    assert sorted(end.images.names) == sorted(start.images.names)
    for name in start.images.names:
        assert np.allclose(end.pose(name).rotation, start.pose(name).rotation, atol=1e-9)
        assert np.allclose(end.pose(name).translation, start.pose(name).translation, atol=1e-9)
        assert end.camera(name) == start.camera(name)
        assert end.files.read(name) == start.files.read(name)


@pytest.mark.shared
def test_observations_of_a_real_folder_reproject_to_a_quarter_of_a_pixel(data, tmp_path):
    capture = read(data / "format_samples/maupertuis/kapture")
    write(capture, f"colmap:{tmp_path / 'colmap'}")
    for view in (capture, read(tmp_path / "colmap")):
        work = view.reconstruction
        ((kind, seen),) = work.observations.items()
        errors = []
        for point, image, keypoint in zip(seen.points, seen.images, seen.keypoints, strict=True):
            name = view.images.names[image]
            x, y, z = view.pose(name).apply(work.points.xyz[point])
            where = np.array(view.camera(name).focal) * [x / z, y / z] + view.camera(name).principal_point
            errors.append(np.linalg.norm(where - work.keypoints[kind].load(name)[keypoint, :2]))
        assert len(errors) == 3355
        assert np.median(errors) == pytest.approx(0.25, abs=0.01)
