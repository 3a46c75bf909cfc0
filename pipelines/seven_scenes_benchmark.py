"""7-Scenes as kapture's example: R2D2 20k, AP-GeM, top 20, points from depth maps; (5 cm, 5 deg) and medians by scene.

`vloc run seven_scenes` converts one scene; the kapture paper has no figures of this benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence

from vloc.datasets.seven_scenes import BENCHMARK, make_all

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
    return follow(RECIPE, "seven_scenes_benchmark", arguments)
