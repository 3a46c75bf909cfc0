"""`vloc evaluate --retrieval`: retrieved images against true poses, or against lists of relevant images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigError, DataError
from ..formats.pairs import read_ranked
from ..formats.relevance import bare, read_relevance
from ..formats.results import read_truth
from ..geometry.rigid import Rigid
from ..map import Map
from ..stages.evaluate_retrieval import NEAR, RetrievalEvaluation, evaluate_retrieval
from ..stages.relevance import Precision, evaluate_relevance
from .map_folder import is_map
from .outputs import beside, rows_of

Threshold = tuple[float, float]


def figures_of(
    results: Path, truth: str, map_: str | None, ks: Sequence[int], thresholds: Sequence[Threshold] | None
) -> dict[str, Any]:
    """The figures: by lists where the truth is a JSON file, else by the poses of it and of the map."""
    if not ks or min(ks) < 1:
        raise ConfigError(f"--ks {' '.join(map(str, ks))}: expected numbers of images, at least 1")
    ranked = ranked_images(results)
    if Path(truth).suffix == ".json":
        bared = {bare(query): [bare(name) for name in images] for query, images in ranked.items()}
        return relevance_to_json(evaluate_relevance(bared, read_relevance(Path(truth)), ks))
    if map_ is None:
        raise ConfigError("--retrieval: expected --map MAP, the map or capture that has the poses of retrieved images")
    found: RetrievalEvaluation = evaluate_retrieval(ranked, read_truth(truth), placed(map_), thresholds or NEAR, ks)
    return found.to_json()


def ranked_images(results: Path) -> dict[str, list[str]]:
    """The retrieved images of every query, from what `vloc localize` wrote or a file of `query, image, score` lines."""
    details = beside(results, ".json")
    if not details.exists():
        return read_ranked(results)
    try:
        rows = rows_of(details)
    except ValueError as error:
        raise DataError(f"{details}: expected the rows that vloc localize writes ({error})") from None
    if any(row.get("unit") == "map units" for row in rows):
        raise DataError(f"{details}: the map has no metres to say what is near: `vloc align MAP --to` gives it a frame")
    return {row["name"]: list(row["retrieved"]) for row in rows}


def placed(location: str) -> Mapping[str, Rigid]:
    """`cam_from_world` of the images of a map, or of a capture with poses."""
    if not is_map(location):
        return read_truth(location)
    sparse = Map.open(location).sparse
    return {name: sparse.cam_from_world[row] for row, name in enumerate(sparse.image_names)}


def relevance_to_json(found: Sequence[Precision]) -> dict[str, Any]:
    """The figures by lists."""
    return {"relevance": [precision.to_json() for precision in found]}


def table(figures: Mapping[str, Any]) -> str:
    """The figures for people, in columns."""
    rows = _by_lists(figures["relevance"]) if "relevance" in figures else _by_poses(figures["retrieval"])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if unknown := figures.get("num_without_truth", 0):
        lines.append(f"{unknown} queries have no truth and were not counted")
    if lost := sum(row["num_without_near"] for row in figures.get("retrieval", ()) if row["condition"] == "all"):
        lines.append(f"{lost} times a query had no map image within the limits, and was left out of that row")
    return "\n".join(lines)


def _by_poses(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    ks = list(rows[0]["recall"])
    head = ["queries", "", "within", *(f"recall@{k}" for k in ks), *(f"share@{k}" for k in ks)]
    return [head] + [
        [
            row["condition"],
            str(row["num_queries"]),
            f"{row['translation_m']:g} m, {row['rotation_deg']:g} deg",
            *(_number(row[figure][k]) for figure in ("recall", "share") for k in ks),
        ]
        for row in rows
    ]


def _by_lists(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    ks = list(rows[0]["mean_precision"])
    return [["setting", "queries", "mAP", *(f"mP@{k}" for k in ks)]] + [
        [
            row["setting"],
            str(row["num_queries"]),
            _number(row["mean_average_precision"]),
            *(_number(row["mean_precision"][k]) for k in ks),
        ]
        for row in rows
    ]


def _number(percent: float | None) -> str:
    return "-" if percent is None else f"{percent:.1f}"
