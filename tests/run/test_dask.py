"""A real cluster of processes gives the bytes of threads, whatever becomes of its workers, or says what it lacks."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
from distributed import LocalCluster
from squares import POWERS, SQUARES, SUMS, Deadly, Numbers, Power, Table, run_all, spawn, start_breaking, tree_hash

import vloc.run.dask as engine
from tests.jobs import FAST, content, run
from vloc.errors import ConfigError, ResourceError
from vloc.features.xfeat import XFeat
from vloc.run.executors import Chunk, Task
from vloc.run.identity import identify
from vloc.run.marks import digests
from vloc.run.progress import Silent
from vloc.run.store import Store
from vloc.run.workspace import Workspace
from vloc.runtime import Runtime
from vloc.stage import EachStage

COUNT, PAUSE = 60, 0.05
LOCAL = "local:2"


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Two workers of a scheduler that somebody else has started."""
    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address="127.0.0.1:0", memory_limit=0) as running:
        yield f"dask:{running.scheduler_address}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a run by threads leaves."""
    folder = tmp_path_factory.mktemp("whole")
    run_all(folder, Numbers.first(COUNT), Power(pause=PAUSE), workers=16)
    return tree_hash(folder)


def test_processes_give_the_bytes_and_the_failures_of_threads(tmp_path: Path) -> None:
    items = Numbers.first(40, broken=frozenset({"a2", "a3"}))
    threads = run_all(tmp_path / "threads", items)
    processes = run_all(tmp_path / "processes", items, cluster=LOCAL)
    assert processes.failures == threads.failures
    assert threads.failures == {"a2": "a2: broken", "a3": "a3: broken", "a13": "thirteen numbers bring bad luck"}
    assert tree_hash(tmp_path / "processes") == tree_hash(tmp_path / "threads")


def test_a_gallery_is_mapped_and_localized_with_the_same_bytes(
    gallery: Path, built: Path, tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("map", gallery / "mapping", tmp_path / "map", *FAST, "--cluster", cluster) == 0
    assert content(tmp_path / "map") == content(built)
    monkeypatch.chdir(tmp_path)  # which the workers have not done
    for name, where in (("threads", ()), ("processes", ("--cluster", cluster))):
        assert run("localize", "map", gallery / "query", f"{name}/poses.txt", "--quiet", *where) == 0
    files = [content(tmp_path / name / "vloc.work") for name in ("threads", "processes")]
    for found in files:
        assert found.pop("runs/poses.txt.json")  # with the times that it took
    assert files[0] == files[1]
    assert (tmp_path / "processes/poses.txt").read_bytes() == (tmp_path / "threads/poses.txt").read_bytes()


def test_a_worker_that_is_killed_costs_its_chunk(tmp_path: Path) -> None:
    run_all(tmp_path / "whole", Numbers.first(40))
    items = Deadly(Numbers.first(40).keys, grave=tmp_path / "grave")
    run_all(tmp_path / "killed", items, cluster=LOCAL)
    assert (tmp_path / "grave").exists()
    assert tree_hash(tmp_path / "killed") == tree_hash(tmp_path / "whole")


def test_items_that_kill_every_worker_end_the_run_and_keep_what_was_finished(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="powers: workers of --cluster local:1 died of the same items again"):
        run_all(tmp_path / "killed", Deadly(Numbers.first(20).keys, deadly="a19"), cluster="local:1")
    again = Numbers.first(20)
    run_all(tmp_path / "killed", again)
    assert set(again.loaded) == {"a16", "a17", "a18", "a19"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_command_that_is_killed_leaves_no_worker_and_goes_on(
    tmp_path: Path, whole: dict[str, str], number: signal.Signals
) -> None:
    with spawn("run", tmp_path, COUNT, PAUSE, LOCAL) as child:
        wait_for(lambda: len(list(tmp_path.glob("powers-*/*.h5"))) > 2)
        workers = psutil.Process(child.pid).children(recursive=True)
        if number == signal.SIGKILL:
            child.kill()
        else:
            os.killpg(child.pid, number)  # as a terminal does
    assert child.returncode == -number
    assert len(workers) >= 2
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    assert len(list(tmp_path.glob("powers-*/*.h5"))) < 15
    run_all(tmp_path, Numbers.first(COUNT), Power(pause=PAUSE), cluster=LOCAL)
    assert tree_hash(tmp_path) == whole


def test_a_scheduler_that_goes_is_named_and_the_run_goes_on_without_it(tmp_path: Path, whole: dict[str, str]) -> None:
    class Stops(Silent):
        def advance(self, failed: bool) -> None:
            running.close()

    running = LocalCluster(n_workers=2, dashboard_address="127.0.0.1:0")
    where = f"dask:{running.scheduler_address}"
    with pytest.raises(ResourceError, match=f"powers: the scheduler of --cluster {where} has gone"):
        run_all(tmp_path, Numbers.first(COUNT), Power(pause=PAUSE), cluster=where, reporter=Stops())
    run_all(tmp_path, Numbers.first(COUNT), Power(pause=PAUSE))
    assert tree_hash(tmp_path) == whole


def test_a_scheduler_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gallery: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engine, "CONNECT_SECONDS", 0.2)
    where = "dask:tcp://127.0.0.1:9"
    assert run("map", gallery / "mapping", tmp_path / "map", *FAST, "--cluster", where) == 2
    assert f"vloc: --cluster {where}: no scheduler there" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["local", "local:0", "local:two", "dask:", "ray:1", "tcp://127.0.0.1:8786"])
