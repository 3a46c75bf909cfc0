"""CPU seconds of each stage of `vloc map`: python tests/benchmarks/bench_stages.py OUT CAPTURE [flags of vloc map]

One process and one worker; OUT/map is made anew. What SfM's child process takes is not in it.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vloc.cli.main import main
from vloc.run.workspace import Workspace

spent: Counter[str] = Counter()


def timed(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of the Workspace that adds up the CPU seconds of its stages."""

    def run(self: Workspace, stage: Any, *arguments: Any, **named: Any) -> Any:
        began = time.process_time()
        result = method(self, stage, *arguments, **named)
        spent[stage.name] += time.process_time() - began
        return result

    return run


def measure(out: Path, arguments: list[str]) -> None:
    """Map once, and print the stages."""
    shutil.rmtree(out / "map", ignore_errors=True)
    Workspace.each, Workspace.once = timed(Workspace.each), timed(Workspace.once)  # type: ignore[method-assign]
    began = time.process_time()
    assert main(["map", arguments[0], str(out / "map"), "--quiet", "--workers", "1", *arguments[1:]]) == 0
    total = time.process_time() - began
    for stage, seconds in spent.items():
        print(f"{stage:<12} {seconds:7.3f} s  {100 * seconds / total:5.2f} %")
    print(f"{'all':<12} {total:7.3f} s")


if __name__ == "__main__":
    measure(Path(sys.argv[1]), sys.argv[2:])
