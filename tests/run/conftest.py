"""Makes `squares`, the little run that these tests share, importable; and a disk that is soon full."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import full_disks

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 64 KiB."""
    with full_disks.small_disk(tmp_path / "disk", "64k") as disk:
        yield disk
