"""Maps at URLs: the same poses as from the folder, whatever becomes of the network."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import vloc
from tests.jobs import run
from tests.serving import Served, serving
from tests.test_following import a_query, moved, waited
from vloc import following
from vloc.errors import ConfigError, DataError, ExtraMissingError, ResourceError, StoreError, VlocError
from vloc.following import Follower
from vloc.map import Map
from vloc.run.copies import copy
from vloc.run.remote import Remote, local_path, located
from vloc.run.travel import packed, unpacked


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies go, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def place(built: Path, tmp_path: Path) -> Path:
    """A folder to be served, with a map and the same packed."""
    shutil.copytree(built, tmp_path / "served" / "map")
    assert run("pack", built, tmp_path / "served" / "map.vloc", "--quiet") == 0
    return tmp_path / "served"


@pytest.fixture
def served(place: Path) -> Iterator[Served]:
    with serving(place) as web:
        yield web


@pytest.fixture
def memory(place: Path) -> Iterator[str]:
    """The same in fsspec's file system in memory."""
    put(place)
    yield "memory://bucket/place"
    fsspec.filesystem("memory").rm("/bucket", recursive=True)


def put(place: Path) -> None:
    """What `aws s3 sync` does."""
    fsspec.filesystem("memory").put(f"{place}/", "/bucket/place/", recursive=True)


def shards(asked: list[str]) -> list[str]:
    return [path for path in asked if path.endswith(".h5")]


def opened_apart(url: str) -> subprocess.Popen[bytes]:
    """A process that opens a map."""
    code = f"import vloc\nvloc.Map.open({url!r})"
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)


@pytest.mark.parametrize(
    ("name", "cluster"),
    [("map", ()), ("map.vloc", ()), ("map", ("--cluster", "local:1"))],
    ids=["map", "packed", "cluster"],
)
def test_poses_are_those_of_the_folder_bit_for_bit(
    name: str, cluster: tuple[str, ...], served: Served, built: Path, gallery: Path, tmp_path: Path
) -> None:
    assert run("localize", built, gallery / "query", tmp_path / "here" / "poses.txt", "--quiet") == 0
    there = tmp_path / "there" / "poses.txt"
    assert run("localize", f"{served.url}/{name}", gallery / "query", there, "--quiet", *cluster) == 0
    assert there.read_bytes() == (tmp_path / "here" / "poses.txt").read_bytes()
    record = json.loads((tmp_path / "there" / "vloc.work" / "runs" / "poses.txt.json").read_text())
    assert record["map"] == f"{served.url}/{name}"
    assert run("report", there, "-o", tmp_path / "page.html") == 0


def test_shards_are_fetched_once_and_others_of_a_new_version_alone(served: Served, place: Path) -> None:
    Map.open(f"{served.url}/map")
    first = shards(served.asked)
    assert len(first) == len(set(first)) < len(list((place / "map").glob("*/*.h5")))  # no pairs, no matches
    Map.open(f"{served.url}/map")
    assert shards(served.asked) == first
    moved(place / "map")
    assert Map.open(f"{served.url}/map").version == 2
    new = shards(served.asked)[len(first) :]
    assert new and not {*new} & {*first}


@pytest.mark.parametrize(("name", "most"), [("map", 22), ("map.vloc", 4)])
def test_opening_again_asks_for_little(name: str, most: int, served: Served) -> None:
    Map.open(f"{served.url}/{name}")
    before = len(served.asked)
    Map.open(f"{served.url}/{name}")
    assert 0 < len(served.asked) - before <= most, served.asked[before:]


def test_what_reads_a_map_takes_its_url(served: Served, place: Path, gallery: Path, tmp_path: Path) -> None:
    url, packed_map = f"{served.url}/map", f"{served.url}/map.vloc"
    assert run("pack", url, tmp_path / "packed.vloc", "--quiet") == 0
    assert (tmp_path / "packed.vloc").read_bytes() == (place / "map.vloc").read_bytes()
    for which in (url, packed_map):
        name = which.rpartition("/")[2]
        assert run("compress", which, tmp_path / f"small-{name}", "--points", "500", "--quiet") == 0
        assert run("convert", which, f"colmap:{tmp_path / f'colmap-{name}'}") == 0
        assert run("align", place / "map", "--to", which, "--quiet") == 0
    poses = tmp_path / "poses.txt"
    assert run("localize", url, gallery / "query", poses, "--quiet") == 0
    assert run("results", "check", poses, "--queries", gallery / "query", "--map", url) == 0


