"""A tracker on a camera's frames, against each frame localized alone; cut from one place to another; in a foreign map.

    python tests/benchmarks/bench_tracker.py FOLDER --seeds 84 85 [--instants 300] [--features sift:max_keypoints=2048]
        [--plot FILE]

A gallery of 90 images at 640 x 480 makes each map, a drive through it (the second half by night) the frames, of the
front camera. Milliseconds (median, and what 95 % stay under) are wall times of frames that are in memory, one after the
other. Cut: at every tenth of the drive the frames go on half a drive away.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

import vloc
from vloc.formats.images import decode
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets import synthetic_drive
from datasets.synthetic_gallery import GalleryConfig, make

CAMERA = "front"
WORSE = 1.1


class Frames:
    """The frames of the drive's front camera in memory, with their camera and true poses."""

    def __init__(self, scene: Path) -> None:
        queries, root = vloc.read(f"kapture:{scene / 'drive'}"), scene / "drive" / "sensors" / "records_data"
        self.names = sorted(name for name in queries.images.names if name.startswith(f"{CAMERA}/"))
        self.pixels = [decode((root / name).read_bytes(), name, color=False) for name in self.names]
        self.camera, truth = queries.camera(self.names[0]), read_poses(scene / "drive_truth.txt")
        self.truth = [truth[name] for name in self.names]


def timed(work, *arguments) -> tuple[object, float]:  # type: ignore[no-untyped-def]
    """A result and the milliseconds of wall time that it took."""
    began = time.perf_counter()
    result = work(*arguments)
    return result, 1000 * (time.perf_counter() - began)


def metres(estimate: vloc.PoseEstimate, truth: vloc.Rigid) -> float:
    """Of the camera's centre; infinite without a pose."""
    return float(pose_errors(estimate.cam_from_world, truth)[0]) if estimate.cam_from_world is not None else np.inf


def placed(errors: np.ndarray) -> str:
    """How many, and how well (cm)."""
    found = 100 * errors[np.isfinite(errors)]
    return f"{len(found)} of {len(errors)}, median {np.median(found):.4f} cm, worst {found.max():.3f} cm"


def follow(localizer: vloc.Localizer, frames: Frames, order: list[int]) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Metres, what found the pose, and milliseconds of frames in an order."""
    tracker, errors, by, times = vloc.Tracker(localizer), [], [], []
    for row in order:
        found, milliseconds = timed(tracker.track, frames.pixels[row], frames.camera)
        errors.append(metres(found.estimate, frames.truth[row]))
        by.append(found.by)
        times.append(milliseconds)
    return np.array(errors), by, np.array(times)


def alone(localizer: vloc.Localizer, frames: Frames) -> tuple[np.ndarray, np.ndarray]:
    """Metres and milliseconds of every frame by itself."""
    found = [timed(localizer.localize, pixels, frames.camera) for pixels in frames.pixels]
    errors = [metres(estimate, truth) for (estimate, _), truth in zip(found, frames.truth, strict=True)]
    return np.array(errors), np.array([milliseconds for _, milliseconds in found])


def with_cuts(count: int) -> tuple[list[int], list[int]]:
    """Frames in an order that goes on half a drive away at every tenth, and the places of the cuts."""
    tenth = count // 10
    parts = [(part // 2 + 5 * (part % 2)) * tenth for part in range(10)]
    return [start + i for start in parts for i in range(tenth)], [tenth * part for part in range(1, 10)]


def draw(path: Path, errors: np.ndarray, by: list[str], cuts: list[int]) -> None:
    """Errors of the frames by what found them, and where the frames were cut."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 2.8), layout="constrained")
    axes = figure.subplots()
    for way, marker in (("tracking", "."), ("retrieval", "x")):
        rows = [row for row, each in enumerate(by) if each == way]
        axes.plot(rows, 100 * errors[rows], marker, label=f"found by {way}", markersize=5)
    for cut in cuts:
        axes.axvline(cut - 0.5, color="0.8", linewidth=1, zorder=0)
    axes.set(xlabel="frame", ylabel="error of the camera's centre, cm", ylim=(0, None))
    axes.legend(frameon=False, loc="upper left", ncols=2)
    figure.savefig(path)


def report(localizer: vloc.Localizer, foreign: vloc.Localizer, frames: Frames, plot: Path | None) -> None:
    """The figures of one drive; a picture of its cuts."""
    own, own_ms = alone(localizer, frames)
    print(f"  alone {placed(own)}; {np.median(own_ms):.0f} ms")
    errors, by, ms = follow(localizer, frames, list(range(len(frames.names))))
    tracked = np.array([each == "tracking" for each in by])
    ms, ratio = ms[tracked], errors[tracked] / own[tracked]
    print(f"  tracker {placed(errors)}; {dict(Counter(by))}; {np.median(ms):.0f}, {np.quantile(ms, 0.95):.0f} ms")
    worse, better = (100 * share.mean() for share in (ratio > WORSE, ratio < 1 / WORSE))
    print(f"  error against alone: median {np.median(ratio):.3f}; {worse:.1f} % worse by 10 %, {better:.1f} % better")
    order, cuts = with_cuts(len(frames.names))
    errors, by, _ = follow(localizer, frames, order)
    if plot is not None:
        draw(plot, errors, by, cuts)
    lost = [int(np.argmax(np.isfinite(errors[cut:]))) for cut in cuts]
    print(f"  cut {len(cuts)} times: frames until there is a pose again {lost}; {placed(errors)}")
    errors, by, _ = follow(foreign, frames, list(range(len(frames.names))))
    print(f"  in a foreign map: {np.isfinite(errors).sum()} of {len(errors)} placed", flush=True)


def main() -> None:
    """Figures for every seed; each drive in the map of the next seed is foreign."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--instants", type=int, default=300)
    parser.add_argument("--features", default="sift")
    parser.add_argument("--plot", type=Path)
    flags = parser.parse_args()
    maps = {}
    for seed in flags.seeds:
        scene, gallery = flags.folder / f"dense{seed}", GalleryConfig(90, 4, seed=seed)
        make(scene, gallery)
        synthetic_drive.make(scene, gallery, synthetic_drive.DriveConfig(flags.instants, 0.0, 0.0))
        folder = scene / f"map {flags.features}".replace(":", " ")
        maps[seed] = vloc.build_map(f"kapture:{scene / 'mapping'}", folder, features=flags.features)
    for seed, other in zip(flags.seeds, [*flags.seeds[1:], flags.seeds[0]], strict=True):
        print(f"seed {seed}", flush=True)
        scene = flags.folder / f"dense{seed}"
        report(vloc.Localizer(maps[seed]), vloc.Localizer(maps[other]), Frames(scene), flags.plot)


if __name__ == "__main__":
    main()