def test_a_cluster_is_one_of_two_kinds(text: str) -> None:
    with pytest.raises(ConfigError, match="cluster: expected local:N processes or dask:tcp://HOST:PORT"):
        Runtime(cluster=text)


@contextmanager
def other_worker(**environment: str) -> Iterator[str]:
    """A scheduler whose one worker has other environment variables than this process."""
    with LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as running:
        command = [sys.executable, "-m", "distributed.cli.dask_worker", running.scheduler_address, "--no-dashboard"]
        others = {**os.environ, **environment}
        worker = subprocess.Popen([*command, "--no-nanny"], env=others, cwd="/", stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: running.scheduler.workers)
            yield f"dask:{running.scheduler_address}"
        finally:
            worker.kill()
            worker.wait()


def refused(folder: Path, where: str, plugins: Iterable[object] = ()) -> str:
    """What is said before any work."""
    with Workspace(folder, Runtime(cluster=where)) as work:
        work.require(plugins)
        with pytest.raises(ConfigError, match=r"--cluster dask:tcp://127.0.0.1:\d+: worker tcp://") as caught:
            work.each(POWERS, items := Numbers.first(8), SQUARES)
    assert items.loaded == []
    assert not list(folder.glob("*/*.h5"))
    return str(caught.value)


def test_a_worker_that_cannot_import_vloc_is_refused_by_name(tmp_path: Path) -> None:
    other = tmp_path / "other" / "vloc"
    other.mkdir(parents=True)
    (other / "__init__.py").write_text("raise ImportError('no libGL')")
    with other_worker(PYTHONPATH=str(other.parent)) as where:
        assert "cannot run vloc 0.1.0 (ImportError('no libGL')): install" in refused(tmp_path / "work", where)


def test_a_worker_of_other_versions_is_refused_by_name(tmp_path: Path) -> None:
    lie = "import platform, vloc; platform.python_version = lambda: '3.9.1'; vloc.__version__ = '0.0.9'"
    with other_worker(DASK_DISTRIBUTED__WORKER__PRELOAD=lie) as where:
        assert "python 3.9.1, here 3." in (told := refused(tmp_path / "work", where))
    assert "vloc 0.0.9, here 0.1.0: install the same there as here" in told


