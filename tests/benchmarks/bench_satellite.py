"""When positions by satellite are taken, and how wrong the scale is then: python tests/benchmarks/bench_satellite.py

Walks of 60 photos around a block and along a bent street, of several lengths, with normal noise of several sizes
(2.5 times as much upwards) on every position, a tenth of them 30 m off besides; and positions that belong to other
photos, which must never be taken. No image is made: the reconstruction is the walk itself in another frame.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from vloc.data.sparse_map import SparseMap
from vloc.errors import StageError
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.stages.align import fit_positions
from vloc.stages.positions import Positions

PHOTOS, TRIALS = 60, 40
TURNED = Rotation.from_rotvec([1.0, 2.0, 0.5]).as_matrix()
SCALE = 0.05


def walk(kind: str, length: float, rng: np.random.Generator) -> np.ndarray:
    """(60, 3) camera centres, metres; `length`: of the whole walk."""
    part = np.linspace(0, 1, PHOTOS)
    if kind == "block":
        angle = 2 * np.pi * part
        path = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1) * length / (2 * np.pi)
    else:  # a street that bends by 60 degrees in the middle
        bend = np.radians(60) * (part > 0.5)
        path = np.cumsum(np.stack([np.cos(bend), np.sin(bend), 0 * bend], axis=1), axis=0) * length / PHOTOS
    return path + rng.normal(0, 0.3, path.shape)


def trial(centers: np.ndarray, positions: np.ndarray) -> float | None:
    """The part by which the scale is wrong, or None where the positions were not taken."""
    names = [f"{row}" for row in range(PHOTOS)]
    rotations = np.tile(TURNED.T, (PHOTOS, 1, 1))
    own = SCALE * centers @ TURNED.T
    poses = Rigid(rotations, -np.einsum("nij,nj->ni", rotations, own))
    empty = np.zeros(0, np.int32)
    sparse = SparseMap(
        names, (Camera("SIMPLE_PINHOLE", 2, 2, (1.0, 1.0, 1.0)),), np.zeros(PHOTOS, np.int32), poses,
        np.zeros((0, 3)), np.zeros(0, np.float32), np.zeros(PHOTOS + 1, np.int64), empty,
    )  # fmt: skip
    try:
        fit = fit_positions(sparse, Positions(dict(zip(names, positions, strict=True)), None), seed=0)
    except StageError:
        return None
    return abs(fit.target_from_map.scale * SCALE - 1)


def main() -> None:
    """The table."""
    print("walk    length  noise   taken   scale off by: median, 95 %, worst   others' positions taken")
    for kind in ("block", "street"):
        for length in (30.0, 100.0, 400.0):
            for noise in (1.0, 3.0, 5.0):
                rng = np.random.default_rng(int(length * 10 + noise))
                errors, fooled = [], 0
                for _ in range(TRIALS):
                    centers = walk(kind, length, rng)
                    positions = centers + rng.normal(0, noise, centers.shape) * [1, 1, 2.5]
                    far = rng.permutation(PHOTOS)[: PHOTOS // 10]
                    positions[far] += 30 * Rotation.random(len(far), random_state=rng).as_matrix()[:, 0]
                    errors.append(trial(centers, positions))
                    fooled += trial(centers, rng.permutation(positions)) is not None
                taken = np.array([error for error in errors if error is not None])
                told = "  ".join(f"{100 * q:5.2f} %" for q in np.quantile(taken, [0.5, 0.95, 1])) if len(taken) else "-"
                print(f"{kind:<7} {length:5.0f} m {noise:4.0f} m {len(taken):4} of {TRIALS}  {told:<28} {fooled}")


if __name__ == "__main__":
    main()
