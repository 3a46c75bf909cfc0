"""A map's history: what came when, going back, and what a kill between two writes leaves."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.full_disks import files_of_at_most
from tests.jobs import FAST, run
from vloc.errors import DataError
from vloc.map import Map
from vloc.run.lock import FolderLock
from vloc.versions import read_version, versions_of


@pytest.fixture(scope="module")
def history(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with mapping/ and map/, a map of three versions: 21 images, 20, and these with another setting."""
    root = tmp_path_factory.mktemp("history")
    shutil.copytree(gallery / "mapping", root / "mapping")
    assert run("map", root / "mapping", root / "map", *FAST) == 0
    drop_one(root / "mapping")
    assert run("map", root / "mapping", root / "map", *FAST) == 0
    assert run("map", root / "mapping", root / "map", *FAST, "--match.ratio", "0.7") == 0
    return root


def drop_one(mapping: Path) -> str:
    """Take the last image out of a kapture folder; gives its name."""
    records = mapping / "sensors" / "records_camera.txt"
    *kept, last = records.read_text().splitlines()
    records.write_text("\n".join(kept) + "\n")
    return last.split(", ")[-1]


@pytest.fixture
def copied(history: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(history, tmp_path / "history"))


def test_every_version_says_what_it_has_and_what_changed(history: Path) -> None:
    first, second, third = versions_of(history / "map")
    assert [version.number for version in (first, second, third)] == [1, 2, 3]
    assert first.history.images is None and first.history.num_images == 21
    assert (second.history.images.added, second.history.images.changed, second.history.images.removed) == (0, 0, 1)
    assert second.history.settings == () and third.history.settings[0].startswith("match bands -> bands:ratio=0.7")
    assert third.history.images.removed == 0
    assert third.history.num_points == len(Map.open(history / "map").sparse.points)
    assert third.history.command.startswith("vloc map ") and third.history.command.endswith("--match.ratio 0.7")


def test_an_image_of_other_content_counts_as_changed(copied: Path) -> None:
    photo = next((copied / "mapping" / "sensors" / "records_data" / "front").glob("*.jpg"))
    photo.write_bytes(photo.read_bytes() + b"\0")
    assert run("map", copied / "mapping", copied / "map", *FAST, "--match.ratio", "0.7") == 0
    images = read_version(copied / "map", 4).history.images
    assert (images.added, images.changed, images.removed) == (0, 1, 0)


def test_a_rerun_that_changes_nothing_makes_no_version(history: Path) -> None:
    files = {path: path.stat().st_mtime_ns for path in (history / "map").rglob("*.json")}
    assert run("map", history / "mapping", history / "map", *FAST, "--match.ratio", "0.7") == 0
    assert {path: path.stat().st_mtime_ns for path in (history / "map").rglob("*.json")} == files


def test_a_map_whose_capture_has_moved_stays_the_same_version(copied: Path) -> None:
    (copied / "mapping").rename(copied / "elsewhere")
    assert run("map", copied / "elsewhere", copied / "map", *FAST, "--match.ratio", "0.7") == 0
    map_ = Map.open(copied / "map")
    assert map_.version == 3 and map_.manifest["capture"]["location"] == str(copied / "elsewhere")


def test_an_earlier_version_opens_as_it_was(history: Path) -> None:
    first = Map.open(history / "map", 1)
    assert first.version == 1 and len(first.sparse.image_names) == 21
    assert first.config.match != Map.open(history / "map").config.match


