"""Global descriptors and their fusion by what they are for: poses by retrieval alone, by small maps, by one map."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api import build_map, localize
from ..atomic import write_text
from ..config import Paradigm
from ..errors import ConfigError
from ..formats.results import read_truth
from ..geometry.rigid import Rigid
from ..map import Map
from ..registry import to_text
from ..retrieval import DESCRIPTORS, FUSIONS
from ..runtime import Runtime
from ..stages.evaluate import THRESHOLDS, Evaluation, evaluate
from . import options
from .main import OK
from .settings import parse_flags

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PARADIGMS: tuple[Paradigm, ...] = ("approximation", "local-sfm", "map")
Row = tuple[str, tuple[str, ...], str]
"""what it is called, descriptors, operator"""


@dataclass(frozen=True, kw_only=True)
class CompareFlags:
    """Global descriptors alone and fused by operators, through three paradigms, by how many images are retrieved.

    All place the queries in one and the same map: its images are paired by their poses.
    """

    data: Path
    """folder with mapping, query and query_truth.txt, as `vloc run synthetic_gallery` makes it"""
    out: Path
    """where the map, results.json and recall.svg go"""
    descriptors: options.Words = ("densevlad", "vlad")
    """global descriptors"""
    operators: options.Words = ()
    """of fusion, over all descriptors; left out: every one there is"""
    ks: tuple[int, ...] = (1, 5, 10, 20)
    """how many images are retrieved"""
    features: str = "sift"
    """local feature"""
    workers: int = 0
    """images or pairs worked on at a time; 0: one per core"""


@dataclass(frozen=True, eq=False)
class Score:
    """How one row did with k images in one paradigm."""

    row: str
    paradigm: Paradigm
    k: int
    found: Evaluation

    def to_json(self) -> dict[str, Any]:
        """Recalls (percent) of all queries and of each condition."""
        parts = {"all": self.found, **self.found.by_condition()}
        recall = {name: [round(percent, 2) for percent in part.recall] for name, part in parts.items()}
        return {"row": self.row, "paradigm": self.paradigm, "k": self.k, "recall": recall}


def compare(name: str, arguments: Sequence[str]) -> int:
    """Print a table for each paradigm, and draw recall against the number of retrieved images."""
    flags = parse_flags(f"run {name}", CompareFlags, arguments)
    rows, truth, scores = rows_of(flags), read_truth(str(flags.data / "query_truth.txt")), list[Score]()
    for row in rows:
        print(f"{row[0]} ...", flush=True)
        scores += scores_of(flags, row, truth)
        write_text(flags.out / "results.json", json.dumps([score.to_json() for score in scores], indent=1) + "\n")
    print("\n\n".join(table(scores, paradigm) for paradigm in PARADIGMS))
    draw(flags.out / "recall.svg", scores)
    print(f"\n{flags.out / 'recall.svg'}")
    return OK


def rows_of(flags: CompareFlags) -> list[Row]:
    """Every descriptor alone, and all of them by every operator; ConfigError for one that there is not."""
    if not flags.ks or min(flags.ks) < 1:
        raise ConfigError(f"--ks {' '.join(map(str, flags.ks))}: expected numbers of images, at least 1")
    names = [to_text(DESCRIPTORS.parse(text)) for text in flags.descriptors]
    operators = [to_text(FUSIONS.parse(text)) for text in flags.operators or FUSIONS.names()]
    alone: list[Row] = [(name, (name,), "gharm") for name in names]
    return alone + [(operator, tuple(names), operator) for operator in operators if len(names) > 1]


def scores_of(flags: CompareFlags, row: Row, truth: Mapping[str, Rigid]) -> Iterator[Score]:
    """Of one row, for every paradigm and number of images."""
    name, descriptors, operator = row
    runtime = Runtime(workers=flags.workers)
    map_ = build_map(
        f"kapture:{flags.data / 'mapping'}",
        flags.out / "map",
        features=flags.features,
        retrieval=list(descriptors),
        fusion=operator,
        pair={"method": "distance"},
        runtime=runtime,
    )
    for paradigm in PARADIGMS:
        for k in flags.ks:
            yield Score(name, paradigm, k, _score(flags, map_, paradigm, k, truth, runtime))


def _score(
    flags: CompareFlags, map_: Map, paradigm: Paradigm, k: int, truth: Mapping[str, Rigid], runtime: Runtime
) -> Evaluation:
    settings: dict[str, Any] = {
        "paradigm": paradigm,
        "retrieve": {"num_retrieved": k},
        "local": {"num_images": max(k, 2)},
    }
    found = localize(map_, f"kapture:{flags.data / 'query'}", flags.out / "localize", runtime=runtime, **settings)
    poses = {estimate.name: estimate.cam_from_world for estimate in found if estimate.cam_from_world is not None}
    return evaluate(poses, truth, asked=[estimate.name for estimate in found])


def table(scores: Sequence[Score], paradigm: Paradigm) -> str:
    """Rows as in the paper's Table 7, with the most images: recalls at all thresholds, by condition."""
    most = max(score.k for score in scores)
    chosen = [score for score in scores if (score.paradigm, score.k) == (paradigm, most)]
    conditions = list(chosen[0].found.by_condition()) or ["all"]
    width = max(len(score.row) for score in chosen)
    limits = ", ".join(f"({t:g} m, {r:g} deg)" for t, r in THRESHOLDS)
    head = [
        f"{paradigm}, {most} images: percent within {limits}",
        " " * width + "".join(f"{c:>26}" for c in conditions),
    ]
    return "\n".join([*head, *(_line(score, width, conditions) for score in chosen)])


def _line(score: Score, width: int, conditions: Sequence[str]) -> str:
    recall = score.to_json()["recall"]
    return f"{score.row:<{width}}" + "".join(f"{' / '.join(f'{x:.1f}' for x in recall[c]):>26}" for c in conditions)


def draw(path: Path, scores: Sequence[Score]) -> None:
    """Recall against the number of images: a column a paradigm, a row a condition.

    At the finest threshold; for poses by retrieval alone, which no map refines, at the coarsest.
    """
    from ..page.svg import svg

    conditions = list(scores[0].found.by_condition()) or ["all"]
    write_text(path, svg(10.0, 0.6 + 2.5 * len(conditions), lambda figure: _draw(figure, scores, conditions)))


def _draw(figure: Figure, scores: Sequence[Score], conditions: Sequence[str]) -> None:
    from ..page.svg import plain

    grid = figure.subplots(len(conditions), len(PARADIGMS), sharex=True, squeeze=False)
    for axes_row, condition in zip(grid, conditions, strict=True):
        for axes, paradigm in zip(axes_row, PARADIGMS, strict=True):
            level = -1 if paradigm == "approximation" else 0
            for row in dict.fromkeys(score.row for score in scores):
                own = [score for score in scores if (score.row, score.paradigm) == (row, paradigm)]
                recall = [score.to_json()["recall"][condition][level] for score in own]
                axes.plot([score.k for score in own], recall, ".-", linewidth=1.2, label=row)
            metres, degrees = THRESHOLDS[level]
            axes.set_title(f"{paradigm}, {condition}: within {metres:g} m, {degrees:g} deg", fontsize=8)
            axes.set(ylim=(-3, 103))
            plain(axes)
    for axes in grid[-1]:
        axes.set_xlabel("retrieved images")
    figure.supylabel("queries, %", fontsize=9)
    figure.legend(*grid[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=5, frameon=False)
