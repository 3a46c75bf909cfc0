"""Gangnam Station and Hyundai Department Store (Lee et al., CVPR 2021), which NAVER ships as kapture, by floors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vloc.data.capture import Capture
from vloc.formats.access import read
from vloc.formats.base import Transfer

from .benchmark import Benchmark, write_conditions
from .importing import write_place

HOME = "https://github.com/naver/kapture/blob/main/doc/tutorial.adoc#download-a-dataset"
LICENCE = "NAVER LABS' own, asked for before the download: non-commercial research"
QUERIES = {"query_test": "test", "query_validation": "validation"}
"""folder of a place -> that of the release; poses are public of validation alone"""


def _layout(floors: tuple[str, ...]) -> Mapping[str, str]:
    parts = {"mapping": "images to map", "test": "queries"}
    return {
        f"{floor}/release/{part}/sensors/sensors.txt": f"{what} of floor {floor}"
        for floor in floors
        for part, what in parts.items()
    }


LIMITS = ((0.1, 1.0), (0.25, 2.0), (1.0, 5.0))
GANGNAM = Benchmark("Gangnam Station", HOME, LICENCE, _layout(("B1", "B2")), "naver", LIMITS)
HYUNDAI = Benchmark("Hyundai Department Store", HOME, LICENCE, _layout(("B1", "1F", "4F")), "naver", LIMITS)


@dataclass(frozen=True)
class NaverIndoorConfig:
    """Which building to import."""

    source: Path
    """folder GangnamStation or HyundaiDepartmentStore, with FLOOR/release/mapping and test, maybe validation"""
    transfer: Transfer = "link"
    """how images get into the output: copied, as one link to their folder, or not at all"""


def make(root: Path, config: NaverIndoorConfig) -> None:
    """Write a place for each floor: `mapping`, `query_test`, where it is there `query_validation`, with its truth."""
    condition_of: dict[str, str] = {}
    for release in sorted(config.source.glob("*/release")):
        floor = release.parent.name
        queries = {
            name: read(f"kapture:{release / part}")
            for name, part in QUERIES.items()
            if part == "test" or (release / part).is_dir()
        }
        write_place(root / floor, read(f"kapture:{release / 'mapping'}"), queries, config.transfer)
        condition_of |= _conditions(floor, queries)
    write_conditions(root, condition_of)


def _conditions(floor: str, queries: Mapping[str, Capture]) -> dict[str, str]:
    return {name: f"{floor}_{QUERIES[part]}" for part, capture in queries.items() for name in capture.images.names}
