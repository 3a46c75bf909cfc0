"""`vloc show` on a map and on a capture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vloc.cli.main import main
from vloc.cli.show import lines
from vloc.cli.show_capture import cameras, time_span
from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records
from vloc.geometry.camera import Camera


def shown(path: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    capsys.readouterr()
    assert main(["show", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_map_tells_what_it_holds_and_what_made_it(job, capsys: pytest.CaptureFixture[str]) -> None:
    facts = shown(job.map, capsys)
    assert facts["images"] == 12
    assert facts["points"] > 0
    assert facts["mean_track_length"] >= 2
    assert 0 <= facts["errors_of_poses"]["rotation_deg"] < 0.01 and 0 <= facts["errors_of_poses"]["center_m"] < 0.001
    assert facts["settings"]["extract"].startswith("sift")
    assert facts["made_from"]["location"] == str(job.mapping)


def test_the_sizes_of_stores_are_those_on_disk(job, capsys: pytest.CaptureFixture[str]) -> None:
    facts = shown(job.map, capsys)
    assert facts["total_bytes"] == sum(path.stat().st_size for path in job.map.rglob("*.h5"))
    read = [store["name"].partition("-")[0] for store in facts["stores"] if store["read_by_map"]]
    assert sorted(read) == ["calibrate", "color", "describe", "extract", "join", "place", "record", "train"]


def test_a_capture_tells_sensors_rigs_poses_and_time(gallery, capsys: pytest.CaptureFixture[str]) -> None:
    facts = shown(gallery.mapping, capsys)
    assert (facts["images"], facts["with_pose"]) == (12, 12)
    assert facts["sensors"] == {"camera": 3}
    assert facts["rigs"] == {"rig": 3}
    assert facts["timestamps"][0] < facts["timestamps"][1]
    assert len(facts["extent_m"]) == 3


def test_the_text_fits_on_a_screen(job, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (job.map, job.mapping):
        capsys.readouterr()
        assert main(["show", str(path)]) == 0
        assert len(capsys.readouterr().out.splitlines()) <= 41


def test_a_date_is_told_where_the_numbers_count_since_1970() -> None:
    # date -u -d @1555399760
    expected = "2019-04-16 07:29:20 UTC, 1.6 s"
    assert time_span(1555399760151000, 1555399761779869).startswith(expected)
    assert time_span(1555399760151000000, 1555399761779869000).startswith(expected)
    assert time_span(0, 11) == ""
    assert time_span(10**19, 10**19) == ""


def test_results_are_told_by_type(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "format_samples" / "maupertuis" / "kapture"
    if not root.exists():
        pytest.skip(f"{root} is not there")
    facts = shown(root, capsys)
    assert facts["points"] == {"count": 1039, "with_colour": True}
    assert list(facts["observations"].values()) == ["3,355 of 1,039 points, mean track 3.23"]
    assert all(text.startswith("4 images, ") for text in facts["keypoints"].values())


def test_cameras_are_told_with_where_their_focal_length_comes_from() -> None:
    def camera(focal: float, source: str) -> Sensor:
        return Sensor("camera", camera=Camera("SIMPLE_PINHOLE", 640, 480, (focal, 320, 240)), focal_source=source)

    sensors = {"a": camera(500, "EXIF 35 mm tag"), "b": camera(510.5, "EXIF 35 mm tag"), "c": camera(768, "guessed")}
    sensors["d"] = Sensor("camera", camera=Camera("UNKNOWN_CAMERA", 640, 480))
    assert cameras(
        Capture(sensors, Records.from_rows([(i, name, f"{name}.jpg") for i, name in enumerate(sensors)]))
    ) == {
        "SIMPLE_PINHOLE 640 x 480, focal length 500.0 to 510.5 px (EXIF 35 mm tag)": 2,
        "SIMPLE_PINHOLE 640 x 480, focal length 768.0 px (guessed)": 1,
        "UNKNOWN_CAMERA 640 x 480": 1,
    }


def test_a_capture_of_very_many_rigs_and_notes_still_fits_on_a_screen() -> None:
    facts = {"images": 1, "rigs": {f"rig{i}": 2 for i in range(100)}, "notes": [f"note {i}" for i in range(100)]}
    text = lines(facts)
    assert len(text.splitlines()) <= 20
    assert "93 more" in text
    assert "92 more" in text


def test_what_is_neither_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    assert main(["show", str(tmp_path)]) == 2
