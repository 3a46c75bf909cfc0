"""`vloc check` finds what was broken on purpose, and nothing else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vloc.cli.main import main


@pytest.fixture
def copy_of_map(job, tmp_path: Path) -> Path:
    return shutil.copytree(job.map, tmp_path / "map")


@pytest.fixture
def copy_of_capture(gallery, tmp_path: Path) -> Path:
    return shutil.copytree(gallery.mapping, tmp_path / "mapping")


def problems(path: Path, capsys: pytest.CaptureFixture[str], status: int = 3) -> list[str]:
    capsys.readouterr()
    assert main(["check", str(path), "--json"]) == status
    found: list[str] = json.loads(capsys.readouterr().out)["problems"]
    return found


def test_a_whole_map_and_a_whole_capture_have_no_problems(job, capsys: pytest.CaptureFixture[str]) -> None:
    assert problems(job.map, capsys, 0) == []
    assert problems(job.mapping, capsys, 0) == []


def test_one_changed_byte_in_any_shard_is_found(copy_of_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in sorted(copy_of_map.rglob("*.h5")):
        data = path.read_bytes()
        place = len(data) // 2
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        found = problems(copy_of_map, capsys)
        assert any(str(path) in problem for problem in found)
        path.write_bytes(data)


def test_a_missing_shard_is_found(copy_of_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = next(copy_of_map.glob("extract-*/*.h5"))
    path.unlink()
    assert any(path.name in problem for problem in problems(copy_of_map, capsys))


def test_a_map_that_was_begun_and_not_finished_is_found(copy_of_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy_of_map / "map.json").unlink()
    assert problems(copy_of_map, capsys) == [
        f"{copy_of_map / 'map.json'}: missing: the map was begun and not finished; run the same command again"
    ]


def test_a_manifest_that_is_no_json_is_found(copy_of_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy_of_map / "map.json").write_text("{")
    assert any("map.json" in problem for problem in problems(copy_of_map, capsys))


def test_a_frame_that_the_points_are_not_in_is_found(copy_of_map: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = json.loads((copy_of_map / "map.json").read_text())
    turned = {"scale": 2.0, "rotation": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "translation": [0, 0, 0]}
    for wrong, says in ((turned, "not those of its reconstruction"), ({"scale": "two"}, "frame: ")):
        (copy_of_map / "map.json").write_text(
            json.dumps({**manifest, "frame": {**manifest["frame"], "placement": wrong}})
        )
        assert any(says in problem for problem in problems(copy_of_map, capsys))


def test_every_broken_image_is_listed(copy_of_capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = sorted((copy_of_capture / "sensors" / "records_data").rglob("*.jpg"))
    images[0].write_bytes(images[0].read_bytes()[:-3000])
    images[5].write_bytes(b"not an image")
    images[7].unlink()
    found = problems(copy_of_capture, capsys)
    assert len(found) == 3
    assert all(any(images[i].name in problem for problem in found) for i in (0, 5, 7))


def test_a_pose_of_no_device_is_found(copy_of_capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (copy_of_capture / "sensors" / "trajectories.txt").open("a") as file:
        file.write("1, ghost, 1, 0, 0, 0, 0, 0, 0\n")
    found = problems(copy_of_capture, capsys)
    assert len(found) == 1
    assert "ghost" in found[0]


def test_rows_left_out_are_problems_and_remarks_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "session" / "trajectories.txt"
    path.parent.mkdir()
    (path.parent / "sensors.txt").write_text("# kapture format: 1.1\ncam, , camera, SIMPLE_PINHOLE, 8, 8, 9, 4, 4\n")
    covariance = ", ".join(["0.1"] * 36)
    path.write_text(
        f"# timestamp, device_id, qw, qx, qy, qz, tx, ty, tz, *covar\n1, cam, 1, 0, 0, 0, 0, 0, 0, {covariance}\n"
    )
    assert problems(tmp_path / "session", capsys, 0) == []
    with path.open("a") as file:
        file.write(f"2, ghost, 1, 0, 0, 0, 0, 0, 0, {covariance}\n")
    assert problems(tmp_path / "session", capsys) == [
        "trajectories.txt: 1 rows left out: no such device (first: ghost)"
    ]


def test_a_row_that_is_refused_is_named_by_file_and_line(
    copy_of_capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (copy_of_capture / "sensors" / "trajectories.txt").open("a") as file:
        file.write("1, rig, 1, 0, 0\n")
    found = problems(copy_of_capture, capsys)
    assert len(found) == 1
    assert "trajectories.txt:" in found[0]


def test_every_broken_row_of_every_file_is_listed_by_line(
    copy_of_capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sensors = copy_of_capture / "sensors"
    places = {"trajectories.txt": ["1, rig, 1, 0, 0", "2, rig, 0, 0, 0, 0, 0, 0, 0"], "rigs.txt": ["rig, rig, a,,,,,,"]}
    expected = []
    for name, rows in places.items():
        line = len((sensors / name).read_text().splitlines())
        with (sensors / name).open("a") as file:
            file.writelines(f"{row}\n" for row in rows)
        expected += [f"{sensors / name}:{line + i + 1}: " for i in range(len(rows))]
    found = problems(copy_of_capture, capsys)
    assert len(found) == len(expected) == 3
    assert all(any(problem.startswith(place) for problem in found) for place in expected)


def test_every_row_of_an_absent_device_is_listed_by_line(
    copy_of_capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy_of_capture / "sensors" / "trajectories.txt"
    lines = len(path.read_text().splitlines())
    with path.open("a") as file:
        file.write("1, ghost, 1, 0, 0, 0, 0, 0, 0\n2, ghost, 1, 0, 0, 0, 0, 0, 0\n")
    found = problems(copy_of_capture, capsys)
    assert [problem.split(": ")[0] for problem in found] == [f"{path}:{lines + 1}", f"{path}:{lines + 2}"]


def test_keypoints_that_are_no_numbers_and_matches_of_absent_keypoints_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = (
        Path(__file__).resolve().parents[2].parent / "shared" / "data" / "format_samples" / "maupertuis" / "kapture"
    )
    if not source.exists():
        pytest.skip(f"{source} is not there")
    copy = shutil.copytree(source, tmp_path / "copy", copy_function=shutil.copyfile)
    broken = sorted(copy.rglob("*.kpt"))[:1] + sorted(copy.rglob("*.matches"))[:1]
    for path in broken:
        path.write_bytes(b"\xff" * path.stat().st_size)
    assert all(any(str(path) in problem for problem in problems(copy, capsys)) for path in broken)
    with (copy / "sensors" / "trajectories.txt").open("a") as file:
        file.write("9, cam, 1, 0\n")
    found = problems(copy, capsys)
    assert any("trajectories.txt:" in problem for problem in found)
    assert all(any(str(path) in problem for problem in found) for path in broken)


def test_fix_normalises_quaternions_and_leaves_every_other_byte(
    copy_of_capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy_of_capture / "sensors" / "trajectories.txt"
    before = path.read_bytes()
    with path.open("ab") as file:
        file.write(b"7, rig, 3, 0, 0, 4, 1.50, -0, 3e0\n")
    assert problems(copy_of_capture, capsys, 0) == []
    assert main(["check", str(copy_of_capture), "--fix"]) == 0
    assert "fixed: " in capsys.readouterr().out
    assert path.read_bytes() == before + b"7, rig, 0.6, 0.0, 0.0, 0.8, 1.50, -0, 3e0\n"
    assert main(["check", str(copy_of_capture), "--fix"]) == 0
    assert "fixed: " not in capsys.readouterr().out


def test_fix_leaves_what_is_not_certain(copy_of_capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_of_capture / "sensors" / "trajectories.txt"
    with path.open("ab") as file:
        file.write(b"7, rig, 0, 0, 0, 0, 1, 1, 1\n8, rig, x, 0, 0, 3, 1, 1, 1\n9, ghost, 1, 0, 0, 0, 1, 1, 1\n")
    before = path.read_bytes()
    assert main(["check", str(copy_of_capture), "--fix"]) == 3
    assert path.read_bytes() == before


def test_fix_of_a_map_or_another_format_is_refused(job, tmp_path: Path) -> None:
    assert main(["check", str(job.map), "--fix"]) == 2
    assert main(["check", f"images:{job.mapping / 'sensors' / 'records_data'}", "--fix"]) == 2


def test_what_is_neither_map_nor_capture_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    assert main(["check", str(tmp_path)]) == 2
    assert main(["check", str(tmp_path / "missing")]) == 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["../x.h5", 0, 1]], "names the shard '../x.h5'"),
        ([[f"{'a' * 32}.h5", 0, 10**18]], "missing"),
        ([["SHARD", 0, 10**18]], f"names {10**18} rows from 0"),
        ([["SHARD", -1, 1]], "names 1 rows from -1"),
        ([["SHARD", 0, 1], ["SHARD", 0, 1]], "its shards are not those of"),
    ],
)
def test_a_set_of_rows_that_its_store_lacks_is_found(rows, message, copy_of_map: Path, capsys) -> None:
    path = next(copy_of_map.glob("extract-*/set-*.json"))
    shard = next(path.parent.glob("*.h5")).name
    path.write_text(json.dumps([[name.replace("SHARD", shard), *rest] for name, *rest in rows]))
    assert [message in problem for problem in problems(copy_of_map, capsys)] == [True]
