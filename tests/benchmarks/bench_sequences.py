"""Sequences on the poses of synthetic drives, without photos: how honest interpolation is, which poses are refused.

    python tests/benchmarks/bench_sequences.py --seeds 94 95 96 97 98 99

Of each drive's 60 instants some runs of so many lose their poses, at random, 20 times: how often the truth is within
the ellipsoid of 95 % of what is interpolated, at the ends (held) and in between, and how far off that is. Then how
many right poses are refused as none that a motion reaches, with 6 to 60 of the poses at random, 100 times; and how
many wrong ones are, if one is that of another instant, two metres away or more.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.stats import chi2

from vloc.geometry.motion import motion_of
from vloc.geometry.rigid import Rigid
from vloc.solvers.interpolation import Track, pose_at
from vloc.solvers.plausibility import Reach, speeds_of, unreached
from vloc.solvers.rig_consensus import Belief

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets.gallery_cameras import drive_pose
from datasets.synthetic_drive import STEP_NS
from datasets.synthetic_gallery import GalleryConfig, world

COUNT = 60
RIGHT = 0.5, np.radians(5)


def track_of(poses: list[Rigid], rows: np.ndarray) -> Track:
    """Poses that are known to a tenth of a millimetre."""
    return Track(rows.astype(np.int64) * STEP_NS, [Belief(poses[row], 1e-8 * np.eye(6), 0.9) for row in rows])


def trials(poses: list[Rigid], gap: int, rng: np.random.Generator) -> list[tuple[str, bool, float]]:
    """Of poses that are missing: at an end or between, whether the truth is within the ellipsoid, metres off."""
    missing = np.zeros(COUNT, bool)
    for start in rng.choice(COUNT, 8, replace=False):
        missing[start : start + gap] = True
    rows, found = np.flatnonzero(~missing), []
    track = track_of(poses, rows)
    for row in np.flatnonzero(missing).tolist():
        belief = pose_at(track, row * STEP_NS, 10 * STEP_NS)
        if belief is not None:
            off = motion_of(poses[row] @ belief.rig_from_world.inverse())
            within = off @ np.linalg.solve(belief.covariance, off) <= chi2.ppf(0.95, 6)
            found.append(
                ("between" if rows[0] < row < rows[-1] else "end", bool(within), float(np.linalg.norm(off[3:])))
            )
    return found


def refused(poses: list[Rigid], rng: np.random.Generator) -> tuple[int, int, int, int, int]:
    """Right poses, those of them that are refused; wrong ones, those that are, and right ones that are instead."""
    rows = np.sort(rng.choice(COUNT, rng.integers(6, COUNT + 1), replace=False))
    track = track_of(poses, rows)
    right = len(unreached(track, Reach(*speeds_of(track), *RIGHT)))
    wrong, other = int(rng.choice(len(rows))), int(rng.choice(COUNT))
    if np.linalg.norm(poses[other].center - poses[rows[wrong]].center) < 2:
        return len(rows), right, 0, 0, 0
    beliefs = [*track.beliefs]
    beliefs[wrong] = Belief(poses[other], 1e-8 * np.eye(6), float(rng.uniform(0.5, 1)))
    spoilt = Track(track.times, beliefs)
    found = unreached(spoilt, Reach(*speeds_of(spoilt), *RIGHT)).tolist()
    return len(rows), right, 1, int(wrong in found), len(set(found) - {wrong})


def main() -> None:
    """Lines for every gap, and one for refusals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    flags, counts = parser.parse_args(), np.zeros(5, int)
    gaps = defaultdict[tuple[int, str], list[tuple[bool, float]]](list)
    for seed in flags.seeds:
        place, rng = world(GalleryConfig(90, 4, seed=seed)), np.random.default_rng(seed)
        poses = [drive_pose(place, (i + 0.5) / COUNT) for i in range(COUNT)]
        for gap in (1, 2, 3, 5):
            for where, within, metres in (one for _ in range(20) for one in trials(poses, gap, rng)):
                gaps[gap, where].append((within, metres))
        counts += np.sum([refused(poses, rng) for _ in range(100)], axis=0)
    for (gap, where), rows in sorted(gaps.items()):
        within, metres = np.array(rows, float).T
        share, (middle, most) = 100 * within.mean(), np.quantile(metres, [0.5, 0.95])
        print(
            f"{gap} missing, {where}: {share:.1f} % of {len(rows)} within 95 %, off {middle:.3f} m, 95 % {most:.3f} m"
        )
    right, lost, wrong, found, instead = counts.tolist()
    print(f"refused: {lost} of {right} right poses; {found} of {wrong} wrong ones, and {instead} right ones instead")


if __name__ == "__main__":
    main()
