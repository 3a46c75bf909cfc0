"""Maps of a gallery without its poses: with the rig that took it, and without; scale and places against the truth.

    python tests/benchmarks/bench_rig_mapping.py FOLDER --seeds 82 83

FOLDER/driveSEED/mapping (90 images of three cameras, as `bench_drive.py` makes it) is mapped by SfM. Scales are of the
maps as they come out; errors are what is left after the similarity that fits centres and rotations best.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

import vloc
from vloc.data.records import Trajectory
from vloc.geometry.robust_alignment import align_robustly

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from datasets.synthetic_gallery import GalleryConfig, make


def figures(map_: vloc.Map, posed: vloc.Capture) -> str:
    """How far the scale is off, and the centres (cm) when scale and frame are put right."""
    names = list(map_.sparse.image_names)
    truth = vloc.Rigid.stack([pose for name in names if (pose := posed.pose(name)) is not None])
    found = map_.sparse.cam_from_world
    turned = np.swapaxes(truth.rotation, -1, -2) @ found.rotation
    fit = align_robustly(found.center, truth.center, turned, seed=0).target_from_source
    errors = 100 * np.linalg.norm(fit.scale * found.center @ fit.rotation.T + fit.translation - truth.center, axis=1)
    scale = f"scale off by {100 * abs(1 / fit.scale - 1):.3f} %" if map_.frame.metric else "no scale"
    return f"{len(names)} images, {scale}, median {np.median(errors):.4f} cm, worst {errors.max():.3f} cm"


def main() -> None:
    """A line for every seed and way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    flags = parser.parse_args()
    for seed in flags.seeds:
        scene = flags.folder / f"drive{seed}"
        make(scene, GalleryConfig(90, 4, seed=seed))
        posed = vloc.read(f"kapture:{scene / 'mapping'}")
        unposed = replace(posed, trajectory=Trajectory.empty())
        for rigs in ("fixed", "refined", "none"):
            map_ = vloc.build_map(unposed, scene / f"map of {rigs} rigs", sfm={"rigs": rigs})
            print(f"seed {seed}, rigs {rigs}: {figures(map_, posed)}", flush=True)


if __name__ == "__main__":
    main()
