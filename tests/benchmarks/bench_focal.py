"""Poses from cameras that are not quite known: real photos with EXIF only, synthetic ones with a wrong or no EXIF.

    python tests/benchmarks/bench_focal.py castle ../shared/data/sceaux_castle FOLDER
    python tests/benchmarks/bench_focal.py gallery FOLDER --seed 31
    python tests/benchmarks/bench_focal.py scene ../shared/data/strecha/fountain-P11 FOLDER

`castle`: each photo once a query of the SfM map of all others, aligned to the SfM of all photos by their centres;
errors in percent of the largest distance between two photos. `gallery`: queries with the focal length as it is, 20 %
off both ways, and guessed for photos without EXIF; and how many queries of another gallery, guessed, get a pose.
`scene`: the same for the queries of a real place. FOLDER keeps what a rerun reuses.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from vloc import Camera, Capture, PoseEstimate, build_map, localize, read
from vloc.data.capture import GUESSED, Sensor
from vloc.data.splitting import named, part_of
from vloc.geometry.alignment import align
from vloc.map import Map

GUESS = 1.2  # x longer side, COLMAP's and vloc's guess for photos that say nothing


def castle(photos: Path, folder: Path) -> Iterator[str]:
    """One line of figures for each way to come by the camera."""
    capture = read(photos)
    whole = build_map(capture, folder / "map").sparse
    truth = dict(zip(whole.image_names, whole.cam_from_world.center, strict=True))
    extent = max(float(np.linalg.norm(a - b)) for a in truth.values() for b in truth.values())
    errors: dict[str, list[float]] = {}
    for name in truth:
        rest = build_map(part_of(capture, ~named(capture, [name])), folder / "map")
        query = part_of(capture, named(capture, [name]))
        for label, (photo, refine) in ways(query).items():
            (estimate,) = localize(rest, photo, folder / f"{name}.work", register={"refine": refine})
            errors.setdefault(label, []).append(100 * center_error(estimate, rest, truth) / extent)
    for label, values in errors.items():
        yield f"{label}: {len(values)} photos, median {np.median(values):.3f} %, worst {max(values):.3f} %"


def ways(query: Capture) -> dict[str, tuple[Capture, str]]:
    """The query with what its EXIF says alone, or recognised by it as the map's camera, and what is refined."""
    alone = replace(query, sensors={key: replace(sensor, device="") for key, sensor in query.sensors.items()})
    rows = {f"EXIF, refine {refine}": (alone, refine) for refine in ("none", "focal", "distortion", "auto")}
    return {**rows, "the map's camera": (query, "auto")}


def center_error(estimate: PoseEstimate, rest: Map, truth: Mapping[str, np.ndarray]) -> float:
    """Distance of a centre from its true place, in the units of the truth; infinite without pose."""
    if estimate.cam_from_world is None:
        return np.inf
    shared = list(rest.sparse.image_names)
    moved = align(rest.sparse.cam_from_world.center, np.stack([truth[name] for name in shared]))
    return float(np.linalg.norm(moved.apply(estimate.cam_from_world.center[None])[0] - truth[estimate.name]))


def gallery(folder: Path, seed: int) -> Iterator[str]:
    """One line of figures for each way to be wrong about the focal length, by day and by night."""
    scene = import_module("vloc.datasets.synthetic_gallery")
    root = folder / f"gallery-{seed}"
    scene.make(root, scene.GalleryConfig(num_images=90, num_queries=40, image_size=(640, 480), seed=seed))
    truth = true_centers(root / "query_truth.txt")
    for label, estimates in with_every_camera(root, root):
        for light in ("day", "night"):
            yield f"{label}, {light}: {figures([e for e in estimates if e.name.startswith(light)], truth)}"
    elsewhere = root / "elsewhere"
    scene.make(elsewhere, scene.GalleryConfig(num_images=3, num_queries=60, image_size=(640, 480), seed=seed + 500))
    foreign = wrong_cameras(read(elsewhere / "query"))["guessed"]
    estimates = localize(Map.open(root / "map"), foreign, root / "foreign.work")
    yield f"of another gallery, guessed: {sum(e.is_localized for e in estimates)} of {len(estimates)} get a pose"


def scene(root: Path, folder: Path) -> Iterator[str]:
    """One line of figures for each way to be wrong about the focal length."""
    truth = true_centers(root / "gt_poses.txt")
    for label, estimates in with_every_camera(root, folder / root.name):
        yield f"{root.name}, {label}: {figures(estimates, truth)}"


def with_every_camera(root: Path, folder: Path) -> Iterator[tuple[str, list[PoseEstimate]]]:
    """The estimates of a scene's queries for every way to be wrong about their cameras."""
    folder.mkdir(parents=True, exist_ok=True)
    map_, queries = build_map(read(root / "mapping"), folder / "map"), read(root / "query")
    for label, capture in wrong_cameras(queries).items():
        for refine in ("none", "auto"):
            settings = {"refine": refine}
            yield f"{label}, refine {refine}", localize(map_, capture, folder / "work", register=settings)


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
    """How many have a pose, how far off these are, and how far for what their covariance says (1.5 is expected)."""
    errors, distances = [np.inf], [np.inf]
    for estimate in estimates:
        if estimate.cam_from_world is not None and estimate.covariance is not None:
            off = estimate.cam_from_world.rotation @ (estimate.cam_from_world.center - truth[estimate.name])
            errors.append(100 * float(np.linalg.norm(off)))
            distances.append(float(np.sqrt(off @ np.linalg.solve(estimate.covariance[3:, 3:], off))))
    median, worst, distance = np.median(errors[1:]), max(errors[1:]), np.median(distances[1:])
    found = f"{len(errors) - 1} of {len(estimates)}"
    return f"{found}, median {median:.3f} cm, worst {worst:.2f} cm, Mahalanobis distance {distance:.1f}"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["castle", "gallery", "scene"])
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=31)
    arguments = parser.parse_args()
    ways = {"castle": castle, "scene": scene, "gallery": lambda folder: gallery(folder, arguments.seed)}
    for line in ways[arguments.what](*arguments.paths):
        print(line, flush=True)


if __name__ == "__main__":
    main()
