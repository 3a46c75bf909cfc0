"""`vloc map` and `vloc localize` on a small gallery: files, JSON, failures, dry runs, reruns."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from vloc.cli.estimates import read_estimates
from vloc.cli.main import main
from vloc.errors import DataError
from vloc.map import Map


def test_the_json_summary_says_what_is_in_the_map(job, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", str(job.mapping), str(job.map), "--json", "--quiet"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["num_images"], summary["num_registered"], summary["poses"]) == (12, 12, "known")
    assert summary["num_points"] == len(Map.open(job.map).sparse.points) > 0
    assert summary["failures"] == {}
    assert set(summary["config"]) >= {"extract", "describe", "pair", "match", "verify", "triangulate", "seed"}


def test_the_map_remembers_where_it_came_from(job) -> None:
    about = Map.open(job.map).manifest["capture"]
    assert (about["location"], about["pixel_center"]) == (str(job.mapping), 0.5)


def test_rows_that_are_left_out_are_a_warning_even_when_quiet(
    gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = shutil.copytree(gallery.mapping, tmp_path / "mapping")
    with (capture / "sensors" / "trajectories.txt").open("a") as file:
        file.write("1, ghost, 1, 0, 0, 0, 0, 0, 0\n")
    assert main(["map", str(capture), str(tmp_path / "map"), "--quiet", "--json", "--dry-run"]) == 0
    assert "vloc: warning: trajectories.txt: 1 rows left out: no such device (first: ghost)" in capsys.readouterr().err


def test_every_command_says_what_it_takes_its_input_for(
    job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture, told = str(job.mapping), f"reading {job.mapping} as kapture\n"
    for arguments in (
        ["map", capture, str(job.map)],
        ["localize", str(job.map), capture, str(tmp_path / "poses.txt"), "--dry-run"],
        ["convert", capture, f"list:{tmp_path / 'list.txt'}"],
        ["merge", capture, str(tmp_path / "merged")],
        ["split", capture, str(tmp_path / "one"), str(tmp_path / "two"), "--every-nth", "2"],
    ):
        assert main(arguments) == 0
        assert told in capsys.readouterr().err, arguments
    for arguments, said in (
        (["show", capture], "format        kapture"),
        (["check", capture], f"{capture} (kapture): nothing is broken"),
    ):
        assert main(arguments) == 0
        assert said in capsys.readouterr().out, arguments
    assert main(["evaluate", str(job.results), str(job.truth)]) == 0
    assert f"truth: {job.truth} (result lines)" in capsys.readouterr().err


def test_a_rerun_finds_everything_done(job, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", str(job.mapping), str(job.map)]) == 0
    told = capsys.readouterr().err
    assert "up to date" in told
    assert "to do" not in told


def test_a_dry_run_says_what_a_changed_setting_redoes_and_does_nothing(job, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(job.map.rglob("*"))
    assert main(["map", str(job.mapping), str(job.map), "--dry-run", "--match.ratio", "0.7"]) == 0
    told = capsys.readouterr().err
    assert "match" in told
    assert "ratio" in told
    assert sorted(job.map.rglob("*")) == before


@pytest.mark.parametrize("flags", [["--dry-run"], []])
def test_another_pixel_centre_is_named_as_the_reason_of_what_is_redone(
    job, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    shutil.copytree(job.map, tmp_path / "map")
    command = ["map", str(job.mapping), str(tmp_path / "map")]
    assert main([*command, "--pixel-center", "0.5", *flags]) == 0
    assert "read otherwise" not in capsys.readouterr().err
    assert main([*command, "--pixel-center", "0", *flags]) == 0
    told = capsys.readouterr().err
    assert "the capture is read otherwise than before: pixel center 0.5 -> 0.0; what depends on it is redone" in told


def test_an_added_image_is_described_alone_unless_descriptors_learn_anew(
    gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def rows(*flags: str) -> dict[str, int]:
        capsys.readouterr()
        assert main([*command, "--quiet", "--json", "--dry-run", *flags]) == 0
        return {row["stage"]: row["todo"] for row in json.loads(capsys.readouterr().out)}

    def learned() -> list[str]:
        return Map.open(tmp_path / "map").manifest["references"]["trained"]

    capture = shutil.copytree(gallery.mapping, tmp_path / "mapping")
    command = ["map", str(capture), str(tmp_path / "map")]
    records = capture / "sensors" / "records_camera.txt"
    all_lines = records.read_text()
    records.write_text("".join(all_lines.splitlines(keepends=True)[:-1]))
    assert main([*command, "--quiet"]) == 0
    before = learned()
    records.write_text(all_lines)
    assert (rows()["train"], rows()["describe"]) == (0, 1)
    assert rows("--retrain")["train"] == 1
    assert rows("--describe.densevlad.num-words", "8")["train"] == 1
    assert main(command) == 0
    told = capsys.readouterr()
    assert "train: 1 kept, whatever its images" in told.err
    assert "try: 11 kept, whatever its features, sparse, vectors" in told.err
    assert (
        "kept what the map learned from 11 images (pose-noise, train, try), it has 12 now; it learns anew past 16 "
        in told.out
    )
    assert learned() == before
    assert main([*command, "--quiet", "--retrain"]) == 0
    assert learned() != before
    assert "--retrain" not in capsys.readouterr().out
    # What a fresh folder learns is what learning anew gives, and from then on it is the map's own.
    assert main(["map", str(capture), str(tmp_path / "fresh"), "--quiet"]) == 0
    assert learned() == Map.open(tmp_path / "fresh").manifest["references"]["trained"]
    assert set(rows().values()) == {0}


def test_broken_images_are_listed_and_the_others_go_on(
    gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(gallery.mapping, tmp_path / "mapping")
    images = sorted((tmp_path / "mapping" / "sensors" / "records_data").rglob("*.jpg"))
    images[0].write_bytes(images[0].read_bytes()[:2000])
    images[1].write_bytes(b"")
    images[2].unlink()
    assert main(["map", str(tmp_path / "mapping"), str(tmp_path / "map"), "--quiet"]) == 3
    told = capsys.readouterr().err
    assert "3 failed" in told
    assert all(image.name in told for image in images[:3])
    assert len(Map.open(tmp_path / "map").sparse.image_names) == 9


def test_localize_writes_a_row_for_every_query(job) -> None:
    rows = json.loads(job.results.with_name("poses.txt.json").read_text(encoding="utf-8"))
    assert len(rows) == 4
    assert set(rows[0]) >= {"name", "status", "source", "reason", "num_inliers", "num_matches", "retrieved", "seconds"}
    poses = {line.split()[0] for line in job.results.read_text().splitlines()}
    assert poses == {row["name"] for row in rows if row["status"] == "localized"}
    assert all(row["source"] == "none" and row["reason"] for row in rows if row["status"] == "failed")


def test_localized_queries_are_where_the_truth_says(job, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(job.results), str(job.truth), "--json", str(job.root / "figures.json")]) == 0
    figures = json.loads((job.root / "figures.json").read_text())
    assert figures["num_localized"] >= 2
    assert figures["recall"][0]["percent"] >= 50


def test_written_results_read_back_as_estimates(job) -> None:
    estimates = read_estimates(job.results)
    assert [e.is_localized for e in estimates] == [e.source == "pnp" for e in estimates]
    assert all(e.num_inliers >= 12 for e in estimates if e.is_localized)
    assert {(e.focal_source, e.focal_sigma_px) for e in estimates} == {("calibrated", 0.0)}
    assert {e.camera.model for e in estimates if e.camera is not None} == {"PINHOLE", "SIMPLE_RADIAL"}


def test_poses_and_details_of_different_runs_are_refused(job, tmp_path: Path) -> None:
    shutil.copy(job.results.with_name("poses.txt.json"), tmp_path / "poses.txt.json")
    (tmp_path / "poses.txt").write_text("")
    with pytest.raises(DataError, match=r"poses\.txt\.json"):
        read_estimates(tmp_path / "poses.txt")


def test_a_folder_without_a_map_is_bad_input(job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["localize", str(tmp_path), str(job.queries), str(tmp_path / "poses.txt"), "--quiet"]) == 2
    assert "map.json" in capsys.readouterr().err


def test_the_matcher_of_the_map_has_dotted_flags_in_localize(job, tmp_path: Path) -> None:
    arguments = ["localize", str(job.map), str(job.queries), str(tmp_path / "poses.txt"), "--quiet"]
    assert main([*arguments, "--match.ratio", "0.9"]) in (0, 3)
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--match.rato", "0.9"])
    assert ended.value.code == 2
