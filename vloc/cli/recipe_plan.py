"""What a recipe is going to do, and how much work that is, told before anything is done."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..config import LocalizationConfig, MappingConfig
from ..datasets.benchmark import MAPPING, QUERIES, Benchmark

GIGABYTE = 1e9


def plan(benchmark: Benchmark, data: Path, mapping: Sequence[str], localization: Sequence[str]) -> list[str]:
    """Lines: what is converted, mapped and localized, by which flags, and how many photos and pairs that makes."""
    files, size = _size_of(data)
    partners = _number(mapping, "--num-pairs", MappingConfig().pair.num_pairs)
    compared = _number(localization, "--num-retrieved", LocalizationConfig().retrieve.num_retrieved)
    return [
        f"would convert {data}: {files:,} files, {size / GIGABYTE:.1f} GB",
        f"would run vloc map ... {shlex.join(mapping)}",
        f"  {_told(benchmark.counts, MAPPING, 'photos', partners, 'pairs of them to match')}",
        f"would run vloc localize ... {shlex.join(localization)}",
        f"  {_told(benchmark.counts, QUERIES, 'queries', compared, 'map images to match them with')}",
    ]


def _told(counts: Mapping[str, int], what: str, name: str, each: int, pairs: str) -> str:
    """The work on photos of one kind; how many there are is known where the authors say it."""
    if (count := counts.get(what)) is None:
        return f"{name}: as many as there are; for each up to {each} {pairs}"
    return f"{count:,} {name}, up to {count * each:,} {pairs}"


def _number(flags: Sequence[str], name: str, default: int) -> int:
    return int(flags[flags.index(name) + 1]) if name in flags else default


def _size_of(folder: Path) -> tuple[int, int]:
    """Files below a folder, and their bytes."""
    sizes = [(Path(root) / name).stat().st_size for root, _, names in os.walk(folder) for name in names]
    return len(sizes), sum(sizes)
