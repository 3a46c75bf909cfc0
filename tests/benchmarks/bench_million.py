"""Opening and localizing in drawn maps of 10,000 to 1,000,000 images, packed; no photos are made.

    python tests/benchmarks/bench_million.py FOLDER [SIZE ...]

A map is streets of images half a metre apart; each image shows 20 to 50 points, each point is shown by two images or
more. Poses, points, descriptors (SIFT's 128 bytes; 256 numbers in half precision for an image) are drawn. A query is
drawn where an image was taken, with 1,000 keypoints, of which most show nothing; its features are given, so the time is
that of search, matching, pose and refinement. Each map is written (6.6 GB for a million images), opened in a process of
its own and removed. Prints seconds and memory, and exponents of growth (1 is linear).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

import vloc
from vloc.config import MappingConfig, config_to_json, make_config
from vloc.data.evidence import Calibration, Trials
from vloc.data.features import LocalFeatures
from vloc.data.frame import Frame
from vloc.data.lines import Lines
from vloc.data.quality import ImageQuality
from vloc.data.sparse_map import camera_line
from vloc.map import FORMAT
from vloc.query import Query
from vloc.run.packed import Parts, write_packed

CAMERA = vloc.Camera("PINHOLE", 320, 240, (250.0, 250.0, 160.0, 120.0))
STREET = 10_000
"""images that no other street shares points with"""
STEP_M, DEPTH_M = 0.5, (5.0, 15.0)
WINDOW, POINTS_AN_IMAGE = 60, 9
DIMS, ALIKE = 256, 9
"""numbers of a global descriptor; images along the street that one resembles"""
QUERIES, KEYPOINTS = 20, 1000


@dataclass(frozen=True)
class Street:
    """Images and points of one street; points count from its own first."""

    counts: np.ndarray
    """keypoints of each image"""
    image: np.ndarray
    point: np.ndarray
    """of each keypoint, by image"""
    points: np.ndarray
    centers: np.ndarray


@lru_cache(128)
def street(index: int) -> Street:
    """What is drawn first of a street."""
    rng = np.random.default_rng([0, index])
    num_points = STREET * POINTS_AN_IMAGE
    first = (np.arange(STREET) * POINTS_AN_IMAGE - WINDOW // 2).clip(0, num_points - WINDOW)
    wanted = rng.integers(20, 51, STREET)
    ranks = rng.random((STREET, WINDOW)).argsort(axis=1).argsort(axis=1)
    image, place = np.nonzero(ranks < wanted[:, None])
    point = first[image] + place
    kept = np.bincount(point, minlength=num_points)[point] > 1
    image, point = image[kept], point[kept]
    along = STEP_M / POINTS_AN_IMAGE * np.arange(num_points)
    points = np.stack([along, rng.uniform(-2, 2, num_points), rng.uniform(*DEPTH_M, num_points)], axis=1)
    centers = np.stack([STEP_M * np.arange(STREET), np.full(STREET, 0.0), np.zeros(STREET)], axis=1)
    aside = [0, 1000.0 * index, 0]
    return Street(np.bincount(image, minlength=STREET), image, point, points + aside, centers + aside)


def keypoints_of(index: int) -> np.ndarray:
    """Where the points of a street project, with half a pixel of noise."""
    one = street(index)
    seen = one.points[one.point] - one.centers[one.image]
    noise = np.random.default_rng([1, index]).normal(0, 0.5, (len(seen), 2))
    return (250 * seen[:, :2] / seen[:, 2:] + [160, 120] + noise).astype(np.float32)


def drawn(rng: np.random.Generator, count: int) -> np.ndarray:
    """Descriptors as long as SIFT's."""
    rows = rng.random((count, 128), np.float32) ** 4
    return (512 / np.linalg.norm(rows, axis=1, keepdims=True) * rows).astype(np.uint8)


def descriptors_of(index: int) -> np.ndarray:
    """Of the points of a street."""
    return drawn(np.random.default_rng([2, index]), STREET * POINTS_AN_IMAGE)


def shown_descriptors(index: int) -> np.ndarray:
    """Of the keypoints of a street: those of their points, a little off."""
    noise = np.random.default_rng([3, index]).integers(0, 16, (len(street(index).point), 128), np.uint8)
    return descriptors_of(index)[street(index).point] + noise


