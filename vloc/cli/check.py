"""`vloc check PATH`: everything that is broken in a map or a capture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data.capture import Capture
from ..data.sparse_map import SparseMap
from ..errors import ConfigError, DataError, VlocError
from ..formats.access import find_format, read
from ..formats.base import Format, ReadOptions
from ..formats.images import FolderImages, check_size, decode
from ..formats.kapture.repair import normalise_quaternions
from ..map import Map
from ..packed_map import open_packed
from ..run.overview import verify
from ..run.packed import is_packed
from ..run.remote import Location, Remote, located
from ..run.store import fetch_anew, open_artifact
from ..run.workspace import read_manifest
from ..runtime import Runtime
from ..stages.place import moved
from ..versions import MANIFEST, numbers_in, references_of
from . import options
from .check_arrays import broken_arrays
from .check_kapture import dangling_rows, read_all_problems
from .main import OK, WITH_FAILURES
from .map_folder import is_map
from .settings import parse_flags


@dataclass(frozen=True, kw_only=True)
class CheckFlags(options.ReadFlags):
    """Read every byte of a map or a capture, and list what is broken. Status 3 when anything is."""

    path: options.location("PATH")  # type: ignore[valid-type]
    """folder of a map, a packed map, the URL of either, or FORMAT:PATH or path of a capture"""
    fix: options.Switch = False
    """first repair a kapture folder where that is certain: quaternions are normalised, and nothing else is touched"""
    workers: int = 0
    """images decoded at a time; 0: one per core"""
    json: options.Switch = False
    """print the list as JSON"""


def run(arguments: Sequence[str]) -> int:
    """Check, and list the problems."""
    flags = parse_flags("check", CheckFlags, arguments)
    notes, fixed = list[str](), list[str]()
    name = "map"
    if is_map(flags.path):
        if flags.fix:
            raise ConfigError("--fix is for kapture folders; a broken map is made whole by the command that made it")
        problems = list(map_problems(located(flags.path)))
    else:
        # What is neither a map nor a capture is bad input, not a broken capture.
        form, path = find_format(flags.path)
        name = form.name
        fixed = repaired(form, path) if flags.fix else []
        problems, notes = capture_problems(form, path, flags)
    if flags.json:
        options.print_json({"path": flags.path, "format": name, "fixed": fixed, "problems": problems, "notes": notes})
    else:
        verdict = f"problems found: {len(problems)}" if problems else "nothing is broken"
        told = [*(f"fixed: {line}" for line in fixed), *problems, *(f"note: {note}" for note in notes)]
        print("\n".join([*told, f"{flags.path} ({name}): {verdict}"]))
    return WITH_FAILURES if problems else OK


def map_problems(folder: Location) -> Iterator[str]:
    """Every file of a map that is not what was written, and references that lead nowhere; at a URL, what it reads."""
    if is_packed(folder):
        yield from _packed_problems(folder)
        return
    if isinstance(folder, Path):
        for path, what in verify(folder):
            yield what if str(path) in what else f"{path}: {what}"
        if not (folder / MANIFEST).is_file():
            yield f"{folder / MANIFEST}: missing: the map was begun and not finished; run the same command again"
            return
    elif broken := list(_broken_at(folder)):
        yield from broken
        return
    told = ""
    try:
        map_ = Map.open(folder)
        yield from _inconsistencies(map_)
        yield from _misplaced(map_)
    except VlocError as error:
        yield (told := str(error))
    yield from _lost_versions(folder, told)


def _broken_at(url: Remote) -> Iterator[str]:
    """The first shard of each part of a map at a URL that is not what was written."""
    manifest = read_manifest(url / MANIFEST) if (url / MANIFEST).exists() else {}
    for reference in references_of(manifest):
        try:
            fetch_anew(url, reference)
        except VlocError as error:
            yield str(error)


def _packed_problems(path: Location) -> Iterator[str]:
    """What is not as it was written, or, where nothing is, does not fit together."""
    try:
        map_ = open_packed(path if isinstance(path, Path) else path.now())
        if broken := list(map_.file.problems()):
            yield from broken
        else:
            yield from _inconsistencies(map_)
    except VlocError as error:
        yield str(error)


def _lost_versions(folder: Location, told: str) -> Iterator[str]:
    """The versions of a map's history that do not open, for another reason than was told of the current one."""
    for number in numbers_in(folder):
        try:
            Map.open(folder, number)
        except VlocError as error:
            if str(error) != told:
                yield f"version {number}: {error}"


