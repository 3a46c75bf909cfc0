"""Input that no command can use: refused in one line by name, with the right exit status and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from vloc.cli.estimates import read_estimates
from vloc.cli.main import main
from vloc.errors import DataError

pytestmark = pytest.mark.timeout(60)


def test_settings_nested_100_000_deep_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deep.toml").write_text(f"a = {'[' * 100_000}")
    assert main(["map", "nowhere", str(tmp_path / "map"), "--config", str(tmp_path / "deep.toml")]) == 2
    assert "deep.toml" in capsys.readouterr().err


def test_queries_without_images_are_refused(job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sensors = tmp_path / "empty" / "sensors"
    sensors.mkdir(parents=True)
    (sensors / "sensors.txt").write_text("# kapture format: 1.1\ncam, , camera, PINHOLE, 64, 48, 50, 50, 32, 24\n")
    assert main(["localize", str(job.map), str(tmp_path / "empty"), str(tmp_path / "poses.txt")]) == 2
    assert "empty: a capture without images: there is nothing to localize" in capsys.readouterr().err
    assert not (tmp_path / "poses.txt").exists()


def test_results_nested_100_000_deep_are_refused(job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "poses.txt").write_bytes(job.results.read_bytes())
    (tmp_path / "poses.txt.json").write_text("[" * 100_000)
    assert main(["evaluate", str(tmp_path / "poses.txt"), str(job.truth)]) == 2
    assert "poses.txt.json" in capsys.readouterr().err


def test_a_table_of_settings_for_a_single_value_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.toml").write_text("[seed]\nvalue = 1\n")
    assert main(["map", "nowhere", str(tmp_path / "map"), "--config", str(tmp_path / "a.toml")]) == 2
    assert "a.toml: seed: expected one value, got a table of settings" in capsys.readouterr().err


def test_rows_of_results_that_lack_a_part_are_refused(job, tmp_path: Path) -> None:
    (tmp_path / "poses.txt").write_bytes(job.results.read_bytes())
    text = job.results.with_name("poses.txt.json").read_text()
    for damaged in (text.replace('"status"', '"statu"'), "[5]", '{"a": 1}', text.replace('"name"', '"n"')):
        (tmp_path / "poses.txt.json").write_text(damaged)
        with pytest.raises(DataError, match=r"poses\.txt\.json: expected the rows that vloc localize writes"):
            read_estimates(tmp_path / "poses.txt")