def vectors_of(index: int) -> np.ndarray:
    """Global descriptors of a street's images, which resemble those of their neighbours."""
    drawn = np.random.default_rng([4, index]).standard_normal((STREET + ALIKE - 1, DIMS), np.float32)
    sums = np.cumsum(np.concatenate([np.zeros((1, DIMS), np.float32), drawn]), axis=0, dtype=np.float64)
    rows = sums[ALIKE:] - sums[:-ALIKE]
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def images_by_point(index: int) -> np.ndarray:
    """The images of a street, point by point."""
    one = street(index)
    return one.image[np.argsort(one.point, kind="stable")].astype(np.int32)


def arrays(size: int) -> Iterator[tuple[str, Parts]]:
    """Everything of a packed map, a street in memory at a time."""
    streets, offset = range(size // STREET), STREET * POINTS_AN_IMAGE
    names = Lines.of([f"street-{i // STREET:03d}/{i % STREET:05d}.jpg" for i in range(size)])
    cameras = Lines.of([camera_line(CAMERA)] * (size // 100))

    def column(of: Callable[[int], np.ndarray]) -> Parts:
        return (of(index) for index in streets)

    def ends(counts: Callable[[int], np.ndarray]) -> Parts:
        last = np.zeros(1, np.int64)
        yield last
        for index in streets:
            part = last[-1] + np.cumsum(counts(index), dtype=np.int64)
            last = part[-1:]
            yield part

    def of_points(index: int) -> np.ndarray:
        return np.bincount(street(index).point, minlength=offset)

    yield from {"sparse/image_names": [names.text], "sparse/image_names_starts": [names.starts]}.items()
    yield "sparse/name_order", [np.arange(size, dtype=np.int32)]
    yield from {"sparse/cameras": [cameras.text], "sparse/cameras_starts": [cameras.starts]}.items()
    yield "sparse/camera_of_image", [np.arange(size, dtype=np.int32) // 100]
    yield "sparse/rotation", column(lambda index: np.broadcast_to(np.eye(3), (STREET, 3, 3)))
    yield "sparse/translation", column(lambda index: -street(index).centers)
    yield "sparse/points", column(lambda index: street(index).points)
    yield "sparse/point_errors", column(lambda index: np.full(offset, 0.5, np.float32))
    yield (
        "sparse/point_covariances",
        column(lambda index: np.tile(np.float32([1e-4, 0, 0, 1e-4, 0, 1e-3]), (offset, 1))),
    )
    yield "sparse/pose_noise", [np.array([1e-4, 1e-3])]
    yield "sparse/offsets", ends(lambda index: street(index).counts)
    yield "sparse/point_of_keypoint", column(lambda index: (street(index).point + index * offset).astype(np.int32))
    yield "sparse/images_of_points", column(lambda index: images_by_point(index) + np.int32(index * STREET))
    yield "sparse/point_starts", ends(of_points)
    yield "features/keypoints", column(keypoints_of)
    yield "features/descriptors", column(shown_descriptors)
    for name in ("scores", "scales"):
        yield f"features/{name}", column(lambda index: np.ones(len(street(index).point), np.float32))
    yield "features/quarter_turns", column(lambda index: np.zeros(STREET, np.uint8))
    yield "descriptors/0/vectors", column(lambda index: vectors_of(index).astype(np.float16))
    learned = {"words": (128, 128), "mean": (128 * 128,), "projection": (128 * 128, DIMS)}
    yield from ((f"trained/0/{name}", [np.ones(shape, np.float32)]) for name, shape in learned.items())
    for name, array in Calibration(1.0, 0.0, Trials.joined([])).to_arrays().items():
        yield f"calibration/{name}", [array]


def draw(path: Path, size: int) -> None:
    """Write a map of that many images."""
    parts = "sparse", "features", "vectors", "descriptors/0", "trained/0", "calibration"
    references = {**dict.fromkeys(("sparse", "features", "reconstruction", "colors"), ""), "descriptors": [""]}
    manifest = {
        "format": FORMAT,
        "config": config_to_json(make_config(MappingConfig)),
        "references": {**references, "trained": [""], "calibration": ""},
        "frame": Frame.of_reconstruction(posed=True).to_json(),
    }
    write_packed(path, arrays(size), {"manifest": manifest, "marks": {part: {"fingerprint": part} for part in parts}})


def query(size: int, number: int) -> tuple[Query, np.ndarray, np.ndarray]:
    """A query, its global descriptor, and where it was."""
    rng = np.random.default_rng([5, number])
    index, row = int(rng.integers(size // STREET)), int(rng.integers(50, STREET - 50))
    one, center = street(index), street(index).centers[row] + rng.normal(0, 0.1, 3)
    near = np.unique(one.point[np.abs(one.image - row) < ALIKE])
    seen = one.points[near] - center
    pixels = 250 * seen[:, :2] / seen[:, 2:] + [160, 120] + rng.normal(0, 0.5, (len(near), 2))
    inside = ((pixels > 0) & (pixels < [320, 240])).all(axis=1)
    shown = descriptors_of(index)[near[inside]] + rng.integers(0, 16, (int(inside.sum()), 128), np.uint8)
    others = KEYPOINTS - len(shown)
    clutter = drawn(rng, others)
    keypoints = np.concatenate([pixels[inside], rng.uniform(0, 1, (others, 2)) * [320, 240]]).astype(np.float32)
    ones = np.ones(KEYPOINTS, np.float32)
    features = LocalFeatures(keypoints, np.concatenate([shown, clutter]), ones, ones)
    vector = vectors_of(index)[row] + rng.normal(0, 0.02, DIMS)
    sensor = vloc.Sensor("camera", camera=CAMERA)
    quality = ImageQuality(1.0, 0.5, 0.0, 1.0, 1.0, 1.0)
    made = Query(f"query {number}", sensor, lambda: quality, lambda in_color: None, features)
    return made, (vector / np.linalg.norm(vector)).astype(np.float32)[None], center


def measure(path: Path, size: int) -> None:
    """Open a map and localize the queries; print figures as JSON."""
    queries = [query(size, number) for number in range(QUERIES)]
    street.cache_clear()
    before, began = memory(), time.perf_counter()
    place = vloc.Localizer(path).placer
    opened, held = time.perf_counter() - began, memory()
    seconds, errors, searching, worked = [], [], [], []
    for made, vector, center in queries:
        began, before_it = time.perf_counter(), time.process_time()
        similar = place.similar([vector])
        searching.append(time.perf_counter() - began)
        found = place.matched(made, similar)
        pose = place.told(found, place.place(found)).cam_from_world
        seconds.append(time.perf_counter() - began)
        worked.append(time.process_time() - before_it)
        errors.append(np.inf if pose is None else float(np.linalg.norm(pose.center - center)))
    figures = {
        "opening, s": opened,
        "first query, s": seconds[0],
        "a query, s": float(np.median(seconds[1:])),
        "its search, s": float(np.median(searching[1:])),
        "its CPU time, s": float(np.median(worked[1:])),
    }
    own, mapped = (held[key] - before[key] for key in ("RssAnon", "RssFile"))
    memories = {"opened, MB": own + mapped, "at the end, MB": memory()["RssAnon"] - before["RssAnon"]}
    located = {"localized": int(np.isfinite(errors).sum()), "median, m": float(np.median(errors))}
    print(json.dumps({"seconds": figures, "others": {**memories, **located, "file, GB": path.stat().st_size / 1e9}}))


def memory() -> dict[str, float]:
    """MB of this process: its own, and of mapped files."""
    text = Path("/proc/self/status").read_text()
    return {key: int(re.search(rf"{key}:\s+(\d+) kB", text)[1]) / 1024 for key in ("RssAnon", "RssFile")}


def main() -> None:
    """Every size, then the fits."""
    folder, sizes = Path(sys.argv[1]), [int(size) for size in sys.argv[2:]] or [10_000, 100_000, 1_000_000]
    tables = {}
    for size in sizes:
        path = folder / f"million-{size}.vloc"
        draw(path, size)
        command = [sys.executable, __file__, "--measure", str(path), str(size)]
        try:
            tables[size] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        finally:
            path.unlink()
    print(f"{'images':<18}" + "".join(f"{size:>12,}" for size in sizes) + "    exponent")
    for kind in ("seconds", "others"):
        for name in tables[sizes[0]][kind]:
            values = [tables[size][kind][name] for size in sizes]
            fit = np.polyfit(np.log(sizes), np.log(values), 1)[0] if len(sizes) > 1 and kind == "seconds" else np.nan
            told = "" if np.isnan(fit) else f"{fit:>12.2f}"
            print(f"{name:<18}" + "".join(f"{value:>12.4g}" for value in values) + told)


if __name__ == "__main__":
    if sys.argv[1] == "--measure":
        measure(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
