"""How long items of every stage took in a workspace, by which a dry run says how long a run will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from ..atomic import write_bytes
from ..regular_file import read_regular
from .guard import disk_guard
from .plan import PlanRow

FILE = "timings.json"
FEWER = 10
"""A mean stays where the next one is over so many times fewer items: these pay for what all have in common."""


class Timing(msgspec.Struct, frozen=True):
    """What a stage took when it was last run, all workers together."""

    seconds: float
    """of wall time, an item"""
    measured: int
    """items that this is the mean of"""
    items: int
    """that the stage had in all"""


_TIMINGS = msgspec.json.Decoder(dict[str, Timing])
"""made here, in one thread: see `run/shard.py`"""


def read_timings(folder: Path) -> dict[str, Timing]:
    """Stage -> what it took; nothing is lost with a file that cannot be read."""
    try:
        return _TIMINGS.decode(read_regular(folder / FILE))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def write_timings(folder: Path, plan: Sequence[PlanRow], seconds: Mapping[str, float]) -> None:
    """Remember what the stages of a run that has ended took; those of other runs are forgotten."""
    known = read_timings(folder)
    found = {row.stage: _timing(row.stage, plan, seconds, known) for row in plan}
    kept = {stage: timing for stage, timing in found.items() if timing is not None}
    if kept != known:
        data = msgspec.json.encode(kept)
        with disk_guard(folder / FILE, len(data)):
            write_bytes(folder / FILE, data)


def _timing(
    stage: str, plan: Sequence[PlanRow], seconds: Mapping[str, float], known: Mapping[str, Timing]
) -> Timing | None:
    rows = [row for row in plan if row.stage == stage]
    done, items, before = sum(row.todo for row in rows), sum(row.total for row in rows), known.get(stage)
    if done and stage in seconds and (before is None or FEWER * done >= before.measured):
        return Timing(round(seconds[stage] / done, 6), done, items)
    return None if before is None else Timing(before.seconds, before.measured, items)


def expected_seconds(known: Mapping[str, Timing], stage: str, todo: int) -> float | None:
    """How long so many items of a stage will take; None where it was never run."""
    return known[stage].seconds * todo if stage in known else None if todo else 0.0


def seconds_of_later(known: Mapping[str, Timing], plan: Sequence[PlanRow]) -> float:
    """How long the stages that a plan does not reach will take at least, by the share of new items in those it does.

    Those that take all at once take as long as before.
    """
    share = max((row.todo / row.total for row in plan if row.total > 1), default=0.0)
    reached = {row.stage for row in plan}
    later = [timing for stage, timing in known.items() if stage not in reached]
    return sum(each.seconds * (1 if each.items == 1 else share * each.items) for each in later)


def told(seconds: float) -> str:
    """A time for people."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
