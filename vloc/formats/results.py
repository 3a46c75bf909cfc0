"""Benchmark result files: a line `name qw qx qy qz tx ty tz` an image, world to camera. Keeps poses; nothing else."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from ..atomic import write_text
from ..data.capture import Capture
from ..errors import DataError
from ..geometry.rigid import Rigid
from .kapture.sensors import NOTED_NORM_ERROR, ZERO_NORM, quaternion_norms
from .text_fields import parse_float, refusal
from .text_lines import data_lines

_log = logging.getLogger(__name__)
LINE = "name qw qx qy qz tx ty tz"
LINES = "result lines"
_LIKE_LINES = ("list", "tum")
"""formats whose files of lines can look like results"""
_WHOLE = {"trajectories.txt": ("kapture", 2), "images.txt": ("colmap", 1), "images.bin": ("colmap", 1)}
"""files that are a part: of a format, so many folders up"""


def read_poses(path: Path) -> dict[str, Rigid]:
    """`cam_from_world` by image name; names may hold blanks. DataError with file and line for anything unclear."""
    names: dict[str, int] = {}
    rows: list[list[float]] = []
    for line, text in data_lines(path):
        name, numbers = _split(path, line, text)
        if name in names:
            raise refusal(path, line, f"'{name}' is here twice, also in line {names[name]}")
        names[name] = line
        rows.append(numbers)
    values = np.array(rows, np.float64).reshape(-1, 7)
    norms = quaternion_norms(values[:, :4])
    for line, norm in zip(names.values(), norms.tolist(), strict=True):
        if norm < ZERO_NORM or norm == np.inf:
            raise refusal(path, line, f"quaternion of norm {norm:.3g}", "a rotation, norm 1")
    if off := int((np.abs(norms - 1) > NOTED_NORM_ERROR).sum()):
        _log.warning("%s: %d quaternions normalised: their norms are more than 1 %% off 1", path, off)
    poses = Rigid.from_quat_wxyz(values[:, :4], values[:, 4:])
    return {name: poses[row] for row, name in enumerate(names)}


def _split(path: Path, line: int, text: str) -> tuple[str, list[float]]:
    fields = text.rsplit(maxsplit=7)
    if len(fields) != 8:
        raise refusal(path, line, f"{len(fields)} fields", f"8: {LINE}", text)
    try:
        return fields[0].strip(), [parse_float(field) for field in fields[1:]]
    except ValueError as error:
        raise refusal(path, line, str(error), f"{LINE} with 7 numbers", text) from None


def write_poses(path: Path, poses: Mapping[str, Rigid]) -> None:
    """Write `cam_from_world` of images, sorted by name, whole or not at all; numbers read back exactly."""
    write_text(path, poses_text(path, poses))


def poses_text(path: Path, poses: Mapping[str, Rigid]) -> str:
    """The content of such a file; DataError names `path` for an image name that it cannot hold."""
    check_names(path, poses)
    return "".join(f"{name} {_numbers(poses[name])}\n" for name in sorted(poses))


def check_names(path: Path, names: Iterable[str]) -> None:
    """DataError for an image name that a line of results cannot hold."""
    for name in names:
        if name != name.strip() or not name or name.startswith("#") or not name.isprintable():
            raise DataError(f"{path}: image name {name!r} cannot be written as a line '{LINE}'")


def _numbers(pose: Rigid) -> str:
    return " ".join(repr(x) for x in [*pose.quat_wxyz.tolist(), *pose.translation.tolist()])


def read_truth(path: str | Path) -> dict[str, Rigid]:
    """The poses of a capture's images (`FORMAT:PATH` or a recognised path), or of a file of result lines.

    A file among those of a kapture folder or COLMAP model, such as trajectories.txt, stands for the whole of it.
    """
    from .access import read

    kind, location = find_truth(path)
    return read_poses(location) if kind == LINES else posed_images(read(f"{kind}:{location}"))


def find_truth(path: str | Path) -> tuple[str, Path]:
    """The format that `read_truth` reads, or "result lines", and where."""
    from .access import find_format, formats

    file = Path(path)
    if not file.is_file():
        form, location = find_format(path)
        return form.name, location
    name, levels = _WHOLE.get(file.name, ("", 0))
    whole = [file, *file.absolute().parents][levels]
    known = {form.name: form for form in formats() if form.read}
    if name and known[name].recognises(whole):
        return name, whole
    alone = [form for form in known.values() if form.recognises(file) and form.name not in _LIKE_LINES]
    return (alone[0].name if len(alone) == 1 else LINES), file


def posed_images(capture: Capture) -> dict[str, Rigid]:
    """`cam_from_world` of every image that has a full pose, by name."""
    poses = capture.cam_from_world
    return {capture.images.names[row]: poses[row] for row in np.flatnonzero(capture.has_pose).tolist()}