def test_show_lists_the_versions(history: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", history / "map") == 0
    rows = capsys.readouterr().out.split("versions", 1)[1].splitlines()[:3]
    assert [row.split()[0] for row in rows] == ["3", "2", "1"]
    assert "ratio" in rows[0] and "1 removed" in rows[1] and "21 images" in rows[2]
    assert run("show", history / "map", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["version"] == 3 and [row["version"] for row in facts["versions"]] == [1, 2, 3]


def test_going_back_is_a_new_version_that_says_so(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied / "map"
    old = Map.open(folder, 1)
    assert run("restore", folder, 1) == 0
    assert "version 4 is the current one: version 1 again" in capsys.readouterr().out
    map_ = Map.open(folder)
    assert map_.version == 4 and map_.stored.reference == old.stored.reference
    last = read_version(folder, 4).history
    assert last.restored == 1 and last.images.added == 1 and last.used == read_version(folder, 1).history.used
    assert run("check", folder) == 0
    assert run("restore", folder, 4) == 0
    assert "nothing to do" in capsys.readouterr().out and Map.open(folder).version == 4


def test_a_version_that_there_never_was_is_refused_with_the_choices(
    history: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("restore", history / "map", 7) == 2
    assert "has no version 7: choose from 1, 2, 3" in capsys.readouterr().err
    assert run("restore", tmp_path / "nowhere", 1) == 2
    assert not (tmp_path / "nowhere").exists()


def test_localization_and_its_record_name_the_version(
    history: Path, gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from vloc.cli.run_record import read_record

    results = tmp_path / "poses.txt"
    assert run("localize", history / "map", gallery / "query", results) == 0
    assert f"by version 3 of {history / 'map'}" in capsys.readouterr().out
    assert read_record(results).map_version == 3 and len(read_record(results).used) > 5


def first_map_of_0_1(folder: Path) -> None:
    """Make a map what it was before there were versions."""
    manifest = json.loads((folder / "map.json").read_text())
    del manifest["version"]
    (folder / "map.json").write_text(json.dumps(manifest, indent=1) + "\n")
    shutil.rmtree(folder / "versions")


def test_a_map_without_versions_is_its_first_one_and_keeps_it(copied: Path) -> None:
    folder = copied / "map"
    first_map_of_0_1(folder)
    before = Map.open(folder)
    assert before.version == 1 and [version.number for version in versions_of(folder)] == [1]
    assert run("map", copied / "mapping", folder, *FAST) == 0
    assert Map.open(folder).version == 2
    assert Map.open(folder, 1).stored.reference == before.stored.reference
    first, second = versions_of(folder)
    assert first.history.used == () and second.history.settings != ()


def test_a_rerun_of_a_map_without_versions_writes_down_the_first(copied: Path) -> None:
    folder = copied / "map"
    first_map_of_0_1(folder)
    assert run("map", copied / "mapping", folder, *FAST, "--match.ratio", "0.7") == 0
    (only,) = versions_of(folder)
    assert only.number == 1 == Map.open(folder).version and only.history.used != ()


@pytest.mark.parametrize("moment", ["map.json", "0004.json"])
def test_a_kill_while_a_version_is_published_leaves_the_old_map_and_the_same_command_ends_it(
    copied: Path, moment: str
) -> None:
    folder, command = copied / "map", [*FAST, "--match.ratio", "0.75"]
    assert map_killed_before(moment, copied / "mapping", folder, *command) == -signal.SIGKILL
    assert Map.open(folder).version == 3 and run("check", folder) == 0
    assert (folder / "versions" / "0004.json").exists() == (moment == "map.json")
    assert run("map", copied / "mapping", folder, *command) == 0
    assert Map.open(folder).version == 4
    assert [version.number for version in versions_of(folder)] == [1, 2, 3, 4]
    assert run("check", folder) == 0 and not list(folder.rglob("*.tmp"))


def map_killed_before(name: str, *arguments: object) -> int:
    """The status of a `vloc map` that is killed when it renames a file to that name."""
    script = f"""
import os, pathlib, signal, sys
from vloc.cli.main import main
real = os.replace
def replace(source, target):
    if pathlib.Path(target).name == {name!r}:
        os.kill(os.getpid(), signal.SIGKILL)
    real(source, target)
os.replace = replace
main(sys.argv[1:])
"""
    return subprocess.run([sys.executable, "-c", script, "map", *map(str, arguments)], check=False).returncode


def test_a_version_that_finds_no_room_leaves_the_old_map(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied / "map"
    with files_of_at_most(1024):
        assert run("restore", folder, 1) == 4
    assert "0004.json" in capsys.readouterr().err and not list(folder.rglob("*.tmp"))
    assert Map.open(folder).version == 3 and run("check", folder) == 0
    assert run("restore", folder, 1) == 0 and Map.open(folder).version == 4


def test_nothing_is_restored_while_another_run_writes_the_map(copied: Path) -> None:
    lock = FolderLock(copied / "map")
    lock.acquire()
    assert run("restore", copied / "map", 1) == 5
    lock.release()
    assert Map.open(copied / "map").version == 3


def test_a_broken_version_is_named_and_does_not_stand_in_the_way(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied / "map"
    (folder / "versions" / "0002.json").write_text("{")
    assert run("check", folder) == 3
    assert "0002.json" in capsys.readouterr().out
    assert run("map", copied / "mapping", folder, *FAST) == 0
    assert Map.open(folder).version == 4
    with pytest.raises(DataError, match="history"):
        (folder / "versions" / "0002.json").write_text("{}")
        read_version(folder, 2)
