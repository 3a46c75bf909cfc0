"""SILDa Weather and Time of Day as Humenberger et al. 2020: R2D2 20k, GHarm of four descriptors, fisheye as FOV, rig.

The paper at (0.25 m, 2 deg) / (0.5 m, 5 deg) / (5 m, 10 deg): evening 32.4 / 67.4 / 93.3, snow 0.2 / 4.1 / 88.9,
night 30.4 / 54.2 / 81.1.
"""

from __future__ import annotations

from collections.abc import Sequence

from vloc.datasets.silda_weather import SILDA, SildaConfig, make

from vloc.cli.recipe import Recipe, follow

from .choices import CONFIG1, GHARM, R2D2_20K

RECIPE = Recipe(
    SILDA,
    lambda root, source: make(root, SildaConfig(source, "FOV", "link")),
    features=(*R2D2_20K, *GHARM),
    mapping=CONFIG1,
    localization=("--preset", "config1", "--num-retrieved", "20", "--rig", "transfer"),
    paper={"evening": "32.4 / 67.4 / 93.3", "snow": "0.2 / 4.1 / 88.9", "night": "30.4 / 54.2 / 81.1"},
)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to the file to submit."""
    return follow(RECIPE, "silda", arguments)
