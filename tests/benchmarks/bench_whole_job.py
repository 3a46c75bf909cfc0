"""Whole jobs, `vloc map` and `vloc localize`, against COLMAP's own parts and against our own SIFT extraction, in turns.

    python tests/benchmarks/bench_whole_job.py DATA [--colmap ../shared/tools/colmap_register.py] [--rounds 3]

fountain-P11 at the defaults beside a script that does the same by COLMAP (`SCENE OUT` are its arguments), and Virtual
Gallery at 1,500 keypoints beside the extraction of its 16 images in a process of its own, set up as a command's, which
imports and decodes as well. Wall and CPU seconds, the medians of the rounds after a first that compiles Python's
modules, which are kept as pip leaves them.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

KEYPOINTS = "sift:max_keypoints=1500"
EXTRACTION = """
import sys
from pathlib import Path
from vloc.cli.main import own_process
own_process()
import vloc
from vloc.features import FEATURES
from vloc.run.workspace import Workspace
from vloc.stages.extract import EXTRACT
from vloc.stages.images import Photos
feature = FEATURES.parse(sys.argv[1])
for part, folder in zip(sys.argv[2:4], sys.argv[4:6]):
    capture = vloc.read(f"kapture:{part}", pixel_center=0)
    with Workspace(Path(folder)) as work:
        photos = Photos(capture, work.content_hash).of(capture.images.names, in_color=feature.in_color)
        work.each(EXTRACT, photos, feature)
"""


def seconds(commands: list[list[object]], compiled: Path) -> np.ndarray:
    """(wall, CPU) seconds of commands that must succeed, one after the other."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(compiled)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    for command in commands:
        subprocess.run([sys.executable, *map(str, command)], check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return np.array([time.perf_counter() - began, cpu])


def vloc_job(scene: Path, folder: Path, *flags: str) -> list[list[object]]:
    """Both commands of a scene."""
    vloc = ["-m", "vloc.cli.main"]
    return [
        [*vloc, "map", f"kapture:{scene / 'mapping'}", folder / "map", "--quiet", *flags],
        [*vloc, "localize", folder / "map", f"kapture:{scene / 'query'}", folder / "poses.txt", "--quiet"],
    ]


def in_turns(name: str, rounds: int, *jobs: Callable[[Path], list[list[object]]]) -> str:
    """A line with the medians of two jobs and of their ratio."""
    taken = []
    with tempfile.TemporaryDirectory() as compiled:
        for _ in range(rounds + 1):
            with tempfile.TemporaryDirectory() as folder:
                taken.append([seconds(job(Path(folder)), Path(compiled)) for job in jobs])
    table = np.array(taken[1:])  # (rounds, jobs, wall and CPU)
    (wall, cpu), (other_wall, other_cpu) = np.median(table, axis=0)
    ratio = np.median(table[:, 0] / table[:, 1], axis=0)
    return (
        f"{name}: wall {wall:.1f} s against {other_wall:.1f} s ({ratio[0]:.2f}), "
        f"CPU {cpu:.1f} s against {other_cpu:.1f} s ({ratio[1]:.2f})"
    )


def main() -> None:
    """Print a line for each of the two jobs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--colmap", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    fountain, gallery = args.data / "strecha" / "fountain-P11", args.data / "virtual_gallery_tutorial"
    parts = [gallery / "mapping", gallery / "query"]
    print(
        in_turns(
            f"Virtual Gallery, {KEYPOINTS}, against its extraction",
            args.rounds,
            lambda folder: vloc_job(gallery, folder, "--features", KEYPOINTS, "--pixel-center", "0"),
            lambda folder: [["-c", EXTRACTION, KEYPOINTS, *parts, folder / "m", folder / "q"]],
        ),
        flush=True,
    )
    if args.colmap:
        colmap = args.colmap.resolve()
        both = (lambda folder: vloc_job(fountain, folder), lambda folder: [[colmap, fountain, folder / "colmap"]])
        print(in_turns("fountain-P11, defaults, against COLMAP", args.rounds, *both))


if __name__ == "__main__":
    main()
