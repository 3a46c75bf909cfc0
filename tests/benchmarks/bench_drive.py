"""Rigs and sequences on the synthetic drive: three cameras, 60 instants, 30 % of the photos blind, half by night.

    python tests/benchmarks/bench_drive.py FOLDER --seeds 82 83 [--ways none joint+odometry] [--plot FILE] [--foreign]

A way is what --rig is given, or that and --sequence, and share for --sequence.share: none, transfer, joint+interpolate,
joint+odometry, none+interpolate+share. A gallery of 90 images at 640 x 480 makes each map. Instants count as placed
where any of their photos is. Errors are those of the photos that each way places, and, to compare, of each camera's
photos that have a pose of their own, of the best of them also on the same photos, and of the mounts that they tell; of
poses by sequence, how many are off by no more than their covariance has 95 of 100 be, and of photos that had a pose,
how many another one took the place of, and how much farther off the worst of these is. At the end the same of all
drives together, and of their days and nights: errors by night are four times those by day, so that the median of both
depends on how many photos of each a drive has. With --foreign, how many photos of each drive are placed in the map of
the next seed, where none belongs. --hard-night, in a folder of its own: a quarter of the night's light, twice its
noise.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import chi2

import vloc
from vloc.data.mounts import estimate_mounts, poses_by_camera
from vloc.formats.results import read_poses
from vloc.geometry.motion import motion_of
from vloc.geometry.pose_error import pose_errors

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from bench_night import darken

from datasets import synthetic_drive
from datasets.gallery_cameras import sensors_from_rig
from datasets.synthetic_drive import DriveConfig
from datasets.synthetic_gallery import GalleryConfig, make

LIMITS = ((0.25, 2.0), (5.0, 10.0))


def localized(scene: Path, map_: vloc.Map, way: str, folder: Path, num_retrieved: int = 20) -> list[vloc.PoseEstimate]:
    """The photos of a drive in a map."""
    rig, *use = way.split("+")
    sequence: dict[str, Any] = {"use": (use or ["none"])[0], "share": "share" in use}
    if "odometry" in use:
        sequence["odometry"] = f"tum:{scene / 'drive_odometry.txt'}"
    settings = {"rig": {"use": rig}, "sequence": sequence, "retrieve": {"num_retrieved": num_retrieved}}
    return vloc.localize(map_, f"kapture:{scene / 'drive'}", folder, **settings)


def placed_elsewhere(scene: Path, other: Path, way: str, num_retrieved: int) -> int:
    """How many photos of a drive get a pose in the map of another gallery."""
    found = localized(scene, vloc.Map.open(other / "map"), way, scene / f"poses in {other.name}", num_retrieved)
    return sum(each.is_localized for each in found)


def error(estimate: vloc.PoseEstimate, truth: vloc.Rigid) -> tuple[float, float]:
    """Metres and degrees; infinite without a pose."""
    if estimate.cam_from_world is None:
        return np.inf, np.inf
    metres, radians = pose_errors(estimate.cam_from_world, truth)
    return float(metres), float(np.degrees(radians))


def told(way: str, found: dict[str, tuple[float, float]]) -> str:
    """A line of figures."""
    table = np.array(list(found.values()))
    placed = table[np.isfinite(table[:, 0])]
    instants = {name[name.index("/") :] for name, (metres, _) in found.items() if np.isfinite(metres)}
    recall = [100 * ((table[:, 0] <= metres) & (table[:, 1] <= degrees)).mean() for metres, degrees in LIMITS]
    return (
        f"{way}: {len(placed)} of {len(table)} photos, {len(instants)} of {len(table) // 3} instants, "
        f"recall {' / '.join(f'{share:.1f}' for share in recall)} %, median {100 * np.median(placed[:, 0]):.4f} cm "
        f"{np.median(placed[:, 1]):.4f} deg, worst {100 * placed[:, 0].max():.3f} cm {placed[:, 1].max():.2f} deg"
    )


def by_sequence(
    found: list[vloc.PoseEstimate],
    truth: dict[str, vloc.Rigid],
    now: dict[str, tuple[float, float]],
    before: dict[str, tuple[float, float]],
) -> str:
    """How honest the covariances of poses by sequence are, and what became of photos that the rig alone places."""
    made = [each for each in found if each.source == "sequence"]
    within = [inside(each, truth[each.name]) for each in made]
    had = [each.name for each in found if np.isfinite(before[each.name][0])]
    changed = [name for name in had if now[name] != before[name]]
    farther = max([100 * (now[name][0] - before[name][0]) for name in had], default=0.0)
    alone = sum(each.source == "pnp" for each in found)
    contradicted = sum(bool(each.reason) for each in made)
    return (
        f"{alone} by themselves, {len(made)} by sequence, {sum(within)} within 95 %; of {len(had)} photos that "
        f"had a pose {len(changed)} got another, at most {farther:.3f} cm farther off, {contradicted} as contradicted"
    )


def inside(estimate: vloc.PoseEstimate, truth: vloc.Rigid) -> bool:
    """Whether the truth is within the ellipsoid that has it in 95 of 100 cases."""
    off = motion_of(truth @ estimate.cam_from_world.inverse())
    return bool(off @ np.linalg.solve(estimate.covariance, off) <= chi2.ppf(0.95, 6))


def by_camera(found: dict[str, tuple[float, float]]) -> str:
    """The median of each camera's photos that have a pose, cm."""
    names = sorted({name.partition("/")[0] for name in found})
    metres = {n: [m for name, (m, _) in found.items() if name.startswith(f"{n}/") and np.isfinite(m)] for n in names}
    return ", ".join(f"{name} {100 * np.median(metres[name]):.4f} cm" for name in names)


