"""Photos stored turned: are as many of a gallery's queries localized when their pixels lie on their side?

    VLOC_WEIGHTS=FOLDER python tests/benchmarks/bench_upright.py GALLERY extract=sift extract=aliked+describe=vlad

Every query of the gallery is stored turned by 0 and by 90 degrees and upside down, with the EXIF orientation by which
viewers turn it back and the intrinsics of the turned camera, and localized in one map with `look.upright` exif and
none. Configurations are those of `bench_night.py`. Prints how many queries are found within 0.25 m and 2 degrees, and
their median error.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from bench_night import parse
from PIL import Image

import vloc
from vloc.data.capture import Capture
from vloc.formats.images import FolderImages
from vloc.formats.results import read_poses
from vloc.geometry.camera import Camera
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid

FOUND_M, FOUND_DEG = 0.25, 2.0
ORIENTATIONS = {0: 1, 1: 6, 2: 3, 3: 8}
"""counterclockwise quarter turns of the stored pixels -> the EXIF orientation that undoes them"""
TURN = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
"""turned camera from camera, for one such quarter turn"""


def turned_camera(camera: Camera) -> Camera:
    """The intrinsics after one quarter turn counterclockwise, of models that have no tangential distortion."""
    num_focal = 2 if camera.model == "PINHOLE" else 1
    focal, (cx, cy, *distortion) = camera.params[:num_focal], camera.params[num_focal:]
    return Camera(camera.model, camera.height, camera.width, (*focal[::-1], cy, camera.width - cx, *distortion))


def turned(queries: Capture, folder: Path, quarter_turns: int) -> Capture:
    """The queries with their pixels stored turned counterclockwise."""
    assert queries.files is not None
    for name in queries.images.names:
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            exif = Image.Exif()
            exif[0x0112] = ORIENTATIONS[quarter_turns]
            pixels = np.rot90(np.asarray(Image.open(queries.files.path(name))), quarter_turns)
            Image.fromarray(np.ascontiguousarray(pixels)).save(path, quality=95, exif=exif)
    sensors = dict(queries.sensors)
    for _ in range(quarter_turns):
        sensors = {key: replace(s, camera=turned_camera(s.camera)) for key, s in sensors.items() if s.camera}
    return replace(queries, sensors=sensors, files=FolderImages(folder))


def main() -> None:
    """A line for each configuration, way of looking and turn."""
    gallery = Path(sys.argv[1])
    queries, truth = vloc.read(f"kapture:{gallery / 'query'}"), read_poses(gallery / "query_truth.txt")
    for written in sys.argv[2:]:
        mapping, localization, _ = parse(written.split("+"))
        if "describe" in mapping:
            mapping["describe"] = mapping["describe"].split("/")
        for upright in ("exif", "none"):
            look = {"look": {"upright": upright}}
            map_ = vloc.build_map(f"kapture:{gallery / 'mapping'}", gallery / "upright.map", **mapping, **look)
            for turns in (0, 1, 2, 3):
                asked = turned(queries, gallery / f"turned-{turns}", turns)
                found = vloc.localize(map_, asked, gallery / "upright.poses", **localization)
                print(
                    f"{written}, upright {upright}, turned {90 * turns} degrees: {told(found, truth, turns)}",
                    flush=True,
                )


def told(found: list[vloc.PoseEstimate], truth: dict[str, Rigid], quarter_turns: int) -> str:
    """How many are found, and their median error."""
    turn = Rigid(np.linalg.matrix_power(TURN, quarter_turns), np.zeros(3))
    errors = [pose_errors(e.cam_from_world, turn @ truth[e.name]) for e in found if e.cam_from_world is not None]
    good = [metres for metres, radians in errors if metres <= FOUND_M and np.degrees(radians) <= FOUND_DEG]
    return f"{len(good)} of {len(found)} found, median {100 * np.median(good) if good else np.nan:.2f} cm"


if __name__ == "__main__":
    main()
