"""Depth maps as files, against kapture's own 7-Scenes sample and numpy."""

from pathlib import Path

import numpy as np
import pytest

from vloc.data.depth import depth_files
from vloc.errors import DataError
from vloc.formats.access import read
from vloc.formats.depth import decode_depth, encode_depth
from vloc.geometry.camera import Camera

CAMERA = Camera("SIMPLE_PINHOLE", 3, 2, (2.0, 1.5, 1.0))
SAMPLE = Path(__file__).resolve().parents[3] / "shared/data/format_samples/7scenes/kapture/stairs/mapping"


def test_rows_of_little_endian_floats() -> None:
    data = np.array([1, 2, 3, 4, 5, 6.5], "<f4").tobytes()
    assert decode_depth(data, "a.depth", CAMERA).tolist() == [[1, 2, 3], [4, 5, 6.5]]
    assert encode_depth(decode_depth(data, "a.depth", CAMERA)) == data


def test_a_file_of_another_size_is_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"a\.depth: 20 bytes, expected 24: float32 metres for 3 x 2 px"):
        decode_depth(bytes(20), "a.depth", CAMERA)


def test_the_greatest_number_of_a_kinect_stands_for_nothing() -> None:
    data = np.array([65.535, 2, 3, 4, 5, 6], "<f4").tobytes()
    assert decode_depth(data, "a.depth", CAMERA)[0].tolist() == [0, 2, 3]


@pytest.mark.shared
@pytest.mark.skipif(not SAMPLE.exists(), reason="needs ../shared/data/format_samples")
def test_the_stairs_of_seven_scenes_are_metres_away() -> None:
    capture = read(f"kapture:{SAMPLE}")
    found = depth_files(capture)
    assert found["seq-02/frame-000000.color.jpg"].name == "seq-02/frame-000000.depth.reg"
    assert capture.files is not None
    camera = capture.sensors["kinect_depth"].camera
    assert camera is not None
    depth = decode_depth(capture.files.read("seq-02/frame-000000.depth"), "depth", camera)
    assert depth.shape == (480, 640) and 1 < np.median(depth[depth > 0]) < 3 and depth.max() < 10
