"""Queries placed by other things than the map's points, through the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vloc
from vloc.data.sparse_map import NO_POINT
from vloc.data.splitting import part_of
from vloc.errors import ConfigError
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors
from vloc.stage import Artifact

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
    assert not any(results.with_name("vloc.work").glob("extract-*"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"paradigm": "approximation", "rig": {"use": "joint"}}, "--rig joint solves for all cameras"),
        ({"paradigm": "local-sfm", "rig": {"use": "joint"}}, "--rig joint solves for all cameras"),
        ({"paradigm": "approximation", "rerank": ["geometric"]}, "re-ranking 'geometric' matches local features"),
        ({"paradigm": "local-sfm", "match": "loftr"}, "matcher 'loftr'"),
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


def without_points(map_: vloc.Map) -> vloc.Map:
    """The same images and poses, and not one point."""
    sparse = map_.sparse
    bare = replace(
        sparse,
        points=np.zeros((0, 3)),
        point_errors=np.zeros(0, np.float32),
        point_of_keypoint=np.full_like(sparse.point_of_keypoint, NO_POINT),
        colors=None,
        point_covariances=None,
    )
    return replace(map_, stored=Artifact(bare, "no points"))


@pytest.fixture(scope="module")
def local(gallery: Path, built: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[vloc.PoseEstimate]]:
    """Queries placed by small maps of their own, and where; six images each."""
    folder = tmp_path_factory.mktemp("local") / "work"
    map_ = without_points(vloc.Map.open(built))
    return folder, vloc.localize(map_, gallery / "query", folder, paradigm="local-sfm", local={"num_images": 6})


def test_queries_are_placed_by_points_of_their_retrieved_images_alone(gallery: Path, local) -> None:
    truth, found = read_poses(gallery / "query_truth.txt"), local[1]
    errors = [pose_errors(e.cam_from_world, truth[e.name]) for e in found if e.is_localized]
    assert len(errors) == 4 and max(metres for metres, _ in errors) < 0.01
    assert all(e.source == "pnp" and e.confidence > 0.5 for e in found)


def test_map_images_are_matched_once_for_all_queries_and_a_query_less_redoes_nothing(
    gallery: Path, built: Path, local
) -> None:
    folder, found = local
    stores = {path.name: sorted(path.glob("*.h5")) for path in folder.glob("*-*") if "retrieve" not in path.name}
    assert sum(name.startswith("match-posed") for name in stores) == 1
    fewer, map_ = part_of(vloc.read(gallery / "query"), np.arange(4) < 3), without_points(vloc.Map.open(built))
    again = vloc.localize(map_, fewer, folder, paradigm="local-sfm", local={"num_images": 6})
    assert {name: sorted((folder / name).glob("*.h5")) for name in stores} == stores
    for before, after in zip(found[:3], again, strict=True):
        np.testing.assert_array_equal(before.cam_from_world.translation, after.cam_from_world.translation)


def test_one_retrieved_image_makes_no_map(gallery: Path, built: Path, tmp_path: Path) -> None:
    flags = "--paradigm", "local-sfm", "--num-retrieved", "1", "--quiet"
    assert run("localize", built, gallery / "query", tmp_path / "poses.txt", *flags) == 3
    assert {(row["status"], row["num_matches"]) for row in rows(tmp_path / "poses.txt")} == {("failed", 0)}
