"""Is confidence to be believed? Photos of a place, of other places, mirrored, degraded and of nothing, against maps.

    python tests/benchmarks/bench_confidence.py FOLDER DATA --seeds 21 22 23 24
    python tests/benchmarks/bench_confidence.py FOLDER DATA --seeds 0 7 11 --fit

Galleries of every seed at three sizes, and the real scenes of DATA; every map is asked for the photos of all places of
its size (real ones: of each other). What was asked before is kept in FOLDER, so a run that was cut short goes on.
A pose is right within 0.5 m and 5 degrees, and lost where it is right and its confidence not above 0.5. `--fit` prints
the weights of `vloc/solvers/calibration.py`; use other seeds for figures. `reliability.svg` shows confidence against
the share of right poses.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from bench_folds import folds
from vloc.datasets import synthetic_gallery

import vloc
from vloc.data.capture import Capture, Sensor
from vloc.errors import DataError
from vloc.formats.images import decode
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors
from vloc.solvers.calibration import terms

SIZES = {(320, 240): (90, 130), (640, 480): (45, 30), (1024, 768): (24, 6)}
"""image size -> map images and queries of each gallery"""
KINDS = ("own", "other", "noise", "mirrored", "degraded")
OWN = ("own", "degraded")
RIGHT_M, RIGHT_DEG, BELIEVED = 0.5, 5.0, 0.5
RIDGE = 0.3


@dataclass(frozen=True)
class Place:
    """A map to ask, the photos of it, and their true poses."""

    name: str
    group: str
    """places of one group are asked for each other's photos"""
    mapping: Capture
    query: Capture
    truth: dict[str, vloc.Rigid]


def galleries(folder: Path, seeds: list[int]) -> Iterator[Place]:
    """Synthetic galleries, made where they are not there yet."""
    for (width, height), (num_images, num_queries) in SIZES.items():
        for seed in seeds:
            root = folder / f"gallery-{width}-{seed}"
            config = synthetic_gallery.GalleryConfig(num_images, num_queries, (width, height), seed=seed)
            synthetic_gallery.make(root, config)
            mapping, query = (vloc.read(f"kapture:{root / part}") for part in ("mapping", "query"))
            yield Place(f"{width}-{seed}", f"{width}", mapping, query, read_poses(root / "query_truth.txt"))


def real_scenes(data: Path) -> Iterator[Place]:
    """Strecha's scenes in three folds each, Virtual Gallery, and a castle whose own photos have no true poses."""
    for scene in ("strecha/fountain-P11", "strecha/Herz-Jesus-P8", "virtual_gallery_tutorial"):
        options = {"pixel_center": 0.0} if "virtual" in scene else {}
        for number, fold in enumerate(folds(data / scene, **options)):
            yield Place(f"{Path(scene).name}-{number}", "real", fold.mapping, fold.query, fold.truth)
    castle = vloc.read(str(data / "sceaux_castle"))
    yield Place("sceaux", "real", castle, castle, {})


def photos(place: Place, kind: str, rng: np.random.Generator) -> Iterator[tuple[str, Sensor, np.ndarray]]:
    """The photos of a place, as they are or changed; noise has the sizes of its photos."""
    names = place.query.images.names[:10] if kind == "noise" else place.query.images.names
    for row, name in enumerate(names):
        assert place.query.files is not None
        pixels = decode(place.query.files.read(name), name, color=False)
        yield name, place.query.sensor(name), changed(pixels, kind, row, rng)


