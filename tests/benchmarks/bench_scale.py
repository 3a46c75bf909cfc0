"""Time of every stage, and memory, as the number of images grows, on the synthetic gallery.

    python tests/benchmarks/bench_scale.py FOLDER [SIZE ...]

Each size is made, mapped and localized in a process of its own. Prints seconds a stage, peak memory, the exponent of
each stage's growth (1 is linear), and the share of the pairing. FOLDER keeps the galleries, so a rerun skips them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import numpy as np

import vloc
from vloc.config import LocalizationConfig, MappingConfig, make_config
from vloc.localization import localize_capture
from vloc.map import Map
from vloc.mapping import map_capture
from vloc.run.progress import Silent
from vloc.run.workspace import Workspace

FEATURES = "sift:max_keypoints=1000"
NUM_PAIRS = 10


class Clock(Silent):
    """Notes the seconds of every stage and the peak memory after it."""

    def __init__(self) -> None:
        self.stages: dict[str, tuple[float, float]] = {}

    def start(self, stage: str, total: int, todo: int, reason: str) -> None:
        """Begin counting."""
        Path("/proc/self/clear_refs").write_text("5")  # the peak of this stage, not of those before
        self._stage, self._began = stage, time.perf_counter()

    def finish(self, failures: int) -> None:
        """Note what it took."""
        self.stages[self._stage] = (time.perf_counter() - self._began, peak_megabytes())


def peak_megabytes() -> float:
    """The most memory this process has held; unlike `ru_maxrss`, not its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def scene(folder: Path, size: int) -> Path:
    """The gallery of that many images; an existing one is kept."""
    gallery = import_module("vloc.datasets.synthetic_gallery")
    root = folder / f"gallery-{size}"
    gallery.make(root, gallery.GalleryConfig(num_images=size, num_queries=max(4, size // 10), image_size=(320, 240)))
    return root


def measure(root: Path, work: Path, job: str) -> None:
    """Map, or localize, and print the stages as JSON."""
    clock = Clock()
    if job == "map":
        config = make_config(MappingConfig, extract=FEATURES, pair={"num_pairs": NUM_PAIRS})
        with Workspace(work / "map", reporter=clock) as space:
            map_capture(space, vloc.read(root / "mapping"), config)
    else:
        with Workspace(work / "queries", reporter=clock) as space:
            localize_capture(space, Map.open(work / "map"), vloc.read(root / "query"), make_config(LocalizationConfig))
    print(json.dumps(clock.stages))


def main() -> None:
    """Run every size, then print the table and the fits."""
    folder, sizes = Path(sys.argv[1]), [int(size) for size in sys.argv[2:]] or [100, 400, 1600]
    tables: dict[int, dict[str, tuple[float, float]]] = {}
    for size in sizes:
        root, work, tables[size] = scene(folder, size), folder / f"work-{size}-{time.time_ns()}", {}
        for job in ("map", "localize"):
            command = [sys.executable, __file__, "--measure", str(root), str(work), job]
            text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            tables[size].update({f"{job}: {name}": figures for name, figures in json.loads(text).items()})
    print(f"{'seconds (peak MB)':<24}" + "".join(f"{size:>18}" for size in sizes) + "   exponent")
    for stage in tables[sizes[0]]:
        seconds = [tables[size][stage][0] for size in sizes]
        cells = "".join(f"{tables[size][stage][0]:>10.2f} ({tables[size][stage][1]:.0f})".rjust(18) for size in sizes)
        exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0] if len(sizes) > 1 else np.nan
        print(f"{stage:<24}{cells}   {exponent:.2f}")
    largest = tables[sizes[-1]]
    total = sum(seconds for seconds, _ in largest.values())
    print(f"pairing at {sizes[-1]}: {100 * largest['map: pair'][0] / total:.2f} % of {total:.0f} s")


if __name__ == "__main__":
    if sys.argv[1] == "--measure":
        measure(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
    else:
        main()