def test_a_worker_of_other_versions_that_joins_late_refuses_to_work(tmp_path: Path) -> None:
    command = engine.environment() | {"numpy": "1.26.4"}
    with pytest.raises(ConfigError, match=rf"worker .*: numpy {np.__version__}, here 1\.26\.4: install the same"):
        engine.work_off(tmp_path / "task", Chunk([0], [""]), command, "cpu")


def test_a_worker_without_weights_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "xfeat.pt").touch()
    with other_worker(VLOC_WEIGHTS=str(tmp_path)) as where:
        monkeypatch.setenv("VLOC_WEIGHTS", str(tmp_path / "weights"))
        assert f"xfeat.pt is in none of {tmp_path}" in refused(tmp_path / "work", where, [XFeat()])


def test_a_bug_ends_the_run_and_names_its_item(tmp_path: Path, cluster: str) -> None:
    stage = EachStage("breaking", 1, Table, start_breaking, chunk=4)
    with Workspace(tmp_path, Runtime(cluster=cluster)) as work, pytest.raises(RuntimeError, match="a bug") as caught:
        work.each(stage, Numbers.first(8), SQUARES)
    assert "while stage 'breaking' worked on a6" in caught.value.__notes__


def test_a_full_disk_of_a_worker_is_told_and_the_run_resumes(small_disk: Path, tmp_path: Path, cluster: str) -> None:
    with pytest.raises(ResourceError, match=r"\.h5: No space left on device: [\d,]+ bytes needed, [\d,]+ free"):
        run_all(small_disk, Numbers.first(60), cluster=cluster)
    assert not list(small_disk.rglob("*.tmp"))
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    run_all(small_disk, Numbers.first(60), cluster=cluster)
    run_all(tmp_path / "whole", Numbers.first(60))
    assert tree_hash(small_disk) == tree_hash(tmp_path / "whole")


def test_progress_is_told_of_every_item(tmp_path: Path, cluster: str) -> None:
    class Counts(Silent):
        def __init__(self) -> None:
            self.told: list[bool] = []

        def advance(self, failed: bool) -> None:
            self.told.append(failed)

    run_all(tmp_path, Numbers.first(40), cluster=cluster, reporter=(counts := Counts()))
    assert sorted(counts.told) == [False] * 40 + [True]  # 40 numbers, of which one fails, and their sum


def test_few_chunks_are_sent_ahead(tmp_path: Path, cluster: str) -> None:
    items = Numbers.first(200)
    store = Store(tmp_path, identify(POWERS, SQUARES, []))
    store.create()
    chunks = [Chunk(np.array([row, row + 1]), digests(["usual"] * 2)) for row in range(0, 200, 2)]
    executor = engine.Dask(Runtime(cluster=cluster), print)
    with (
        closing(executor),
        closing(executor.run(Task(POWERS, SQUARES, [], [], items, store), chunks, lambda failed: None)) as finished,
    ):
        next(finished)
        time.sleep(1)
        assert len(list(store.folder.glob("*.h5"))) <= 1 + 1 + engine.AHEAD * 4


def test_a_task_travels_as_places(tmp_path: Path) -> None:
    names = [f"a{n}" for n in range(1, 13)] + [f"a{n}" for n in range(14, 5000)]
    items = Numbers(names)
    with Workspace(tmp_path) as work:
        powers = work.each(POWERS, items, SQUARES)
        one = work.once(SUMS, None, powers)
        assert one.value.rows.shape == (1, 1)
        task = Task(POWERS, SQUARES, [powers], [one], items, Store(tmp_path, identify(SUMS, None, [powers])))
        data = pickle.dumps(task)
    stored = sum(path.stat().st_size for path in tmp_path.glob("*/*.h5"))
    assert stored > 90_000_000
    assert len(data) < 4000 + 15 * len(names)
    found = pickle.loads(data)
    assert found.each[0].fingerprint == powers.fingerprint
    assert np.array_equal(found.each[0]["a4999"].rows, powers["a4999"].rows)
    assert np.array_equal(found.context[0].value.rows, one.value.rows)


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
