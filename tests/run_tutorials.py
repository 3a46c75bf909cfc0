"""Runs every command and program of docs/tutorials/ as it stands there, each page in an empty folder.

python tests/run_tutorials.py [NAME ...]
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PAGES = Path(__file__).resolve().parents[1] / "docs" / "tutorials"
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}


def blocks(page: Path) -> list[tuple[str, str]]:
    """(language, text) of what a page runs."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def run(page: Path) -> None:
    """Everything on a page, in its order; ends the program where something fails."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory() as folder:
        for language, text in blocks(page):
            command = [*RUN[language], text]
            done = subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{page.name}: status {done.returncode} of\n{text}\n{done.stdout}{done.stderr}")
            print(done.stdout, end="")


if __name__ == "__main__":
    for page in sorted(PAGES.glob("*.md")):
        if len(sys.argv) < 2 or page.stem in sys.argv[1:]:
            print(f"== {page.stem}", flush=True)
            run(page)
