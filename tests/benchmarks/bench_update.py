"""What it costs to keep a map up to date, as shares of building it, on the synthetic gallery.

    python tests/benchmarks/bench_update.py FOLDER [--images 2000] [--keep]

Builds a map, adds 20 images, changes one and takes 20 away, each by `vloc map` in a process of its own, and prints
seconds and shares of the build. Then held-out queries in the map with the 20 images against one built from nothing:
medians of both. FOLDER keeps the gallery; `--keep` goes on with the maps that are there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import cv2

FLAGS = ["--features", "sift:max_keypoints=1000", "--num-pairs", "10", "--quiet"]
ADDED = 20


def vloc(*arguments: object) -> float:
    """Seconds that a command takes in a process of its own."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "vloc.cli.main", *map(str, arguments)], check=True, stdout=sys.stderr)
    return time.perf_counter() - began


def scene(root: Path, count: int) -> Path:
    """The gallery with as many images, 20 more and 120 queries."""
    gallery = import_module("vloc.datasets.synthetic_gallery")
    gallery.make(root, gallery.GalleryConfig(num_images=count + ADDED, num_queries=120, image_size=(320, 240)))
    return root


def only(mapping: Path, keep: set[int] | None) -> None:
    """Leave some images (by number) in a kapture folder, or all."""
    records, whole = mapping / "sensors" / "records_camera.txt", mapping / "all_records.txt"
    if not whole.exists():
        shutil.copy(records, whole)
    lines = whole.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    images = [line for line in lines if not line.startswith("#")]
    records.write_text(
        "\n".join([*comments, *(row for i, row in enumerate(images) if keep is None or i in keep)]) + "\n"
    )


def change_one(mapping: Path) -> None:
    """Encode one photo again."""
    photo = sorted((mapping / "sensors" / "records_data").rglob("*.jpg"))[0]
    cv2.imwrite(str(photo), cv2.imread(str(photo)), [cv2.IMWRITE_JPEG_QUALITY, 80])


def medians(map_: Path, root: Path) -> tuple[float, float, int]:
    """Metres, degrees and the number of queries localized."""
    results = map_.with_name(f"{map_.name}.poses.txt")
    vloc("localize", map_, root / "query", results, "--quiet")
    figures = results.with_name(f"{results.name}.figures.json")
    vloc("evaluate", results, root / "query_truth.txt", "--json", figures)
    found = json.loads(figures.read_text())
    return found["median_translation_m"], found["median_rotation_deg"], found["num_localized"]


def main() -> None:
    """Build, update, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--keep", action="store_true")
    flags = parser.parse_args()
    root = scene(flags.folder / f"gallery-{flags.images}", flags.images)
    place = flags.folder / f"update-{flags.images}"
    if not flags.keep:
        shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, exist_ok=True)
    mapping, map_, fresh = place / "mapping", place / "map", place / "fresh"
    if not mapping.exists():
        shutil.copytree(root / "mapping", mapping)
    every = set(range(flags.images + ADDED))
    fewer = every - {i * (flags.images // ADDED) for i in range(ADDED)}
    seconds: dict[str, float] = {}

    def step(name: str, folder: Path = map_) -> None:
        seconds[name] = vloc("map", mapping, folder, *FLAGS)
        print(f"{name:12} {seconds[name]:8.1f} s {100 * seconds[name] / seconds['build']:6.1f} %", flush=True)

    only(mapping, fewer)
    step("build")
    step("nothing")
    only(mapping, None)
    step("add 20")
    updated = medians(map_, root)
    change_one(mapping)
    step("change one")
    only(mapping, every - {i * (flags.images // ADDED) + 1 for i in range(ADDED)})  # others than were added
    step("take 20")
    only(mapping, None)
    shutil.rmtree(mapping / "sensors" / "records_data")
    shutil.copytree(root / "mapping" / "sensors" / "records_data", mapping / "sensors" / "records_data")
    step("from nothing", fresh)
    for name, (metres, degrees, count) in (("updated", updated), ("from nothing", medians(fresh, root))):
        print(f"{name:12} {1000 * metres:.3f} mm {degrees:.5f} deg, {count} localized")


if __name__ == "__main__":
    main()
