"""Depth maps of a capture as a stage reads them, and maps without points."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vloc.data.capture import Capture, Sensor
from vloc.data.depth import KeypointPlanes
from vloc.data.features import LocalFeatures
from vloc.data.records import Records
from vloc.errors import DataError, StageError
from vloc.formats.images import FolderImages
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.runtime import Runtime
from vloc.solvers.track_points import TriangulationConfig
from vloc.stages.lift import LIFT, POSES, SURFACE, DepthMaps, PointsConfig
from vloc.stages.verify import View

CAMERA = Camera("SIMPLE_PINHOLE", 8, 6, (8.0, 4.0, 3.0))


def capture(folder: Path) -> Capture:
    """An image and its depth map, two metres all over."""
    (folder / "a.depth").write_bytes(np.full((6, 8), 2, "<f4").tobytes())
    return Capture(
        {"eye": Sensor("camera", "eye", CAMERA), "eye_depth": Sensor("depth", "eye_depth", CAMERA)},
        Records.from_rows([(1, "eye", "a.jpg")]),
        others={"depth": Records.from_rows([(1, "eye_depth", "a.depth")])},
        files=FolderImages(folder),
    )


def features() -> LocalFeatures:
    pixels = np.array([[4, 3], [6, 3]], np.float32)
    return LocalFeatures(pixels, np.zeros((2, 4), np.uint8), np.ones(2, np.float32), np.ones(2, np.float32))


def test_keypoints_get_the_plane_of_their_depth_map(tmp_path: Path) -> None:
    depths = DepthMaps.of(capture(tmp_path), lambda name, stamp, read: str(len(read())))
    assert "a.jpg" in depths and "b.jpg" not in depths and depths.fingerprint_of("a.jpg").startswith("192 ")
    view = View(CAMERA, Rigid.identity())
    (found,) = SURFACE.start(0.01, Runtime(), depths, {"a.jpg": features()}, {"a.jpg": view})(["a.jpg"])
    np.testing.assert_allclose(found.planes, [[0, 0, 0.5]] * 2, atol=1e-7)


def test_what_is_missing_or_of_another_size_is_told(tmp_path: Path) -> None:
    given = capture(tmp_path)
    depths = DepthMaps.of(given, lambda name, stamp, read: "")
    (tmp_path / "a.depth").write_bytes(b"12")
    with pytest.raises(DataError, match=r"a\.depth: 2 bytes, expected 192"):
        depths["a.jpg"]
    (tmp_path / "a.depth").unlink()
    assert depths.fingerprint_of("a.jpg") == "missing"
    for records, message in (
        ({}, "the capture has no depth maps"),
        ({"depth": Records.from_rows([(2, "eye_depth", "a.depth")])}, "none of the 1 depth maps was taken at the time"),
    ):
        with pytest.raises(DataError, match=message):
            DepthMaps.of(replace(given, others=records), lambda name, stamp, read: "")


def test_a_scan_in_another_frame_is_refused() -> None:
    planes = {"a.jpg": KeypointPlanes(np.full((2, 3), np.nan, np.float32))}
    seen = {"a.jpg": View(CAMERA, Rigid.identity())}, {"a.jpg": features()}
    with pytest.raises(StageError, match="no keypoint of 1 images lies on a surface"):
        LIFT.run(PointsConfig("scan"), Runtime(), ["a.jpg"], *seen, {}, planes, TriangulationConfig(), None)


def test_a_map_of_poses_has_images_and_keypoints_but_no_points() -> None:
    view = View(CAMERA, Rigid.identity())
    sparse = POSES.run(None, Runtime(), ["a.jpg"], {"a.jpg": view}, {"a.jpg": features()})
    assert sparse.image_names == ["a.jpg"] and sparse.offsets.tolist() == [0, 2]
    assert len(sparse.points) == sparse.num_observations == 0 and sparse.cameras == (CAMERA,)
