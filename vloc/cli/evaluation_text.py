"""The figures of an evaluation: for people, for programs, and as a table for a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..data.frame import Unit
from ..stages.evaluate import Evaluation, Threshold
from ..stages.significance import Difference, interval
from ..stages.trajectory_error import TrajectoryError

TABLE = r"\begin{tabular}"


def to_json(
    found: Evaluation,
    parts: Mapping[str, Evaluation],
    apart: Sequence[Difference] = (),
    followed: TrajectoryError | None = None,
) -> dict[str, Any]:
    """Everything that `text` tells, and the errors of every query."""
    figures = found.to_json()
    queries = figures.pop("queries")
    whole = {
        **figures,
        **_with_intervals(found),
        "conditions": {name: _with_intervals(own) for name, own in parts.items()},
    }
    against = [asdict(difference) for difference in apart]
    told = {"against": against} if against else {}
    return {**whole, **told, **({"trajectory": followed.to_json()} if followed else {}), "queries": queries}


def _with_intervals(found: Evaluation) -> dict[str, Any]:
    figures = found.figures()
    for row, hits in zip(figures["recall"], found.hits, strict=True):
        row["low"], row["high"] = interval(hits)
    return figures


def text(
    named: Mapping[str, Evaluation],
    other: Path | None = None,
    apart: Sequence[Difference] = (),
    followed: TrajectoryError | None = None,
) -> str:
    """The figures for people: of all queries first, then in a line each those of conditions."""
    (_, found), *parts = named.items()
    rows = lines(found).split("\n")
    rows += [f"{name}: {line(part)}" for name, part in parts]
    for threshold, difference in zip(found.thresholds, apart, strict=False):
        rows.append(f"against {other}, within {limits(threshold)}: {_told(difference)}")
    if followed:
        rows.append(_trajectory(followed, found.unit))
    return "\n".join(rows)


def lines(found: Evaluation) -> str:
    """The figures of all queries: centimetres, or map units, and degrees."""
    figures, unit = found.figures(), found.unit
    fallbacks = f", {found.num_fallbacks} by retrieval alone" if found.num_fallbacks else ""
    rows = [f"{found.num_localized} of {len(found.names)} localized{fallbacks}"]
    for how, what in (("median", "median"), ("median_localized", "median of the localized"), ("max", "max")):
        if how != "median_localized" or 0 < found.num_localized < len(found.names):
            rows.append(f"{what}: {_errors(figures, how, unit)}")
    for row, hits in zip(figures["recall"], found.hits, strict=True):
        within, (low, high) = limits((row["translation_m"], row["rotation_deg"])), interval(hits)
        rows.append(f"within {within}: {row['percent']:.1f} % (95 %: {low:.1f} to {high:.1f}), AUC {row['auc']:.1f} %")
    if unit != "m":
        rows.append(
            "no recall: the map has no metres, and errors mean something only where the truth is in its own frame: "
            "`vloc align MAP --to` poses of some of its images, then localize again"
        )
    if found.num_without_truth:
        rows.append(f"{found.num_without_truth} queries have no truth and were not counted")
    if found.num_not_asked:
        rows.append(f"{found.num_not_asked} images of the truth were no queries (--all counts them as failed)")
    return "\n".join(rows)


def line(found: Evaluation) -> str:
    """The figures of a condition: how many queries, recalls by threshold, medians."""
    recall = f"{' / '.join(f'{percent:.1f}' for percent in found.recall)} %, " if found.recall else ""
    count = f"{found.num_localized} of {len(found.names)} localized"
    return f"{count}, {recall}median {_errors(found.figures(), 'median', found.unit)}"


def _errors(figures: Mapping[str, Any], how: str, unit: Unit) -> str:
    length, degrees = figures[f"{how}_translation_{unit.replace(' ', '_')}"], figures[f"{how}_rotation_deg"]
    return "infinite (queries without pose)" if length is None else error_text(length, degrees, unit)


def error_text(length: float, degrees: float, unit: Unit) -> str:
    """The errors of a pose, centimetres where the unit is metres."""
    return f"{100 * length:.2f} cm, {degrees:.3f} deg" if unit == "m" else f"{length:#.3g} {unit}, {degrees:.3f} deg"


def limits(threshold: Threshold) -> str:
    """A threshold in parentheses."""
    return f"({threshold[0]:g} m, {threshold[1]:g} deg)"


def _told(difference: Difference) -> str:
    counts = f"{len(difference.gained)} gained, {len(difference.lost)} lost"
    within = f"95 %: {difference.low:+.1f} to {difference.high:+.1f}"
    return f"{difference.percent:+.1f} points ({within}), {counts}; by chance {difference.chance:.2g}"


def _trajectory(followed: TrajectoryError, unit: Unit) -> str:
    scale = f", scale {followed.scale:.4f}" if followed.alignment == "similarity" else ""
    factor, name = (100.0, "cm") if unit == "m" else (1.0, unit)
    rows = f"trajectory, alignment {followed.alignment}{scale}: ATE {factor * followed.ate_m:.3g} {name}"
    if followed.rpe_m is None:
        return f"{rows} over {followed.num_poses} poses; no two of them follow each other"
    rpe = f"RPE {factor * followed.rpe_m:.3g} {name}, {followed.rpe_deg:.3g} deg over {followed.num_motions} motions"
    return f"{rows} over {followed.num_poses} poses, {rpe}"


def latex(named: Mapping[str, Evaluation]) -> str:
    """A table (booktabs) with a row for each name: queries, recalls by threshold, medians."""
    first = next(iter(named.values()))
    head = " / ".join(rf"({t:g}\,m, {r:g}$^\circ$)" for t, r in first.thresholds)
    rows = [_row(name, found) for name, found in named.items()]
    body = [rf"{TABLE}{{lrrr}}", r"\toprule", rf"& queries & {head} & median \\", r"\midrule", *rows, r"\bottomrule"]
    return "\n".join([*body, r"\end{tabular}", ""])


def _row(name: str, found: Evaluation) -> str:
    recall = " / ".join(f"{percent:.1f}" for percent in found.recall) or "--"
    median = _errors(found.figures(), "median", found.unit).replace(" deg", r"$^\circ$").replace(" cm", r"\,cm")
    median = "--" if median.startswith("infinite") else median
    escaped = "".join(rf"\{letter}" if letter in "_&%#$" else letter for letter in name)
    return rf"{escaped} & {len(found.names)} & {recall} & {median} \\"


def is_table(path: Path) -> bool:
    """Whether a file is a table that `latex` made."""
    return path.read_bytes().startswith(TABLE.encode())
