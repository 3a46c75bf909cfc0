"""Where results live: the only part that knows paths, progress, reuse, resume and workers."""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import numpy as np

from ..atomic import write_text
from ..errors import DataError, StoreError
from ..runtime import Runtime, give_memory_back, one_thread_per_worker, peak_megabytes
from ..stage import EachStage, Items, Key, OnceStage, Storable
from .content import ContentHashes
from .execute import fingerprints
from .executors import Chunk, Task, executor_for, values
from .guard import disk_guard, memory_guard
from .identity import Identity, differs_only_in, identify
from .inputs import KeyedItems, Table, as_context
from .lock import FolderLock
from .marks import NO_MARK, digests
from .packed import is_packed
from .plan import PlanRow, why
from .progress import Reporter, Silent
from .remote import Location
from .results import NamedArtifact, PlanEnds, StoredResults
from .store import ONLY, Store, artifact_of, open_results, read_identity, read_json
from .timings import expected_seconds, read_timings, seconds_of_later, told, write_timings

I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R", bound=Storable)
T = TypeVar("T")

OURS = re.compile(r"\..*|[a-z_]+-[0-9a-f]{16}")
"""names of what a workspace holds before its first store is made: locks, leftovers, the store's folder"""


class Workspace:
    """A folder that runs stages and keeps what they give; a context manager that holds the folder's lock.

    Results are found again by content: stage, its version, settings, and fingerprints of items and context. A dry run
    writes nothing: it fills `plan` until a value is needed that is not there or the manifest would be published; that
    ends the `with` block, and what stands after it goes on. `runtime` says who works. Pickled, it is but a folder.
    """

    def __init__(
        self,
        folder: Path,
        runtime: Runtime | None = None,
        reporter: Reporter | None = None,
        *,
        dry_run: bool = False,
        command: str = "",
    ) -> None:
        self.folder = folder
        self.runtime = runtime or Runtime()
        self.reporter = reporter or Silent()
        self.dry_run = dry_run
        self.command = command
        """what this run was asked for, as it was typed"""
        self.used: list[str] = []
        """references to all results of this run, whether it made them or found them"""
        self.plan: list[PlanRow] = []
        self.failures: dict[str, dict[Key, str]] = {}
        """stage -> item -> reason, of this run"""
        self.seconds: defaultdict[str, float] = defaultdict(float)
        """item, if it is no pair -> time spent on it in this run, all stages together"""
        self.stage_seconds: defaultdict[str, float] = defaultdict(float)
        """stage -> wall time that it took in this run"""
        self.peak_megabytes: dict[str, float] = {}
        """stage -> the most memory that the process had held by its end"""
        self.kept: list[str] = []
        """stages of which an earlier result serves though an input has changed"""
        self._hashes = ContentHashes(folder)
        self._timings = read_timings(folder) if dry_run else {}
        self._lock = FolderLock(folder)
        self._seen: set[str] = set()
        self._executor = executor_for(self.runtime, self.reporter.note)

    def __reduce__(self) -> tuple[Any, ...]:
        return Workspace, (self.folder,)

    def __enter__(self) -> Self:
        if not self.dry_run:
            self._take_folder()
            for leftover in (*self.folder.glob(".*.tmp"), *self.folder.glob("*/.*.tmp")):
                leftover.unlink(missing_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:  # not `bool`: a type checker would take every `with` block for one that may end early
        self._executor.close()
        self.reporter.close()
        if isinstance(error, PlanEnds):
            self._end_plan(error)
        if self.dry_run:
            return isinstance(error, PlanEnds)
        try:
            if error is None:
                write_timings(self.folder, self.plan, self.stage_seconds)
        finally:
            self._lock.release()
        return False

    def _end_plan(self, end: PlanEnds) -> None:
        """Tell how long it will take, as far as that is known."""
        known = sum(row.seconds or 0.0 for row in self.plan)
        if end.stage is None:
            self.reporter.note(f"in all: about {told(known)}")
            return
        later = seconds_of_later(self._timings, self.plan)
        self.plan.append(PlanRow("later stages", 0, 0, str(end), later))
        self.reporter.note(f"later stages: {end}; by the share of what is new, about {told(later)} or more")
        self.reporter.note(f"in all: about {told(known + later)} or more")

    def require(self, plugins: Iterable[object]) -> None:
        """WeightsMissingError, before any work, where the weights of a plugin are not there for those that work."""
        self._executor.require(plugins)

    def each(
        self,
        stage: EachStage[I, R],
        items: Items[I] | Sequence[I],
        settings: object,
        *,
        each: Sequence[Table] = (),
        shared: Sequence[object] = (),
        earlier: Sequence[str] = (),
        despite: Sequence[str] = (),
    ) -> StoredResults[R]:
        """The results of a stage for every item; only what is not stored is computed.

        `items` may be names alone. The stage looks them up in the tables `each`, of which an item depends on its own
        entry only (a pair: on its own, or on those of its two images), and all depend on everything in `shared`.
        Items that raise DataError are failures, kept like results. Any other error ends the run, with the name of the
        item in its notes; finished shards stay. `earlier`, `despite`: as in `once`, of all items together.
        """
        chosen: Items[Any] = items if isinstance(items, Items) else KeyedItems(items, each)  # type: ignore[arg-type]
        context = [as_context(value) for value in shared]
        identity = identify(stage, settings, context)
        if (kept := self._kept(identity, stage.result, earlier, despite)) is not None:
            return kept
        marks = fingerprints(stage.name, chosen, self.runtime.num_workers)
        store = self._open(Store(self.folder, identity))
        asked = store.find(chosen.keys, marks)
        todo = np.flatnonzero(~asked.places.is_there)
        self._start(store, len(marks), len(todo))
        if len(todo) and not self.dry_run:
            with one_thread_per_worker(), self._timed(stage.name):
                parts = np.split(todo, range(stage.chunk, len(todo), stage.chunk))
                chunks = [Chunk(rows, marks[rows]) for rows in parts]
                self._fill(Task(stage, settings, each, context, chosen, store), chunks)
            asked = store.find(chosen.keys, marks)
        return self._finish(store, store.results(stage.result, asked))

    def once(
        self,
        stage: OnceStage[R],
        settings: object,
        *shared: object,
        earlier: Sequence[str] = (),
        despite: Sequence[str] = (),
    ) -> NamedArtifact[R]:
        """The result of a stage that takes everything at once.

        `earlier` are references to results of which one serves as well, if nothing but the inputs `despite` differs.
        """
        context = [as_context(value) for value in shared]
        identity = identify(stage, settings, context)
        if (kept := self._kept(identity, stage.result, earlier, despite)) is not None:
            return artifact_of(kept)
        store = self._open(Store(self.folder, identity))
        marks = digests([NO_MARK])
        asked = store.find([ONLY], marks)
        todo = not asked.places.is_there.all()
        self._start(store, 1, int(todo))
        if todo and not self.dry_run:
            with memory_guard(stage.name), one_thread_per_worker(), self._timed(stage.name):
                result = stage.run(settings, self.runtime, *values(context))
                store.take(store.write([ONLY], marks, [result.to_arrays()]))
            self.reporter.advance(failed=False)
            asked = store.find([ONLY], marks)
        return artifact_of(self._finish(store, store.results(stage.result, asked)))

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            self.stage_seconds[stage] += time.monotonic() - began
            self.peak_megabytes[stage] = peak_megabytes()
            give_memory_back()

    def _kept(
        self, identity: Identity, result: type[R], earlier: Sequence[str], despite: Sequence[str]
    ) -> StoredResults[R] | None:
        """The first of the earlier results that is there and serves; None where there have to be the identity's own."""
        for reference in earlier:
            try:
                before = read_identity(self.folder / reference.partition("/")[0])
                if before.key == identity.key or not differs_only_in(identity, before, despite):
                    continue
                store = self._open(Store(self.folder, before))
                results = open_results(self.folder, reference, result)
            except StoreError as error:
                self.reporter.note(f"an earlier result cannot be kept: {error}")
                continue
            self.kept.append(identity.stage)
            self._start(store, len(results), 0, f"kept, whatever its {', '.join(despite)}")
            return self._finish(store, results)
        return None

    def content_hash(self, name: str, stamp: object, read: Callable[[], bytes]) -> str:
        """Fingerprint of a file's content, read again only when `stamp` (its size and time) has changed."""
        return self._hashes.get(name, stamp, read)

    def publish(self, name: str, data: dict[str, Any]) -> None:
        """Write a manifest, JSON text that appears whole or not at all; a dry run ends here."""
        self.end_plan()
        path, text = self.folder / name, json.dumps(data, indent=1) + "\n"
        with disk_guard(self.folder / name, len(text)):
            path.parent.mkdir(exist_ok=True)
            write_text(path, text)

    def end_plan(self) -> None:
        """A dry run ends here, where all stages are known and what they give would be put to use."""
        if self.dry_run:
            raise PlanEnds(None)

    def _take_folder(self) -> None:
        if is_packed(self.folder):
            raise DataError(f"{self.folder}: is a packed map, which is only read: give the folder of the map")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._refuse_foreign()
            self._lock.acquire()
        except OSError as error:
            raise DataError(f"{self.folder}: not a folder that can be written: {error.strerror}") from None

    def _refuse_foreign(self) -> None:
        """DataError for a folder that holds things and was never a workspace."""
        foreign = [path.name for path in self.folder.iterdir() if not OURS.fullmatch(path.name)]
        if foreign and not any(self.folder.glob("*/store.json")):
            raise DataError(f"{self.folder}: holds other things ('{min(foreign)}'): choose a new or empty folder")

    def _open(self, store: Store) -> Store:
        for broken in store.scan(self.runtime.num_workers):
            self.reporter.note(f"{broken}: broken, its items are redone")
            if not self.dry_run:
                broken.unlink()
        return store

    def _start(self, store: Store, total: int, todo: int, reason: str = "") -> None:
        stage, reason = store.identity.stage, reason or why(store, total, todo, self._seen)
        seconds = expected_seconds(self._timings, stage, todo) if self.dry_run else None
        self._seen.add(store.identity.folder)
        self.plan.append(PlanRow(stage, total, todo, reason, seconds))
        time_left = f", about {told(seconds)}" if todo and seconds is not None else ""
        self.reporter.start(stage, total, todo, reason + time_left)
        if not self.dry_run:
            store.create()

    def _fill(self, task: Task, chunks: Sequence[Chunk]) -> None:
        with closing(self._executor.run(task, chunks, self.reporter.advance)) as finished:
            for done in finished:
                task.store.take(done.shard)
                for row, seconds in zip(done.rows, done.seconds, strict=True):
                    if isinstance(key := task.items.keys[row], str):
                        self.seconds[key] += seconds

    def _finish(self, store: Store, results: StoredResults[R]) -> StoredResults[R]:
        """Write down what is complete, and collect the failures."""
        if results.failures:
            self.failures.setdefault(results.name, {}).update(results.failures)
        if not self.dry_run:
            store.keep(results)
            self.used.append(results.reference)
            self._hashes.save()
            self.reporter.finish(len(results.failures))
        return results


def read_manifest(path: Location) -> dict[str, Any]:
    """What `publish` wrote; StoreError names a file that is missing or no JSON object."""
    return read_json(path, msgspec.json.Decoder(dict[str, Any]))
