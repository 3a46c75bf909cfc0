"""Published weights are found in named folders, checked by their hash, and asked for by name."""

from __future__ import annotations

import hashlib
import logging
import socket
from dataclasses import replace
from pathlib import Path

import pytest

import vloc
import vloc.weights as module
from vloc.errors import WeightsMissingError
from vloc.weights import WEIGHTS, Weights, find, folders, get

CONTENT = b"numbers"
FREE = Weights("free.pt", "https://example.org/free.pt", hashlib.sha256(CONTENT).hexdigest(), 7, "MIT", True, "here")
BOUND = Weights("bound.pt", "https://example.org/bound.pt", FREE.sha256, 7, "CC BY-NC 4.0", False, "there")
UNKNOWN = Weights("unknown.pt", "https://example.org/unknown.pt", None, None, "no terms stated", None, "web")


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(WEIGHTS, FREE.file, FREE)
    monkeypatch.setitem(WEIGHTS, BOUND.file, BOUND)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("VLOC_WEIGHTS", f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    for folder in folders():
        folder.mkdir(parents=True)
    module._check.cache_clear()
    module._tell_terms.cache_clear()


def test_the_folders_of_the_variable_come_before_the_users_cache(tmp_path: Path) -> None:
    assert folders() == [tmp_path / "first", tmp_path / "second", tmp_path / "cache" / "vloc" / "weights"]
    for folder in reversed(folders()):
        (folder / FREE.file).write_bytes(CONTENT)
        assert find(FREE.file) == folder / FREE.file


def test_a_missing_file_says_its_name_its_source_and_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError) as caught:
        find(FREE.file)
    message = str(caught.value)
    assert message.startswith("free.pt is in none of ") and str(tmp_path / "second") in message
    assert FREE.url in message and "vloc weights get free.pt" in message and "$VLOC_WEIGHTS" in message


@pytest.mark.parametrize("descriptor", ["megaloc", "gem:of=r2d2", "vlad:of=aliked"])
def test_missing_weights_are_told_before_any_work(descriptor: str, gallery: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsMissingError, match=r"megaloc\.torch|r2d2_WASF_N16\.pt|aliked-n16\.pth"):
        vloc.build_map(gallery / "mapping", tmp_path / "map", describe=[descriptor])
    assert not list(tmp_path.rglob("*.h5"))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "first" / FREE.file).write_bytes(b"other numbers")
    with pytest.raises(WeightsMissingError, match=r"free\.pt: its SHA-256 is [0-9a-f]{64}, expected f3c7"):
        find(FREE.file)


def test_terms_that_forbid_commercial_use_are_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for weights in (FREE, BOUND):
        (tmp_path / "first" / weights.file).write_bytes(CONTENT)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            find(FREE.file)
            find(BOUND.file)
    assert [record.getMessage() for record in caplog.records] == [
        "bound.pt: not for commercial use (CC BY-NC 4.0, there)"
    ]


def test_every_published_file_says_where_it_is_from_and_what_it_may_be_used_for() -> None:
    for file, weights in WEIGHTS.items():
        assert weights.file == file and weights.url.startswith("https://") and weights.licence and weights.source
        assert weights.is_page or weights.url.endswith(file)
        assert weights.sha256 is None or len(weights.sha256) == 64
        assert weights.size is None or weights.size > 0


def test_a_file_of_unknown_hash_counts_by_its_name_and_its_missing_terms_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(WEIGHTS, UNKNOWN.file, UNKNOWN)
    with pytest.raises(
        WeightsMissingError, match=r"run 'vloc weights get .*example.* \(size unknown, no terms stated\)"
    ):
        find(UNKNOWN.file)
    (tmp_path / "first" / UNKNOWN.file).write_bytes(b"any numbers")
    with caplog.at_level(logging.WARNING):
        assert find(UNKNOWN.file) == tmp_path / "first" / UNKNOWN.file
    assert [record.getMessage() for record in caplog.records] == ["unknown.pt: its authors state no terms of use (web)"]


def test_what_is_behind_a_page_for_people_is_not_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(WEIGHTS, UNKNOWN.file, replace(UNKNOWN, is_page=True))
    with pytest.raises(WeightsMissingError, match=r"unknown\.pt: https://.* is a page for people: download it there"):
        get(UNKNOWN.file)
    with pytest.raises(WeightsMissingError, match=r"unknown\.pt is in none of") as caught:
        find(UNKNOWN.file)
    assert "vloc weights get" not in str(caught.value)


def test_a_download_that_fails_says_where_the_file_belongs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pooch", reason="pooch is not installed (the 'learned' extra)")
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody_listens.getsockname()[1]}/free.pt"
        monkeypatch.setitem(WEIGHTS, FREE.file, replace(FREE, url=url))
        with pytest.raises(WeightsMissingError) as caught:
            get(FREE.file)
    message = str(caught.value)
    assert message.startswith(f"free.pt: {url} could not be taken (ConnectionError: ") and "\n" not in message
    assert str(tmp_path / "cache" / "vloc" / "weights") in message


def test_what_is_downloaded_already_is_not_taken_again(tmp_path: Path) -> None:
    pytest.importorskip("pooch", reason="pooch is not installed (the 'learned' extra)")
    (folders()[-1] / FREE.file).write_bytes(CONTENT)
    assert get(FREE.file) == folders()[-1] / FREE.file
