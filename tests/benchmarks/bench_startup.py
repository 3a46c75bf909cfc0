"""CPU seconds until the first stage of `vloc map` and `vloc localize` begins, and what of it is Python and numpy.

    python tests/benchmarks/bench_startup.py [RUNS]

The least of RUNS (9) processes each, on a gallery of six small images that is made first; compiled modules are kept, as
pip leaves them. The first stage is where the Workspace is asked for one.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from vloc.datasets.synthetic_gallery import GalleryConfig, make

from vloc.cli.main import main

UNTIL_FIRST_STAGE = """
import os, sys
from vloc.cli.main import main, own_process
own_process()  # else numpy would be imported before it
import vloc.run.workspace
vloc.run.workspace.Workspace.each = lambda *_, **__: os._exit(0)
sys.exit(main() or 1)
"""


def cpu_seconds(code: str, arguments: list[str], environment: dict[str, str]) -> float:
    """User and system time of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=environment, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(folder: Path, runs: int) -> dict[str, float]:
    """The least seconds of each command."""
    make(folder / "gallery", GalleryConfig(num_images=6, num_queries=2, image_size=(160, 120)))
    mapping, query, made = folder / "gallery" / "mapping", folder / "gallery" / "query", folder / "map"
    main(["map", str(mapping), str(made), "--quiet"])
    commands = {
        "python": ("pass", []),
        "import numpy": ("import numpy", []),
        "vloc map": (UNTIL_FIRST_STAGE, ["map", str(mapping), str(folder / "other"), "--quiet"]),
        "vloc localize": (UNTIL_FIRST_STAGE, ["localize", str(made), str(query), str(folder / "poses.txt"), "--quiet"]),
    }
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    found = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, (code, arguments) in commands.items():
            found[name].append(cpu_seconds(code, arguments, environment))
    return {name: min(seconds[1:]) for name, seconds in found.items()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for name, seconds in measure(Path(folder), int(sys.argv[1]) if len(sys.argv) > 1 else 9).items():
            print(f"{name:<14} {seconds:.3f} s")
