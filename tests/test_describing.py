"""Records that descriptors are made of: what lacks is said before any image is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

import vloc
from vloc.errors import DataError


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gnss", r"front/000000\.jpg, nor any other image, has a position by satellite .*leave out --retrieval gnss"),
        ("wifi", r"no wifi readings \(sensors/records_wifi\.txt\)"),
    ],
)
def test_a_capture_without_records_is_refused_before_any_work(
    name: str, message: str, gallery: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        vloc.build_map(f"kapture:{gallery / 'mapping'}", tmp_path / "map", describe=["densevlad", name])
    assert not any((tmp_path / "map").glob("extract-*"))
