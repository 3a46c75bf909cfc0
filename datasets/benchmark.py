"""What a published benchmark is: where it comes from, what has to lie where, and how it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from vloc.data.capture import Capture
from vloc.data.merging import merge
from vloc.errors import DataError
from vloc.formats.base import Transfer
from vloc.formats.images import FolderImages
from vloc.stages.evaluate import THRESHOLDS, Threshold

from .importing import required, write_scene

CONDITIONS = "conditions.txt"
"""beside the captures: a line `name condition` for every query"""
MAPPING, QUERIES = "mapping", "query"
"""folders of a place: what is mapped, and what is localized; of several kinds of queries `query_phone` and so on"""


@dataclass(frozen=True)
class Benchmark:
    """A published benchmark, as its authors give it.

    `layout`: pattern of what has to be in its unpacked folder -> what that is. `style`: of its result file, as in `vloc
    results`. `counts`: how many images `mapping` and `query` have, and queries the conditions, where the authors say.
    `in_one_file`: of all places; else a file for each set of queries.
    """

    title: str
    home: str
    licence: str
    layout: Mapping[str, str]
    style: str
    thresholds: tuple[Threshold, ...] = THRESHOLDS
    counts: Mapping[str, int] = field(default_factory=dict)
    in_one_file: bool = True


def check_layout(benchmark: Benchmark, source: Path) -> None:
    """DataError that names all that is missing of an unpacked benchmark."""
    required(source, f"folder of {benchmark.title}; get it from {benchmark.home}")
    missing = [f"{pattern} ({what})" for pattern, what in benchmark.layout.items() if not any(source.glob(pattern))]
    if missing:
        raise DataError(f"{source}: misses {'; '.join(missing)}: unpack {benchmark.title} here ({benchmark.home})")


def places(root: Path) -> list[Path]:
    """The folders of `root` with a capture to map and some to localize; itself, where the benchmark is one place."""
    found = [folder for folder in (root, *sorted(root.iterdir())) if (folder / MAPPING).is_dir() and queries_of(folder)]
    if not found:
        raise DataError(f"{root}: holds no place with {MAPPING} and {QUERIES}: remove it, and it is made again")
    return found


def queries_of(place: Path) -> list[Path]:
    """The kapture folders of a place that are to be localized."""
    return sorted(path for path in place.glob(f"{QUERIES}*") if path.is_dir())


def pairs_of(queries: Path) -> Path:
    """The file that pairs queries with frames of the map, where a benchmark wants relative poses."""
    return queries.with_name(f"{queries.name}_pairs.txt")


def write_scenes(
    root: Path,
    source: Path,
    folders: list[Path],
    captures_of: Callable[[Path], tuple[Capture, Capture]],
    transfer: Transfer,
) -> None:
    """A place for each folder below the source, of the captures to map and to localize that it holds.

    A place is called as its path, `/` as `_`, and is the condition of its queries. Images are named from the source.
    """
    condition_of: dict[str, str] = {}
    for folder in folders:
        mapping, query = (named_from(source, folder, capture) for capture in captures_of(folder))
        place = "_".join(folder.relative_to(source).parts)
        write_scene(root / place, mapping, query, transfer)
        condition_of |= dict.fromkeys(query.images.names, place)
    write_conditions(root, condition_of)


def named_from(root: Path, folder: Path, capture: Capture) -> Capture:
    """A capture of a folder below `root` with its images named from there, whose files can so be linked.

    No two captures below `root` then have images of one name.
    """
    named = merge([capture], [folder.relative_to(root).as_posix()])
    return replace(named, files=FolderImages(root)) if isinstance(capture.files, FolderImages) else named


def write_conditions(root: Path, condition_of: Mapping[str, str]) -> None:
    """Write down the condition of every query, sorted by name."""
    lines = (f"{name} {condition_of[name]}\n" for name in sorted(condition_of))
    (root / CONDITIONS).write_text("".join(lines), encoding="utf-8")


def unexpected(counts: Mapping[str, int], found: Mapping[str, int]) -> Iterator[str]:
    """What differs from the numbers of images that the authors give: another version, or a part of the benchmark."""
    for what, expected in counts.items():
        if (number := found.get(what, 0)) != expected:
            yield f"{number} images of '{what}', expected {expected}"
