"""Where vloc keeps, for one user, what it can fetch again."""

from __future__ import annotations

import os
from pathlib import Path


def user_cache(what: str) -> Path:
    """`$XDG_CACHE_HOME/vloc/WHAT`, or the same under `~/.cache`."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "vloc" / what
