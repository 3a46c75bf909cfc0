"""Poses from cameras that are not quite known: real photos with EXIF only, synthetic ones with a wrong or no EXIF.

    python tests/benchmarks/bench_focal.py castle ../shared/data/sceaux_castle FOLDER
    python tests/benchmarks/bench_focal.py gallery FOLDER --seed 31

`castle`: each photo once a query of the SfM map of all others, aligned to the SfM of all photos by their centres;
errors in percent of the largest distance between two photos. `gallery`: queries with the focal length as it is, 20 %
off both ways, and guessed for photos without EXIF. FOLDER keeps what a rerun reuses.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vloc import Camera, Capture, PoseEstimate, build_map, localize, read
from vloc.data.capture import GUESSED, Sensor
from vloc.data.splitting import named, part_of
from vloc.geometry.alignment import align
from vloc.map import Map

GUESS = 1.2  # x longer side, COLMAP's and vloc's guess for photos that say nothing


def castle(photos: Path, folder: Path, settings: Mapping[str, Any]) -> str:
    """One line of figures for every photo, and their median."""
    capture = read(photos)
    whole = build_map(capture, folder / "map").sparse
    truth = dict(zip(whole.image_names, whole.cam_from_world.center, strict=True))
    extent = max(float(np.linalg.norm(a - b)) for a in truth.values() for b in truth.values())
    errors = {}
    for name in truth:
        rest = build_map(part_of(capture, ~named(capture, [name])), folder / "map")
        query = part_of(capture, named(capture, [name]))
        (estimate,) = localize(rest, query, folder / f"{name}.work", **settings)
        errors[name] = 100 * center_error(estimate, rest, truth) / extent
        print(f"{name}: {errors[name]:7.3f} % of the extent; {said(estimate)}")
    values = list(errors.values())
    return f"{len(values)} photos: median {np.median(values):.3f} %, worst {max(values):.3f} %"


def center_error(estimate: PoseEstimate, rest: Map, truth: Mapping[str, np.ndarray]) -> float:
    """Distance of a centre from its true place, in the units of the truth; infinite without pose."""
    if estimate.cam_from_world is None:
        return np.inf
    shared = list(rest.sparse.image_names)
    moved = align(rest.sparse.cam_from_world.center, np.stack([truth[name] for name in shared]))
    return float(np.linalg.norm(moved.apply(estimate.cam_from_world.center[None])[0] - truth[estimate.name]))


def gallery(folder: Path, seed: int, settings: Mapping[str, Any]) -> Iterator[str]:
    """One line of figures for each way to be wrong about the focal length, by day and by night."""
    from datasets.synthetic_gallery import GalleryConfig, make

    root = folder / f"gallery-{seed}"
    make(root, GalleryConfig(num_images=90, num_queries=40, image_size=(640, 480), seed=seed))
    map_ = build_map(read(root / "mapping"), root / "map")
    truth = true_centers(root / "query_truth.txt")
    queries = read(root / "query")
    for label, capture in wrong_cameras(queries).items():
        estimates = localize(map_, capture, root / "work", **settings)
        for light in ("day", "night"):
            yield f"{label}, {light}: {figures([e for e in estimates if e.name.startswith(light)], truth)}"


def wrong_cameras(queries: Capture) -> dict[str, Capture]:
    """The same photos with the focal length as it is, 20 % short, 20 % long, and guessed."""
    return {
        "known": queries,
        "20 % short": with_cameras(queries, lambda camera: scaled(camera, 0.8)),
        "20 % long": with_cameras(queries, lambda camera: scaled(camera, 1.2)),
        "guessed": with_cameras(queries, guessed),
    }


def with_cameras(capture: Capture, change: Any) -> Capture:
    """A capture whose cameras are changed, and said to be."""
    return replace(capture, sensors={name: rough(sensor, change) for name, sensor in capture.sensors.items()})


def rough(sensor: Sensor, change: Any) -> Sensor:
    """A sensor with another camera, whose focal length is a guess."""
    return replace(sensor, camera=change(sensor.camera), focal_source=GUESSED)


def scaled(camera: Camera, factor: float) -> Camera:
    """The focal length times a factor."""
    focals, rest = camera.params[: camera.num_focals], camera.params[camera.num_focals :]
    return replace(camera, params=(*(factor * focal for focal in focals), *rest))


def guessed(camera: Camera) -> Camera:
    """What is taken for a photo that says nothing of its lens."""
    width, height = camera.width, camera.height
    return Camera("SIMPLE_RADIAL", width, height, (GUESS * max(width, height), width / 2, height / 2, 0.0))


def true_centers(path: Path) -> dict[str, np.ndarray]:
    """Camera centres by image name."""
    from vloc.formats.results import read_poses

    return {name: pose.center for name, pose in read_poses(path).items()}


def figures(estimates: Sequence[PoseEstimate], truth: Mapping[str, np.ndarray]) -> str:
    """How many have a pose, and how far off these are."""
    poses = [(e.name, e.cam_from_world) for e in estimates if e.cam_from_world is not None]
    errors = 100 * np.array([np.linalg.norm(pose.center - truth[name]) for name, pose in poses] or [np.inf])
    return f"{len(poses)} of {len(estimates)}, median {np.median(errors):.3f} cm, worst {errors.max():.2f} cm"


def said(estimate: PoseEstimate) -> str:
    """What an estimate says of itself."""
    return f"{estimate.num_inliers} of {estimate.num_matches} {estimate.reason}"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["castle", "gallery"])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=31)
    arguments = parser.parse_args()
    if arguments.what == "castle":
        photos, folder = arguments.paths
        print(castle(photos, folder, {}))
    else:
        print("\n".join(gallery(arguments.paths[0], arguments.seed, {})))


if __name__ == "__main__":
    main()
