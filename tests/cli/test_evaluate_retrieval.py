"""`vloc evaluate --retrieval` on files written by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vloc.cli.main import main

# q1 is where near.jpg is; q2 is 100 m away from everything else.
MAP = "near.jpg 1 0 0 0 0 0 0\nfar.jpg 1 0 0 0 100 0 0\n"
TRUTH = "day/q1.jpg 1 0 0 0 0 0 1\nnight/q2.jpg 1 0 0 0 0 0 2\n"
PAIRS = "day/q1.jpg, near.jpg, 0.9\nday/q1.jpg, far.jpg, 0.1\nnight/q2.jpg, near.jpg, 0.2\nnight/q2.jpg, far.jpg, 0.8\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    contents = {"map": MAP, "truth": TRUTH, "pairs": PAIRS}
    for name, text in contents.items():
        (tmp_path / f"{name}.txt").write_text(text)
    return {name: str(tmp_path / f"{name}.txt") for name in contents} | {"json": str(tmp_path / "figures.json")}


def test_a_table_and_a_json_file_say_the_same(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--retrieval", "--map", files["map"], "--ks", "1", "2", "--thresholds", "4,40", "--json", files["json"]]
    assert main(["evaluate", files["pairs"], files["truth"], *flags]) == 0
    table = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert table[0] == ["queries", "within", "recall@1", "recall@2", "share@1", "share@2"]
    assert table[1:] == [
        [condition, count, "4", "m,", "40", "deg", first, "100.0", first, "100.0"]
        for condition, count, first in (("all", "2", "50.0"), ("day", "1", "100.0"), ("night", "1", "0.0"))
    ]
    rows = json.loads(Path(files["json"]).read_text())["retrieval"]
    assert [row["recall"] for row in rows] == [{"1": 50, "2": 100}, {"1": 100, "2": 100}, {"1": 0, "2": 100}]
    assert main(["evaluate", files["pairs"], files["truth"], *flags]) == 0  # its own file may be replaced


def test_lists_of_relevant_images_need_no_poses(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    lists = {"imlist": ["near", "far"], "qimlist": ["q1", "q2"], "gnd": [{"easy": [0]}, {"hard": [0], "junk": [1]}]}
    Path(files["json"]).write_text(json.dumps(lists))
    assert main(["evaluate", files["pairs"], files["json"], "--retrieval", "--ks", "1"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["setting", "queries", "mAP", "mP@1"],
        ["easy", "1", "100.0", "100.0"],
        ["medium", "2", "100.0", "100.0"],
        ["hard", "1", "100.0", "100.0"],
    ]


@pytest.mark.parametrize(
    ("flags", "told"), [([], "--map MAP"), (["--map", "MAP", "--ks", "0"], "--ks 0"), (["--map", "PAIRS"], "fields")]
)
def test_what_is_missing_or_wrong_is_told(
    files: dict[str, str], capsys: pytest.CaptureFixture[str], flags: list[str], told: str
) -> None:
    flags = [{"MAP": files["map"], "PAIRS": files["pairs"]}.get(flag, flag) for flag in flags]
    assert main(["evaluate", files["pairs"], files["truth"], "--retrieval", *flags]) == 2
    assert told in capsys.readouterr().err


def test_poses_of_the_map_mean_nothing_for_poses(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", files["truth"], files["truth"], "--map", files["map"]]) == 2
    assert "only --retrieval" in capsys.readouterr().err


def test_nothing_is_near_in_a_map_without_metres(files: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    row = {"name": "day/q1.jpg", "status": "failed", "source": "none", "retrieved": ["near.jpg"], "unit": "map units"}
    Path(files["pairs"] + ".json").write_text(json.dumps([row]))
    assert main(["evaluate", files["pairs"], files["truth"], "--retrieval", "--map", files["map"]]) == 2
    assert "no metres" in capsys.readouterr().err