def _inconsistencies(map_: Map) -> Iterator[str]:
    """Whether the parts of a map that opens fit together."""
    sparse, _ = map_.sparse, map_.frame
    for row, name in enumerate(sparse.image_names):
        if name not in map_.features:
            yield f"{map_.folder}: image '{name}' of the sparse map has no local features"
        elif len(map_.features[name]) != len(sparse.points_of(row)):
            yield (
                f"{map_.folder}: image '{name}' has {len(map_.features[name])} keypoints, "
                f"the sparse map counts {len(sparse.points_of(row))}"
            )
        for descriptors in map_.descriptors:
            if name not in descriptors:
                yield f"{map_.folder}: image '{name}' of the sparse map has no global descriptor"
    last = int(sparse.point_of_keypoint.max(initial=-1))
    if last >= len(sparse.points):
        yield f"{map_.folder}: a keypoint shows point {last} of {len(sparse.points)}"


def _misplaced(map_: Map) -> Iterator[str]:
    """Whether a map in a folder is where its frame says."""
    unmoved = open_artifact(map_.folder, map_.reconstruction, SparseMap).value
    if not np.allclose(moved(unmoved, map_.frame.similarity).points, map_.sparse.points, rtol=1e-6, atol=1e-9):
        yield f"{map_.folder / MANIFEST}: frame: the map's points are not those of its reconstruction moved there"


def repaired(form: Format, path: Path) -> list[str]:
    """What was repaired, a line each; ConfigError for formats that vloc repairs nothing of."""
    if form.name != "kapture":
        raise ConfigError(f"--fix is for kapture folders, {path} is of format {form.name}")
    return normalise_quaternions(path)


def capture_problems(form: Format, path: Path, flags: CheckFlags) -> tuple[list[str], list[str]]:
    """Rows its reader refuses, rows and ids that lead nowhere and images that do not decode; and notes."""
    problems: list[str] = []
    try:
        capture: Capture | None = read(flags.path, **flags.read_options)
    except DataError as error:
        capture, problems = None, [str(error)]
        if form.name == "kapture":
            center = float(flags.pixel_center or form.pixel_center)
            capture, problems = read_all_problems(path, ReadOptions(center, flags.images, flags.camera))
    if capture is None:
        return problems, []
    rows = list(dangling_rows(path, capture)) if form.name == "kapture" else []
    # Rows that are listed one by one are not counted again, by file.
    listed = {Path(row.partition(":")[0]).name for row in rows}
    left_out = [line for line in capture.left_out if line.partition(":")[0] not in listed]
    broken = [*broken_arrays(capture), *broken_images(capture, Runtime(workers=flags.workers).num_workers)]
    return [*problems, *rows, *left_out, *([] if rows else dangling(capture)), *broken], list(capture.notes)


def dangling(capture: Capture) -> list[str]:
    """Records, poses and rigs of devices that do not exist; poses of devices that recorded nothing are no problem."""
    known = {*capture.sensors, *(member.rig_id for member in capture.rigs)}
    users: dict[str, Sequence[str]] = {
        "image records": capture.images.device_ids,
        "trajectories": capture.trajectory.device_ids,
        "rigs": [member.sensor_id for member in capture.rigs],
        **{f"{kind} records": records.device_ids for kind, records in capture.others.items()},
        **{f"{kind} records": readings.device_ids for kind, readings in capture.readings.items()},
    }
    return [
        f"{where}: device '{device}' is no sensor and no rig"
        for where, devices in users.items()
        for device in sorted({*devices} - known)
    ]


def broken_images(capture: Capture, workers: int) -> list[str]:
    """Images that are missing, do not decode or have another size than their camera's, in the capture's order."""
    if capture.files is None:
        return ["the image files were not found: give their folder with --images"] if len(capture.images) else []
    with ThreadPoolExecutor(workers) as pool:
        return [problem for problem in pool.map(lambda name: _broken(capture, name), capture.images.names) if problem]


def _broken(capture: Capture, name: str) -> str:
    try:
        assert capture.files is not None  # noqa: S101 - looked at by the caller
        where = str(capture.files.root / name) if isinstance(capture.files, FolderImages) else name
        check_size(decode(capture.files.read(name), where, color=True), capture.camera(name), where)
    except DataError as error:
        return str(error)
    return ""
