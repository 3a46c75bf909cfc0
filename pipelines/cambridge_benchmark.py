"""Cambridge Landmarks as kapture's example: R2D2 20k, AP-GeM, top 20, config2; medians by scene.

`vloc run cambridge` converts one scene; the kapture paper has no figures of this benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence

from vloc.datasets.cambridge import BENCHMARK, make_all

from vloc.cli.recipe import Recipe, follow

from .choices import APGEM, CONFIG1, R2D2_20K

RECIPE = Recipe(
    BENCHMARK,
    make_all,
    features=(*R2D2_20K, *APGEM),
    mapping=CONFIG1,
    localization=("--preset", "config2", "--num-retrieved", "20"),
)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to its figures."""
    return follow(RECIPE, "cambridge_benchmark", arguments)
