"""Aachen Day-Night v1.1 as Humenberger et al. 2020: R2D2 40k, GHarm of four descriptors, top 50, config2.

The paper at (0.25 m, 2 deg) / (0.5 m, 5 deg) / (5 m, 10 deg): by day 90.9 / 96.7 / 99.5, by night 78.5 / 91.1 / 98.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vloc.datasets.aachen import V1_1, AachenConfig, make

from vloc.cli.recipe import Recipe, follow

from .choices import APGEM, CONFIG1, GHARM, R2D2_40K

BEST = Recipe(
    V1_1,
    lambda root, source: make(root, AachenConfig(source, "1.1", "link")),
    features=(*R2D2_40K, *GHARM),
    mapping=CONFIG1,
    localization=("--preset", "config2", "--num-retrieved", "50"),
    paper={"day": "90.9 / 96.7 / 99.5", "night": "78.5 / 91.1 / 98.0"},
)
TOP20 = replace(
    BEST,
    localization=("--preset", "config2", "--num-retrieved", "20"),
    paper={"day": "90.5 / 96.8 / 99.4", "night": "74.9 / 90.1 / 98.4"},
)
APGEM_TOP20 = replace(
    TOP20,
    features=(*R2D2_40K, *APGEM),
    paper={"day": "89.9 / 96.5 / 99.5", "night": "71.2 / 86.9 / 97.9"},
)
RECIPE = replace(BEST, variants={"top20": TOP20, "apgem_top20": APGEM_TOP20})


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to the file to submit."""
    return follow(RECIPE, "aachen_v1_1", arguments)
