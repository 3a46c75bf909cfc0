"""What happens when items or stages fail, and how work is spread over threads."""

import _thread
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from squares import POWERS, Numbers, Power, Table

from vloc.errors import ResourceError, StageError
from vloc.run.execute import Job, cut, execute, in_order
from vloc.run.workspace import Workspace
from vloc.runtime import Runtime, one_thread_per_worker
from vloc.stage import EachStage


def failing(error: Exception, at: int) -> EachStage:
    """A stage that raises at the item with so many numbers."""

    def run(items: Iterator[np.ndarray]) -> Iterator[Table]:
        for item in items:
            if len(item) == at:
                raise error
            yield Table(item)

    return EachStage("failing", 1, Table, lambda *_: run, 4)


def run(folder: Path, stage: EachStage, items: Numbers, workers: int = 2):
    with Workspace(folder, Runtime(workers=workers)) as work:
        results = work.each(stage, items, Power())
    return results, work


def test_an_item_that_cannot_be_loaded_fails_by_name_and_the_others_go_on(tmp_path: Path) -> None:
    results, work = run(tmp_path, POWERS, Numbers.first(10, broken=frozenset({"a2", "a3"})))
    assert results.failures == {"a2": "a2: broken", "a3": "a3: broken"}
    assert list(results) == ["a0", "a1", "a4", "a5", "a6", "a7", "a8", "a9"]
    assert work.failures == {"powers": results.failures}
    assert "a2" not in results
    with pytest.raises(KeyError):
        results["a2"]


def test_an_item_that_the_stage_refuses_fails_by_name_and_the_others_go_on(tmp_path: Path) -> None:
    results, _ = run(tmp_path, POWERS, Numbers.first(16))
    assert results.failures == {"a13": "thirteen numbers bring bad luck"}
    assert [len(results[key].rows) for key in results] == [*range(13), 14, 15]


def test_failures_are_kept_and_reported_again_without_being_redone(tmp_path: Path) -> None:
    first, _ = run(tmp_path, POWERS, Numbers.first(10, broken=frozenset({"a2"})))
    again = Numbers.first(10, broken=frozenset({"a2"}))
    second, work = run(tmp_path, POWERS, again)
    assert again.loaded == []
    assert second.failures == first.failures == work.failures["powers"]


def test_a_failed_item_is_tried_again_when_it_has_changed(tmp_path: Path) -> None:
    run(tmp_path, POWERS, Numbers.first(10, broken=frozenset({"a2"})))
    repaired = Numbers.first(10, marks={"a2": "repaired"})
    results, _ = run(tmp_path, POWERS, repaired)
    assert (repaired.loaded, dict(results.failures)) == (["a2"], {})


@pytest.mark.parametrize("error", [StageError("no"), ValueError("no"), ZeroDivisionError("no")])
def test_any_other_error_stops_the_run_and_names_the_item(tmp_path: Path, error: Exception) -> None:
    items = Numbers.first(100)
    with pytest.raises(type(error)) as caught:
        run(tmp_path, failing(error, 41), items)
    assert caught.value.__notes__ == ["while stage 'failing' worked on a41"]
    assert len(items.loaded) < 100


