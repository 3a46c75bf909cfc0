"""`vloc show PATH`: what a map or a capture holds, and what made it, on one screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..config import config_to_json
from ..data.evidence import Calibration
from ..formats.access import read
from ..map import Map
from ..packed_map import PackedMap
from ..registry import to_text
from ..run.overview import StoreOverview, describe
from ..solvers.calibration import confidences
from ..versions import references_of
from . import options
from .frame_text import frame_facts
from .main import OK
from .map_folder import is_map
from .settings import parse_flags
from .show_capture import capture_facts, extent, shortened
from .version_facts import version_facts, version_line

# Lines that one entry may take, so that all fit on a screen; --json gives everything.
MAX_ROWS = 8


@dataclass(frozen=True, kw_only=True)
class ShowFlags(options.ReadFlags):
    """What a map or a capture holds, and what made it."""

    path: options.location("PATH")  # type: ignore[valid-type]
    """folder of a map, a packed map, the URL of either, or FORMAT:PATH or path of a capture"""
    json: options.Switch = False
    """print it as JSON"""


def run(arguments: Sequence[str]) -> int:
    """Summarise a map or a capture."""
    flags = parse_flags("show", ShowFlags, arguments)
    if is_map(flags.path):
        facts = map_facts(Map.open(flags.path))
    else:
        facts = capture_facts(read(flags.path, **flags.read_options))
    if flags.json:
        options.print_json(facts)
    else:
        print(lines(facts))
    return OK


def map_facts(map_: Map) -> dict[str, Any]:
    """The figures of a map, its settings and what it is stored in."""
    sparse, tracks = map_.sparse, map_.sparse.track_lengths
    return {
        "map": str(map_.folder),
        "version": map_.version,
        "images": len(sparse.image_names),
        "cameras": len(sparse.cameras),
        "points": len(sparse.points),
        "observations": sparse.num_observations,
        "mean_reprojection_error_px": round(sparse.mean_error, 3),
        "mean_track_length": round(float(tracks.mean()), 2) if len(tracks) else 0.0,
        "errors_of_poses": _pose_noise(map_),
        "extent_m" if map_.frame.metric else "extent_map_units": extent(sparse.cam_from_world.center),
        **frame_facts(map_.frame),
        "confidence": trial_facts(map_.calibration.value),
        "fusion": fusion_facts(map_),
        "made_from": dict(map_.manifest.get("capture", {})),
        "settings": config_to_json(map_.config),
        **(packed_facts(map_) if isinstance(map_, PackedMap) else stores_facts(map_)),
    }


def stores_facts(map_: Map) -> dict[str, Any]:
    """The versions and the stores of a map's folder; at a URL nothing says which stores there are."""
    if not isinstance(map_.folder, Path):
        return {"versions": version_facts(map_.folder)}
    stores = describe(map_.folder)
    used = {reference.partition("/")[0] for reference in references_of(map_.manifest)}
    every = [store_facts(store, used) for store in stores]
    return {
        "versions": version_facts(map_.folder),
        "stores": every,
        "total_bytes": sum(store.num_bytes for store in stores),
    }


def packed_facts(map_: PackedMap) -> dict[str, Any]:
    """The bytes of each part of a packed map."""
    parts = Counter[str]()
    for name, form in map_.file.forms.items():
        parts[name.partition("/")[0]] += form.num_bytes
    compressed = map_.manifest.get("compressed", {})
    return {"compressed_to": compressed, "packed": dict(parts.most_common()), "total_bytes": map_.file.num_bytes}


def trial_facts(calibration: Calibration) -> dict[str, Any]:
    """What true and false agreement look like in a map: its own images, localized without themselves."""
    trials, belief = calibration.trials, confidences(calibration)
    with_right, with_wrong = trials.num_attempts[0].tolist()
    right, wrong = belief[trials.is_right], belief[~trials.is_right]
    return {
        "against_the_right_images": f"{int((~trials.against_wrong_images).sum())} of {with_right} got a pose",
        "against_wrong_images": f"{int(trials.against_wrong_images.sum())} of {with_wrong} got a pose",
        "right_poses": f"{len(right)}, confidence at least {right.min():.2f}" if len(right) else "none",
        "wrong_poses": f"{len(wrong)}, confidence at most {wrong.max():.2f}" if len(wrong) else "none",
    }


