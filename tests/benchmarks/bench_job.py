"""The whole job on real photos: pose errors, seconds and CPU seconds of `vloc map` and `vloc localize`.

    python tests/benchmarks/bench_job.py ../shared/data

hloc and COLMAP were measured on the same scenes and the same kind of machine: docs/benchmarks.md.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def seconds(*command: object) -> tuple[float, float]:
    """(wall, CPU) seconds of a command that must succeed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "vloc.cli.main", *map(str, command)], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - began, cpu


def truth_of(scene: Path, folder: Path) -> Path:
    """The true poses of the queries."""
    listed = scene / "queries_with_intrinsics.txt"
    if not listed.exists():
        return scene / "query"
    names = {line.split()[0] for line in listed.read_text().splitlines()}
    lines = [line for line in (scene / "gt_poses.txt").read_text().splitlines() if line.split()[0] in names]
    (folder / "truth.txt").write_text("\n".join(lines) + "\n")
    return folder / "truth.txt"


def run(scene: Path, *flags: str) -> str:
    """One line of figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = seconds("map", f"kapture:{scene / 'mapping'}", folder / "map", "--quiet", *flags)
        second = seconds("localize", folder / "map", f"kapture:{scene / 'query'}", folder / "poses.txt", "--quiet")
        truth, figures = truth_of(scene, folder), folder / "figures.json"
        seconds("evaluate", folder / "poses.txt", truth, "--json", figures)
        found = json.loads(figures.read_text())
    return (
        f"{scene.name} {' '.join(flags)}: {found['num_localized']} of {found['num_queries']}, "
        f"median {100 * found['median_translation_m']:.3f} cm {found['median_rotation_deg']:.4f} deg, "
        f"worst {100 * found['max_translation_m']:.2f} cm; "
        f"wall {first[0]:.1f} + {second[0]:.1f} s, CPU {first[1]:.1f} + {second[1]:.1f} s"
    )


def main() -> None:
    """Print the table."""
    data = Path(sys.argv[1])
    gallery = data / "virtual_gallery_tutorial"
    print(run(gallery, "--pixel-center", "0"))
    print(run(gallery, "--pixel-center", "0", "--features", "sift:max_keypoints=1500"))
    print(run(data / "strecha" / "fountain-P11"))
    print(run(data / "strecha" / "Herz-Jesus-P8"))


if __name__ == "__main__":
    main()
