"""Which files a command may replace: its own, others when told to, and what captures and truths are made of never."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..errors import DataError
from ..formats.access import formats
from ..formats.photo_files import is_photo
from ..formats.results import read_poses
from ..regular_file import read_regular

POSES = "holds poses"
"""what `source_data` says of a file of result lines that is part of no capture"""


def check_output(
    path: Path, is_ours: Callable[[Path], bool], inputs: Sequence[str | Path] = (), *, overwrite: bool | None = None
) -> None:
    """DataError where a result may not be written to `path`: a folder, an input, or a file of someone else.

    `overwrite` is None where the command has no such flag.
    """
    if path.is_dir():
        raise DataError(f"{path}: is a folder, expected the name of a file to write")
    if not path.exists():
        return
    if any(Path(source).exists() and path.samefile(source) for source in inputs):
        raise DataError(f"{path}: is an input of this command, it would be overwritten: choose another name")
    if not path.is_file():
        raise DataError(f"{path}: is no plain file: choose another name")
    if is_ours(path):
        return
    if what := source_data(path):
        raise DataError(f"{path}: {what}, which vloc never replaces: choose another name, or remove it yourself")
    if not overwrite:
        flag = "" if overwrite is None else ", or --overwrite"
        raise DataError(f"{path}: is there, and this command did not write it: choose another name{flag}")


def source_data(path: Path) -> str:
    """What makes a file part of a capture or a truth; empty where nothing does."""
    if is_photo(path.name):
        return "is an image"
    readable = [form for form in formats() if form.read and form.name != "images"]
    kapture = [form for form in readable if form.name == "kapture"]
    path = path.resolve()
    places = [(path, readable), (path.parent, readable), *((parent, kapture) for parent in path.parents[1:])]
    for place, known in places:
        for form in known:
            if form.recognises(place):
                return f"is {'' if place == path else f'in {place}, '}a capture of format {form.name}"
    try:
        return POSES if read_poses(path) else ""
    except DataError:
        return ""


def beside(results: Path, suffix: str) -> Path:
    """`RESULTS` with a suffix added to its whole name."""
    return results.with_name(results.name + suffix)


def is_results(path: Path) -> bool:
    """Whether every line is the pose of a query that the JSON file beside it says is localized, and none lacks."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = rows_of(beside(path, ".json"))
        read_poses(path)
    except (OSError, ValueError, DataError):
        return False
    localized = [row["name"] for row in rows if row["status"] == "localized"]
    return bool(rows) and [line.rsplit(maxsplit=7)[0] for line in lines] == sorted(localized)


def is_details(path: Path) -> bool:
    """Whether a JSON file holds rows as `vloc localize` writes them."""
    try:
        return bool(rows_of(path))
    except (OSError, ValueError):
        return False


def read_json(path: Path) -> Any:
    """The content of a JSON file; OSError, or ValueError for what is none or nested too deep to be ours."""
    try:
        return json.loads(read_regular(path))
    except RecursionError:
        raise ValueError("nested too deep") from None


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a RESULTS.json, one a query; ValueError for any other content."""
    rows = read_json(path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("no rows")
    if not all({"name", "status", "source", "retrieved"} <= row.keys() for row in rows):
        raise ValueError("rows of something else")
    return rows


def is_figures(path: Path) -> bool:
    """Whether a JSON file holds figures as `vloc evaluate` writes them."""
    try:
        figures = read_json(path)
    except (OSError, ValueError):
        return False
    written = ({"num_queries", "num_localized", "recall"}, {"num_queries", "retrieval"}, {"relevance"})
    return isinstance(figures, dict) and any(keys <= figures.keys() for keys in written)
