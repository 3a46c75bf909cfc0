"""4Seasons' relocalization challenge (ICCV 2021): three places, each with recordings to map and to localize."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np

from vloc.data.capture import Capture
from vloc.data.records import Records
from vloc.errors import DataError
from vloc.formats.reference_pairs import read_reference_pairs
from vloc.formats.result_styles import PAIRS

from .benchmark import Benchmark, check_layout, named_from, pairs_of, write_conditions
from .four_seasons import CAMERAS, capture_of, read_world
from .importing import required, write_place

CALIBRATION = "calibration"
# Recordings to map, for validation and for the test, as kapture's run_4seasons.sh has them.
PLACES = {
    "countryside": ("2020-10-08_09-57-28", "2020-06-12_11-26-43", "2021-01-07_14-03-57"),
    "neighborhood": ("2021-02-25_13-25-15", "2020-12-22_11-54-24", "2021-05-10_18-26-26"),
    "old_town": ("2020-10-08_11-53-41", "2021-01-07_10-49-45", "2021-05-10_19-51-14"),
}
ANY = 180.0
"""degrees: the benchmark limits distances alone"""
BENCHMARK = Benchmark(
    "4Seasons, relocalization",
    "https://www.4seasons-dataset.com",
    "CC BY-NC-SA 4.0, asked for before the download",
    {
        f"{CALIBRATION}/undistorted_calib_stereo.txt": "the calibration",
        "recording_*/GNSSPoses.txt": "poses of recordings",
        "recording_*/Transformations.txt": "their frames",
        "recording_*/undistorted_images/cam0/*.png": "their images",
        "relocalizationFile_recording_*_to_recording_*.txt": "pairs, from https://github.com/pmwenzel/mlad-iccv2021",
    },
    PAIRS,
    thresholds=((0.1, ANY), (0.2, ANY), (0.5, ANY)),
    in_one_file=False,
)


def make_all(root: Path, source: Path) -> None:
    """Write a place for each of PLACES whose recording to map is there.

    `mapping` has the keyframes of both cameras, `query_test` the left images that the list of pairs asks for, and
    `query_validation`, where that recording is there, the left images of keyframes. The truth is of those with poses.
    """
    check_layout(BENCHMARK, source)
    condition_of: dict[str, str] = {}
    for place, recordings in PLACES.items():
        if (source / _folder(recordings[0])).is_dir():
            queries = _write(root / place, source, *recordings)
            for name, query in queries.items():
                condition_of |= dict.fromkeys(query.images.names, f"{place}_{name.removeprefix('query_')}")
    if not condition_of:
        folders = ", ".join(_folder(recordings[0]) for recordings in PLACES.values())
        raise DataError(f"{source}: no recording to map: expected one of {folders}")
    write_conditions(root, condition_of)


def _write(root: Path, source: Path, mapped: str, validation: str, test: str) -> dict[str, Capture]:
    """The folders of a place; what is to be localized in it."""
    frame = read_world(source / _folder(mapped)).earth_from_scene.inverse()
    captures = {
        name: named_from(
            source, source / _folder(name), capture_of(source / _folder(name), source / CALIBRATION, frame)
        )
        for name in (mapped, validation, test)
        if name != validation or (source / _folder(name)).is_dir()
    }
    pairs = required(source / f"relocalizationFile_{_folder(mapped)}_to_{_folder(test)}.txt", "list of pairs")
    asked = {query for _, query in read_reference_pairs(pairs)}
    queries = {"query_test": only(captures[test], asked, CAMERAS[:1])}
    if validation in captures:
        queries["query_validation"] = only(captures[validation], _posed(captures[validation]), CAMERAS[:1])
    write_place(root, only(captures[mapped], _posed(captures[mapped]), CAMERAS), queries, "link")
    shutil.copyfile(pairs, pairs_of(root / "query_test"))
    return queries


def _posed(capture: Capture) -> Collection[int]:
    return {*capture.trajectory.timestamps.tolist()}


def only(capture: Capture, times: Collection[int], cameras: Collection[str]) -> Capture:
    """The images that some cameras took at some times; DataError where there is none."""
    images = capture.images
    rows = np.flatnonzero(np.isin(images.timestamps, [*times])).tolist()
    taken = [(int(images.timestamps[row]), images.device_ids[images.devices[row]], images.names[row]) for row in rows]
    chosen = [shot for shot in taken if shot[1] in cameras]
    if not chosen:
        raise DataError(f"{capture.images.names[0]} and the others of its recording: none is asked for")
    return replace(capture, images=Records.from_rows(chosen))


def _folder(recording: str) -> str:
    return f"recording_{recording}"
