"""`vloc evaluate` on poses whose errors are known by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vloc.cli.main import main
from vloc.formats.access import read

KEYS = {
    "num_queries", "num_localized", "median_translation_m", "median_rotation_deg", "max_translation_m",
    "max_rotation_deg", "recall",
}  # fmt: skip
TRUTH = "a.jpg 1 0 0 0 0 0 0\nb.jpg 1 0 0 0 0 0 0\nc.jpg 1 0 0 0 0 0 0\n"
# Centre of a is (0.1, 0, 0) away; b is turned by 90 degrees about z at the same centre, c by nothing.
RESULTS = "a.jpg 1 0 0 0 -0.1 0 0\nb.jpg 0.7071067811865476 0 0 0.7071067811865476 0 0 0\nc.jpg 1 0 0 0 0 0 0\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    (tmp_path / "truth.txt").write_text(TRUTH)
    (tmp_path / "results.txt").write_text(RESULTS)
    return str(tmp_path / "results.txt"), str(tmp_path / "truth.txt"), str(tmp_path / "figures.json")


def test_the_json_file_holds_the_promised_keys_and_figures(files: tuple[str, str, str]) -> None:
    results, truth, figures = files
    assert main(["evaluate", results, truth, "--json", figures]) == 0
    found = json.loads(Path(figures).read_text())
    assert set(found) >= KEYS
    assert (found["num_queries"], found["num_localized"]) == (3, 3)
    assert found["max_translation_m"] == pytest.approx(0.1)
    assert found["max_rotation_deg"] == pytest.approx(90)
    assert found["median_translation_m"] == pytest.approx(0)
    assert [recall["percent"] for recall in found["recall"]] == pytest.approx([200 / 3] * 3)
    assert set(found["recall"][0]) == {"translation_m", "rotation_deg", "percent", "auc", "low", "high"}


def test_thresholds_are_the_users(files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", *files[:2], "--thresholds", "0.05,1", "1,100"]) == 0
    text = capsys.readouterr().out
    assert "within (0.05 m, 1 deg): 33.3 %" in text
    assert "within (1 m, 100 deg): 100.0 %" in text


def test_a_query_without_a_pose_counts_against_recall(files: tuple[str, str, str], tmp_path: Path) -> None:
    (tmp_path / "results.txt").write_text(RESULTS.splitlines()[0] + "\n")
    assert main(["evaluate", *files[:2], "--json", files[2]]) == 0
    found = json.loads(Path(files[2]).read_text())
    assert (found["num_queries"], found["num_localized"]) == (3, 1)
    assert found["median_translation_m"] is None
    assert found["recall"][0]["percent"] == pytest.approx(100 / 3)


def test_a_broken_line_is_named_by_file_and_line(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(files[0]).write_text(RESULTS + "d.jpg 1 0 0\n")
    assert main(["evaluate", *files[:2]]) == 2
    assert "results.txt:4" in capsys.readouterr().err


def test_results_of_another_place_are_refused(files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    Path(files[0]).write_text("elsewhere.jpg 1 0 0 0 0 0 0\n")
    assert main(["evaluate", *files[:2]]) == 2
    assert "elsewhere.jpg" in capsys.readouterr().err


def test_figures_that_cannot_be_written_are_bad_input(
    files: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *files[:2], "--json", str(tmp_path / "missing" / "figures.json")]) == 2
    assert f"{tmp_path / 'missing'}: no such folder" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/sys").is_dir(), reason="needs a folder that nobody may write in: /sys")
def test_a_folder_that_may_not_be_written_in_is_bad_input(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *files[:2], "--json", "/sys/figures.json"]) == 2
    assert "\nvloc: /sys/" in capsys.readouterr().err


def rows(*names: str, source: str = "pnp") -> str:
    return json.dumps([{"name": name, "status": "localized", "source": source, "retrieved": []} for name in names])


def test_only_the_queries_that_were_asked_count_unless_told(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    results, truth, figures = files
    Path(results).write_text(RESULTS.splitlines()[0] + "\n")
    Path(f"{results}.json").write_text(rows("a.jpg", "b.jpg", "elsewhere.jpg"))
    assert main(["evaluate", results, truth, "--json", figures]) == 0
    told = capsys.readouterr().out
    assert "1 of 2 localized\n" in told
    assert "1 queries have no truth and were not counted" in told
    assert "1 images of the truth were no queries (--all counts them as failed)" in told
    found = json.loads(Path(figures).read_text())
    assert (found["num_queries"], found["num_not_asked"], found["num_without_truth"]) == (2, 1, 1)
    assert found["queries"] == [
        {"name": "a.jpg", "translation_m": pytest.approx(0.1), "rotation_deg": pytest.approx(0)},
        {"name": "b.jpg", "translation_m": None, "rotation_deg": None},
    ]
    assert main(["evaluate", results, truth, "--all"]) == 0
    assert "1 of 3 localized\n" in capsys.readouterr().out


def test_fallbacks_are_told_where_there_are_any(
    files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(f"{files[0]}.json").write_text(rows("a.jpg", "b.jpg", "c.jpg", source="retrieval"))
    assert main(["evaluate", *files[:2]]) == 0
    assert "3 of 3 localized, 3 by retrieval alone\n" in capsys.readouterr().out


def test_details_of_other_results_are_refused(files: tuple[str, str, str], capsys: pytest.CaptureFixture[str]) -> None:
    Path(f"{files[0]}.json").write_text(rows("a.jpg", "b.jpg"))
    assert main(["evaluate", *files[:2]]) == 2
    assert "results.txt.json: does not list 'c.jpg'" in capsys.readouterr().err


def test_truth_and_results_can_be_captures_on_rigs_or_their_trajectories(
    gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sensors = tmp_path / "truth" / "sensors"
    sensors.mkdir(parents=True)
    # A rig at (1, 0, 0) whose camera is 2 m further along its x: the camera is at (3, 0, 0).
    files = {
        "sensors": "cam, , camera, SIMPLE_PINHOLE, 8, 8, 9, 4, 4",
        "rigs": "rig, cam, 1, 0, 0, 0, -2, 0, 0",
        "trajectories": "5, rig, 1, 0, 0, 0, -1, 0, 0",
        "records_camera": "5, cam, left/a.jpg",
    }
    for name, row in files.items():
        (sensors / f"{name}.txt").write_text(f"# kapture format: 1.1\n{row}\n")
    poses = tmp_path / "poses.txt"
    poses.write_text("a.jpg 1 0 0 0 -3.01 0 0\n")
    for truth in (str(tmp_path / "truth"), f"kapture:{tmp_path / 'truth'}", str(sensors / "trajectories.txt")):
        assert main(["evaluate", str(poses), truth]) == 0
        assert "median: 1.00 cm, 0.000 deg" in capsys.readouterr().out
    assert main(["evaluate", str(tmp_path / "truth"), str(poses)]) == 0
    assert "median: 1.00 cm" in capsys.readouterr().out


def test_conditions_come_from_a_file_and_stand_in_every_output(
    files: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, truth, figures = files
    (tmp_path / "conditions.txt").write_text("a.jpg day\nb.jpg night_1\nc.jpg day\n")
    outputs = ["--json", figures, "--latex", str(tmp_path / "table.tex")]
    assert main(["evaluate", results, truth, "--conditions", str(tmp_path / "conditions.txt"), *outputs]) == 0
    told = capsys.readouterr().out
    assert "day: 2 of 2 localized, 100.0 / 100.0 / 100.0 %, median 5.00 cm, 0.000 deg" in told
    assert {
        name: each["num_queries"] for name, each in json.loads(Path(figures).read_text())["conditions"].items()
    } == {
        "day": 2,
        "night_1": 1,
    }
    table = (tmp_path / "table.tex").read_text().splitlines()
    assert r"day & 2 & 100.0 / 100.0 / 100.0 & 5.00\,cm, 0.000$^\circ$ \\" in table
    assert table[6].startswith(r"night\_1 & 1 & 0.0 / 0.0 / 0.0")
    assert main(["evaluate", results, truth, *outputs]) == 0  # what it wrote itself it may replace
    (tmp_path / "conditions.txt").write_text("a.jpg day\nb.jpg\n")
    assert main(["evaluate", results, truth, "--conditions", str(tmp_path / "conditions.txt")]) == 2
    assert "conditions.txt:2: one field; expected 2: name condition" in capsys.readouterr().err
    (tmp_path / "conditions.txt").write_text("a.jpg day\nb.jpg day\n")
    assert main(["evaluate", results, truth, "--conditions", str(tmp_path / "conditions.txt")]) == 2
    assert "1 queries have no condition, such as 'c.jpg'" in capsys.readouterr().err


def test_two_runs_are_compared_query_by_query(
    files: tuple[str, str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.txt"
    other.write_text(TRUTH)
    assert main(["evaluate", *files[:2], "--against", str(other), "--json", files[2]]) == 0
    assert f"against {other}, within (0.25 m, 2 deg): -33.3 points" in capsys.readouterr().out
    assert [(each["gained"], each["lost"]) for each in json.loads(Path(files[2]).read_text())["against"]] == [
        ([], ["b.jpg"])
    ] * 3


def test_trajectories_need_the_timestamps_of_a_capture(job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(job.results), str(job.truth), "--trajectory", "rigid"]) == 2
    assert "says no timestamps: give a capture" in capsys.readouterr().err
    truth = f"kapture:{job.mapping}"
    assert main(["evaluate", truth, truth, "--trajectory", "similarity", "--json", str(tmp_path / "f.json")]) == 0
    assert "trajectory, alignment similarity, scale 1.0000: ATE" in capsys.readouterr().out
    found = json.loads((tmp_path / "f.json").read_text())["trajectory"]
    num_cameras = len({*read(truth).images.devices.tolist()})
    assert found["ate_m"] < 1e-6 and found["num_motions"] == found["num_poses"] - num_cameras
