"""Every broken or dangling row of a kapture folder, where its reader stops at the first."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..data.capture import Capture
from ..errors import DataError
from ..formats.base import ReadOptions
from ..formats.kapture import read
from ..formats.kapture.readings import READING_COLUMNS, header_of
from ..formats.kapture.records import FILE_COLUMNS, TRAJECTORY_COLUMNS
from ..formats.kapture.sensors import RIG_COLUMNS
from ..formats.remarks import Remarks
from ..formats.text_fields import read_bytes
from ..formats.text_tables import read_tables
from .check_arrays import broken_arrays

MAX_PROBLEMS = 1000
"""broken rows looked for: each costs one more reading of the folder"""
# Where a scan may hold commas: a text column of kapture's wifi and bluetooth records.
_FREE_TEXT = {"wifi": "SSID", "bluetooth": "name"}


def read_all_problems(root: Path, options: ReadOptions) -> tuple[Capture | None, list[str]]:
    """What is left of the folder without its broken rows, and their errors, then those of features and matches.

    Each broken row is made blank in a copy of the text files, which is read again; lines keep their numbers. None
    where something else than a row is broken. The results are left out of what is given back, as they are checked.
    """
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="vloc-check-") as name:
        copy = Path(name) / "capture"
        problems += _copy_texts(root, copy)
        given = ReadOptions(options.pixel_center, options.images or root / "sensors" / "records_data", options.camera)
        while len(problems) < MAX_PROBLEMS:
            try:
                capture = read(copy, given)
                # Arrays are read from the copy's links, which are gone afterwards.
                problems += [problem.replace(str(copy), str(root)) for problem in broken_arrays(capture)]
                return replace(capture, reconstruction=None), problems
            except DataError as error:
                problems.append(str(error).replace(str(copy), str(root)))
                if not _blanked(copy, str(error)):
                    return None, problems
    return None, [*problems, f"{root}: more than {MAX_PROBLEMS} broken rows; the rest was not looked at"]


def _copy_texts(root: Path, copy: Path) -> Iterator[str]:
    """Copy the text files on the two upper levels, and link to the folders of features; tells what cannot be read."""
    for part in ("sensors", "reconstruction"):
        if not (root / part).is_dir():
            continue
        (copy / part).mkdir(parents=True)
        for path in sorted((root / part).iterdir()):
            if path.name == "records_data":
                continue
            if path.is_dir():
                (copy / part / path.name).symlink_to(path.resolve(), target_is_directory=True)
                continue
            try:
                (copy / part / path.name).write_bytes(read_bytes(path))
            except DataError as error:
                yield str(error)


def _blanked(copy: Path, message: str) -> bool:
    """Make the row blank that a message names; False where it names none, or one that is blank already."""
    found = re.match(rf"{re.escape(str(copy))}/((?:sensors|reconstruction)/[^/:]+\.txt):(\d+): ", message)
    if found is None:
        return False
    path, number = copy / found[1], int(found[2])
    rows = path.read_bytes().split(b"\n")
    if number > len(rows) or not rows[number - 1].strip():
        return False
    rows[number - 1] = b""
    path.write_bytes(b"\n".join(rows))
    return True


def dangling_rows(root: Path, capture: Capture) -> Iterator[str]:
    """Rows of devices that are neither sensors nor rigs, by file and line; only rows that can be read."""
    rigs = {member.rig_id for member in capture.rigs}
    columns: dict[str, tuple[str, ...]] = {f"records_{kind}": own for kind, own in FILE_COLUMNS.items()}
    columns |= {f"records_{kind}": header_of(kind) for kind in READING_COLUMNS}
    columns |= {"trajectories": TRAJECTORY_COLUMNS, "rigs": RIG_COLUMNS}
    for name, header in columns.items():
        path = root / "sensors" / f"{name}.txt"
        known = {*capture.sensors, *(rigs if name in ("trajectories", "rigs") else ())}
        free = _FREE_TEXT.get(name.removeprefix("records_"))
        if path.is_file():
            yield from _dangling(path, header, known, header.index(free) if free else None)


def _dangling(path: Path, header: tuple[str, ...], known: set[str], free: int | None) -> Iterator[str]:
    try:
        for table in read_tables(path, header, Remarks(), free_text=free):
            names, of_row = table.devices
            for line, index in zip(table.lines.tolist(), of_row.tolist(), strict=True):
                if names[index] not in known:
                    yield f"{path}:{line}: device '{names[index]}' is no sensor of sensors.txt and no rig"
    except DataError:
        return  # a broken row, which is told by itself
