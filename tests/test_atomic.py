"""Files that belong together are of one time, or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from vloc.atomic import write_texts


def test_all_files_are_replaced_and_nothing_else_stays(tmp_path: Path) -> None:
    first, last = tmp_path / "a.json", tmp_path / "a"
    first.write_text("old")
    write_texts({first: "new", last: "ä"})
    assert (first.read_text(), last.read_text(encoding="utf-8")) == ("new", "ä")
    assert sorted(tmp_path.iterdir()) == [last, first]


def test_where_one_cannot_be_written_all_stay_as_they_were(tmp_path: Path) -> None:
    first, last = tmp_path / "a.json", tmp_path / "a"
    first.write_text("old")
    last.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_texts({first: "new", last: "\ud800"})
    assert [path.read_text() for path in (first, last)] == ["old", "old"]
    assert sorted(tmp_path.iterdir()) == [last, first]


def test_the_last_goes_before_the_first_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = tmp_path / "a.json", tmp_path / "a"
    first.write_text("old")
    last.write_text("old")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_texts({first: "new", last: "new"})
    assert first.read_text() == "old"
    assert not last.exists()
