"""`vloc clean`: what goes is what nothing needs, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.jobs import content
from vloc.cli.clean import clean
from vloc.cli.main import main
from vloc.errors import LockedError
from vloc.map import Map
from vloc.run.lock import FolderLock

FAST = ["--features", "sift:max_keypoints=500", "--num-pairs", "4", "--quiet"]


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def place(gallery, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with map/ of three versions (12 images, 10, other matches), and results/ of two runs."""
    root = tmp_path_factory.mktemp("place")
    mapping = shutil.copytree(gallery.mapping, root / "mapping")
    records = mapping / "sensors" / "records_camera.txt"
    assert run("map", mapping, root / "map", *FAST) == 0
    records.write_text("".join(records.read_text().splitlines(keepends=True)[:-2]))
    assert run("map", mapping, root / "map", *FAST) == 0
    assert run("map", mapping, root / "map", *FAST, "--match.ratio", "0.7") == 0
    for name, count in (("first", 5), ("second", 3)):
        results = root / "results" / f"{name}.txt"
        assert run("localize", root / "map", gallery.queries, results, "--num-retrieved", count, "--quiet") in (0, 3)
    return root


@pytest.fixture
def copied(place: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(place, tmp_path / "place"))


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, dict]:
    """What the command says of each folder, by name."""
    capsys.readouterr()
    run("clean", *arguments, "--json")
    return {Path(facts["folder"]).name: facts for facts in json.loads(capsys.readouterr().out)}


def plan_of(capsys: pytest.CaptureFixture[str], copied: Path, *flags: object) -> list[int]:
    """What a rerun of the last command would do, stage by stage."""
    capsys.readouterr()
    assert run("map", copied / "mapping", copied / "map", *FAST, *flags, "--dry-run", "--json") == 0
    return [row["todo"] for row in json.loads(capsys.readouterr().out)]


