"""A tracker on a camera's frames, against each frame localized alone; cut from one place to another; in a foreign map.

    python tests/benchmarks/bench_tracker.py FOLDER --seeds 84 85 [--frames 300] [--max-keypoints 1024] [--plot FILE]

A gallery of 90 images at 640 x 480 makes each map, a drive through it (the second half by night) the frames, of the
front camera. What a single frame's error is against alone is also told of frames that are alone with 30 map images for
20: so much two choices of map images differ. Milliseconds (median, and what 95 % stay under) are wall times of frames
that are in memory, one after the other. Cut: at every tenth of the drive the frames go on half a drive away.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np

import vloc
from vloc.geometry.pose_error import pose_errors

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets.gallery_cameras import drive_pose, rig_cameras
from datasets.gallery_light import by_day, by_night
from datasets.synthetic_gallery import GalleryConfig, make, world

WORSE = 1.1
MORE = 30
"""map images, of which a photo is given 20"""


class Frames:
    """The frames of a drive's front camera in memory, with their camera and true poses; the second half by night."""

    def __init__(self, gallery: GalleryConfig, count: int) -> None:
        place, self.camera = world(gallery), rig_cameras(gallery.image_size)["front"]
        self.truth = [drive_pose(place, (i + 0.5) / count) for i in range(count)]
        with ThreadPoolExecutor(2) as pool:
            pictures = list(pool.map(lambda pose: place.picture(self.camera, pose), self.truth))
        day, night = pictures[: count // 2], pictures[count // 2 :]
        seen = [by_day(picture) for picture in day]
        seen += [by_night(picture, np.random.default_rng(row)) for row, picture in enumerate(night)]
        self.pixels = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in seen]


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


def against(errors: np.ndarray, own: np.ndarray) -> str:
    """How many frames are worse and better than others' errors by 10 %."""
    ratio = errors / own
    worse, better = (100 * share.mean() for share in (ratio > WORSE, ratio < 1 / WORSE))
    return f"median {np.median(ratio):.3f}; {worse:.1f} % worse by 10 %, {better:.1f} % better"


def follow(tracker: vloc.Tracker, frames: Frames, order: list[int]) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Metres, what found the pose, and milliseconds of frames in an order."""
    errors, by, times = [], [], []
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


def report(
    localizer: vloc.Localizer, foreign: vloc.Localizer, frames: Frames, settings: dict[str, Any], plot: Path | None
) -> None:
    """The figures of one drive; a picture of its cuts."""
    own, own_ms = alone(localizer, frames)
    extract = localizer.map.config.extract.load(vloc.Runtime())
    features_ms = [timed(extract, pixels)[1] for pixels in frames.pixels]
    print(f"  alone {placed(own)}; {np.median(own_ms):.0f} ms; features {np.median(features_ms):.0f} ms")
    more, _ = alone(vloc.Localizer(localizer.map, retrieve={"num_retrieved": MORE}), frames)
    print(f"  alone with {MORE} map images against alone: {against(more, own)}")
    errors, by, ms = follow(vloc.Tracker(localizer, **settings), frames, list(range(len(frames.pixels))))
    tracked = np.array([each == "tracking" for each in by])
    ms = ms[tracked]
    print(f"  tracker {placed(errors)}; {dict(Counter(by))}; {np.median(ms):.0f}, {np.quantile(ms, 0.95):.0f} ms")
    print(f"  error against alone: {against(errors[tracked], own[tracked])}")
    order, cuts = with_cuts(len(frames.pixels))
    errors, by, _ = follow(vloc.Tracker(localizer, **settings), frames, order)
    if plot is not None:
        draw(plot, errors, by, cuts)
    lost = [int(np.argmax(np.isfinite(errors[cut:]))) for cut in cuts]
    print(f"  cut {len(cuts)} times: frames until there is a pose again {lost}; {placed(errors)}")
    errors, by, _ = follow(vloc.Tracker(foreign, **settings), frames, list(range(len(frames.pixels))))
    print(f"  in a foreign map: {np.isfinite(errors).sum()} of {len(errors)} placed", flush=True)


def main() -> None:
    """Figures for every seed; each drive in the map of the next seed is foreign."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--max-keypoints", type=int)
    parser.add_argument("--plot", type=Path)
    flags = parser.parse_args()
    if len(flags.seeds) < 2:
        parser.error("--seeds: expected two or more, as the map of the next is the foreign one")
    settings = {"max_keypoints": flags.max_keypoints}
    maps, galleries = {}, {seed: GalleryConfig(90, 4, seed=seed) for seed in flags.seeds}
    for seed in flags.seeds:
        scene, gallery = flags.folder / f"drive{seed}", galleries[seed]
        make(scene, gallery)
        maps[seed] = vloc.build_map(f"kapture:{scene / 'mapping'}", scene / "map")
    for seed, other in zip(flags.seeds, [*flags.seeds[1:], flags.seeds[0]], strict=True):
        print(f"seed {seed}", flush=True)
        frames = Frames(galleries[seed], flags.frames)
        report(vloc.Localizer(maps[seed]), vloc.Localizer(maps[other]), frames, settings, flags.plot)


if __name__ == "__main__":
    main()
