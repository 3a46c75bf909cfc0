"""From a map, queries and estimates to one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from .. import atomic
from ..config import LocalizationConfig
from ..data.capture import Capture, ImageFiles
from ..data.estimate import PoseEstimate
from ..geometry.rigid import Rigid
from ..map import Map
from ..runtime import Runtime, one_thread_per_worker
from ..stages.evaluate import evaluate
from . import template
from .evidence import finder
from .painter import Painter
from .pictures import MAX_LINES
from .plan_view import plan_view
from .rows import Row, figures, ordered, table

PAGE = "index.html"
MAX_CARDS = 24
"""queries with pictures: failures first, then the least accurate"""


@dataclass(frozen=True)
class About:
    """What a page says of itself."""

    title: str = "Where the photos were taken"
    commands: Sequence[str] = ()
    """command lines that made the results"""
    facts: Mapping[str, str] = field(default_factory=dict)
    """such as versions and timings"""


def write(
    folder: Path,
    map_: Map,
    queries: Capture,
    estimates: Sequence[PoseEstimate],
    truth: Mapping[str, Rigid] | None = None,
    *,
    photos: ImageFiles | None = None,
    about: About | None = None,
    config: LocalizationConfig | None = None,
    runtime: Runtime | None = None,
) -> Path:
    """Write `folder/index.html` and return its path.

    `truth`: `cam_from_world` by query name. `photos`: the map's images, left out of the pictures when None.
    `config`: the settings of the localization, by which its evidence is found again.
    """
    about, runtime = about or About(), runtime or Runtime()
    rows = ordered(estimates, evaluate(_poses(estimates), truth, unit=map_.frame.unit) if truth else None)
    find = finder(map_, config or LocalizationConfig(), runtime)
    painter = Painter(map_, queries, photos, find)
    with one_thread_per_worker(), ThreadPoolExecutor(runtime.num_workers) as pool:
        cards = list(pool.map(painter.card, rows[:MAX_CARDS]))
    parts = [
        template.tiles(figures(map_, rows)),
        template.section("From above", template.panel(_plan(map_, rows, truth or {}))),
        template.section("Every query", table(rows)),
        template.section("Query by query", template.note(_legend(len(rows))), *cards),
        template.section("How this was made", template.commands(about.commands), template.facts(about.facts)),
    ]
    path = folder / PAGE
    atomic.write_text(path, template.page(about.title, _lead(map_, rows), parts))
    return path


def is_page(path: Path) -> bool:
    """Whether a file is a page that vloc wrote."""
    return template.GENERATOR.encode() in path.read_bytes()[:1000]


def _poses(estimates: Sequence[PoseEstimate]) -> dict[str, Rigid]:
    return {e.name: e.cam_from_world for e in estimates if e.cam_from_world is not None}


def _plan(map_: Map, rows: Sequence[Row], truth: Mapping[str, Rigid]) -> str:
    poses = _poses([row.estimate for row in rows])
    estimated = {row.label: poses[row.estimate.name] for row in rows if row.estimate.name in poses}
    true = {row.label: truth[row.estimate.name] for row in rows if row.estimate.name in truth}
    return plan_view(map_.sparse, estimated, true, map_.frame.unit)


def _lead(map_: Map, rows: Sequence[Row]) -> str:
    return f"{len(rows)} queries placed in a map of {len(map_.sparse.image_names)} images by vloc."


def _legend(count: int) -> str:
    shown = f"The first {MAX_CARDS} of {count}, failures and largest errors first. " if count > MAX_CARDS else ""
    return (
        f"{shown}Left the query, right the map image that says most about its pose. Green: matches that agree with the "
        f"pose; orange: matches that do not; of many, {MAX_LINES} are drawn. Below: the map images that look most "
        "like the query, best first."
    )
