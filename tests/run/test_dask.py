"""A real cluster of processes gives the bytes of threads, whatever becomes of its workers."""

from pathlib import Path

from squares import Numbers, run_all, tree_hash

from tests.jobs import FAST, content, run


def test_processes_give_the_bytes_and_the_failures_of_threads(tmp_path: Path) -> None:
    items = Numbers.first(40, broken=frozenset({"a2", "a3"}))
    threads = run_all(tmp_path / "threads", items)
    processes = run_all(tmp_path / "processes", items, cluster="local:2")
    assert (
        processes.failures
        == threads.failures
        == {
            "a2": "a2: broken",
            "a3": "a3: broken",
            "a13": "thirteen numbers bring bad luck",
        }
    )
    assert tree_hash(tmp_path / "processes") == tree_hash(tmp_path / "threads")


def test_a_gallery_is_mapped_and_localized_with_the_same_bytes(gallery: Path, built: Path, tmp_path: Path) -> None:
    assert run("map", gallery / "mapping", tmp_path / "map", *FAST, "--cluster", "local:2") == 0
    assert content(tmp_path / "map") == content(built)
    for name, cluster in (("threads", ()), ("processes", ("--cluster", "local:2"))):
        command = "localize", tmp_path / "map", gallery / "query", tmp_path / f"{name}.txt", "--quiet", *cluster
        assert run(*command) == 0
    files = [content(tmp_path / f"{name}.txt.work") for name in ("threads", "processes")]
    for found in files:
        assert found.pop("run.json")  # with the times that it took
    assert files[0] == files[1]
    assert (tmp_path / "processes.txt").read_bytes() == (tmp_path / "threads.txt").read_bytes()
