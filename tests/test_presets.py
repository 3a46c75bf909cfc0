"""COLMAP's settings of the kapture paper by name, against its Table 1 as kapture-localization writes it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from vloc.cli.localize import LocalizeFlags
from vloc.cli.map import MapFlags
from vloc.cli.settings import parse
from vloc.config import LocalizationConfig, MappingConfig, make_config
from vloc.errors import ConfigError

from .jobs import run

# Mapper.abs_pose_max_error, .abs_pose_min_num_inliers, .abs_pose_min_inlier_ratio, .ba_refine_focal_length
TABLE_1 = {"config1": (12, 30, 0.25, 0), "config2": (20, 4, 0.05, 0), "config3": (20, 4, 0.05, 1)}


def localizing(*flags: str) -> LocalizationConfig:
    return parse("localize", LocalizeFlags, LocalizationConfig, ["map", "queries", "poses.txt", *flags])[1]


@pytest.mark.parametrize("name", TABLE_1)
def test_presets_hold_what_table_1_says(name: str) -> None:
    max_error, min_inliers, ratio, refine_focal = TABLE_1[name]
    made = localizing("--preset", name).register
    assert (made.max_error_px, made.min_inliers) == (max_error, min_inliers)
    assert made.refine == ("focal" if refine_focal else "none")
    # COLMAP's RANSAC: confidence 0.99999, multiplier 3, at most 10,000
    bound = math.ceil(3 * math.log(1e-5) / math.log(1 - ratio**3))
    assert made.max_iterations == min(bound, 10_000)


def test_what_a_preset_leaves_out_is_as_without_it() -> None:
    made, plain = localizing("--preset", "config2"), localizing()
    assert made.register != plain.register
    assert (made.refine, made.correspond, made.register.min_confidence) == (plain.refine, plain.correspond, 0.5)


def test_flags_and_files_go_over_a_preset(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("[register]\nmin_inliers = 7\n[retrieve]\nnum_retrieved = 3\n")
    flags = "--preset", "config2", "--config", str(tmp_path / "s.toml"), "--register.max-error-px", "9"
    made = localizing(*flags)
    assert (made.register.min_inliers, made.register.max_error_px, made.register.max_iterations) == (7, 9, 10_000)
    assert made.retrieve.num_retrieved == 3


def test_python_takes_the_same_names() -> None:
    made = make_config(LocalizationConfig, preset="config3", register={"min_inliers": 9})
    assert (made.register.min_inliers, made.register.refine) == (9, "focal")
    assert make_config(LocalizationConfig, preset="config1") == localizing("--preset=config1")


def test_maps_keep_intrinsics_by_every_preset() -> None:
    for name in TABLE_1:
        config = parse("map", MapFlags, MappingConfig, ["capture", "map", "--preset", name])[1]
        assert config == make_config(MappingConfig, sfm={"refine_intrinsics": False})


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ConfigError, match="preset 'config4': choose from config1, config2, config3"):
        make_config(LocalizationConfig, preset="config4")


def test_queries_are_localized_by_a_preset_and_what_it_lacks_is_said(
    gallery: Path, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("localize", built, gallery / "query", tmp_path / "poses.txt", "--preset", "config2", "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["num_localized"] == 4
    assert "COLMAP's min_num_matches" in summary["notes"][0] and "--register.min-confidence 0" in summary["notes"][0]
