"""How a run tells what it does: a live list on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from threading import Lock
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINE_EVERY = 10.0
"""seconds between plain lines within a stage"""


class Reporter(Protocol):
    """Is told what a run does; `advance` comes from several threads."""

    def start(self, stage: str, total: int, todo: int, reason: str) -> None:
        """A stage begins, with `todo` of `total` items to compute."""

    def advance(self, failed: bool) -> None:
        """One more item is computed."""

    def finish(self, failures: int) -> None:
        """The stage has ended; how many of all its items are failures."""

    def note(self, text: str) -> None:
        """Something that the user should know and that is no error."""

    def close(self) -> None:
        """The run ends, well or not."""


class Silent:
    """Tells nothing."""

    def start(self, stage: str, total: int, todo: int, reason: str) -> None:
        """Nothing."""

    def advance(self, failed: bool) -> None:
        """Nothing."""

    def finish(self, failures: int) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Lines:
    """One line when a stage starts, one when it ends, and one every ten seconds between."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = Lock()

    def start(self, stage: str, total: int, todo: int, reason: str) -> None:
        """Say how much there is to do and why."""
        self._stage, self._todo, self._done = stage, todo, 0
        self._began = self._last = time.monotonic()
        self.note(f"{stage}: {todo} of {total} to do ({reason})" if todo else f"{stage}: {total} {reason}")

    def advance(self, failed: bool) -> None:
        """Count, and now and then tell the rate and the time left."""
        with self._lock:
            self._done += 1
            now = time.monotonic()
            if now - self._last >= LINE_EVERY:
                self._last = now
                rate = self._done / (now - self._began)
                left = (self._todo - self._done) / rate
                self.note(f"{self._stage}: {self._done}/{self._todo}, {rate:.1f}/s, {left:.0f} s left")

    def finish(self, failures: int) -> None:
        """Say how long it took and how many items have failed."""
        seconds = time.monotonic() - self._began
        if self._todo:
            rate = self._done / max(seconds, 1e-9)
            self.note(f"{self._stage}: {self._done} done in {seconds:.1f} s ({rate:.1f}/s)")
        if failures:
            self.note(f"{self._stage}: {failures} failed")

    def note(self, text: str) -> None:
        """One line."""
        print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Nothing is left open."""


class Live:
    """The stages of a run as a list that is redrawn in place: counts, rate, time left."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._progress: Progress | None = None
        self._task: TaskID

    def start(self, stage: str, total: int, todo: int, reason: str) -> None:
        """Add the stage to the list."""
        if self._progress is None:
            self._progress = _list_on(self._stream)
            self._progress.start()
        self._task = self._progress.add_task(stage, total=total, completed=total - todo, reason=reason, rate="")
        self._began, self._done = time.monotonic(), 0

    def advance(self, failed: bool) -> None:
        """Move the bar."""
        if self._progress is not None:
            self._done += 1
            rate = self._done / max(time.monotonic() - self._began, 1e-9)
            self._progress.update(self._task, advance=1, rate=f"{rate:.1f}/s")

    def finish(self, failures: int) -> None:
        """Say in the list how many items failed."""
        if self._progress is not None and failures:
            self._progress.update(self._task, reason=f"{failures} failed")

    def note(self, text: str) -> None:
        """A line above the list."""
        if self._progress is not None:
            self._progress.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Leave the list as it stands."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def reporter_for(*, quiet: bool = False, stream: TextIO | None = None) -> Reporter:
    """The reporter that suits standard error (or `stream`)."""
    stream = stream or sys.stderr
    if quiet:
        return Silent()
    return Live(stream) if stream.isatty() else Lines(stream)


def _list_on(stream: TextIO) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[reason]}", markup=False),
        console=Console(file=stream),
    )
