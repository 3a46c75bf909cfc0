"""Aachen Day-Night v1.1 as Humenberger et al. 2020: R2D2 40k, GHarm of four descriptors, top 50, config2.

The paper at (0.25 m, 2 deg) / (0.5 m, 5 deg) / (5 m, 10 deg): by day 90.9 / 96.7 / 99.5, by night 78.5 / 91.1 / 98.0.
"""

from __future__ import annotations

from collections.abc import Sequence

from vloc.datasets.aachen import V1_1, AachenConfig, make

from vloc.cli.recipe import Recipe, follow

RECIPE = Recipe(
    V1_1,
    lambda root, source: make(root, AachenConfig(source, "1.1", "link")),
    features=(
        *("--features", "r2d2:network=wasf_n8_big,max_keypoints=40000"),
        *("--retrieval", "apgem", "delg", "netvlad", "densevlad", "--fusion", "gharm"),
    ),
    mapping=("--preset", "config1", "--num-pairs", "20"),
    localization=("--preset", "config2", "--num-retrieved", "50"),
    paper={"day": "90.9 / 96.7 / 99.5", "night": "78.5 / 91.1 / 98.0"},
)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to the file to submit."""
    return follow(RECIPE, "aachen_v1_1", arguments)
