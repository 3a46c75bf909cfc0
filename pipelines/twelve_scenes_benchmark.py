"""12-Scenes as kapture has 7-Scenes: R2D2 20k, AP-GeM, top 20, points from depth maps; (5 cm, 5 deg) by room.

`vloc run twelve_scenes` converts one room; the kapture paper has no figures of this benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence

from vloc.datasets.twelve_scenes import BENCHMARK, make_all

from vloc.cli.recipe import Recipe, follow

from .choices import APGEM, R2D2_20K

RECIPE = Recipe(
    BENCHMARK,
    make_all,
    features=(*R2D2_20K, *APGEM),
    mapping=("--num-pairs", "20", "--points", "depth"),
    localization=("--num-retrieved", "20"),
)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to its figures."""
    return follow(RECIPE, "twelve_scenes_benchmark", arguments)
