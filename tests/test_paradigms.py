"""Queries placed by other things than the map's points, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import vloc
from vloc.errors import ConfigError

from .jobs import run


def rows(results: Path) -> list[dict]:
    return json.loads(results.with_name(results.name + ".json").read_text())


@pytest.mark.parametrize("weights", ["ewb", "bdi", "csi"])
def test_poses_are_approximated_without_local_features(
    gallery: Path, built: Path, tmp_path: Path, weights: str
) -> None:
    results = tmp_path / "poses.txt"
    flags = "--paradigm", "approximation", "--approximate.weights", weights, "--num-retrieved", "3", "--quiet"
    assert run("localize", built, gallery / "query", results, *flags) == 0
    assert run("evaluate", results, gallery / "query_truth.txt", "--json", tmp_path / "figures.json") == 0
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert (figures["num_localized"], figures["num_fallbacks"]) == (4, 4) and figures["median_translation_m"] < 1.5
    assert {(row["source"], row["confidence"], len(row["retrieved"])) for row in rows(results)} == {("retrieval", 0, 3)}
    assert not any(results.with_name("poses.txt.work").glob("extract-*"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"paradigm": "approximation", "rig": {"use": "joint"}}, "--rig joint solves for all cameras"),
        ({"paradigm": "local-sfm", "rig": {"use": "joint"}}, "--rig joint solves for all cameras"),
        ({"paradigm": "approximation", "rerank": ["geometric"]}, "re-ranking 'geometric' matches local features"),
        ({"paradigm": "magic"}, "paradigm: Invalid enum value 'magic'"),
    ],
)
def test_settings_that_a_paradigm_does_without_are_refused_before_any_work(
    drive: Path, built: Path, tmp_path: Path, settings: dict, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        vloc.localize(vloc.Map.open(built), drive / "drive", tmp_path / "work", **settings)
    assert not any((tmp_path / "work").glob("extract-*"))


def test_a_localizer_in_memory_says_that_it_needs_the_map(built: Path) -> None:
    with pytest.raises(ConfigError, match="paradigm 'approximation': a localizer in memory places by the map's points"):
        vloc.Localizer(built, paradigm="approximation")
