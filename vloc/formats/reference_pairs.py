"""4Seasons' relocalization files: the pose of a query by that of a frame of the reference recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from ..errors import DataError
from ..geometry.rigid import Rigid
from .text_fields import parse_integer, refusal
from .text_lines import data_lines

Pair = tuple[int, int]
"""timestamps of a reference frame and of a query; images are named by them"""


def read_reference_pairs(path: Path) -> list[Pair]:
    """The first two fields of every line; DataError with file and line where they are no timestamps."""
    found = []
    for line, row in data_lines(path):
        fields = row.split()
        try:
            found.append((parse_integer(fields[0]), parse_integer(fields[1])))
        except (IndexError, ValueError):
            raise refusal(path, line, "no two timestamps", "reference_time query_time ...", row) from None
    return found


def relative_text(
    pairs: Sequence[Pair], queries: Mapping[str, Rigid], references: Mapping[str, Rigid]
) -> tuple[str, list[Pair]]:
    """Lines `ref_ts query_ts tx ty tz qx qy qz qw` of query_from_reference, and the pairs that have none.

    `cam_from_world` by image name, whose stem is the timestamp; of several cameras the first (cam0) counts. A pair
    whose query has no pose is left out. DataError where a reference frame is unknown.
    """
    found, known = _by_time(queries), _by_time(references)
    lines, missing = [], []
    for reference, query in pairs:
        if reference not in known:
            raise DataError(f"reference frame {reference} is no image of the map: expected the recording of the list")
        if query not in found:
            missing.append((reference, query))
            continue
        pose = found[query] @ known[reference].inverse()
        w, x, y, z = pose.quat_wxyz.tolist()
        numbers = [*pose.translation.tolist(), x, y, z, w]
        lines.append(f"{reference} {query} {' '.join(map(repr, numbers))}\n")
    return "".join(lines), missing


def _by_time(poses: Mapping[str, Rigid]) -> dict[int, Rigid]:
    stems = {name: PurePosixPath(name).stem for name in sorted(poses, reverse=True)}
    return {int(stem): poses[name] for name, stem in stems.items() if stem.isdecimal()}