def mounts_off(scene: Path, found: list[vloc.PoseEstimate]) -> str:
    """How far estimated mounts of the cameras are from the true ones."""
    known = {each.name: each.cam_from_world for each in found if each.cam_from_world is not None}
    mounts = estimate_mounts(poses_by_camera(vloc.read(f"kapture:{scene / 'drive'}"), known), "front")
    off = [pose_errors(mount.cam_from_rig, sensors_from_rig()[mount.camera]) for mount in mounts]
    metres, radians = np.max(off, axis=0)
    return f"mounts within {np.degrees(radians):.4f} deg, {1000 * metres:.3f} mm of the true ones"


def against_best(found: dict[str, tuple[float, float]], alone: dict[str, tuple[float, float]]) -> str:
    """The median error, of all photos and of those that the best camera places itself, as parts of that camera's."""
    cameras: dict[str, list[str]] = defaultdict(list)
    for name, (metres, _) in alone.items():
        if np.isfinite(metres):
            cameras[name.partition("/")[0]].append(name)
    medians = {camera: np.median([alone[name][0] for name in names]) for camera, names in cameras.items()}
    best = min(medians, key=lambda camera: medians[camera])
    placed = [metres for metres, _ in found.values() if np.isfinite(metres)]
    its_own = [found[name][0] for name in cameras[best]]
    whole, same = (np.median(part) / medians[best] for part in (placed, its_own))
    return f"{whole:.3f} of the median of '{best}' alone; of its {len(its_own)} photos {same:.3f}"


def of_all(drives: dict[str, dict[str, dict[str, tuple[float, float]]]], ways: list[str]) -> None:
    """Lines for the photos of all drives, by day, by night and both."""

    def is_night(name: str) -> bool:
        return int(Path(name).stem) >= DriveConfig().num_instants / 2

    for light, belongs in ("all", lambda _: True), ("by day", lambda n: not is_night(n)), ("by night", is_night):
        print(f"{len(drives)} drives, {light}")
        of = {
            way: {
                f"{name}@{drive}": error
                for drive, by in drives.items()
                for name, error in by[way].items()
                if belongs(name)
            }
            for way in ways
        }
        for way in ways:
            print(f"  {told(way, of[way])}", flush=True)
            if way != "none" and "none" in of:
                print(f"    {against_best(of[way], of['none'])}", flush=True)


def draw(path: Path, metres: dict[str, list[float]]) -> None:
    """How large a part of the photos each way places within how many centimetres."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    for width, (way, found) in zip(np.linspace(3, 1, len(metres)), metres.items(), strict=True):
        shares, (rig, _, use) = np.linspace(0, 100, 201), way.partition("+")
        label = f"--rig {rig}" + (f" --sequence {use}" if use else "")
        axes.step(
            100 * np.percentile(found, shares, method="lower"), shares, where="post", label=label, linewidth=width
        )
    axes.set(xscale="log", xlabel="error of the camera's centre, cm", ylabel="photos, %", ylim=(0, 100))
    axes.legend(frameon=False, loc="lower right", fontsize="small")
    figure.savefig(path)


def scene_of(folder: Path, seed: int) -> Path:
    """A gallery, a drive through it and the gallery's map, made where they are not there."""
    scene, gallery = folder / f"drive{seed}", GalleryConfig(90, 4, seed=seed)
    make(scene, gallery)
    synthetic_drive.drive_through(scene, gallery)
    vloc.build_map(f"kapture:{scene / 'mapping'}", scene / "map")
    return scene


def main() -> None:
    """Lines for every seed and way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--ways", nargs="+", default=["none", "transfer", "joint"])
    parser.add_argument("--num-retrieved", type=int, default=20)
    parser.add_argument("--hard-night", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--foreign", action="store_true")
    flags, metres = parser.parse_args(), defaultdict[str, list[float]](list)
    if flags.hard_night:
        darken()
    scenes, drives = [scene_of(flags.folder, seed) for seed in flags.seeds], {}
    for scene in scenes:
        print(scene.name)
        truth, map_, of = read_poses(scene / "drive_truth.txt"), vloc.Map.open(scene / "map"), {}
        drives[scene.name] = of
        for way in flags.ways:
            found = localized(scene, map_, way, scene / "poses", flags.num_retrieved)
            of[way] = {each.name: error(each, truth[each.name]) for each in found}
            metres[way] += [error for error, _ in of[way].values()]
            print(f"  {told(way, of[way])}", flush=True)
            if way == "none":
                print(f"  one camera: {by_camera(of[way])}; {mounts_off(scene, found)}", flush=True)
            elif "none" in of:
                print(f"    {against_best(of[way], of['none'])}", flush=True)
            if (alone := way.partition("+")[0]) != way and alone in of:
                print(f"    {by_sequence(found, truth, of[way], of[alone])}", flush=True)
    of_all(drives, flags.ways)
    for scene, other in zip(scenes, [*scenes[1:], scenes[0]], strict=True) if flags.foreign else ():
        counts = ", ".join(f"{way} {placed_elsewhere(scene, other, way, flags.num_retrieved)}" for way in flags.ways)
        print(f"{scene.name} in the map of {other.name}: {counts}", flush=True)
    if flags.plot is not None:
        draw(flags.plot, metres)


if __name__ == "__main__":
    main()
