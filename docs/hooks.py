"""Fills pages from what is true elsewhere: the README, and what `vloc COMMAND --help` prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def on_page_markdown(markdown: str, **_: object) -> str:
    """Called by mkdocs for every page."""
    if markdown.strip() == "{{ readme }}":
        return _readme()
    return re.sub(r"\{\{ vloc (\w+) \}\}", lambda found: _help(found[1]), markdown)


def _readme() -> str:
    """The README with its links as seen from docs/."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
    return re.sub(r"\[(\w+\.(?:md|cff))\]\(\1\)", r"`\1`", text)


def _help(command: str) -> str:
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    arguments = [sys.executable, "-m", "vloc.cli.main", command, "--help"]
    text = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True).stdout
    return f"```text\n{text.strip()}\n```"