def test_shards_finished_before_an_error_are_kept(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"):
        run(tmp_path, failing(ValueError("no"), 41), Numbers.first(100))
    again = Numbers.first(41)
    run(tmp_path, failing(ValueError("no"), 41), again)
    assert again.loaded == ["a40"]


def test_memory_that_runs_out_is_a_resource_error(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="failing: out of memory"):
        run(tmp_path, failing(MemoryError("Unable to allocate 8 EiB"), 3), Numbers.first(10))


@pytest.mark.parametrize(("given", "message"), [(0, "gave no result for a0"), (2, "gave more results than")])
def test_a_stage_that_does_not_give_one_result_an_item_is_a_bug(tmp_path: Path, given: int, message: str) -> None:
    stage = EachStage("wrong", 1, Table, lambda *_: lambda items: (Table(i) for i in items for _ in range(given)), 4)
    with pytest.raises(RuntimeError, match=message):
        run(tmp_path, stage, Numbers.first(10))


def test_a_stage_may_read_ahead_and_work_in_batches(tmp_path: Path) -> None:
    def batched(items: Iterator[np.ndarray]) -> Iterator[Table]:
        yield from [Table(item) for item in items]

    items = Numbers.first(20, broken=frozenset({"a5"}))
    results, _ = run(tmp_path, EachStage("batched", 1, Table, lambda *_: batched, 16), items)
    assert [len(results[key].rows) for key in results] == [n for n in range(20) if n != 5]


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_so_many_items_are_worked_on_at_a_time(tmp_path: Path, workers: int) -> None:
    busy, most, lock = 0, 0, threading.Lock()

    def slow(items: Iterator[np.ndarray]) -> Iterator[Table]:
        nonlocal busy, most
        for item in items:
            with lock:
                busy += 1
                most = max(most, busy)
            time.sleep(0.03)
            with lock:
                busy -= 1
            yield Table(item)

    run(tmp_path, EachStage("slow", 1, Table, lambda *_: slow, 16), Numbers.first(12), workers)
    assert most == workers


def test_opencv_takes_the_cores_of_workers_that_have_nothing_left_to_do(tmp_path: Path) -> None:
    seen: dict[int, int] = {}
    at_work: set[int] = set()
    everyone = threading.Barrier(4)

    def run_it(items: Iterator[np.ndarray]) -> Iterator[Table]:
        for item in items:
            if (worker := threading.get_ident()) not in at_work:
                at_work.add(worker)
                everyone.wait(10)  # four are at work, so there is no core to take
                seen[len(item)] = cv2.getNumThreads()
                everyone.wait(10)
            end = time.monotonic() + 10
            while len(item) == 0 and seen[0] < 4 and time.monotonic() < end:  # the first ends last
                seen[0] = cv2.getNumThreads()
            yield Table(item)

    before, stage = cv2.getNumThreads(), EachStage("counting", 1, Table, lambda *_: run_it, 4)
    run(tmp_path / "many", stage, Numbers.first(9), workers=4)
    assert len(seen) == 4 and sorted(seen.values()) == [1, 1, 1, 4] and seen[0] == 4

    def alone(items: Iterator[np.ndarray]) -> Iterator[Table]:
        for item in items:
            seen[0] = cv2.getNumThreads()
            yield Table(item)

    run(tmp_path / "one", EachStage("counting", 1, Table, lambda *_: alone, 4), Numbers.first(1), workers=3)
    assert seen[0] == 3 and cv2.getNumThreads() == before


def test_opencv_has_every_core_for_the_last_item_however_close_the_others_end() -> None:
    seen: list[int] = []
    together = threading.Barrier(8)

    def run_it(items: Iterator[np.ndarray]) -> Iterator[Table]:
        for item in items:
            together.wait(10)
            end = time.monotonic() + 10
            while len(item) == 0 and cv2.getNumThreads() < 8 and time.monotonic() < end:
                time.sleep(0.001)  # the first ends last
            if len(item) == 0:
                seen.append(cv2.getNumThreads())
            yield Table(item)

    with one_thread_per_worker(), often_interrupted():
        for _ in range(300):  # some were wrong, before they told of what is left one by one
            list(execute(Job("race", run_it, Numbers.first(8), lambda _: None), [np.arange(8)], 8))
            assert seen[-1] == 8


@contextmanager
def often_interrupted() -> Iterator[None]:
    """Python changes from thread to thread all the time, which shows races."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def test_work_in_memory_does_not_grow_with_the_number_of_items(tmp_path: Path) -> None:
    class Watched(Numbers):
        def load(self, index: int) -> np.ndarray:
            shards_on_disk = len(list(tmp_path.glob("powers-*/*.h5")))
            assert index < (shards_on_disk + 3) * 16
            return np.arange(3.0)

    results, _ = run(tmp_path, EachStage("powers", 1, Table, POWERS.start, 16), Watched.first(200))
    assert len(results) == 200


def test_an_interrupt_stops_promptly_and_keeps_finished_shards(tmp_path: Path) -> None:
    class Interrupting(Numbers):
        def load(self, index: int) -> np.ndarray:
            if index == 30:
                time.sleep(1)  # the main thread waits by then: Python drops what is raised in a weak reference's end
                _thread.interrupt_main()
            time.sleep(0.005)
            return super().load(index)

    items = Interrupting.first(1000)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, failing(ValueError(), 2000), items)
    assert 30 <= len(items.loaded) < 200
    assert len(list(tmp_path.glob("failing-*/*.h5"))) >= 5


@pytest.mark.parametrize(("count", "size"), [(10, 1), (32, 1), (33, 2), (64, 2), (65, 3), (512, 16)])
def test_a_chunk_iscut_in_32_pieces_or_fewer_for_any_number_of_workers(count: int, size: int) -> None:
    pieces = cut(range(count))
    assert [index for piece in pieces for index in piece] == list(range(count))
    assert {len(piece) for piece in pieces[:-1]} == {size} and len(pieces[-1]) <= size


@pytest.mark.parametrize("workers", [1, 3])
def test_sixteen_tasks_are_begun_ahead_of_those_being_worked_on(workers: int) -> None:
    begun: list[int] = []
    with closing(in_order(begun.append, range(100), workers, threading.Event())) as results:
        next(results)
        end = time.monotonic() + 10
        while len(begun) < 16 + workers and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(0.02)
        assert sorted(begun) == list(range(16 + workers))
        next(results)
        assert len(list(results)) == 98 and sorted(begun) == list(range(100))
