"""What a command imports before its first stage: nothing that takes long and that may not be needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LATER = {
    "cv2",
    "kornia",
    "matplotlib",
    "open3d",
    "poselib",
    "pycolmap",
    "rich",
    "scipy",
    "torch",
    "typeguard",
}
UNTIL_FIRST_STAGE = """
import os, sys
import vloc.run.workspace
def stop(*_, **__):
    print(*sorted({name.partition(".")[0] for name in sys.modules}), flush=True)
    os._exit(0)
vloc.run.workspace.Workspace.each = stop
from vloc.cli.main import main
sys.exit(main(sys.argv[1:]) or 1)
"""


@pytest.mark.parametrize("command", ["map", "localize"])
def test_no_heavy_library_is_imported_before_the_first_stage(job, tmp_path: Path, command: str) -> None:
    arguments = [str(job.mapping), str(tmp_path / "map")]
    if command == "localize":
        arguments = [str(job.map), str(job.queries), str(tmp_path / "poses.txt")]
    process = [sys.executable, "-c", UNTIL_FIRST_STAGE, command, *arguments, "--quiet"]
    imported = {*subprocess.run(process, check=True, capture_output=True, text=True).stdout.split()}
    assert "numpy" in imported
    assert imported & LATER == set()


def test_the_main_job_is_done_without_scipy(job, tmp_path: Path) -> None:
    """It takes a third of a second to import, in each command."""
    code = "import sys; from vloc.cli.main import main; print(main(sys.argv[1:]), 'scipy' in sys.modules)"
    for command, *paths in (
        ("map", job.mapping, tmp_path / "map"),
        ("localize", tmp_path / "map", job.queries, tmp_path / "poses.txt"),
    ):
        process = [sys.executable, "-c", code, command, *map(str, paths), "--quiet"]
        told = subprocess.run(process, check=True, capture_output=True, text=True).stdout
        assert told.split() == ["0", "False"]
