import numpy as np
import pytest

from vloc.data.features import LocalFeatures
from vloc.errors import DataError
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.matching import MATCHERS
from vloc.matching.base import PosedMatcher
from vloc.runtime import Runtime
from vloc.stages.match_posed import MATCH_POSED
from vloc.stages.verify import View

CAMERA = Camera("PINHOLE", 200, 100, (100.0, 100.0, 100.0, 50.0))


def view(x: float) -> View:
    """A camera that looks along z from (x, 0, 0)."""
    return View(CAMERA, Rigid(np.eye(3), np.array([-x, 0.0, 0.0])))


def features(pixels: list[tuple[float, float]], things: list[int]) -> LocalFeatures:
    """Keypoints that show things, each of which has an axis of descriptor space to itself."""
    ones = np.ones(len(pixels), np.float32)
    return LocalFeatures(np.array(pixels, np.float32), np.eye(128, dtype=np.float16)[things], ones, ones)


def match(views: dict[str, View], table: dict[str, LocalFeatures], pair: tuple[str, str]) -> list[list[int]]:
    [found] = MATCH_POSED.start(MATCHERS.parse("bands"), Runtime(), table, views)([pair])
    return found.indices.tolist()


# A metre apart, depth 1 moves a pixel by 100: row 50 shows (0, 0, 1) at 100 and 0, row 70 shows (0.5, 0.2, 1).
LEFT = features([(100.0, 50.0), (150.0, 70.0), (160.0, 20.0)], [0, 1, 2])
RIGHT = features([(50.0, 70.0), (0.0, 50.0), (60.0, 24.0)], [1, 0, 2])


def test_keypoints_on_each_others_lines_are_matched_and_others_are_not() -> None:
    table = {"left": LEFT, "right": RIGHT}
    views = {"left": view(0.0), "right": view(1.0)}
    assert match(views, table, ("left", "right")) == [[0, 1], [1, 0]]  # thing 2 is 4 px off its line
    assert match(views, table, ("right", "left")) == [[0, 1], [1, 0]]


def test_rays_that_meet_behind_the_cameras_are_not_matched() -> None:
    views = {"left": view(1.0), "right": view(0.0)}
    assert match(views, {"left": LEFT, "right": RIGHT}, ("left", "right")) == []


def test_an_image_without_a_pose_is_named() -> None:
    views = {"left": view(0.0), "right": View(CAMERA, None)}
    with pytest.raises(DataError, match="right"):
        match(views, {"left": LEFT, "right": RIGHT}, ("left", "right"))


def test_a_matcher_says_whether_it_uses_poses() -> None:
    assert isinstance(MATCHERS.parse("bands"), PosedMatcher)
    assert not isinstance(MATCHERS.parse("nn"), PosedMatcher)
