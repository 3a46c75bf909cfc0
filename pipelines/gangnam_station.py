"""Gangnam Station as kapture's example: R2D2 20k, AP-GeM, top 20, config2; one file of all floors.

The kapture paper has no figures of this benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence

from vloc.datasets.naver_indoor import GANGNAM, NaverIndoorConfig, make

from vloc.cli.recipe import Recipe, follow

from .choices import APGEM, CONFIG1, R2D2_20K

RECIPE = Recipe(
    GANGNAM,
    lambda root, source: make(root, NaverIndoorConfig(source)),
    features=(*R2D2_20K, *APGEM),
    mapping=CONFIG1,
    localization=("--preset", "config2", "--num-retrieved", "20"),
)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to the file to submit."""
    return follow(RECIPE, "gangnam_station", arguments)