def changed(pixels: np.ndarray, kind: str, row: int, rng: np.random.Generator) -> np.ndarray:
    """The photo mirrored, replaced by noise, or degraded in one of five ways."""
    if kind == "mirrored":
        return np.ascontiguousarray(pixels[:, ::-1])
    if kind == "noise":
        return cv2.GaussianBlur(rng.integers(0, 256, pixels.shape).astype(np.uint8), (0, 0), 1.5)
    if kind != "degraded":
        return pixels
    (h, w), image = pixels.shape, pixels.astype(np.float32)
    left = int(rng.uniform(0, 0.7) * w)
    ways = [
        lambda: image + rng.normal(0, 30, image.shape),
        lambda: cv2.GaussianBlur(image, (0, 0), 2.5),
        lambda: 0.12 * image + rng.normal(0, 4, image.shape),
        lambda: cv2.resize(cv2.resize(image, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA), (w, h)),
        lambda: np.where((np.arange(w) >= left) & (np.arange(w) < left + 0.3 * w), image, 128),
    ]
    return np.clip(ways[row % len(ways)](), 0, 255).astype(np.uint8)


def asked(folder: Path, place: Place, of: Place, kind: str) -> list[dict[str, Any]]:
    """A row for every photo of a place, asked of the map of another, or of its own."""
    path = folder / "asked" / f"{place.name}--{of.name}--{kind}.json"
    if not path.exists():
        localizer, rng = localizer_of(folder, place.name), np.random.default_rng(0)
        true = place.truth if kind in ("own", "degraded") else {}
        rows = [ask(localizer, name, sensor, pixels, true) for name, sensor, pixels in photos(of, kind, rng)]
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(rows))
    return [{**row, "map": place.name, "kind": kind} for row in json.loads(path.read_text())]


def ask(
    localizer: vloc.Localizer, name: str, sensor: Sensor, pixels: np.ndarray, truth: dict[str, vloc.Rigid]
) -> dict[str, Any]:
    """What one photo gave: confidence and evidence of the pose that was found, and whether that is right."""
    try:
        estimate = localizer.localize(pixels, sensor.camera, name)
    except DataError as error:
        raise SystemExit(f"{name}: {error}") from None
    row: dict[str, Any] = {"name": name, "found": estimate.cam_from_world is not None, "right": False}
    if estimate.cam_from_world is None or estimate.evidence is None:
        return row | {"confidence": 0.0, "evidence": None}
    if name in truth:
        metres, radians = pose_errors(estimate.cam_from_world, truth[name])
        row |= {"metres": float(metres), "right": bool(metres < RIGHT_M and np.degrees(radians) < RIGHT_DEG)}
    return row | {"confidence": estimate.confidence, "evidence": estimate.evidence.to_row().tolist()}


MAPPINGS: dict[str, Capture] = {}


@cache
def localizer_of(folder: Path, name: str) -> vloc.Localizer:
    """The map of a place, built where it is not there yet; it refuses no pose, so that all are seen."""
    map_ = vloc.build_map(MAPPINGS[name], folder / f"{name}.map")
    return vloc.Localizer(map_, register={"min_confidence": 0.0})


def everything(folder: Path, places: list[Place]) -> list[dict[str, Any]]:
    """All rows: each map is asked for its own photos, changed ones, and those of the other places of its group."""
    MAPPINGS.update({place.name: place.mapping for place in places})
    rows = []
    for place in places:
        kinds = [kind for kind in KINDS if kind != "other" and (place.truth or kind == "noise")]
        rows += [row for kind in kinds for row in asked(folder, place, place, kind)]
        rows += [row for of in places if is_elsewhere(place, of) for row in asked(folder, place, of, "other")]
        print(place.name, len(rows), flush=True)
    return rows


def is_elsewhere(place: Place, of: Place) -> bool:
    """Whether two places of a group are different ones; the folds of a scene are one place."""
    names = [p.name.rpartition("-")[0] if p.group == "real" else p.name for p in (place, of)]
    return place.group == of.group and names[0] != names[1]


