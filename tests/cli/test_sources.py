"""A result file keeps poses of the sources that the user allows; what is withheld is said, never lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vloc.cli.estimates import read_estimates, write_results
from vloc.cli.main import main
from vloc.cli.outputs import is_results
from vloc.cli.sources import counts, kept, status, told
from vloc.data.estimate import PoseEstimate, Source
from vloc.errors import ConfigError
from vloc.formats.results import read_poses
from vloc.geometry.rigid import Rigid


def placed(name: str, source: Source) -> PoseEstimate:
    return PoseEstimate(name, Rigid.identity(), source, covariance=np.eye(6), confidence=0.9)


FOUND = [placed("a.jpg", "pnp"), placed("b.jpg", "rig"), PoseEstimate("c.jpg", None, "none", reason="nothing seen")]


def test_poses_of_other_sources_are_withheld_with_a_reason_and_keep_their_source() -> None:
    a, b, c = kept(FOUND, "pnp")
    assert [status(e) for e in (a, b, c)] == ["localized", "withheld", "failed"]
    assert (b.source, b.reason, b.covariance) == ("rig", "its pose, by rig, was withheld: --sources pnp", None)
    assert c.reason == "nothing seen"


def test_without_sources_all_poses_stay() -> None:
    assert kept(FOUND, None) == FOUND and told(FOUND) == "2 of 3 queries localized (1 pnp, 1 rig)"


@pytest.mark.parametrize("text", ["", "pnp,slam", "none", ","])
def test_an_unknown_source_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected some of pnp,depth,rig,sequence,retrieval"):
        kept([], text)


def test_the_summary_counts_poses_by_source_and_says_how_many_were_withheld() -> None:
    estimates = kept([*FOUND, placed("d.jpg", "pnp")], " pnp ,sequence")
    assert counts(estimates) == {"pnp": 2, "none": 1}
    assert told(estimates) == "2 of 4 queries localized (2 pnp), 1 withheld"


def test_withheld_poses_are_not_in_the_result_file_and_the_pair_of_files_reads_back(tmp_path: Path) -> None:
    results = tmp_path / "poses.txt"
    write_results(results, kept(FOUND, "rig"), {})
    assert list(read_poses(results)) == ["b.jpg"]
    assert is_results(results)  # so that a rerun may replace it
    back = read_estimates(results)
    assert [(e.name, e.source, status(e)) for e in back] == [
        ("a.jpg", "pnp", "withheld"),
        ("b.jpg", "rig", "localized"),
        ("c.jpg", "none", "failed"),
    ]
    rows = json.loads((tmp_path / "poses.txt.json").read_text())
    assert [row["status"] for row in rows] == ["withheld", "localized", "failed"]


def test_withheld_fallbacks_are_not_counted_as_localized(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results, truth = tmp_path / "poses.txt", tmp_path / "truth.txt"
    write_results(results, kept([*FOUND, placed("d.jpg", "retrieval")], "pnp"), {})
    truth.write_text("".join(f"{e.name} 1 0 0 0 0 0 0\n" for e in [*FOUND, placed("d.jpg", "retrieval")]))
    assert main(["evaluate", str(results), str(truth)]) == 0
    assert "1 of 4 localized\n" in capsys.readouterr().out


def test_the_command_withholds_and_says_so(job, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "poses.txt"
    command = ["localize", str(job.map), str(job.queries), str(results)]
    assert main([*command, "--sources", "rig", "--json", "--quiet"]) == 3  # not one pose is written
    summary = json.loads(capsys.readouterr().out)
    assert (summary["num_localized"], summary["num_withheld"]) == (0, len(read_poses(job.results)))
    assert read_poses(results) == {}
    assert main([*command, "--sources", "all"]) == 2
    assert "--sources 'all': expected some of pnp,depth,rig,sequence,retrieval" in capsys.readouterr().err
