"""Pose errors with each image once a query: map and localize over the folds of a scene, and the errors pooled.

    python tests/benchmarks/bench_folds.py DATA/strecha/fountain-P11 SCENE ... [match=nn:ratio=0.9 ...]

A scene with `gt_poses.txt` has three folds: image k is a query of fold k mod 3, the others are the map. Any other scene
is mapped and localized as it is divided: `mapping/`, `query/`, truth in `query_truth.txt` or in the query capture.
Settings are those of the map, `STAGE=WRITTEN FORM` or `STAGE.KEY=VALUE`; `localize.` before those of localization.
`pixel_center=0` goes to the readers. Folders of queries (day, night) are told apart as well.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import vloc
from vloc.data.merging import merge
from vloc.data.records import Trajectory
from vloc.data.splitting import part_of
from vloc.formats.results import posed_images, read_poses

FOLDS = 3
Settings = dict[str, Any]
Truth = dict[str, vloc.Rigid]


@dataclass(frozen=True)
class Fold:
    """A map to build and the queries to place in it."""

    mapping: vloc.Capture
    query: vloc.Capture
    truth: Truth


def folds(scene: Path, **options: Any) -> Iterator[Fold]:
    """The folds of a scene folder."""
    mapping, query = (vloc.read(f"kapture:{scene / part}", **options) for part in ("mapping", "query"))
    if not (scene / "gt_poses.txt").exists():
        listed = scene / "query_truth.txt"
        yield Fold(mapping, query, read_poses(listed) if listed.exists() else posed_images(query))
        return
    truth = read_poses(scene / "gt_poses.txt")
    whole = merge([mapping, replace(query, trajectory=Trajectory.empty())])
    records = whole.images
    rows = zip(records.timestamps.tolist(), records.devices, records.names, strict=True)
    poses = [(when, records.device_ids[device], truth[name]) for when, device, name in rows]
    whole = replace(whole, trajectory=Trajectory.from_rows(poses))
    order = {name: place for place, name in enumerate(sorted(records.names))}
    for fold in range(FOLDS):
        asked = np.array([order[name] % FOLDS == fold for name in records.names])
        query = part_of(whole, asked)
        yield Fold(part_of(whole, ~asked), query, {name: truth[name] for name in query.images.names})


def parse(words: list[str]) -> tuple[Settings, Settings, Settings]:
    """Settings of the map, of localization and of the readers, from `NAME=VALUE` and `NAME.KEY=VALUE`."""
    made: tuple[Settings, Settings, Settings] = {}, {}, {}
    for word in words:
        name, _, value = word.partition("=")
        target = made[2] if name == "pixel_center" else made[1] if name.startswith("localize.") else made[0]
        stage, _, key = name.removeprefix("localize.").partition(".")
        target[stage] = {**target.get(stage, {}), key: value} if key else value
    return made


def run(fold: Fold, mapping: Settings, localization: Settings) -> tuple[vloc.Evaluation, np.ndarray]:
    """The errors of a fold's queries; CPU seconds of both jobs, number of points and of observations."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        map_ = vloc.build_map(fold.mapping, f"{folder}/map", **mapping)
        built = time.process_time()
        estimates = vloc.localize(map_, fold.query, f"{folder}/query", **localization)
        seconds = built - began, time.process_time() - built
        figures = *seconds, len(map_.sparse.points), map_.sparse.num_observations
    found = {e.name: e.cam_from_world for e in estimates if e.cam_from_world is not None}
    return vloc.evaluate(found, fold.truth), np.array(figures)


def line(label: str, centimetres: np.ndarray, degrees: np.ndarray) -> str:
    """Median and worst errors of some queries."""
    lost = f", {np.isinf(centimetres).sum()} lost" if np.isinf(centimetres).any() else ""
    median = f"{np.median(centimetres):.3f} cm {np.median(degrees):.4f} deg"
    rest = f"mean {centimetres.mean():.3f}, worst {centimetres.max():.2f} cm{lost}"
    return f"{label} ({len(centimetres)}): median {median}, {rest}"


def report(scene: Path, words: list[str]) -> str:
    """The lines of a scene."""
    mapping, localization, reading = parse(words)
    options = {name: float(value) for name, value in reading.items()}
    runs = [run(fold, mapping, localization) for fold in folds(scene, **options)]
    names = np.concatenate([found.names for found, _ in runs])
    centimetres = np.concatenate([100 * found.translation_m for found, _ in runs])
    degrees = np.concatenate([found.rotation_deg for found, _ in runs])
    first, second, points, observations = np.sum([figures for _, figures in runs], axis=0)
    lines = [line(scene.name, centimetres, degrees)]
    lines[0] += f"; {points:.0f} points, {observations:.0f} observations; CPU {first:.1f} + {second:.1f} s"
    groups = np.array([name.partition("/")[0] for name in names])
    if 1 < len(set(groups)) < len(groups):
        lines += [
            line(f"  {group}", centimetres[groups == group], degrees[groups == group]) for group in sorted(set(groups))
        ]
    return "\n".join(lines)


def main() -> None:
    """Print the figures of every scene."""
    scenes = [word for word in sys.argv[1:] if "=" not in word]
    for scene in scenes:
        print(report(Path(scene), [word for word in sys.argv[1:] if "=" in word]), flush=True)


if __name__ == "__main__":
    main()
