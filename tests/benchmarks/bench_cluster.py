"""Two processes of a cluster against two threads: the same gallery mapped by both, in turn.

    python tests/benchmarks/bench_cluster.py FOLDER [SIZE [ROUNDS]]

The gallery and settings are those of bench_scale.py (1,600 images of 320 x 240 px unless told). Every round (2) maps it
anew by threads and by processes, in processes of their own that take turns to go first. Prints the median seconds of
every stage and of the whole command with its start, their ratio, and whether the two maps are the same bytes.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from statistics import median

import vloc
from vloc.config import MappingConfig, make_config
from vloc.mapping import map_capture
from vloc.run.workspace import Workspace
from vloc.runtime import Runtime

WAYS = {"threads": Runtime(workers=2), "processes": Runtime(workers=2, cluster="local:2")}
WHOLE = "the command"


def measure(gallery: Path, work: Path, way: str) -> dict[str, float]:
    """Map the gallery, and give the seconds of every stage."""
    config = make_config(MappingConfig, extract="sift:max_keypoints=1000", pair={"num_pairs": 10})
    with Workspace(work, WAYS[way]) as space:
        map_capture(space, vloc.read(gallery / "mapping"), config)
    return dict(space.stage_seconds)


def run(gallery: Path, work: Path, way: str) -> dict[str, float]:
    """The same in a process of its own, with the seconds of all of it."""
    shutil.rmtree(work, ignore_errors=True)
    began = time.perf_counter()
    command = [sys.executable, __file__, "--measure", str(gallery), str(work), way]
    seconds = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return {**seconds, WHOLE: time.perf_counter() - began}


def content(folder: Path) -> dict[str, bytes]:
    """All that a map is, by path in it; its history says when it was made, its timings how long that took."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    files = [path for path in files if path.parent.name != "versions" and path.name != "timings.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def main() -> None:
    """Measure, and print the table."""
    folder, size, rounds, *_ = [*sys.argv[1:], *["1600", "2"][len(sys.argv) - 2 :]]
    gallery, scene = Path(folder) / f"gallery-{size}", import_module("vloc.datasets.synthetic_gallery")
    told = {"num_images": int(size), "num_queries": max(4, int(size) // 10), "image_size": (320, 240)}
    scene.make(gallery, scene.GalleryConfig(**told))
    maps = {way: Path(folder) / f"map-{size}-{way}" for way in WAYS}
    times: dict[str, dict[str, list[float]]] = {way: defaultdict(list) for way in WAYS}
    for number in range(int(rounds)):
        for way in [*WAYS][:: 1 if number % 2 == 0 else -1]:
            for stage, seconds in run(gallery, maps[way], way).items():
                times[way][stage].append(seconds)
    print(f"{'seconds':<14}" + "".join(f"{way:>12}" for way in WAYS) + "       ratio")
    for stage in times["threads"]:
        one, other = (median(times[way][stage]) for way in WAYS)
        print(f"{stage:<14}{one:>12.2f}{other:>12.2f}{other / one:>12.2f}")
    print("the same bytes" if content(maps["threads"]) == content(maps["processes"]) else "OTHER BYTES")


if __name__ == "__main__":
    if sys.argv[1] == "--measure":
        print(json.dumps(measure(*map(Path, sys.argv[2:4]), sys.argv[4])))
    else:
        main()
