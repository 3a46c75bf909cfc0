"""Hyundai Department Store as kapture's example: R2D2 20k, AP-GeM, top 20, config2; one file of all floors.

The kapture paper has no figures of this benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vloc.datasets.naver_indoor import HYUNDAI

from vloc.cli.recipe import follow

from . import gangnam_station

RECIPE = replace(gangnam_station.RECIPE, benchmark=HYUNDAI)


def run(arguments: Sequence[str]) -> int:
    """From the unpacked benchmark to the file to submit."""
    return follow(RECIPE, "hyundai_department_store", arguments)
