"""kapture's points3d.txt and observations.txt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from ...data.reconstruction import Features, Observations, Points
from ..remarks import Remarks
from ..text_fields import parse_integer, refusal
from ..text_tables import read_lines, read_tables
from .features import Part, row_counts

POINT_COLUMNS = ("X", "Y", "Z", "R", "G", "B")
OBSERVATION_COLUMNS = ("point3d_id", "keypoints_type", "[image_path", "feature_id]*")


def read_points(path: Path, remarks: Remarks) -> Points:
    """Points with or without colour, as the first row has it; a point's id is its row."""
    first = next(read_lines(path, POINT_COLUMNS, Remarks()), None)
    if first is None:
        return Points(np.zeros((0, 3)))
    width = 3 if len(first[1]) == 3 else 6
    parts, colors = list[np.ndarray](), list[np.ndarray]()
    for table in read_tables(path, POINT_COLUMNS[:width], remarks):
        values = table.numbers(0, width)
        parts.append(values[:, :3])
        bad = np.flatnonzero((values[:, 3:] < 0).any(1) | (values[:, 3:] > 255).any(1))
        if len(bad):
            raise table.refusal(int(bad[0]), "colour out of range", "0 to 255")
        broken = int((values[:, 3:] != np.rint(values[:, 3:])).any(1).sum())
        if broken:
            remarks.add(path, "colours rounded to whole numbers", broken)
        colors.append(np.rint(values[:, 3:]).astype(np.uint8))
    return Points(np.concatenate(parts), np.concatenate(colors) if width == 6 else None)


def read_observations(part: Part, num_points: int, keypoints: Mapping[str, Features]) -> dict[str, Observations]:
    """Observations by keypoints type, sorted by point; those of images without keypoints are left out, remarked."""
    path = part.folder / "observations.txt"
    counts = {kind: row_counts(features) for kind, features in keypoints.items()}
    rows: dict[str, list[tuple[int, int, int]]] = {}
    seen: dict[tuple[int, str], int] = {}
    for line, point, kind, pairs in _rows(part, path, num_points, next(iter(keypoints), "")):
        if seen.setdefault((point, kind), line) != line:
            raise refusal(path, line, f"point {point} with '{kind}' is here twice, also in line {seen[point, kind]}")
        of_kind, own = counts.get(kind, {}), rows.setdefault(kind, [])
        for image, text in zip(pairs[0::2], pairs[1::2], strict=True):
            keypoint = _index(path, line, text, of_kind.get(image, 2**31), f"keypoint of '{image}'")
            if image in of_kind:
                own.append((point, part.image_rows[image], keypoint))
            else:
                what = "observations left out: the image has no such keypoints"
                part.remarks.lose(path, what, first=f"line {line}, {image}")
    return {kind: _columns(own) for kind, own in rows.items() if own}


def _rows(part: Part, path: Path, num_points: int, only_kind: str) -> Iterator[tuple[int, int, str, list[str]]]:
    """(line, point, keypoints type, image and keypoint in turn); 1.0 has no type, as it has one only."""
    columns = OBSERVATION_COLUMNS[1:] if part.version == "1.0" else OBSERVATION_COLUMNS
    for line, fields in read_lines(path, columns, part.remarks):
        if part.version == "1.0":
            fields.insert(1, only_kind)
        if len(fields) < 2 or len(fields) % 2:
            raise refusal(path, line, f"{len(fields)} fields", ", ".join(OBSERVATION_COLUMNS), ", ".join(fields))
        yield line, _index(path, line, fields[0], num_points, "point"), fields[1], fields[2:]


def _index(path: Path, line: int, text: str, limit: int, what: str) -> int:
    try:
        index = parse_integer(text)
    except ValueError as error:
        raise refusal(path, line, f"{what}: {error}", found=text) from None
    if not 0 <= index < limit:
        raise refusal(path, line, f"{what} out of range", f"0 to {limit - 1}", text)
    return index


def _columns(rows: list[tuple[int, int, int]]) -> Observations:
    columns = np.array(rows, np.int32).reshape(-1, 3)
    columns = columns[np.argsort(columns[:, 0], kind="stable")]
    points, images, keypoints = (np.ascontiguousarray(column) for column in columns.T)
    return Observations(points, images, keypoints)
