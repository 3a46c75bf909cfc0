"""Fills `{{ vloc COMMAND }}` in the pages with what that command's --help prints, so that the reference cannot age."""

from __future__ import annotations

import os
import re
import subprocess
import sys


def on_page_markdown(markdown: str, **_: object) -> str:
    """Called by mkdocs for every page."""
    return re.sub(r"\{\{ vloc (\w+) \}\}", lambda found: _help(found[1]), markdown)


def _help(command: str) -> str:
    environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
    arguments = [sys.executable, "-m", "vloc.cli.main", command, "--help"]
    text = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True).stdout
    return f"```text\n{text.strip()}\n```"
