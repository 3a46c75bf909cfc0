"""What a map keeps of its capture beside features and points: when, by what and where its images were taken."""

from __future__ import annotations

from ..data.taken import Taken
from ..runtime import Runtime
from ..stage import OnceStage


def _record(settings: None, runtime: Runtime, taken: Taken) -> Taken:
    return taken


RECORD: OnceStage[Taken] = OnceStage("record", 1, Taken, _record)
