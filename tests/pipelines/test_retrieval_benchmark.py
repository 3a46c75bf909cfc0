"""The retrieval benchmark on a small gallery: every descriptor and operator, through three paradigms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.jobs import run


@pytest.mark.slow
def test_each_descriptor_and_operator_is_a_row_in_every_paradigm(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--descriptors", "densevlad", "vlad", "--operators", "mean", "--ks", "4"]
    command = ["run", "retrieval_benchmark", "--data", small, "--out", tmp_path, "--features", "sift:max_keypoints=800"]
    assert run(*command, *flags) == 0
    told = capsys.readouterr().out
    scores = json.loads((tmp_path / "results.json").read_text())
    assert len(scores) == 3 * 3 and {score["row"] for score in scores} == {"densevlad", "vlad", "mean"}
    by_map = [score["recall"]["day"] for score in scores if score["paradigm"] == "map"]
    assert all(recall[2] == 100 for recall in by_map)
    assert "local-sfm, 4 images: percent within (0.25 m, 2 deg)" in told and "night" in told
    drawn = (tmp_path / "recall.svg").read_text()
    assert "approximation, day" in drawn and "retrieved images" in drawn


def test_an_unknown_operator_is_refused_before_any_work(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("run", "retrieval_benchmark", "--data", small, "--out", tmp_path, "--operators", "median") == 2
    assert "unknown fusion 'median'" in capsys.readouterr().err and not [*tmp_path.iterdir()]
    assert run("run", "retrieval_benchmark", "--data", small, "--out", tmp_path, "--ks", "0") == 2
    assert "--ks 0: expected numbers of images" in capsys.readouterr().err and not [*tmp_path.iterdir()]
