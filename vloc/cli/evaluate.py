"""`vloc evaluate RESULTS TRUTH`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import atomic
from ..data.frame import Unit
from ..data.image_names import matched
from ..data.sequences import camera_tracks
from ..errors import ConfigError, DataError
from ..formats.access import read
from ..formats.results import LINES, find_truth, read_truth
from ..formats.text_fields import refusal
from ..formats.text_lines import data_lines
from ..geometry.rigid import Rigid
from ..stages.evaluate import THRESHOLDS, Evaluation, Threshold, evaluate
from ..stages.evaluate_retrieval import KS
from ..stages.significance import differences
from ..stages.trajectory_error import Alignment, TrajectoryError, trajectory_error
from . import options
from .evaluate_retrieval import figures_of, table
from .evaluation_text import is_table, latex, text, to_json
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
    conditions: Path | None = None
    """file of lines `name condition`; left out: the first folders in which the names differ (query/day, query/night)"""
    against: Path | None = None
    """results of another run over the same queries: which recall is higher, and whether by chance"""
    trajectory: Alignment | None = None
    """also the errors of trajectories (ATE, RPE) once moved onto the truth: none, rigid or similarity; the truth has to
    be a capture, whose timestamps say what follows what"""
    latex: Path | None = None
    """write a table of the recalls to this file"""
    json: Path | None = None
    """write the figures to this file"""
    overwrite: options.Switch = False
    """replace those files even if they hold something else; files of a capture or a truth are never replaced"""


def run(arguments: Sequence[str]) -> int:
    """Compare poses with the truth."""
    flags = parse_flags("evaluate", EvaluateFlags, arguments)
    for output, is_ours in ((flags.json, is_figures), (flags.latex, is_table)):
        _check(flags, output, is_ours)
    thresholds = [options.parse_threshold(text) for text in flags.thresholds]
    if flags.retrieval:
        figures = figures_of(flags.results, flags.truth, flags.map, flags.ks, thresholds)
        _write(flags.json, figures)
        print(table(figures))
        return OK
    if flags.map:
        raise ConfigError("--map: only --retrieval needs the poses of map images")
    return _evaluate_poses(flags, thresholds or THRESHOLDS)


def _check(flags: EvaluateFlags, output: Path | None, is_ours: Callable[[Path], bool]) -> None:
    """DataError for an output that cannot be written, or must not be replaced."""
    if output is None:
        return
    inputs = [flags.results, beside(flags.results, ".json"), flags.truth]
    check_output(output, is_ours, inputs, overwrite=flags.overwrite)
    if not output.parent.is_dir():
        raise DataError(f"{output.parent}: no such folder")


def _evaluate_poses(flags: EvaluateFlags, thresholds: Sequence[Threshold]) -> int:
    kind, location = find_truth(flags.truth)
    print(f"truth: {location} ({kind})", file=sys.stderr)
    truth = read_truth(flags.truth)
    found = evaluation_of(flags.results, truth, thresholds, every=flags.all)
    parts = found.by_condition(_conditions(flags.conditions, found.names))
    other = flags.against and evaluation_of(flags.against, truth, thresholds, every=flags.all)
    apart = differences(other, found) if other else []
    followed = flags.trajectory and _followed(flags, truth, found, flags.trajectory)
    _write(flags.json, to_json(found, parts, apart, followed or None))
    if flags.latex:
        atomic.write_text(flags.latex, latex({"all": found, **parts}))
    print(text({"": found, **parts}, flags.against, apart, followed or None))
    return OK


def evaluation_of(
    results: Path, truth: Mapping[str, Rigid], thresholds: Sequence[Threshold], *, every: bool
) -> Evaluation:
    """Results against true poses; RESULTS.json says what was asked, unless `every` image of the truth was."""
    estimates, rows = read_truth(str(results)), details(results)
    if rows and (unlisted := estimates.keys() - {row["name"] for row in rows}):
        raise DataError(f"{beside(results, '.json')}: does not list '{min(unlisted)}': it is of other results")
    fallbacks = [row["name"] for row in rows if (row["source"], row["status"]) == ("retrieval", "localized")]
    asked = [row["name"] for row in rows] if rows and not every else None
    unit: Unit = "map units" if any(row.get("unit") == "map units" for row in rows) else "m"
    return evaluate(estimates, truth, thresholds, fallbacks, asked, unit)


def _conditions(path: Path | None, names: Sequence[str]) -> dict[str, str] | None:
    """The condition of each query, by its name in the truth; DataError where a line is unclear or a query has none."""
    if path is None:
        return None
    told: dict[str, str] = {}
    for line, row in data_lines(path):
        name, _, condition = row.rpartition(" ")
        if not name.strip():
            raise refusal(path, line, "one field", "2: name condition", row)
        told[name.strip()] = condition
    known = matched(told, names)
    if missing := {*names} - {*known.values()}:
        raise DataError(f"{path}: {len(missing)} queries have no condition, such as '{min(missing)}'")
    return {known[name]: condition for name, condition in told.items() if name in known}


def _followed(
    flags: EvaluateFlags, truth: Mapping[str, Rigid], found: Evaluation, alignment: Alignment
) -> TrajectoryError:
    """Of the queries, in the order of the truth's timestamps."""
    kind, location = find_truth(flags.truth)
    if kind == LINES:
        raise ConfigError(f"--trajectory: {location} says no timestamps: give a capture (kapture:FOLDER) as the truth")
    capture, estimates = read(f"{kind}:{location}"), read_truth(str(flags.results))
    true_name = matched(estimates, truth)
    poses = {true_name[name]: pose for name, pose in estimates.items() if name in true_name}
    return trajectory_error(poses, truth, camera_tracks(capture, found.names), alignment)


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
