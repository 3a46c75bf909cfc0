"""Hyundai Department Store as kapture's example: R2D2 20k, AP-GeM, top 20, config2; one file of all floors.

The kapture paper has no figures of this benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence

from vloc.datasets.naver_indoor import HYUNDAI, NaverIndoorConfig, make

from vloc.cli.recipe import Recipe, follow

RECIPE = Recipe(
    HYUNDAI,
    lambda root, source: make(root, NaverIndoorConfig(source)),
    features=("--features", "r2d2:network=wasf_n8_big,max_keypoints=20000", "--retrieval", "apgem"),
    mapping=("--preset", "config1", "--num-pairs", "20"),
    localization=("--preset", "config2", "--num-retrieved", "20"),
)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to the file to submit."""
    return follow(RECIPE, "hyundai_department_store", arguments)
