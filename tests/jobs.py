"""Commands as the tests run them."""

import random
import signal
import subprocess
import sys
import time
from hashlib import blake2b
from pathlib import Path

from vloc.cli.main import main

FAST = ["--features", "sift:max_keypoints=1000", "--num-pairs", "6", "--quiet"]
"""flags of `vloc map` that make a test quick"""


def run(*arguments: object) -> int:
    """The exit status of a command."""
    return main([str(argument) for argument in arguments])


def content(folder: Path) -> dict[str, str]:
    """Name -> hash of every file of a map, locks and what tells the time apart."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and "lock" not in path.name]
    files = [path for path in files if path.parent.name != "versions" and path.name != "timings.json"]
    return {str(path.relative_to(folder)): blake2b(path.read_bytes()).hexdigest() for path in files}


def map_and_kill(gallery: Path, folder: Path, seed: int) -> None:
    """Begin to map the gallery, and kill the process after a random time."""
    command = [sys.executable, "-m", "vloc.cli.main", "map", str(gallery / "mapping"), str(folder), *FAST]
    process = subprocess.Popen(command)
    time.sleep(random.Random(seed).uniform(0.4, 4.0))
    process.send_signal(signal.SIGKILL)
    process.wait()
