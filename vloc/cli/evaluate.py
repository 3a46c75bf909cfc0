"""`vloc evaluate RESULTS TRUTH`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import atomic
from ..data.frame import Unit
from ..errors import ConfigError, DataError
from ..formats.results import find_truth, read_truth
from ..stages.evaluate import THRESHOLDS, Evaluation, Threshold, evaluate
from ..stages.evaluate_retrieval import KS
from . import options
from .evaluate_retrieval import figures_of, table
from .main import OK
from .outputs import beside, check_output, is_figures, rows_of
from .settings import parse_flags


@dataclass(frozen=True, kw_only=True)
class EvaluateFlags:
    """Recall within (metres, degrees), medians and maxima of the errors; a query without a pose counts as infinite.

    With --retrieval the images that were retrieved: percent of the queries that have one of their place among the first
    k, and how many of the first k are, of as many as could be; mean average precision by lists of relevant images.
    """

    results: options.folder("RESULTS")  # type: ignore[valid-type]
    """text file of poses `name qw qx qy qz tx ty tz`, world to camera, or a capture with poses; with --retrieval
    what vloc localize wrote, or a file of lines `query, image, score`"""
    truth: options.location("TRUTH")  # type: ignore[valid-type]
    """a capture with poses (kapture's trajectories.txt stands for its folder), or a file of such lines; with
    --retrieval also relevance lists (JSON of imlist, qimlist, gnd, as of the revisited Oxford and Paris)"""
    all: options.Switch = False
    """score every image of the truth, even those that RESULTS.json does not list as queries"""
    thresholds: options.Words = ()
    """METRES,DEGREES of each recall; 0.25,2 0.5,5 5,10 unless given, with --retrieval 4,40 25,45"""
    retrieval: options.Switch = False
    """score the retrieved images instead of the poses"""
    map: str | None = None
    """map, or capture with poses, whose images were retrieved"""
    ks: tuple[int, ...] = KS
    """of --retrieval, how many of the first images are looked at"""
    json: Path | None = None
    """write the figures to this file"""
    overwrite: options.Switch = False
    """replace that file even if it holds something else; files of a capture or a truth are never replaced"""


def run(arguments: Sequence[str]) -> int:
    """Compare poses with the truth."""
    flags = parse_flags("evaluate", EvaluateFlags, arguments)
    if flags.json:
        inputs = [flags.results, beside(flags.results, ".json"), flags.truth]
        check_output(flags.json, is_figures, inputs, overwrite=flags.overwrite)
    if flags.json and not flags.json.parent.is_dir():
        raise DataError(f"{flags.json.parent}: no such folder")
    thresholds = [options.parse_threshold(text) for text in flags.thresholds]
    if flags.retrieval:
        figures = figures_of(flags.results, flags.truth, flags.map, flags.ks, thresholds)
        _write(flags.json, figures)
        print(table(figures))
        return OK
    if flags.map:
        raise ConfigError("--map: only --retrieval needs the poses of map images")
    return _evaluate_poses(flags, thresholds or THRESHOLDS)


def _evaluate_poses(flags: EvaluateFlags, thresholds: Sequence[Threshold]) -> int:
    estimates, rows = read_truth(str(flags.results)), details(flags.results)
    if rows and (unlisted := estimates.keys() - {row["name"] for row in rows}):
        raise DataError(f"{beside(flags.results, '.json')}: does not list '{min(unlisted)}': it is of other results")
    fallbacks = [row["name"] for row in rows if (row["source"], row["status"]) == ("retrieval", "localized")]
    asked = [row["name"] for row in rows] if rows and not flags.all else None
    unit: Unit = "map units" if any(row.get("unit") == "map units" for row in rows) else "m"
    kind, location = find_truth(flags.truth)
    print(f"truth: {location} ({kind})", file=sys.stderr)
    evaluation = evaluate(estimates, read_truth(flags.truth), thresholds, fallbacks, asked, unit)
    _write(flags.json, evaluation.to_json())
    print(lines(evaluation))
    return OK


def _write(path: Path | None, figures: dict[str, Any]) -> None:
    if path:
        atomic.write_text(path, json.dumps(figures, indent=2) + "\n")


def details(results: Path) -> list[dict[str, Any]]:
    """The rows of the JSON file beside results of `vloc localize`; none where there is no such file."""
    path = beside(results, ".json")
    try:
        return rows_of(path) if path.exists() else []
    except ValueError as error:
        raise DataError(f"{path}: expected the rows that vloc localize writes ({error})") from None


def lines(evaluation: Evaluation) -> str:
    """The figures for people: centimetres, or map units, and degrees."""
    figures = evaluation.to_json()
    fallbacks = f", {evaluation.num_fallbacks} by retrieval alone" if evaluation.num_fallbacks else ""
    rows = [f"{evaluation.num_localized} of {len(evaluation.names)} localized{fallbacks}"]
    for which in ("median", "max"):
        length = figures[f"{which}_translation_{evaluation.unit.replace(' ', '_')}"]
        degrees = figures[f"{which}_rotation_deg"]
        text = "infinite (queries without pose)" if length is None else error_text(length, degrees, evaluation.unit)
        rows.append(f"{which}: {text}")
    rows += [
        f"within ({r['translation_m']:g} m, {r['rotation_deg']:g} deg): {r['percent']:.1f} %" for r in figures["recall"]
    ]
    if evaluation.unit != "m":
        rows.append(
            "no recall: the map has no metres, and errors mean something only where the truth is in its own frame: "
            "`vloc align MAP --to` poses of some of its images, then localize again"
        )
    if evaluation.num_without_truth:
        rows.append(f"{evaluation.num_without_truth} queries have no truth and were not counted")
    if evaluation.num_not_asked:
        rows.append(f"{evaluation.num_not_asked} images of the truth were no queries (--all counts them as failed)")
    return "\n".join(rows)


def error_text(length: float, degrees: float, unit: Unit) -> str:
    """The errors of a pose, centimetres where the unit is metres."""
    return f"{100 * length:.2f} cm, {degrees:.3f} deg" if unit == "m" else f"{length:#.3g} {unit}, {degrees:.3f} deg"