def fusion_facts(map_: Map) -> dict[str, str]:
    """The weights that were chosen on the map, and how well they find its own neighbours; empty where none were."""
    if map_.weighing is None:
        return {}
    found, names = map_.weighing.value, list(map(to_text, map_.config.describe))
    alone = dict(zip(names, found.alone, strict=True))
    precisions = {**alone, "with equal weights": found.alike, "with these": found.weighed}
    return {
        "weights": ", ".join(f"{name} {weight:g}" for name, weight in zip(names, found.weights, strict=True)),
        "mean_average_precision_on_the_map": ", ".join(f"{name} {100 * p:.1f}" for name, p in precisions.items()),
    }


def _pose_noise(map_: Map) -> dict[str, float]:
    """Standard deviations of the components of the images' pose errors, to two digits."""
    rotation, center = map_.sparse.pose_noise
    unit = "center_m" if map_.frame.metric else "center_map_units"
    return {"rotation_deg": float(f"{np.rad2deg(rotation):.2g}"), unit: float(f"{center:.2g}")}


def store_facts(store: StoreOverview, used: set[str]) -> dict[str, Any]:
    """One store; the map reads those in `used`, and a rerun of the same command the others."""
    return {
        "name": store.folder.name,
        "items": store.items,
        "failed": store.failed,
        "shards": store.shards,
        "bytes": store.num_bytes,
        "read_by_map": store.folder.name in used,
        "made_by": f"vloc {store.identity.vloc}",
    }


def lines(facts: Mapping[str, Any]) -> str:
    """The figures for people; those that are empty are left out."""
    listed = {"version"} if "versions" in facts else set()
    shown = {name: value for name, value in facts.items() if value not in ({}, [], None, "") and name not in listed}
    width = max(map(len, shown))
    return "\n".join(line for name, value in shown.items() for line in _lines(name.replace("_", " "), value, width))


def _lines(name: str, value: Any, width: int) -> list[str]:
    if name == "timestamps":
        rows = [f"{value[0]} to {value[1]}"]
    elif name == "versions":
        rows = _first([version_line(version) for version in reversed(value)])
    elif name == "stores":
        rows = _store_lines(value)
    elif name == "packed":
        rows = [f"{part:<28} {num_bytes / 1e6:>8.1f} MB" for part, num_bytes in value.items()]
    elif isinstance(value, Mapping):
        full = {key: item for key, item in value.items() if item not in (None, [], {})}
        rows = [f"{key}: {_plain(item)}" for key, item in shortened(full, MAX_ROWS).items()]
    elif name in ("left out", "notes"):
        rows = _first(value)
    elif name == "total bytes":
        rows = [f"{value / 1e6:.1f} MB"]
    else:
        rows = [_plain(value)]
    return [f"{name if i == 0 else '':<{width}}  {row}" for i, row in enumerate(rows)]


def _first(rows: Sequence[str]) -> list[str]:
    return [*rows[:MAX_ROWS], *([f"... {len(rows) - MAX_ROWS} more, see --json"] if rows[MAX_ROWS:] else [])]


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return (", " if value and isinstance(value[0], str) else " x ").join(map(_plain, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _store_lines(stores: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each store that the map reads, one for all that are there for reruns."""
    others = [store for store in stores if not store["read_by_map"]]
    items, size, failed = (sum(store[name] for store in others) for name in ("items", "bytes", "failed"))
    rest = {"name": f"{len(others)} others, for reruns", "items": items, "bytes": size, "failed": failed}
    return [_store_line(store) for store in (*(s for s in stores if s["read_by_map"]), *([rest] if others else []))]


def _store_line(store: Mapping[str, Any]) -> str:
    failed = f", {store['failed']} failed" if store["failed"] else ""
    return f"{store['name']:<28} {store['items']:>7,} items  {store['bytes'] / 1e6:>8.1f} MB{failed}"
