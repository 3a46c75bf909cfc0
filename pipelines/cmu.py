"""Extended CMU-Seasons as Humenberger et al. 2020: R2D2 20k, GHarm of four descriptors, rig of slice 2 and sequence.

The paper at (0.25 m, 2 deg) / (0.5 m, 5 deg) / (5 m, 10 deg): urban 97.0 / 99.1 / 99.8, suburban 95.0 / 97.0 / 99.4,
park 89.2 / 93.4 / 97.5.
"""

from __future__ import annotations

from collections.abc import Sequence

from vloc.datasets.cmu_seasons import EXTENDED, CmuConfig, make

from vloc.cli.recipe import Recipe, follow

from .choices import CONFIG1, GHARM, R2D2_20K

RECIPE = Recipe(
    EXTENDED,
    lambda root, source: make(root, CmuConfig(source, "link")),
    features=(*R2D2_20K, *GHARM),
    mapping=CONFIG1,
    localization=(
        *("--preset", "config1", "--num-retrieved", "20"),
        *("--rig", "transfer", "--sequence", "interpolate"),
    ),
    paper={"urban": "97.0 / 99.1 / 99.8", "suburban": "95.0 / 97.0 / 99.4", "park": "89.2 / 93.4 / 97.5"},
)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to the file to submit."""
    return follow(RECIPE, "cmu", arguments)
