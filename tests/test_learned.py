"""How long what a map learned from its images stays: until it has outgrown them, or a setting has changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.jobs import FAST, run
from vloc.learned import Learned, learning_notes
from vloc.map import Map

CONFIG = {"match": "bands", "learn": {"max_growth": 1.5}}
TEN = Learned({"train-a/1": 10, "try-b/2": 10}, {"match": "bands"})


@pytest.mark.parametrize(("num_images", "kept"), [(1, 2), (15, 2), (16, 0)])
def test_it_serves_until_the_map_has_outgrown_it(num_images: int, kept: int) -> None:
    assert len(TEN.serving(CONFIG, num_images).references) == kept


def test_with_another_setting_only_the_vocabulary_may_serve() -> None:
    assert TEN.serving({**CONFIG, "match": "nn"}, 10).references == ["train-a/1"]
    assert len(TEN.serving({**CONFIG, "learn": {"max_growth": 9.0}}, 80).references) == 2


def test_the_notes_tell_both() -> None:
    (kept,) = learning_notes(TEN, TEN, 12, 1.5)
    assert "learned from 10 images (train, try), it has 12 now; it learns anew past 15 " in kept
    (anew,) = learning_notes(TEN, Learned({"train-c/3": 16}, {}), 16, 1.5)
    assert "grown from 10 images to 16, past --learn.max-growth 1.5" in anew
    assert learning_notes(TEN, TEN, 10, 1.5) == []


def keep_lines(mapping: Path, count: int | None) -> None:
    """Take all images but the first ones out of a kapture folder, or put all back."""
    records = mapping / "sensors" / "records_camera.txt"
    whole = mapping / "all.txt"
    if not whole.exists():
        shutil.copy(records, whole)
    records.write_text("".join(whole.read_text().splitlines(keepends=True)[:count]))


def test_a_map_that_grows_keeps_what_it_learned_up_to_the_factor(
    gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping, folder = tmp_path / "mapping", tmp_path / "map"
    shutil.copytree(gallery / "mapping", mapping)
    command = ["map", mapping, folder, *FAST[:-1]]
    learned = []
    for count in (12, 14, 19):  # with two lines of comment: 10, 12 and 17 images
        keep_lines(mapping, count)
        assert run(*command) == 0
        learned.append(Map.open(folder).manifest["learned"])
        told = capsys.readouterr()
    first = next(iter(learned[0].values()))
    assert set(learned[0].values()) == {first} and learned[1] == learned[0]
    assert not learned[2].keys() & learned[0].keys() and set(learned[2].values()) == {first + 7}
    assert f"learned anew: the map has grown from {first} images to {first + 7}" in told.out


def test_a_map_of_an_earlier_vloc_counts_from_now(built: Path, gallery: Path, tmp_path: Path) -> None:
    folder = tmp_path / "map"
    shutil.copytree(built, folder)
    manifest = json.loads((folder / "map.json").read_text())
    trained = manifest["references"]["trained"]
    del manifest["learned"]
    (folder / "map.json").write_text(json.dumps(manifest))
    assert Learned.read(folder).from_images == dict.fromkeys(trained, 0)
    assert run("map", gallery / "mapping", folder, *FAST) == 0
    assert set(Map.open(folder).manifest["learned"].values()) == {21}
