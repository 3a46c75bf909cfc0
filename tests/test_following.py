"""A localizer in memory, and the map's folder changes beneath it."""

from __future__ import annotations

import json
import logging
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import vloc
from tests.jobs import FAST, run
from vloc.following import Follower
from vloc.map import Map


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A map that may be changed."""
    return Path(shutil.copytree(built, tmp_path / "map"))


def moved(folder: Path) -> None:
    """Make a new version of a map, in another frame: its centimetres are metres."""
    first, second, *_ = Map.open(folder).sparse.image_names
    centers = Map.open(folder).sparse.cam_from_world.center
    apart = float(np.linalg.norm(centers[0] - centers[1]))
    assert run("align", folder, "--distance", first, second, 100 * apart, "--quiet") == 0


def waited(condition: object, seconds: float = 20.0) -> bool:
    """Whether something comes true in time."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(condition())


def a_query(gallery: Path) -> tuple[Path, vloc.Camera]:
    queries = vloc.read(gallery / "query")
    name = queries.images.names[0]
    return gallery / "query" / "sensors" / "records_data" / name, queries.camera(name)


def test_a_new_version_serves_without_a_restart_and_only_where_a_folder_is_followed(
    folder: Path, gallery: Path
) -> None:
    photo = a_query(gallery)
    follows, stays = vloc.Localizer(folder), vloc.Localizer(Map.open(folder))
    before = follows.localize(*photo).cam_from_world.center
    moved(folder)
    follows.refresh()
    assert follows.map.version == 2 and follows.problem == ""
    centre = follows.localize(*photo).cam_from_world.center
    assert np.linalg.norm(centre) == pytest.approx(100 * np.linalg.norm(before), rel=1e-3)
    np.testing.assert_allclose(stays.localize(*photo).cam_from_world.center, before, atol=1e-9)


def test_calls_go_on_while_a_new_version_is_made_and_none_sees_half_of_one(folder: Path, gallery: Path) -> None:
    photo = a_query(gallery)
    localizer = vloc.Localizer(folder)
    before = np.linalg.norm(localizer.localize(*photo).cam_from_world.center)
    moved(folder)
    with ThreadPoolExecutor(2) as pool:
        found = [localizer.localize(*photo)]
        while localizer.map.version == 1 and len(found) < 1000:
            found += pool.map(lambda _: localizer.localize(*photo), range(2))
    found.append(localizer.localize(*photo))
    ratios = np.array([np.linalg.norm(each.cam_from_world.center) for each in found]) / before
    assert ratios[0] == pytest.approx(1) and ratios[-1] == pytest.approx(100, rel=1e-3)
    assert np.minimum(abs(ratios - 1), abs(ratios / 100 - 1)).max() < 1e-3


def test_a_version_that_cannot_serve_is_told_and_the_old_one_goes_on(
    folder: Path, gallery: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photo = a_query(gallery)
    localizer = vloc.Localizer(folder)
    whole = (folder / "map.json").read_text()
    (folder / "map.json").write_text("{")
    with caplog.at_level(logging.WARNING):
        assert localizer.localize(*photo).is_localized
        assert waited(lambda: "goes on: a new one cannot serve" in caplog.text)
    assert "map.json" in localizer.problem and localizer.localize(*photo).is_localized
    with pytest.raises(vloc.VlocError, match=r"map\.json"):
        localizer.refresh()
    (folder / "map.json").unlink()
    assert localizer.localize(*photo).is_localized
    (folder / "map.json").write_text(json.dumps({**json.loads(whole), "version": 7}))
    localizer.refresh()
    assert localizer.problem == "" and localizer.map.version == 7


def test_settings_that_are_not_for_the_new_version_leave_the_old_one(folder: Path, gallery: Path) -> None:
    photo = a_query(gallery)
    localizer = vloc.Localizer(folder)
    flags = [*FAST, "--points", "none"]
    assert run("map", gallery / "mapping", folder, *flags) == 0
    with pytest.raises(vloc.ConfigError, match="map of poses alone"):
        localizer.refresh()
    assert localizer.map.version == 1 and localizer.localize(*photo).is_localized


def test_a_tracker_begins_anew_in_a_new_version(folder: Path, gallery: Path) -> None:
    photo = a_query(gallery)
    localizer = vloc.Localizer(folder)
    tracker = vloc.Tracker(localizer)
    assert [tracker.track(*photo).by for _ in range(2)] == ["retrieval", "tracking"]
    moved(folder)
    localizer.refresh()
    frames = [tracker.track(*photo) for _ in range(2)]
    assert [frame.by for frame in frames] == ["retrieval", "tracking"]
    apart = frames[0].estimate.cam_from_world.center - frames[1].estimate.cam_from_world.center
    assert np.linalg.norm(apart) < 1


def test_bugs_in_making_what_is_new_do_not_end_what_serves(folder: Path) -> None:
    made = []

    def make(map_: Map) -> int:
        made.append(map_.version)
        if map_.version > 1:
            raise ZeroDivisionError("a bug")
        return map_.version

    follower = Follower(folder, make)
    moved(folder)
    assert follower.current() == 1 and waited(lambda: follower.problem == "a bug")
    assert follower.current() == 1 and made == [1, 2]
