"""Images as items: one that cannot be read fails by itself, when it is loaded."""

import numpy as np
import pytest

from vloc.data.capture import Capture, Sensor
from vloc.data.records import Records
from vloc.errors import DataError
from vloc.geometry.camera import Camera
from vloc.stages.images import ImageItems


class Forbidden:
    """Files whose size and time can be seen, but not their bytes, as a mode of 000 makes them."""

    def read(self, name: str) -> bytes:
        raise DataError(f"{name}: Permission denied")

    def stamp(self, name: str) -> str:
        return "100-1"


def test_an_image_whose_bytes_cannot_be_read_has_a_fingerprint_and_fails_when_loaded():
    camera = Sensor("camera", camera=Camera("PINHOLE", 64, 48, (50.0, 50, 32, 24)))
    capture = Capture({"cam": camera}, Records.from_rows([(0, "cam", "a.jpg")]), files=Forbidden())
    items = ImageItems(capture, ["a.jpg"], lambda name, stamp, read: read().hex(), in_color=False)
    assert items.fingerprint(0) == "unreadable"
    with pytest.raises(DataError, match=r"a\.jpg: Permission denied"):
        np.asarray(items.load(0))
