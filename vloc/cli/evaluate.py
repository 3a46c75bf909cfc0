"""`vloc evaluate RESULTS TRUTH`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import atomic
from ..errors import DataError
from ..formats.results import read_poses, read_truth
from ..stages.evaluate import THRESHOLDS, Evaluation, evaluate
from . import options
from .main import OK
from .outputs import beside, check_output, is_figures
from .settings import parse_flags


@dataclass(frozen=True, kw_only=True)
class EvaluateFlags:
    """Recall within (metres, degrees), medians and maxima of the errors; a query without a pose counts as infinite."""

    results: options.folder("RESULTS")  # type: ignore[valid-type]
    """text file of poses `name qw qx qy qz tx ty tz`, world to camera"""
    truth: options.location("TRUTH")  # type: ignore[valid-type]
    """a capture with poses, or a file of such lines"""
    thresholds: tuple[str, ...] = tuple(f"{t:g},{r:g}" for t, r in THRESHOLDS)
    """METRES,DEGREES of each recall"""
    json: Path | None = None
    """write the figures to this file"""
    overwrite: bool = False
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
    evaluation = evaluate(read_poses(flags.results), read_truth(flags.truth), thresholds, fallbacks(flags.results))
    if flags.json:
        atomic.write_text(flags.json, json.dumps(evaluation.to_json(), indent=2) + "\n")
    print(lines(evaluation))
    return OK


def fallbacks(results: Path) -> list[str]:
    """Queries whose pose is not from their own matches, as the JSON file beside the results says."""
    details = beside(results, ".json")
    if not details.exists():
        return []
    rows = json.loads(details.read_text(encoding="utf-8"))
    return [row["name"] for row in rows if row["source"] == "retrieval"]


def lines(evaluation: Evaluation) -> str:
    """The figures for people: centimetres and degrees."""
    figures = evaluation.to_json()
    rows = [f"{figures['num_localized']} of {figures['num_queries']} localized, {figures['num_fallbacks']} by fallback"]
    for which in ("median", "max"):
        metres, degrees = figures[f"{which}_translation_m"], figures[f"{which}_rotation_deg"]
        text = "infinite (queries without pose)" if metres is None else f"{100 * metres:.2f} cm, {degrees:.3f} deg"
        rows.append(f"{which}: {text}")
    rows += [
        f"within ({r['translation_m']:g} m, {r['rotation_deg']:g} deg): {r['percent']:.1f} %" for r in figures["recall"]
    ]
    if figures["num_without_truth"]:
        rows.append(f"{figures['num_without_truth']} estimated poses have no truth and were not counted")
    return "\n".join(rows)
