"""How far stored anchors move when photos are added to a map by SfM: python tests/benchmarks/bench_added_photos.py
FOLDER_OF_PHOTOS OUT [NUM_FIRST] [flags of vloc map]

Anchors are the camera centres of the first photos (every n-th is held back at first); the error is told as a part of
the extent of the camera centres, with and without the alignment that keeps the frame.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np

from vloc.cli.main import main
from vloc.geometry.robust_alignment import align_robustly
from vloc.map import Map


def centers(folder: Path) -> dict[str, np.ndarray]:
    """Camera centres by image name."""
    sparse = Map.open(folder).sparse
    return dict(zip(sparse.image_names, sparse.cam_from_world.center, strict=True))


def first_photos(photos: Path, folder: Path, held_back: int) -> None:
    """Copies of all photos but some that are evenly spread."""
    names = sorted(path.name for path in photos.iterdir() if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    later = {names[row] for row in np.linspace(1, len(names) - 2, held_back).astype(int)}
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if name not in later and not (folder / name).exists():
            shutil.copy(photos / name, folder)
    print(f"{len(names) - len(later)} photos, then {len(names)}; added: {', '.join(sorted(later))}")


def run(photos: Path, out: Path, held_back: int, flags: list[str]) -> None:
    """Map, add, map again, compare."""
    folder = out / "first"
    folder.mkdir(parents=True, exist_ok=True)
    first_photos(photos, folder, held_back)
    location = f"images:{folder}"
    assert main(["map", location, str(out / "map"), *flags]) == 0
    before = centers(out / "map")
    for path in photos.iterdir():
        if not (folder / path.name).exists():
            shutil.copy(path, folder)
    assert main(["map", location, str(out / "map"), *flags]) == 0
    after = centers(out / "map")
    shared = [name for name in before if name in after]
    old, new = (np.stack([places[name] for name in shared]) for places in (before, after))
    extent = np.linalg.norm(np.ptp(old, axis=0))
    apart = np.linalg.norm(new - old, axis=1) / extent
    least = align_robustly(new, old, seed=0).residuals / extent
    print(f"anchors move by: median {100 * np.median(apart):.3f} %, largest {100 * apart.max():.3f} % of the extent")
    print(f"the best similarity would leave: median {100 * np.median(least):.3f} %, largest {100 * least.max():.3f} %")


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 2, sys.argv[4:])
