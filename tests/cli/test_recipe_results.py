"""Which poses go into which file, by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from vloc.datasets.naver_indoor import GANGNAM

import vloc
from tests.raw_trees_indoor import write_kapture
from vloc.cli.recipe_results import Answer, submit
from vloc.errors import DataError
from vloc.formats.results import read_poses, write_poses

AHEAD = vloc.Rigid(np.eye(3), np.array([0.0, 0.0, 1.0]))


def answer(root: Path, place: str, queries: str, name: str) -> Answer:
    """One query, whose pose was found."""
    folder = root / place / queries
    (folder / "sensors").mkdir(parents=True)
    write_kapture(folder / "sensors", [name], [])
    write_poses(root / f"{place}_{queries}_poses.txt", {name: AHEAD})
    return Answer(folder, root / f"{place}_{queries}_poses.txt")


def test_places_share_a_file_and_queries_of_public_truth_stay_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [answer(tmp_path, "B1", "query_test", "a.jpg"), answer(tmp_path, "B2", "query_test", "b.jpg")]
    answers.append(answer(tmp_path, "B2", "query_validation", "c.jpg"))
    write_poses(answers[-1].truth, {"c.jpg": AHEAD})
    submit(GANGNAM, answers, tmp_path / "all.txt")
    assert sorted(read_poses(tmp_path / "all.txt")) == ["a.jpg", "b.jpg"]
    assert "to submit: " in capsys.readouterr().out


def test_where_all_truth_is_public_all_poses_are_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    only = answer(tmp_path, "B1", "query", "a.jpg")
    write_poses(only.truth, {"a.jpg": AHEAD})
    submit(GANGNAM, [only], tmp_path / "all.txt")
    assert list(read_poses(tmp_path / "all.txt")) == ["a.jpg"]
    assert "to submit" not in capsys.readouterr().out


def test_a_file_for_each_set_of_queries_is_called_as_place_and_queries(tmp_path: Path) -> None:
    answers = [answer(tmp_path, "CAB", f"query_{kind}", "a.jpg") for kind in ("phone", "hololens")]
    submit(replace(GANGNAM, style="lamar", in_one_file=False), answers, tmp_path / "all.txt")
    assert (tmp_path / "CAB_query_phone.txt").exists() and (tmp_path / "CAB_query_hololens.txt").exists()
    assert not (tmp_path / "all.txt").exists()


def test_two_places_with_queries_of_one_name_are_refused_for_one_file(tmp_path: Path) -> None:
    answers = [answer(tmp_path, floor, "query_test", "a.jpg") for floor in ("B1", "B2")]
    with pytest.raises(DataError, match=r"B2: query 'a\.jpg' is one of another place, too"):
        submit(GANGNAM, answers, tmp_path / "all.txt")
    assert not (tmp_path / "all.txt").exists()
