"""EuRoC's `sensor.yaml`: the few forms of YAML it uses, so that no YAML library with its tags is needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import DataError
from ...geometry.camera import Camera
from ...geometry.rigid import Rigid
from ..scene import rotation_of
from ..text_fields import parse_float, refusal
from ..text_lines import lines_of

# Distortion models by EuRoC's names; Kalibr says radtan and equidistant.
_MODELS = {
    "radial-tangential": "OPENCV", "radtan": "OPENCV", "equidistant": "OPENCV_FISHEYE", "none": "PINHOLE",
}  # fmt: skip

Values = dict[str, tuple[int, str]]
"""Line and text of each key; keys of a nested block are joined by dots."""


@dataclass(frozen=True, eq=False)
class SensorSheet:
    """What sensor.yaml says of a sensor. Sensors without `T_BS` stand in the body's origin."""

    kind: str
    body_from_sensor: Rigid
    camera: Camera | None = None


def read_sheet(path: Path) -> SensorSheet:
    """The sheet of one sensor; DataError names the line."""
    values = read_values(path)
    kind = values.get("sensor_type", (0, "unknown"))[1]
    camera = _camera(path, values) if kind == "camera" else None
    return SensorSheet(kind, _pose(path, values), camera)


def read_values(path: Path) -> Values:
    """`key: value` lines, one level of indented keys below `key:`, and lists `[...]` over several lines."""
    values: Values = {}
    parent, started, opened = "", 0, ""
    for number, raw in enumerate(lines_of(path), start=1):
        text = _without_comment(raw)
        if opened:
            line, before = values[opened]
            values[opened] = line, f"{before} {text.strip()}"
            opened = "" if "]" in text else opened
            continue
        if not text.strip() or text.strip() == "---" or text.startswith("%"):
            continue
        key, colon, value = text.strip().partition(":")
        if not colon:
            raise refusal(path, number, "no 'key: value'", "YAML of the simple kind EuRoC uses", raw)
        if not text.startswith((" ", "\t")):
            parent = ""
        name = f"{parent}.{key}" if parent else key
        if name in values:
            raise refusal(path, number, f"'{name}' is here twice, also in line {values[name][0]}")
        values[name] = number, value.strip().strip("\"'")
        if not value.strip() and not parent:
            parent = key
        opened = name if "[" in value and "]" not in value else ""
        started = number
    if opened:
        raise refusal(path, started, f"the list of '{opened}' does not end", "']'")
    return values


def _without_comment(text: str) -> str:
    """The text before a '#' that begins the line or follows a blank."""
    place = next((i for i, c in enumerate(text) if c == "#" and (i == 0 or text[i - 1] in " \t,]")), len(text))
    return text[:place]


def _numbers(path: Path, values: Values, key: str, count: int) -> list[float]:
    if key not in values:
        raise refusal(path, None, f"no '{key}'", f"a list of {count} numbers")
    line, text = values[key]
    if not (text.startswith("[") and text.endswith("]")):
        raise refusal(path, line, f"'{key}' is no list", "[...]", text)
    try:
        found = [parse_float(field.strip()) for field in text[1:-1].split(",") if field.strip()]
    except ValueError as error:
        raise refusal(path, line, f"'{key}': {error}", "numbers", text) from None
    if len(found) != count:
        raise refusal(path, line, f"{len(found)} numbers in '{key}'", str(count), text)
    return found


def _pose(path: Path, values: Values) -> Rigid:
    """`T_BS`, body_from_sensor."""
    if "T_BS" not in values and "T_BS.data" not in values:
        return Rigid.identity()
    matrix = np.array(_numbers(path, values, "T_BS.data", 16)).reshape(4, 4)
    place = f"{path}:{values['T_BS.data'][0]}"
    if not np.array_equal(matrix[3], [0, 0, 0, 1]):
        raise DataError(f"{place}: T_BS: last row {matrix[3].tolist()}, expected 0, 0, 0, 1")
    return Rigid(rotation_of(matrix[:3, :3], place), matrix[:3, 3])


def _camera(path: Path, values: Values) -> Camera:
    model = values.get("camera_model", (1, "pinhole"))
    lens = values.get("distortion_model", (1, "none"))
    if model[1] != "pinhole" or lens[1] not in _MODELS:
        expected = f"pinhole with {', '.join(_MODELS)}"
        raise refusal(path, lens[0], "unknown camera model", expected, f"{model[1]} {lens[1]}")
    width, height = _numbers(path, values, "resolution", 2)
    intrinsics = _numbers(path, values, "intrinsics", 4)
    distortion = [] if lens[1] == "none" else _numbers(path, values, "distortion_coefficients", 4)
    try:
        return Camera(_MODELS[lens[1]], int(width), int(height), (*intrinsics, *distortion))
    except ValueError as error:
        raise refusal(path, values["intrinsics"][0], str(error)) from None