def report(rows: list[dict[str, Any]]) -> None:
    """The figures of every kind, and the reliability of confidence over all but mirrored photos."""
    print(f"{'':10} {'asked':>6} {'found':>6} {'right':>6} {'believed and wrong':>19} {'right and lost':>15}")
    for kind in KINDS:
        own = [row for row in rows if row["kind"] == kind]
        right = [row for row in own if row["right"]]
        wrong = [row for row in own if row["confidence"] > BELIEVED and not row["right"]]
        lost = [row for row in right if row["confidence"] <= BELIEVED]
        found = sum(row["found"] for row in own)
        print(f"{kind:10} {len(own):6} {found:6} {len(right):6} {len(wrong):19} {len(lost):15}")
        for row in [*wrong, *lost]:
            print("  ", {**row, "evidence": np.round(row["evidence"], 3).tolist()})
    print("confidence    poses   right")
    for low, poses, share, _ in reliability(rows):
        print(f"{low:.1f} to {low + 0.1:.1f} {poses:8} {share:7.2f}")


def reliability(rows: list[dict[str, Any]]) -> list[tuple[float, int, float, float]]:
    """Lower bound of confidence, number of poses, share of right ones, and mean confidence, a row a tenth."""
    counted = [row for row in rows if row["kind"] != "mirrored" and row["found"]]
    bins = []
    for low in np.arange(10) / 10:
        inside = [row for row in counted if low <= row["confidence"] < low + 0.1 + (low == 0.9)]
        if inside:
            means = [float(np.mean([row[name] for row in inside])) for name in ("right", "confidence")]
            bins.append((float(low), len(inside), *means))
    return bins


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """The reliability diagram."""
    from matplotlib.figure import Figure

    bins = reliability(rows)
    figure = Figure(figsize=(4.6, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="#9aa5b1", linewidth=1)
    axes.plot([b[3] for b in bins], [b[2] for b in bins], "o-", color="#3b6ea5")
    for _, poses, share, mean in bins:
        axes.annotate(str(poses), (mean, share), textcoords="offset points", xytext=(4, -11), fontsize=8)
    axes.set(xlabel="confidence", ylabel="share of right poses", xlim=(-0.02, 1.04), ylim=(-0.05, 1.05))
    figure.savefig(path, metadata={"Date": None})


def fit(rows: list[dict[str, Any]]) -> None:
    """Print weights by ridge logistic regression on standardised terms; right and wrong poses weigh the same.

    Photos of other places take their quality from those of the place, in turn: it says nothing of where a photo is.
    """
    found = [row for row in rows if row["evidence"]]
    is_right, is_own = (np.array(flags) for flags in zip(*((r["right"], r["kind"] in OWN) for r in found), strict=True))
    evidence = np.array([row["evidence"] for row in found])
    evidence[~is_own, -1] = np.resize(evidence[is_own, -1], (~is_own).sum())
    design = terms(evidence)
    mean, scale = design.mean(0), design.std(0)
    mean[0], scale[0] = 0.0, 1.0
    unit = (design - mean) / scale
    share = np.where(is_right, 0.5 / is_right.sum(), 0.5 / (~is_right).sum()) * len(found)
    weights, ridge = np.zeros(unit.shape[1]), RIDGE * np.array([0.0, *[1.0] * (unit.shape[1] - 1)])
    for _ in range(100):
        p = 1 / (1 + np.exp(-unit @ weights))
        gradient = unit.T @ (share * (p - is_right)) + ridge * weights
        weights -= np.linalg.solve((unit * (share * p * (1 - p))[:, None]).T @ unit + np.diag(ridge + 1e-9), gradient)
    raw = weights / scale
    raw[0] -= (weights[1:] * mean[1:] / scale[1:]).sum()
    print("WEIGHTS", np.round(raw, 2).tolist())


def main() -> None:
    """Ask everything, then print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--fit", action="store_true")
    flags = parser.parse_args()
    flags.folder.mkdir(parents=True, exist_ok=True)
    places = [*galleries(flags.folder, flags.seeds), *real_scenes(flags.data)]
    rows = everything(flags.folder, places)
    report(rows)
    draw(rows, flags.folder / "reliability.svg")
    if flags.fit:
        fit(rows)


if __name__ == "__main__":
    main()
