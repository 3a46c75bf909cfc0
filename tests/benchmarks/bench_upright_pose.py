"""What sampling two matches under a felt up is worth, beside three matches: on made matches, and on galleries.

    python tests/benchmarks/bench_upright_pose.py FOLDER --seeds 72 73 [--gravity-deg 1]

Made matches: a share of them right, to 0.7 px, the others anywhere; how many of 20 poses are found within 10 cm, and
CPU seconds. `three, longer`: three matches with twenty times as many samples at most. Galleries: 90 images, 60 queries
by a hard night (`bench_night.py`) and 60 by day that are degraded (`bench_confidence.py`), up felt to 1 degree: recall
within (0.25 m, 2 deg) and (5 m, 10 deg), the median of the poses, and how many of the mirrored queries and of the next
seed's get a pose, by the gate alone and with --priors.upright.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from bench_confidence import changed
from bench_night import darken, error

import vloc
from vloc.data.capture import CALIBRATED, Capture
from vloc.data.splitting import in_folder, part_of
from vloc.formats.images import decode
from vloc.formats.results import read_poses
from vloc.geometry.motion import by_motion
from vloc.geometry.pose_error import pose_errors
from vloc.solvers.absolute_pose import absolute_pose
from vloc.solvers.pnp import PnpConfig, PnpResult
from vloc.solvers.pose_priors import Upright
from vloc.solvers.upright_pose import upright_pose

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets.synthetic_gallery import GalleryConfig, make
from tests.sensing import sensing
from tests.solvers.world import PINHOLE, sightings

TRIALS, NUM_MATCHES, NOISE_PX, NEAR_M = 20, 1000, 0.7, 0.1
SHARES = (0.02, 0.03, 0.05, 0.1)
UP = np.array([0.0, 0.0, 1.0])
LONGER = PnpConfig(max_iterations=200_000)
MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Pictures:
    """A capture's photos, changed."""

    capture: Capture
    kind: str

    def read(self, name: str) -> bytes:
        """The photo as PNG; other files as they are."""
        assert self.capture.files is not None
        if name not in self.capture.row_of:
            return self.capture.files.read(name)
        pixels = decode(self.capture.files.read(name), name, color=False)
        row = self.capture.row_of[name]
        return cv2.imencode(".png", changed(pixels, self.kind, row, np.random.default_rng(row)))[1].tobytes()

    def stamp(self, name: str) -> str:
        """That of the file that the photo is made from."""
        assert self.capture.files is not None
        return f"{self.kind} {self.capture.files.stamp(name)}"


def felt(pose: vloc.Rigid, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """Up in the axes of a camera, as an accelerometer of that standard deviation has it."""
    tilt = by_motion(np.append(np.radians(degrees) * rng.normal(size=3), np.zeros(3)))
    return tilt.rotation @ pose.rotation @ UP


def on_made_matches(degrees: float) -> None:
    """A line for every share of right matches."""
    for share in SHARES:
        rng, found, seconds = np.random.default_rng(0), np.zeros(3, int), np.zeros(3)
        for trial in range(TRIALS):
            pixels, points, truth, _ = sightings(PINHOLE, NUM_MATCHES, NOISE_PX, 1 - share, trial)
            up, known = Upright(felt(truth, degrees, rng), UP, float(np.radians(degrees))), (pixels, points, PINHOLE)
            ways: list[Callable[[], PnpResult]] = [
                lambda known=known: absolute_pose(*known, PnpConfig()),
                lambda known=known: absolute_pose(*known, LONGER),
                lambda known=known, up=up: upright_pose(*known, PnpConfig(), up, 0, CALIBRATED),
            ]
            for row, way in enumerate(ways):
                start, pose = time.process_time(), way().cam_from_world
                seconds[row] += time.process_time() - start
                found[row] += pose is not None and bool(pose_errors(pose, truth)[0] < NEAR_M)
        told = [
            f"{name} {count} ({cost / TRIALS:.2f} s)"
            for name, count, cost in zip(("three", "three, longer", "two"), found, seconds, strict=True)
        ]
        print(f"{share:.0%} of {NUM_MATCHES} right, found of {TRIALS}: {', '.join(told)}", flush=True)


def sensed(scene: Path, kind: str, degrees: float, seed: int) -> vloc.Capture:
    """The queries of a kind with what an accelerometer said of them."""
    queries, truth = vloc.read(f"kapture:{scene / 'query'}"), read_poses(scene / "query_truth.txt")
    rng = np.random.default_rng(seed)
    ups = {name: felt(pose, degrees, rng) * (MIRROR if kind == "mirrored" else 1.0) for name, pose in truth.items()}
    capture = sensing(queries, ups, {name: pose.center for name, pose in truth.items()})
    if kind in ("night", "degraded"):
        capture = part_of(capture, in_folder(capture, "night" if kind == "night" else "day"))
    return capture if kind in ("night", "foreign") else replace(capture, files=Pictures(capture, kind))


def on_gallery(scene: Path, map_: vloc.Map, other: Path, degrees: float, seed: int) -> None:
    """A line for every kind of queries, with and without samples under the felt up."""
    for kind in ("night", "degraded", "mirrored", "foreign"):
        at = other if kind == "foreign" else scene
        queries, truth = sensed(at, kind, degrees, seed), read_poses(at / "query_truth.txt")
        for upright in (False, True):
            priors = {"gravity_deg": degrees, "upright": upright}
            poses = vloc.localize(map_, queries, scene / f"poses of {kind}", priors=priors)
            told = f"{sum(each.is_localized for each in poses)} of {len(poses)} placed"
            if kind in ("night", "degraded"):
                metres, angles = np.array([error(each, truth[each.name]) for each in poses]).T
                recall = [100 * np.mean((metres <= t) & (angles <= r)) for t, r in ((0.25, 2), (5, 10))]
                median = 100 * np.median(metres[np.isfinite(metres)])
                told += f", {recall[0]:.1f} / {recall[1]:.1f} %, median {median:.3f} cm"
            print(f"  {kind}, {'two matches too' if upright else 'gate alone'}: {told}", flush=True)


def main() -> None:
    """Lines for made matches, then for every gallery."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--gravity-deg", type=float, default=1.0)
    flags = parser.parse_args()
    on_made_matches(flags.gravity_deg)
    darken()
    scenes = [flags.folder / f"night{seed}" for seed in flags.seeds]
    for seed, scene in zip(flags.seeds, scenes, strict=True):
        make(scene, GalleryConfig(90, 120, seed=seed, with_depth=True))
    for seed, scene, other in zip(flags.seeds, scenes, [*scenes[1:], scenes[0]], strict=True):
        print(scene.name)
        map_ = vloc.build_map(f"kapture:{scene / 'mapping'}", scene / "map")
        on_gallery(scene, map_, other, flags.gravity_deg, seed)


if __name__ == "__main__":
    main()
