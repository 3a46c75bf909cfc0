"""From maps, queries and estimates to one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .. import atomic
from ..config import LocalizationConfig
from ..data.capture import Capture, ImageFiles
from ..data.estimate import PoseEstimate
from ..geometry.rigid import Rigid
from ..map import Map
from ..runtime import Runtime, one_thread_per_worker
from ..stages.evaluate import Evaluation, evaluate
from . import template
from .curves import curves
from .evidence import finder
from .losses import funnel, histograms
from .orbit import orbit
from .painter import Card, Painter
from .pictures import MAX_LINES
from .plan_view import plan_view
from .rows import Row, changes, figures, ordered, scores, table

PAGE = "index.html"
NUM_WORST, NUM_BEST = 20, 4
"""queries with pictures: failures first, then the least accurate; and the most accurate"""


@dataclass(frozen=True, eq=False)
class Run:
    """Queries that were localized in a map; `photos`: the map's images, left out of the pictures when None.

    `config`: the settings of the localization, by which its evidence is found again.
    """

    name: str
    map: Map
    queries: Capture
    estimates: Sequence[PoseEstimate]
    photos: ImageFiles | None = None
    config: LocalizationConfig = field(default_factory=LocalizationConfig)


@dataclass(frozen=True)
class About:
    """What a page says of itself."""

    title: str = "Where the photos were taken"
    commands: Sequence[str] = ()
    """command lines that made the results"""
    facts: Mapping[str, str] = field(default_factory=dict)
    """such as versions and timings"""


def write(
    path: Path,
    runs: Sequence[Run],
    truth: Mapping[str, Rigid] | None = None,
    *,
    about: About | None = None,
    runtime: Runtime | None = None,
) -> Path:
    """Write a page of one run, or of several whose figures are compared; the pictures are those of the first.

    `truth`: `cam_from_world` by query name.
    """
    about, runtime, first = about or About(), runtime or Runtime(), runs[0]
    found = {run.name: _score(run, truth) for run in runs} if truth else {}
    rows = ordered(first.estimates, found.get(first.name))
    cards, errors_px = _pictures(first, [*rows[:NUM_WORST], *rows[NUM_WORST:][-NUM_BEST:]], runtime)
    estimated, true = _labelled(rows, truth or {})
    lost = funnel(first.estimates, first.config.register.min_inliers)
    parts = [
        template.tiles(figures(first.map, rows)),
        *_accuracy(found),
        template.section("Where queries were lost", template.bars(lost)),
        template.panel(histograms(first.estimates, errors_px)),
        template.section(
            "From above", template.panel(plan_view(first.map.sparse, estimated, true, first.map.frame.unit))
        ),
        template.section("In space", orbit(first.map.sparse, estimated, true)),
        template.section("Every query", table(rows)),
        template.section("Query by query", template.note(_legend(first, len(rows))), *cards),
        template.section("How this was made", template.commands(about.commands), template.facts(about.facts)),
    ]
    atomic.write_text(path, template.page(about.title, _lead(runs), parts))
    return path


def is_page(path: Path) -> bool:
    """Whether a file is a page that vloc wrote."""
    return template.GENERATOR.encode() in path.read_bytes()[:1000]


def _score(run: Run, truth: Mapping[str, Rigid]) -> Evaluation:
    poses = {e.name: e.cam_from_world for e in run.estimates if e.cam_from_world is not None}
    asked = [estimate.name for estimate in run.estimates]
    return evaluate(poses, truth, asked=asked, unit=run.map.frame.unit)


def _accuracy(found: Mapping[str, Evaluation]) -> list[str]:
    """Curves of the runs, or of one run and its conditions, and tables of the same; nothing without truth."""
    if not found:
        return []
    (only, *others) = found.values()
    named = dict(found) if others else {"all": only, **only.by_condition()}
    tables = [scores(named), *([changes(named)] if others and only.unit == "m" else [])]
    return [template.section("How accurate", template.panel(curves(named)), *tables)]


def _pictures(run: Run, rows: Sequence[Row], runtime: Runtime) -> tuple[list[str], np.ndarray]:
    """The cards of some queries, and the reprojection errors (px) of all matches in them that agree."""
    painter = Painter(run.map, run.queries, run.photos, finder(run.map, run.config, runtime))
    with one_thread_per_worker(), ThreadPoolExecutor(runtime.num_workers) as pool:
        cards: list[Card] = list(pool.map(painter.card, rows))
    return [card.html for card in cards], np.concatenate([np.zeros(0), *(card.errors_px for card in cards)])


def _labelled(rows: Sequence[Row], truth: Mapping[str, Rigid]) -> tuple[dict[str, Rigid], dict[str, Rigid]]:
    """Estimated and true poses by the queries' labels."""
    found = {row.label: row.estimate.cam_from_world for row in rows if row.estimate.cam_from_world is not None}
    return found, {row.label: truth[row.estimate.name] for row in rows if row.estimate.name in truth}


def _lead(runs: Sequence[Run]) -> str:
    first, others = runs[0], [run.name for run in runs[1:]]
    told = f"{len(first.estimates)} queries placed in a map of {len(first.map.sparse.image_names)} images by vloc"
    return f"{told}: {first.name}, compared with {', '.join(others)}." if others else f"{told}."


def _legend(run: Run, count: int) -> str:
    shown = f"Of {count}, the {NUM_WORST} least accurate, failures first, and the {NUM_BEST} most accurate. "
    chosen = shown if count > NUM_WORST + NUM_BEST else ""
    if run.photos is None:
        return f"{chosen}The map's photos were not found, so the queries are shown alone."
    return (
        f"{chosen}Left the query, right the map image that says most about its pose. Green: matches that agree with "
        f"it; orange: matches that do not; of many, {MAX_LINES} are drawn. Below: the map images most like "
        "the query, best first."
    )
