"""7-Scenes and Cambridge Landmarks on tiny trees in their raw formats, from the folder to the figures."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

import vloc
from tests import raw_trees_indoor as raw
from tests.jobs import run


def test_cambridge_is_placed_scene_by_scene(
    rooms: raw.Rooms, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw.cambridge(tmp_path / "raw", rooms, ["KingsCollege", "ShopFacade"])
    data, out = tmp_path / "raw", tmp_path / "out"
    command = ["run", "cambridge_benchmark", "--data", data, "--out", out, "--fast", "--quiet"]
    assert run(*command, "--only", "ShopFacade") == 0
    told = capsys.readouterr().out
    assert "2 images of 'ShopFacade', expected 103" in told
    assert not (out / "KingsCollege").exists()
    figures = json.loads((out / "figures.json").read_text())
    assert figures["num_queries"] == 2 and figures["median_translation_m"] < 0.01
    assert "ShopFacade: 2 of 2 localized, 100.0 / 100.0 / 100.0 %, median" in told
    queries = vloc.read(f"kapture:{out / 'captures' / 'ShopFacade' / 'query'}")
    assert list(queries.images.names) == ["ShopFacade/seq2/frame00001.png", "ShopFacade/seq2/frame00002.png"]


@pytest.mark.slow
def test_seven_scenes_is_mapped_from_depth(
    rooms: raw.Rooms, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw.seven_scenes_room(
        tmp_path / "raw" / "heads", dataclasses.replace(rooms, mapping=rooms.mapping[:4], query=rooms.query[:1])
    )
    command = ["--data", tmp_path / "raw", "--out", tmp_path / "out", "--fast", "--quiet"]
    assert run("run", "seven_scenes_benchmark", *command) == 0
    told = capsys.readouterr().out
    assert "1 images of 'heads', expected 1000" in told and "4 images of 'mapping', expected 26000" in told
    assert "within (0.05 m, 5 deg): 100.0 %" in told
    figures = json.loads((tmp_path / "out" / "figures.json").read_text())
    assert figures["median_translation_m"] < 0.02
    queries = vloc.read(f"kapture:{tmp_path / 'out' / 'captures' / 'heads' / 'query'}")
    assert queries.images.names[0] == "heads/seq-02/frame-000000.color.png"
    assert "depth" not in queries.others


@pytest.mark.slow
def test_twelve_scenes_has_rooms_in_buildings(
    rooms: raw.Rooms, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = dataclasses.replace(rooms, mapping=rooms.mapping[:6], query=rooms.query[:1])
    raw.twelve_scenes_room(tmp_path / "raw" / "apt1" / "kitchen", few)
    command = ["--data", tmp_path / "raw", "--out", tmp_path / "out", "--fast", "--quiet"]
    assert run("run", "twelve_scenes_benchmark", *command) == 0
    assert "within (0.05 m, 5 deg): 100.0 %" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "figures.json").read_text())["median_translation_m"] < 0.02
    mapping = vloc.read(f"kapture:{tmp_path / 'out' / 'captures' / 'apt1_kitchen' / 'mapping'}")
    assert mapping.images.names[0] == "apt1/kitchen/frame-000001.color.jpg"
