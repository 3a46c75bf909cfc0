"""What commands print of a map's versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..run.remote import Location
from ..versions import Version, versions_of


def version_facts(folder: Location) -> list[dict[str, Any]]:
    """Every version of a map for JSON, the oldest first."""
    return [_facts(version) for version in versions_of(folder)]


def _facts(version: Version) -> dict[str, Any]:
    history = msgspec.to_builtins(version.history)
    del history["used"]
    capture = version.manifest.get("capture", {}).get("location", "")
    return {"version": version.number, "capture": capture, **history}


def version_line(facts: Mapping[str, Any]) -> str:
    """One version for people."""
    changes = [
        *([f"version {facts['restored']} again"] if facts["restored"] else []),
        *(f"{count} {what}" for what, count in (facts["images"] or {}).items() if count),
        *facts["settings"],
    ]
    when = facts["made"].replace("T", " ").rstrip("Z")
    size = [f"{facts[name]:,} {name.removeprefix('num_')}" for name in ("num_images", "num_points") if facts[name]]
    return "  ".join(filter(None, [f"{facts['version']}", when, facts["capture"], ", ".join(size), ", ".join(changes)]))