def test_with_all_versions_kept_everything_is_needed_and_nothing_is_removed(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(copied)
    assert {name: facts["bytes"] for name, facts in told(capsys, copied, "--remove").items()} == {
        "map": 0,
        "vloc.work": 0,
    }
    assert content(copied) == before
    assert run("clean", copied) == 0
    assert capsys.readouterr().out.endswith("everything is needed\n")


def test_what_only_versions_that_are_given_up_need_can_go_and_goes_when_told_to(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, sparse = content(copied), Map.open(copied / "map").sparse
    facts = told(capsys, copied / "map", "--keep", "1")["map"]
    assert facts["kept_for"] == ["version 3"] and not facts["removed"] and content(copied) == before
    names = {Path(each["path"]).name.partition("-")[0] for each in facts["unneeded"]}
    assert {"join", "match", "0001.json", "0002.json", "set"} <= names
    assert told(capsys, copied / "map", "--keep", "1", "--remove")["map"]["removed"]
    gone = {name for name in before if not (copied / name).exists()}
    assert len(gone) > 5
    assert run("check", copied / "map") == 0
    assert (Map.open(copied / "map").sparse.points == sparse.points).all()
    assert told(capsys, copied / "map", "--keep", "1")["map"]["bytes"] == 0
    assert set(plan_of(capsys, copied, "--match.ratio", "0.7")) == {0}  # what a rerun finds is there still


def test_the_sizes_told_are_those_that_become_free(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def size() -> int:
        return sum(path.stat().st_size for path in (copied / "map").rglob("*") if path.is_file())

    before, expected = size(), told(capsys, copied / "map", "--keep", "1")["map"]["bytes"]
    assert run("clean", copied / "map", "--keep", "1", "--remove") == 0
    assert before - size() == expected > 0


def test_results_of_one_folder_share_their_work_and_those_that_are_gone_need_none(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = copied / "results" / "vloc.work"
    assert len(list(work.glob("extract-*"))) == 1 and len(list(work.glob("retrieve-*"))) == 2
    facts = told(capsys, copied / "results")["vloc.work"]
    assert facts["kept_for"] == ["first.txt", "second.txt"] and facts["bytes"] == 0
    (copied / "results" / "second.txt").unlink()
    assert told(capsys, copied / "results", "--remove")["vloc.work"]["kept_for"] == ["first.txt"]
    assert len(list(work.glob("extract-*"))) == len(list(work.glob("retrieve-*"))) == 1
    page = copied / "page.html"
    assert run("report", copied / "results" / "first.txt", "-o", page) == 0


def test_work_of_an_earlier_vloc_is_found_and_can_go_once_its_results_are_made_again(
    copied: Path, gallery, capsys: pytest.CaptureFixture[str]
) -> None:
    results = copied / "results"
    old = Path(shutil.copytree(results / "vloc.work", results / "third.txt.work"))
    shutil.copy(results / "first.txt", results / "third.txt")
    record = json.loads((old / "runs" / "first.txt.json").read_text())
    del record["used"], record["map_version"]
    (old / "run.json").write_text(json.dumps(record))
    shutil.rmtree(old / "runs")
    assert "written by an earlier vloc" in told(capsys, results, "--remove")["third.txt.work"]["left_alone"]
    shutil.copy(results / "first.txt.json", results / "third.txt.json")
    assert run("report", results / "third.txt", "-o", copied / "page.html") == 0  # what it wrote is still read
    assert run("localize", copied / "map", gallery.queries, results / "third.txt", "--quiet") in (0, 3)
    assert told(capsys, results, "--remove")["third.txt.work"]["bytes"] > 0
    assert not list(old.glob("*/*"))


def test_a_folder_that_another_run_holds_is_left_alone_and_named(
    copied: Path, gallery, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(copied)
    lock = FolderLock(copied / "map")
    lock.acquire()
    try:
        facts = told(capsys, copied, "--keep", "1", "--remove")
        assert "in use by another run (process" in facts["map"]["left_alone"]
        assert facts["vloc.work"]["left_alone"] == ""
    finally:
        lock.release()
    assert content(copied) == before
    lock = FolderLock(copied / "results" / "vloc.work")
    lock.acquire()
    assert run("localize", copied / "map", gallery.queries, copied / "results" / "first.txt", "--quiet") == 5
    assert "or write RESULTS into another folder" in capsys.readouterr().err
    lock.release()


@pytest.mark.parametrize("broken", ["set", "store", "manifest", "version"])
def test_broken_references_are_no_reason_to_remove_anything(
    copied: Path, broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied / "map"
    name = Map.open(folder).features.reference
    path = {
        "set": folder / name.replace("/", "/set-"),
        "store": folder / name.partition("/")[0] / "store.json",
        "manifest": folder / "map.json",
        "version": folder / "versions" / "0002.json",
    }[broken]
    path = path.with_suffix(".json")
    path.unlink() if broken in ("set", "store") else path.write_text("{")
    before = content(copied)
    facts = told(capsys, folder, "--keep", "1", "--remove")["map"]
    assert path.name in facts["left_alone"] or path.parent.name in facts["left_alone"]
    assert content(copied) == before


def test_a_map_of_an_earlier_vloc_is_left_alone_until_it_is_mapped_again(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(copied / "map" / "versions")
    assert "made by an earlier vloc" in told(capsys, copied / "map", "--remove")["map"]["left_alone"]
    assert run("map", copied / "mapping", copied / "map", *FAST, "--match.ratio", "0.7") == 0
    assert told(capsys, copied / "map", "--remove")["map"]["bytes"] > 0
    assert run("check", copied / "map") == 0


def test_a_folder_that_is_none_of_ours_is_refused(tmp_path: Path, gallery, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("clean", gallery.mapping) == 2 and "neither a map" in capsys.readouterr().err
    assert run("clean") == 2 and run("clean", tmp_path, "--keep", "0") == 2


KILLED = """
import os, pathlib, signal, sys
from vloc.cli.main import main
left = int(sys.argv[1])
real = pathlib.Path.unlink
def unlink(path, missing_ok=False):
    global left
    left -= "lock" not in path.name
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(path, missing_ok=missing_ok)
pathlib.Path.unlink = unlink
main(sys.argv[2:])
"""


@pytest.mark.parametrize("count", [0, 1, 3, 8, 20])
def test_a_kill_while_cleaning_leaves_a_map_that_opens_and_the_same_command_ends_it(
    copied: Path, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["clean", str(copied), "--keep", "1", "--remove"]
    done = subprocess.run([sys.executable, "-c", KILLED, str(count), *command], capture_output=True, check=False)
    assert done.returncode == -9
    assert run("check", copied / "map") == 0
    assert run(*command) == 0
    assert told(capsys, copied, "--keep", "1")["map"]["bytes"] == 0
    assert set(plan_of(capsys, copied, "--match.ratio", "0.7")) == {0}


def test_the_lock_is_let_go(copied: Path) -> None:
    clean(copied / "map", None, really=False)
    lock = FolderLock(copied / "map")
    try:
        lock.acquire()
    except LockedError:
        pytest.fail("still held")
    lock.release()
