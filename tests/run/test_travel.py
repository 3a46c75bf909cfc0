"""What is packed here is what is taken up elsewhere, or it is said which place is not seen there."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from vloc.errors import ResourceError
from vloc.run.travel import left_in, packed, taken_up, unpacked


@dataclass(frozen=True)
class Holder:
    folder: Path
    name: str = "a.jpg"


def test_relative_paths_arrive_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    data = packed(Holder(Path("photos")))
    monkeypatch.chdir("/")
    assert unpacked(data) == Holder(tmp_path / "photos")


def test_a_place_that_is_not_seen_is_named_before_anything_is_unpacked(tmp_path: Path) -> None:
    (photos := tmp_path / "photos").mkdir()
    data = packed([Holder(tmp_path), Holder(photos)])
    photos.rmdir()
    with pytest.raises(ResourceError, match=f"{photos}: not seen from here: .* one file system"):
        unpacked(data)


def test_a_place_that_was_nowhere_may_be_nowhere(tmp_path: Path) -> None:
    assert unpacked(packed(Holder(tmp_path / "none"))) == Holder(tmp_path / "none")


def test_a_value_is_left_for_as_long_as_it_is_needed(tmp_path: Path) -> None:
    with left_in(tmp_path, {"a": 1}) as place:
        assert taken_up(place) == {"a": 1}
        assert place.parent == tmp_path and place.name.startswith(".") and place.suffix == ".tmp"
    assert not list(tmp_path.iterdir())
    with pytest.raises(ResourceError, match=r"\.tmp: not seen from here"):
        taken_up(place)
