"""The capture behind a map is found again wherever a command is run."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from vloc.formats.access import read
from vloc.map import Map
from vloc.map_source import place_of, source_of


def given(map_: Map, location: str, folder: Path) -> Map:
    """The map as `vloc map LOCATION` would have made it in a folder."""
    about = {"location": location, "folder": str(folder), "pixel_center": 0.5, "images": None, "camera": None}
    return replace(map_, manifest={**map_.manifest, "capture": about})


@pytest.mark.parametrize("location", ["kapture:mapping", "mapping"])
def test_a_location_is_that_of_the_folder_where_it_was_given(
    gallery: Path, built: Path, location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    map_ = given(Map.open(built), location, gallery)
    monkeypatch.chdir(tmp_path)
    found = source_of(map_)
    assert found is not None and found.files is not None and len(found.images)
    assert source_of(given(map_, location, tmp_path)) is None


def test_another_capture_of_that_name_where_a_command_is_run_is_not_taken_for_it(
    gallery: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(gallery / "query", tmp_path / "mapping")
    monkeypatch.chdir(tmp_path)
    found, mapped = (
        source_of(given(Map.open(built), "kapture:mapping", gallery)),
        read(f"kapture:{gallery / 'mapping'}"),
    )
    assert found is not None and list(found.images.names) == list(mapped.images.names)


def test_a_place_that_moved_as_a_whole_is_found_from_its_new_folder(
    gallery: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(gallery)
    assert source_of(given(Map.open(built), "kapture:mapping", tmp_path / "before")) is not None
    assert place_of("kapture:mapping") == {"location": "kapture:mapping", "folder": str(gallery)}
