"""A disk that is full while a capture is written: told as such by every writer, and nothing is left behind."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from everything import features

from tests import full_disks
from vloc.data.capture import Capture, Sensor
from vloc.data.reconstruction import Observations, Points, Reconstruction
from vloc.data.records import Records, Trajectory
from vloc.errors import ResourceError
from vloc.formats.access import formats, write
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

WRITTEN = [form.name for form in formats() if form.write is not None]
NUM_IMAGES = 300


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, of 16 KiB."""
    with full_disks.small_disk(tmp_path / "disk", "16k") as disk:
        yield disk


def large() -> Capture:
    """Images in a row, each showing a point of its own: more than the disk holds, in every format."""
    rng, names = np.random.default_rng(0), [f"{i:04}.jpg" for i in range(NUM_IMAGES)]
    rows = np.arange(NUM_IMAGES, dtype=np.int32)
    keypoints = {name: rng.uniform(0, 48, (10, 2)) for name in names}
    work = Reconstruction(
        Points(rng.normal(size=(NUM_IMAGES, 3)), np.zeros((NUM_IMAGES, 3), np.uint8)),
        {"k": Observations(rows, rows, np.zeros(NUM_IMAGES, np.int32))},
        {"k": features("k", keypoints)},
    )
    centred = Camera("SIMPLE_PINHOLE", 64, 48, (50.0, 32.0, 24.0))
    poses = [(i, "cam", Rigid(np.eye(3), rng.normal(size=3))) for i in range(NUM_IMAGES)]
    records = Records.from_rows([(i, "cam", name) for i, name in enumerate(names)])
    sensors = {"cam": Sensor("camera", camera=centred)}
    return Capture(sensors, records, Trajectory.from_rows(poses), reconstruction=work)


@pytest.mark.parametrize("form", WRITTEN)
def test_a_full_disk_is_told_and_nothing_is_left(form: str, small_disk: Path) -> None:
    with pytest.raises(ResourceError, match="no space left on the disk; nothing was written"):
        write(large(), f"{form}:{small_disk / 'out'}", transfer="skip")
    assert list(small_disk.iterdir()) == []
