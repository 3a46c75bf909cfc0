"""Result files as each benchmark wants them: whose names, which transform, in which order (docs/evaluation.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from ..atomic import write_text
from ..data.capture import Capture
from ..data.instants import every_instant
from ..errors import ConfigError, DataError
from ..geometry.rigid import Rigid
from .kapture.sensors import NOTED_NORM_ERROR
from .results import LINE, check_names
from .text_fields import parse_float, refusal
from .text_lines import data_lines

Entries = dict[str, Rigid]
"""what a file holds, by what it calls an image or an instant"""
LAMAR_HEADER = "# timestamp, device_id, qw, qx, qy, qz, tx, ty, tz"


@dataclass(frozen=True)
class Style:
    """How a benchmark wants poses. `key`: what it calls an image; None: the timestamp and device of a rig's instant.

    `is_inverse`: poses are camera (or rig) to world. `separator`: of the fields of a line. `header`: its first line.
    """

    about: str
    key: Callable[[str], str] | None
    is_inverse: bool = False
    separator: str = " "
    header: str = ""


def _basename(name: str) -> str:
    return PurePosixPath(name).name


def _two_parts(name: str) -> str:
    return "/".join(PurePosixPath(name).parts[-2:])


def _to_first_dot(name: str) -> str:
    return name.partition(".")[0]


def _itself(name: str) -> str:
    return name


STYLES = {
    "plain": Style("names as in the queries", _itself),
    "aachen": Style("Aachen Day-Night: base names", _basename),
    "inloc": Style("InLoc: base names", _basename),
    "cmu": Style("(Extended) CMU-Seasons: base names", _basename),
    "silda": Style("SILDa: base names", _basename),
    "robotcar": Style("RobotCar Seasons: camera/basename", _two_parts),
    "naver": Style("Gangnam Station, Hyundai Department Store: whole names", _itself),
    "eth-ms": Style("ETH-Microsoft: timestamp/device, of the rig where there is one", None),
    "rio10": Style("RIO10: names up to their first dot, camera to world", _to_first_dot, is_inverse=True),
    "lamar": Style("LaMAR: device to world, of the rig where there is one", None, True, ", ", LAMAR_HEADER),
}
PAIRS = "4seasons"
"""a style that is none of single poses: it takes a list of pairs, `4seasons:LIST`"""
NAMES = (*STYLES, f"{PAIRS}:LIST")


def style_of(name: str) -> Style:
    """The style of that name; ConfigError lists them."""
    if name not in STYLES:
        raise ConfigError(f"--style {name}: choose from {', '.join(NAMES)}")
    return STYLES[name]


def written(style: Style, poses: Mapping[str, Rigid], queries: Capture) -> Entries:
    """`cam_from_world` of some of the queries as the style has them; DataError where it calls two of them the same."""
    entries: Entries = {}
    first: dict[str, str] = {}
    for name, key, mount in _named(style, queries):
        if name not in poses:
            continue
        if (other := first.setdefault(key, name)) != name:
            if style.key is None:
                continue  # another camera of the same instant
            raise DataError(f"'{other}' and '{name}' are both '{key}' in this style: the file would hold one of them")
        pose = mount.inverse() @ poses[name]
        entries[key] = pose.inverse() if style.is_inverse else pose
    return entries


def read_back(style: Style, entries: Mapping[str, Rigid], queries: Capture) -> dict[str, Rigid]:
    """The inverse of `written`: `cam_from_world` by image name, of all cameras of an instant; keys of no query stay."""
    found, names = dict[str, Rigid](), set[str]()
    for name, key, mount in _named(style, queries):
        names.add(key)
        if key in entries:
            pose = entries[key]
            found[name] = mount @ (pose.inverse() if style.is_inverse else pose)
    return found | {key: pose for key, pose in entries.items() if key not in names}


def _named(style: Style, queries: Capture) -> list[tuple[str, str, Rigid]]:
    """Name, key and `cam_from_rig` of every query; the identity where images stand for themselves."""
    if style.key is not None:
        return [(name, style.key(name), Rigid.identity()) for name in queries.images.names]
    mark = "{}/{}" if style.separator == " " else "{}, {}"
    return [
        (name, mark.format(instant.timestamp, instant.rig), mount)
        for instant in every_instant(queries, queries.images.names)
        for name, mount in instant.members
    ]


def text_of(path: Path, style: Style, entries: Mapping[str, Rigid]) -> str:
    """The content of a file, sorted; DataError names `path` for what a line cannot hold."""
    check_names(path, entries)
    lines = [style.separator.join([key, *_numbers(entries[key])]) for key in sorted(entries)]
    return "".join(f"{line}\n" for line in ([style.header] if style.header else []) + lines)


def write_styled(path: Path, style: Style, poses: Mapping[str, Rigid], queries: Capture) -> None:
    """Write `cam_from_world` of some of the queries as a benchmark wants them, whole or not at all."""
    write_text(path, text_of(path, style, written(style, poses, queries)))


def keys_of(style: Style, queries: Capture) -> list[str]:
    """What the style calls the queries, each once; DataError where it calls two images the same."""
    keys = [key for _, key, _ in _named(style, queries)]
    if style.key is not None and len({*keys}) < len(keys):
        written(style, dict.fromkeys(queries.images.names, Rigid.identity()), queries)  # which says which
    return list(dict.fromkeys(keys))


def read_lines(path: Path, style: Style) -> tuple[Entries, list[str]]:
    """What the lines of a file in this style hold, and what is wrong with those that hold nothing clear."""
    found: Entries = {}
    broken = []
    for line, row in data_lines(path):
        try:
            key, pose = _parsed(path, line, row, style)
            if key in found:
                raise refusal(path, line, f"'{key}' is here twice")
            found[key] = pose
        except DataError as error:
            broken.append(str(error))
    return found, broken


def _parsed(path: Path, line: int, row: str, style: Style) -> tuple[str, Rigid]:
    """Key and pose of a line; a number that is none, or a quaternion that is none, is an error."""
    mark = style.separator.strip() or None
    fields = [field.strip() for field in row.rsplit(mark, 7)]
    if len(fields) != 8:
        raise refusal(path, line, f"{len(fields)} fields", f"8: {style.header.lstrip('# ') or LINE}", row)
    try:
        numbers = np.array([*map(parse_float, fields[1:])])
    except ValueError as error:
        raise refusal(path, line, str(error), f"{LINE} with 7 numbers", row) from None
    norm = float(np.linalg.norm(numbers[:4]))
    if abs(norm - 1) > NOTED_NORM_ERROR or not np.isfinite(numbers).all():
        raise refusal(path, line, f"quaternion of norm {norm:.3g}", "a rotation, norm 1, and finite numbers")
    return fields[0], Rigid.from_quat_wxyz(numbers[:4], numbers[4:])


def _numbers(pose: Rigid) -> list[str]:
    return [repr(value) for value in [*pose.quat_wxyz.tolist(), *pose.translation.tolist()]]
