"""Whether covariances hold: the errors of poses against what their covariances say, on truth that is known.

    python tests/benchmarks/bench_uncertainty.py FOLDER --seeds 11 12 13 14 --strecha ../shared/data/strecha

Galleries are drawn, mapped and queried in FOLDER, which a later run goes on with. d6 is the Mahalanobis distance of the
error of all six degrees of freedom, whose square is chi-square with 6 if the covariance is right: inside its 95 %
interval for 95 % of queries. d3 is the distance of the camera centre: median 1.54, 95 % under 2.80. Strecha's scenes
are localized in three folds: image k is a query of fold k mod 3, the others are the map.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from bench_folds import folds
from scipy.spatial.transform import Rotation
from scipy.stats import chi2

import vloc
from vloc.data.estimate import PoseEstimate
from vloc.formats.results import read_poses
from vloc.geometry.rigid import Rigid

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets.synthetic_gallery import GalleryConfig, make

INTERVAL = chi2.ppf([0.025, 0.975], 6)


def distances(estimate: PoseEstimate, truth: Rigid) -> tuple[float, float, float]:
    """Error of the centre (m), its Mahalanobis distance, and that of the whole pose."""
    delta = truth @ estimate.cam_from_world.inverse()  # truth = Exp(delta) @ estimate
    error = np.concatenate([Rotation.from_matrix(delta.rotation).as_rotvec(), delta.translation])
    centre = -delta.rotation.T @ delta.translation  # in camera axes
    covariance = estimate.covariance
    d3 = np.sqrt(centre @ np.linalg.solve(covariance[3:, 3:], centre))
    return float(np.linalg.norm(centre)), float(d3), float(np.sqrt(error @ np.linalg.solve(covariance, error)))


def row(name: str, estimates: Sequence[PoseEstimate], truth: dict[str, Rigid]) -> str:
    """One line of the table."""
    found = [estimate for estimate in estimates if estimate.is_localized]
    centre, d3, d6 = np.array([distances(estimate, truth[estimate.name]) for estimate in found]).T
    above = np.mean(d6**2 > INTERVAL[1])
    inside = 1 - above - np.mean(d6**2 < INTERVAL[0])
    told = np.median([np.sqrt(np.trace(estimate.covariance[3:, 3:])) for estimate in found])
    return (
        f"{name} | {len(found)} of {len(estimates)} | {100 * np.median(centre):.3f} | {100 * told:.3f} | "
        f"{np.median(d3):.2f} | {np.median(d6):.2f} | {d6.max():.1f} | {above:.0%} | {inside:.0%}"
    )


def gallery(folder: Path, seed: int, num_images: int, num_queries: int) -> tuple[list[PoseEstimate], dict[str, Rigid]]:
    """A gallery's queries, day and night, with their truth."""
    make(folder, GalleryConfig(num_images=num_images, num_queries=num_queries, seed=seed))
    map_ = vloc.build_map(vloc.read(f"kapture:{folder / 'mapping'}"), folder / "gallery.map")
    estimates = vloc.localize(map_, vloc.read(f"kapture:{folder / 'query'}"), folder / "work")
    return estimates, read_poses(folder / "query_truth.txt")


def strecha(folder: Path, scene: Path) -> tuple[list[PoseEstimate], dict[str, Rigid]]:
    """Every image of a scene once a query."""
    estimates, truth = [], {}
    for number, fold in enumerate(folds(scene)):
        map_ = vloc.build_map(fold.mapping, folder / f"{number}.map")
        estimates += vloc.localize(map_, fold.query, folder / f"{number}.work")
        truth.update(fold.truth)
    return estimates, truth


def rows(flags: argparse.Namespace) -> Iterator[str]:
    """The table, line by line."""
    for seed in flags.seeds:
        estimates, truth = gallery(flags.folder / f"gallery{seed}", seed, flags.images, flags.queries)
        for light in ("day", "night"):
            yield row(f"gallery {seed}, {light}", [e for e in estimates if e.name.startswith(light)], truth)
    for scene in sorted(flags.strecha.iterdir()) if flags.strecha else []:
        yield row(scene.name, *strecha(flags.folder / scene.name, scene))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--images", type=int, default=90)
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--strecha", type=Path)
    print("on | localized | median error cm | median sigma cm | d3 | d6 | worst d6 | above | inside")
    for line in rows(parser.parse_args()):
        print(line, flush=True)


if __name__ == "__main__":
    main()