@pytest.mark.parametrize("name", ["map", "map.vloc"])
def test_a_localizer_follows_a_url(
    name: str, memory: str, place: Path, gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "EVERY_SECONDS", 0.05)
    photo, localizer = a_query(gallery), vloc.Localizer(f"{memory}/{name}")
    before = localizer.localize(*photo).cam_from_world.center
    moved(place / "map")
    assert run("pack", place / "map", place / "map.vloc", "--quiet") == 0
    put(place)
    assert waited(lambda: localizer.placer and localizer.map.version == 2)
    centre = localizer.localize(*photo).cam_from_world.center
    assert np.linalg.norm(centre) == pytest.approx(100 * np.linalg.norm(before), rel=1e-3)


def test_a_query_does_not_wait_for_a_look_at_a_url_and_there_are_few(served: Served) -> None:
    follower = Follower(f"{served.url}/map", lambda map_: map_)
    looks = len(served.asked)
    for _ in range(100):
        follower.current()
    assert len(served.asked) == looks


def test_a_network_that_comes_back_serves_the_new_version(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(place) as web:
        follower = Follower(f"{web.url}/map", lambda map_: map_)
        moved(place / "map")
        port = int(web.url.rpartition(":")[2])
    with pytest.raises(DataError, match="is the network there"):
        follower.refresh()
    assert "cannot be read" in follower.problem and follower.map.version == 1
    monkeypatch.setattr(following, "EVERY_SECONDS", 0.05)
    with serving(place, port):
        assert waited(lambda: follower.current().version == 2)
        assert follower.problem == ""


def test_a_version_that_is_not_whole_there_yet_waits(memory: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "EVERY_SECONDS", 0.05)
    follower = Follower(f"{memory}/map", lambda map_: map_)
    moved(place / "map")
    fsspec.filesystem("memory").put(str(place / "map" / "map.json"), "/bucket/place/map/map.json")
    assert waited(lambda: follower.current() and follower.problem)
    assert follower.current().version == 1 and "missing; copy the map there again, whole" in follower.problem
    put(place)
    assert waited(lambda: follower.current().version == 2)


def test_versions_are_known_and_opened_where_nothing_is_listed(
    served: Served, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved(place / "map")
    assert Map.open(f"{served.url}/map", 1).version == 1
    assert run("show", f"{served.url}/map", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert [version["version"] for version in shown["versions"]] == [1, 2]
    assert shown["map"] == f"{served.url}/map"
    with pytest.raises(DataError, match="has no version 3: choose from 1, 2"):
        Map.open(f"{served.url}/map", 3)


@pytest.mark.parametrize("name", ["map", "map.vloc"])
def test_check_finds_nothing_in_a_whole_map_and_what_is_broken_in_another(
    name: str, served: Served, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("check", f"{served.url}/{name}") == 0  # and leaves whole copies
    broken = max((place / "map").glob("extract-*/*.h5")) if name == "map" else place / name
    data = bytearray(broken.read_bytes())
    data[len(data) // 3] ^= 1
    broken.write_bytes(data)
    os.utime(broken, (0, 0))  # web servers tell times in seconds
    assert run("check", f"{served.url}/{name}") == 3
    assert f"{broken.name}: not what was written" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["map", "map.vloc"])
def test_half_a_file_is_never_taken_for_a_whole_one(name: str, served: Served, cache: Path) -> None:
    end = "map.vloc" if name == "map.vloc" else ".h5"
    served.faults[end] = "cut"
    with pytest.raises(StoreError, match=r"http.*not what was written: it was cut off on its way"):
        Map.open(f"{served.url}/{name}")
    assert not [path for path in cache.rglob("*") if path.is_file() and path.name != ".lock"]
    served.faults.clear()
    assert Map.open(f"{served.url}/{name}").sparse.points.any()


@pytest.mark.parametrize("name", ["map", "map.vloc"])
def test_a_process_killed_while_it_fetches_costs_that_file(name: str, served: Served, cache: Path) -> None:
    served.faults["map.vloc" if name == "map.vloc" else ".h5"] = "stall"
    process = opened_apart(f"{served.url}/{name}")
    assert waited(lambda: [path for path in cache.rglob(".*.tmp") if path.stat().st_size])
    process.send_signal(signal.SIGKILL)
    process.communicate()
    served.go_on.set()
    served.faults.clear()
    assert Map.open(f"{served.url}/{name}").sparse.points.any()
    assert not list(cache.rglob(".*.tmp"))


def test_a_packed_file_whose_changes_cannot_be_seen_is_refused(served: Served) -> None:
    served.tells_dates = False
    with pytest.raises(StoreError, match=r"map\.vloc: its server tells no ETag or date"):
        Map.open(f"{served.url}/map.vloc")
    assert Map.open(f"{served.url}/map").version == 1


def test_kept_listings_are_not_believed(memory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten: list[str | None] = []
    file = Remote(f"{memory}/map.vloc")
    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "invalidate_cache", lambda _, path=None: forgotten.append(path))
        patch.setattr(MemoryFileSystem, "info", lambda _, path, **__: {"etag": str(len(forgotten))})
        assert file.now() != file.now()


def test_two_processes_fetch_a_file_once(served: Served) -> None:
    processes = [opened_apart(f"{served.url}/map") for _ in range(2)]
    told = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    assert len(shards(served.asked)) == len({*shards(served.asked)})


def test_a_server_that_goes_away_leaves_what_was_fetched(place: Path) -> None:
    with serving(place) as web:
        port = int(web.url.rpartition(":")[2])
        failing = [str(path.relative_to(place)) for path in (place / "map").glob("train-*/*.h5")]
        web.faults = dict.fromkeys(failing, 503)
        with pytest.raises(DataError, match=r"cannot be read \(ClientResponseError: 503.*is the network there"):
            Map.open(f"{web.url}/map")
        fetched = {path for path in shards(web.asked) if path.lstrip("/") not in failing}
    with pytest.raises(DataError, match=r"map\.json: cannot be read .*is the network there"):
        Map.open(f"{web.url}/map")
    with serving(place, port) as web:
        assert Map.open(f"{web.url}/map").version == 1
        assert shards(web.asked) and not {*shards(web.asked)} & fetched


def test_a_network_that_goes_away_is_not_taken_for_a_change(place: Path) -> None:
    with ExitStack() as network:
        file = Remote(f"{network.enter_context(serving(place)).url}/map.vloc").now()
        with pytest.raises(DataError, match="is the network there"):
            copy(file, lambda _: network.close() is None)
    with pytest.raises(DataError, match="is the network there"):
        copy(Remote(file.url).now(), lambda _: True)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (404, "no packed map, nor the folder of a finished one"),
        (403, "Forbidden.*are your credentials"),
        (500, "cannot be read"),
    ],
)
def test_an_answer_that_is_no_map_is_an_error_with_the_url(status: int, told: str, served: Served) -> None:
    served.faults["map.json"] = status
    with pytest.raises(DataError, match=told) as error:
        Map.open(f"{served.url}/map")
    assert str(error.value).startswith(f"{served.url}/map")


@pytest.mark.parametrize("which", ["map.json", "extract-*/store.json"])
def test_a_list_that_is_broken_there_is_copied_there_again(which: str, served: Served, place: Path) -> None:
    broken = next((place / "map").glob(which))
    broken.write_text("<!doctype html>")  # many servers answer anything so
    with pytest.raises(
        StoreError, match=f"^{served.url}/map/.*{broken.name}: broken: JSON.*; copy the map there again"
    ):
        Map.open(f"{served.url}/map")


def test_a_shard_that_is_missing_is_named(served: Served, place: Path) -> None:
    lost = next((place / "map").glob("extract-*/*.h5"))
    lost.unlink()
    with pytest.raises(StoreError, match=f"{served.url}.*{lost.name}: missing; copy the map there again"):
        Map.open(f"{served.url}/map")


def test_a_url_travels_as_a_url(served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = next(iter(Map.open(f"{served.url}/map").features))
    for map_ in (Map.open(f"{served.url}/map"), Map.open(f"{served.url}/map.vloc")):
        data = packed(map_.features)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
        np.testing.assert_array_equal(unpacked(data)[name].keypoints, map_.features[name].keypoints)
        monkeypatch.undo()


def test_a_worker_never_reads_another_version_of_a_packed_map_than_the_command(
    served: Served, place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = pickle.dumps(Map.open(f"{served.url}/map.vloc").stored)
    with (place / "map.vloc").open("ab") as file:
        file.write(b" ")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another machine"))
    with pytest.raises(StoreError, match="has changed since it was opened"):
        _ = pickle.loads(data).value


def test_only_the_newest_copy_of_a_packed_map_is_kept(served: Served, place: Path, cache: Path) -> None:
    old = Map.open(f"{served.url}/map.vloc")
    moved(place / "map")
    assert run("pack", place / "map", place / "map.vloc", "--quiet") == 0
    assert Map.open(f"{served.url}/map.vloc").version == 2
    assert len(list(cache.rglob("*.copy"))) == 1
    assert old.version == 1 and old.sparse.points.any()


def test_nothing_is_written_to_a_url(gallery: Path, built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = "s3://bucket/map"
    for command in (
        ("map", gallery / "mapping", url),
        ("localize", built, gallery / "query", url),
        ("align", url, "--to", "gnss"),
        ("restore", url, "1"),
        ("pack", built, url),
        ("compress", built, url, "--points", "100"),
        ("clean", url),
        ("evaluate", url, gallery / "query_truth.txt"),
        ("report", url),
    ):
        assert run(*command) == 2, command
        told = capsys.readouterr().err
        assert f"{url}: maps alone are read at a URL, and nothing is written to one: give a local path" in told
    with pytest.raises(ConfigError, match="nothing is written to one"):
        vloc.build_map(gallery / "mapping", url)


def test_captures_are_not_read_from_a_url(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("map", "s3://bucket/capture", tmp_path / "map") == 2
    assert "s3://bucket/capture: a capture is read from, and written to, a file system alone" in capsys.readouterr().err


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(ConfigError, match="s3://bucket/map: Install s3fs"):
        Map.open("s3://bucket/map")
    with pytest.raises(ConfigError, match="Protocol not known: nowhere"):
        Map.open("nowhere://bucket/map")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(VlocError, match=r"pip install 'vloc\[remote\]'"):
        Map.open("s3://bucket/map")


def test_a_full_disk_is_told_with_what_to_do(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = "import resource, signal, vloc\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n" + (
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\nvloc.Map.open('{served.url}/map')"
    )
    told = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, check=False)
    assert ResourceError.__name__ in told.stderr and "set XDG_CACHE_HOME" in told.stderr


@pytest.mark.parametrize("name", ["map", "map.vloc"])
def test_a_cache_that_cannot_be_written_is_told_with_what_to_do(
    name: str, served: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(
        ConfigError, match=rf"file/vloc/maps/.*: cannot be written \(.*{served.url}.*set XDG_CACHE_HOME"
    ):
        Map.open(f"{served.url}/{name}")


def test_paths_are_paths_and_urls_are_urls() -> None:
    assert located("a/b") == Path("a/b") and local_path("a/b") == Path("a/b")
    assert located("s3://bucket/map/") == Remote("s3://bucket/map") == located(Remote("s3://bucket/map"))
    assert str(Remote("s3://bucket/map") / "map.json") == "s3://bucket/map/map.json"
    assert located("kapture:/a/b") == Path("kapture:/a/b")


def test_a_local_map_needs_no_fsspec(built: Path) -> None:
    code = f"import sys, vloc\nvloc.Map.open({str(built)!r}).sparse\nassert 'fsspec' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("package", ["fsspec", "aiohttp"])
def test_a_missing_extra_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExtraMissingError, match=r"http://example.org/map.* needs the 'remote' extra: pip install"):
        Map.open("http://example.org/map")
