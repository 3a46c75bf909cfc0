"""`vloc results` and `vloc localize --style` on a finished job."""

from __future__ import annotations

from pathlib import Path

import pytest

from vloc.cli.main import main


def test_localize_writes_the_file_to_submit_beside_its_own(job, tmp_path: Path) -> None:
    results = tmp_path / "poses.txt"
    command = ["localize", str(job.map), str(job.queries), str(results), "--quiet", "--style", "aachen"]
    assert main(command) in (0, 3)
    own, submitted = (path.read_text().splitlines() for path in (results, tmp_path / "poses.aachen.txt"))
    assert sorted(line.rpartition("/")[2] for line in own) == submitted
    check = ["results", "check", str(tmp_path / "poses.aachen.txt"), "--queries", str(job.queries)]
    assert main([*check, "--style", "aachen", "--map", str(job.map)]) == 0


def test_a_style_that_cannot_be_is_refused_before_any_work(
    job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "poses.txt"
    assert main(["localize", str(job.map), str(job.queries), str(results), "--style", "aachn"]) == 2
    assert "--style aachn: choose from plain, aachen" in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_what_a_benchmark_would_stumble_over_is_found(job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken, given = tmp_path / "broken.txt", ["--queries", str(job.queries), "--map", str(job.map)]
    lines = job.results.read_text().splitlines()
    broken.write_text("\n".join([*lines, lines[0], "stranger.jpg 1 0 0 0 0 0 0", ""]))
    assert main(["results", "check", str(broken), *given]) == 3
    told = capsys.readouterr().out
    assert f"broken.txt:{len(lines) + 1}: '{lines[0].split()[0]}' is here twice" in told
    assert "1 are none of the queries: 'stranger.jpg'" in told and "problems found: 2" in told
    far = [f"{line.rsplit(maxsplit=3)[0]} 900 900 900" for line in lines]
    broken.write_text("\n".join(far))
    assert main(["results", "check", str(broken), *given]) == 3
    assert "from the nearest map camera" in capsys.readouterr().out


def test_results_are_written_anew_in_another_style(job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, given = tmp_path / "out.txt", ["--queries", str(job.queries)]
    few = tmp_path / "few.txt"
    few.write_text(job.results.read_text().splitlines()[0] + "\n")
    assert main(["results", "write", str(few), str(out), "--style", "rio10", *given]) == 0
    assert "have no pose: left out" in capsys.readouterr().out
    assert len(out.read_text().splitlines()) == 1 and ".jpg" not in out.read_text()
    assert main(["results", "write", str(few), str(out), *given]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["results", "write", str(few), *given]) == 2
    assert main(["results", "write", str(few), str(tmp_path / "p.txt"), "--style", "4seasons", *given]) == 2
    assert "expected 4seasons:LIST, and --map" in capsys.readouterr().err
