"""RobotCar Seasons v2 as Humenberger et al. 2020: R2D2 20k, GHarm of four descriptors, top 20, rig and sequence.

The paper at (0.25 m, 2 deg) / (0.5 m, 5 deg) / (5 m, 10 deg): by day 66.0 / 95.1 / 100.0, by night 46.2 / 76.5 / 91.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vloc.datasets.robotcar import V2, RobotcarConfig, make

from vloc.cli.recipe import follow

from . import robotcar_v1
from .choices import GHARM, R2D2_20K

RECIPE = replace(
    robotcar_v1.RECIPE,
    benchmark=V2,
    make=lambda root, source: make(root, RobotcarConfig(source, "2", "link")),
    features=(*R2D2_20K, *GHARM),
    paper={"day": "66.0 / 95.1 / 100.0", "night": "46.2 / 76.5 / 91.4"},
)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to the file to submit."""
    return follow(RECIPE, "robotcar_v2", arguments)
