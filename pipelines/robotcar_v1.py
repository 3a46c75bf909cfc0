"""RobotCar Seasons v1 as Humenberger et al. 2020: R2D2 20k, AP-GeM, top 20, config1, rig and sequence, by location.

The paper at (0.25 m, 2 deg) / (0.5 m, 5 deg) / (5 m, 10 deg): by day 55.1 / 82.1 / 97.3, by night 28.8 / 58.8 / 89.4.
"""

from __future__ import annotations

from collections.abc import Sequence

from vloc.datasets.robotcar import V1, RobotcarConfig, make

from vloc.cli.recipe import Recipe, follow

from .choices import APGEM, CONFIG1, R2D2_20K

RECIPE = Recipe(
    V1,
    lambda root, source: make(root, RobotcarConfig(source, "1", "link")),
    features=(*R2D2_20K, *APGEM),
    mapping=CONFIG1,
    localization=(
        *("--preset", "config1", "--num-retrieved", "20"),
        *("--rig", "transfer", "--sequence", "interpolate"),
    ),
    paper={"day": "55.1 / 82.1 / 97.3", "night": "28.8 / 58.8 / 89.4"},
)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to the file to submit."""
    return follow(RECIPE, "robotcar_v1", arguments)
