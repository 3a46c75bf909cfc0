"""Aachen Day-Night v1.0 as Humenberger et al. 2020: R2D2 40k, GHarm of four descriptors, top 50, config2.

The paper at (0.25 m, 2 deg) / (0.5 m, 5 deg) / (5 m, 10 deg): by day 88.7 / 95.8 / 98.8, by night 81.6 / 88.8 / 96.9.
Which descriptors its full pipeline used there is not said where we looked; v1.1's are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vloc.datasets.aachen import V1_0, AachenConfig, make

from vloc.cli.recipe import follow

from . import aachen_v1_1

RECIPE = replace(
    aachen_v1_1.RECIPE,
    benchmark=V1_0,
    make=lambda root, source: make(root, AachenConfig(source, "1.0", "link")),
    variants={},
    paper={"day": "88.7 / 95.8 / 98.8", "night": "81.6 / 88.8 / 96.9"},
)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to the file to submit."""
    return follow(RECIPE, "aachen_v1_0", arguments)
