"""Repairs of kapture folders that are certain: quaternions made unit, every other byte as it was."""

from __future__ import annotations

import math
from pathlib import Path

from ...atomic import write_bytes
from ..text_fields import parse_float, read_bytes
from .sensors import NOTED_NORM_ERROR, ZERO_NORM

# The places of qw, qx, qy, qz in a row, and its number of fields; the same in both files.
QUATERNION, NUM_FIELDS = slice(2, 6), 9
FILES = ("trajectories.txt", "rigs.txt")


def normalise_quaternions(root: Path) -> list[str]:
    """Divide quaternions of another norm than 1 by it, each file replaced as a whole; what was done, a line each.

    Rows that cannot be read are left as they are, for `vloc check` to tell.
    """
    done = []
    for path in (root / "sensors" / name for name in FILES):
        if path.is_file():
            rows = read_bytes(path).split(b"\n")
            repaired = [_repaired(row) for row in rows]
            changed = [number for number, (old, new) in enumerate(zip(rows, repaired, strict=True), 1) if old != new]
            if changed:
                write_bytes(path, b"\n".join(repaired))
            done += [f"{path}:{number}: quaternion normalised" for number in changed]
    return done


def _repaired(row: bytes) -> bytes:
    """The row with a unit quaternion; the same where it has one, or is no row."""
    fields = row.split(b",")
    if row.lstrip().startswith(b"#") or len(fields) != NUM_FIELDS:
        return row
    try:
        values = [parse_float(field.decode().strip()) for field in fields[QUATERNION]]
    except ValueError:
        return row
    norm = math.hypot(*values)
    if not (ZERO_NORM <= norm < math.inf) or abs(norm - 1) <= NOTED_NORM_ERROR:
        return row
    fields[QUATERNION] = [f" {value / norm!r}".encode() for value in values]
    return b",".join(fields)
