"""Photos matched without features, end to end: true matches give true poses, and what cannot be is refused in words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from vloc.datasets.synthetic_gallery import GalleryConfig, make

import vloc
from vloc.config import LocalizationConfig, MappingConfig, make_config
from vloc.features.matched import Matched
from vloc.map import Map
from vloc.matching import MATCHERS
from vloc.page.evidence import finder
from vloc.registry import to_text
from vloc.runtime import Runtime

from .jobs import content, run
from .made_matches import MadeMatcher


@pytest.fixture(scope="module", autouse=True)
def _made() -> Iterator[None]:
    """The made matcher is known to the tests of this module."""
    MATCHERS.register("made")(MadeMatcher)
    yield
    del MATCHERS._classes["made"]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of 12 + 3 images of 320 x 240."""
    make(
        root := tmp_path_factory.mktemp("photos"),
        GalleryConfig(num_images=12, num_queries=3, image_size=(320, 240), seed=5),
    )
    return root


@pytest.fixture(scope="module")
def flags(gallery: Path) -> list[object]:
    return ["--matcher", f"made:gallery={gallery}", "--num-pairs", "5", "--quiet"]


@pytest.fixture(scope="module")
def built(gallery: Path, flags: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A map of true matches."""
    folder = tmp_path_factory.mktemp("built") / "map"
    assert run("map", gallery / "mapping", folder, *flags) == 0
    return folder


def test_true_matches_give_true_poses(gallery: Path, built: Path, tmp_path: Path) -> None:
    assert run("localize", built, gallery / "query", tmp_path / "poses.txt", "--num-retrieved", "5", "--quiet") == 0
    assert run("evaluate", tmp_path / "poses.txt", gallery / "query_truth.txt", "--json", tmp_path / "f.json") == 0
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["num_localized"] == figures["num_queries"] == 3
    assert figures["median_translation_m"] < 0.003 and figures["max_translation_m"] < 0.01
    rows = json.loads((tmp_path / "poses.txt.json").read_text())
    assert all(row["num_inliers"] > 200 and row["num_guided"] == 0 and row["confidence"] > 0.9 for row in rows)
    map_ = Map.open(built)
    assert map_.sparse.mean_error < 0.5 and np.bincount(map_.sparse.track_lengths)[3:].sum() > 500


def test_features_follow_the_matcher(gallery: Path, built: Path) -> None:
    config = Map.open(built).config
    assert to_text(config.extract) == "matched" and config.match == MadeMatcher(str(gallery))
    assert make_config(MappingConfig, match="loftr").extract == Matched()
    assert to_text(make_config(MappingConfig, extract="matched").match) == "loftr"


def test_one_and_two_workers_and_python_give_the_same_map(
    gallery: Path, built: Path, flags: list[object], tmp_path: Path
) -> None:
    assert run("map", gallery / "mapping", tmp_path / "m", *flags, "--workers", "1") == 0
    assert content(tmp_path / "m") == content(built)
    map_ = vloc.build_map(gallery / "mapping", tmp_path / "p", matcher=f"made:gallery={gallery}", pair={"num_pairs": 5})
    np.testing.assert_array_equal(map_.sparse.points, Map.open(built).sparse.points)
    assert all(e.is_localized for e in vloc.localize(map_, gallery / "query", tmp_path / "w"))


def test_a_map_whose_photos_are_gone_says_so_before_any_work(
    gallery: Path, flags: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(gallery / "mapping", tmp_path / "mapping")
    assert run("map", tmp_path / "mapping", tmp_path / "m", *flags) == 0
    shutil.rmtree(tmp_path / "mapping")
    assert run("localize", tmp_path / "m", gallery / "query", tmp_path / "poses.txt") == 2
    told = capsys.readouterr().err
    assert f"queries are compared with the map's own photos, and {tmp_path / 'mapping'}: no such file or folder" in told
    map_ = vloc.build_map(
        vloc.read(gallery / "mapping"), tmp_path / "p", matcher=f"made:gallery={gallery}", pair={"num_pairs": 2}
    )
    with pytest.raises(vloc.DataError, match="the map does not say where they are"):
        vloc.localize(map_, gallery / "query", tmp_path / "w")


def test_broken_photos_are_named_and_the_others_go_on(
    gallery: Path, flags: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(gallery / "mapping", tmp_path / "mapping")
    shutil.copytree(gallery / "query", tmp_path / "query")
    photos = tmp_path / "mapping" / "sensors" / "records_data"
    (photos / "left" / "000001.jpg").unlink()
    assert run("map", tmp_path / "mapping", tmp_path / "m", *flags) == 3
    assert "left/000001.jpg" in capsys.readouterr().err
    assert "left/000001.jpg" not in Map.open(tmp_path / "m").sparse.image_names
    (photos / "front" / "000001.jpg").write_bytes(b"no photo")
    query = next((tmp_path / "query" / "sensors" / "records_data").glob("*/*.jpg"))
    query.write_bytes(query.read_bytes()[:2000])
    assert run("localize", tmp_path / "m", tmp_path / "query", tmp_path / "poses.txt") == 3
    told = capsys.readouterr()
    assert "front/000001.jpg: not an image" in told.err and f"{query.parent.name}/{query.name}" in told.err
    assert "2 of 3 queries localized" in told.out


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"extract": "sift", "match": "loftr"}, "looks at photos, not at features 'sift': leave out --features"),
        ({"extract": "matched", "match": "nn"}, "compares descriptors, which features 'matched' do not have"),
        ({"extract": "matched", "match": "lightglue"}, "such as loftr, or other features"),
    ],
)
def test_what_does_not_go_together_is_refused_in_words(settings: dict[str, str], said: str) -> None:
    with pytest.raises(vloc.ConfigError, match=said):
        make_config(MappingConfig, **settings)


def test_what_needs_descriptors_is_refused_before_any_work(gallery: Path, built: Path, tmp_path: Path) -> None:
    chosen = {"matcher": f"made:gallery={gallery}"}
    for wanted in ("vlad", "bow:of=matched"):
        with pytest.raises(vloc.ConfigError, match=r"say of which .*:of=sift"):
            vloc.build_map(gallery / "mapping", tmp_path / "m", retrieval=wanted, **chosen)
    with pytest.raises(vloc.ConfigError, match="re-ranking 'geometric' compares descriptors"):
        vloc.localize(Map.open(built), gallery / "query", tmp_path / "w", rerank=["geometric"])
    with pytest.raises(vloc.ConfigError, match="looks at the map's own photos"):
        vloc.Localizer(built)
    with pytest.raises(vloc.ConfigError, match="features 'matched' do not have"):
        vloc.localize(Map.open(built), gallery / "query", tmp_path / "w", matcher="nn")
    with pytest.raises(vloc.ConfigError, match="a photo alone has none"):
        Matched().load(Runtime())


def test_missing_weights_are_told_before_any_photo_is_looked_at(
    gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("VLOC_WEIGHTS", raising=False)
    assert run("map", gallery / "mapping", tmp_path / "m", "--matcher", "loftr") == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "loftr_outdoor.ckpt is in none of" in line and "vloc weights get loftr_outdoor.ckpt" in line
    assert [path.name for path in (tmp_path / "m").iterdir() if path.is_dir()] == []


def test_pictures_of_a_page_go_without_matches(gallery: Path, built: Path) -> None:
    find = finder(Map.open(built), LocalizationConfig(), Runtime())
    query = vloc.read(gallery / "query")
    name = query.images.names[0]
    assert find(None, query.camera(name), vloc.PoseEstimate(name, None, "none")) is None
