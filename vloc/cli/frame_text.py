"""What commands print of a map's frame."""

from __future__ import annotations

from typing import Any

from ..data.frame import Frame

SOURCES = {
    "given poses": "that of the given poses",
    "gnss": "east, north and up",
    "rig": "scaled by the mounts of its rigs",
    "aligned": "aligned",
    "distance": "scaled by a distance",
    "arbitrary": "its own, with no scale: `vloc align` gives it one",
}


def frame_facts(frame: Frame) -> dict[str, Any]:
    """The frame for JSON."""
    origin = dict(zip(("latitude", "longitude", "altitude"), frame.origin, strict=True)) if frame.origin else None
    about = {"source": frame.source, "origin": origin, "about": frame.about, "kept": frame.kept}
    return {"frame": {"unit": frame.unit, **{name: value for name, value in about.items() if value}}}


def frame_lines(frame: Frame) -> list[str]:
    """The frame for people."""
    unit = "metres" if frame.metric else "map units"
    lines = [f"frame: {unit}, {SOURCES[frame.source]}{_origin(frame)}"]
    lines += [f"  {frame.about}"] if frame.about else []
    return lines + ([f"  kept from the map before: {frame.kept}"] if frame.kept else [])


def _origin(frame: Frame) -> str:
    if frame.origin is None:
        return ""
    latitude, longitude, altitude = frame.origin
    return f" of {latitude:.7f}, {longitude:.7f}, {altitude:.2f} m (WGS84)"
