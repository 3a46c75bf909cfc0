"""InLoc as Humenberger et al. 2020: R2D2 20k, GHarm of four descriptors, top 50, points from depth merged at 0.1 mm.

The paper at (0.25 m, 10 deg) / (0.5 m, 10 deg) / (1 m, 10 deg): DUC1 41.4 / 60.1 / 73.7, DUC2 47.3 / 67.2 / 73.3.
It also merges at 0.5 mm: `--variant merged_0.5mm`. `vloc run inloc` converts alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vloc.datasets.inloc import BENCHMARK, InlocConfig, make

from vloc.cli.recipe import Recipe, follow

from .choices import GHARM, R2D2_20K

BEST = Recipe(
    BENCHMARK,
    lambda root, source: make(root, InlocConfig(source)),
    features=(*R2D2_20K, *GHARM),
    mapping=("--num-pairs", "20", "--points", "depth", "--points.merge-m", "0.0001"),
    localization=("--preset", "config2", "--num-retrieved", "50"),
    paper={"DUC1": "41.4 / 60.1 / 73.7", "DUC2": "47.3 / 67.2 / 73.3"},
)
COARSER = replace(BEST, mapping=("--num-pairs", "20", "--points", "depth", "--points.merge-m", "0.0005"), paper={})
RECIPE = replace(BEST, variants={"merged_0.5mm": COARSER})


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to the file to submit."""
    return follow(RECIPE, "inloc_benchmark", arguments)
