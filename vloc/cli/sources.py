"""Poses by where they came from: which a result file keeps, and how many there are of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

from ..data.estimate import PoseEstimate, Source
from ..errors import ConfigError

Status = Literal["localized", "withheld", "failed"]
SOURCES: tuple[str, ...] = tuple(source for source in get_args(Source) if source != "none")
"""where a pose can come from"""


def parse_sources(text: str) -> frozenset[str]:
    """`NAME,NAME...`; ConfigError for a name that is no source of poses, or none at all."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or not {*names} <= {*SOURCES}:
        raise ConfigError(f"--sources '{text}': expected some of {','.join(SOURCES)}")
    return frozenset(names)


def kept(estimates: Sequence[PoseEstimate], sources: str | None) -> list[PoseEstimate]:
    """The estimates, poses of other sources withheld: their `source` and evidence stay, and `reason` says it."""
    if sources is None:
        return list(estimates)
    allowed, reason = parse_sources(sources), "its pose, by {}, was withheld: --sources {}"
    return [
        e
        if not e.is_localized or e.source in allowed
        else replace(e, cam_from_world=None, covariance=None, reason=reason.format(e.source, sources))
        for e in estimates
    ]


def status(estimate: PoseEstimate) -> Status:
    """What became of a query; a pose that there was and that is not written was withheld."""
    if estimate.is_localized:
        return "localized"
    return "failed" if estimate.source == "none" else "withheld"


def counts(estimates: Sequence[PoseEstimate]) -> dict[str, int]:
    """How many queries have a pose by each source, and by "none"; withheld ones are not counted."""
    return dict(Counter(e.source for e in estimates if status(e) != "withheld"))


def told(estimates: Sequence[PoseEstimate]) -> str:
    """The line of a summary: how many were localized, by what, and how many poses were withheld."""
    found = {source: count for source, count in counts(estimates).items() if source != "none"}
    localized, withheld = sum(found.values()), sum(status(e) == "withheld" for e in estimates)
    by = f" ({', '.join(f'{found[source]} {source}' for source in SOURCES if source in found)})" if found else ""
    left = f", {withheld} withheld" if withheld else ""
    return f"{localized} of {len(estimates)} queries localized{by}{left}"
