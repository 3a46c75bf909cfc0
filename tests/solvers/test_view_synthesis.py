"""Views of a wall, a panel before it and photos of both, where what must be seen is worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.solvers.ray_casting import Hits
from vloc.solvers.view_synthesis import PosedPhoto, synthesize

CAMERA = Camera("SIMPLE_PINHOLE", 80, 60, (40.0, 40.0, 30.0))
HERE = Rigid.identity()
WALL, PANEL = 4.0, 2.0
"""m along z"""


def at(x: float, z: float = 0.0, *, turned: bool = False) -> Rigid:
    """A camera at (x, 0, z) that looks along z, or back."""
    rotation = np.diag([-1.0, 1.0, -1.0]) if turned else np.eye(3)
    return Rigid(rotation, -rotation @ np.array([x, 0, z]))


def cast(center: np.ndarray, directions: np.ndarray, panel: tuple[float, float] | None = None) -> Hits:
    """An endless wall, and a panel of all heights between two x."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = [(z - center[2]) / directions[:, 2] for z in (PANEL, WALL)]
    x = center[0] + reach[0] * directions[:, 0]
    met = (panel[0] < x) & (x < panel[1]) if panel else np.zeros(len(x), bool)
    reach = np.array([np.where(met, reach[0], np.inf), reach[1]])
    return Hits(np.where(reach > 0, reach, np.inf).min(axis=0), np.tile([0.0, 0.0, 1.0], (len(x), 1)))


def cast_with_panel(center: np.ndarray, directions: np.ndarray) -> Hits:
    return cast(center, directions, (0.2, 0.4))


def grey(x: np.ndarray) -> np.ndarray:
    """Of the wall where it has some x."""
    return 120 + 15 * x


def wall_x(pose: Rigid, camera: Camera = CAMERA) -> np.ndarray:
    """Where on the wall the pixels' centres of a picture look."""
    u = (np.arange(camera.width) + 0.5 - camera.principal_point[0]) / camera.focal[0]
    return pose.center[0] + np.tile(u, (camera.height, 1)) * (WALL - pose.center[2]) * pose.rotation[0, 0]


def photo(pose: Rigid, camera: Camera = CAMERA) -> PosedPhoto:
    """Of the wall without a panel."""
    return PosedPhoto(grey(wall_x(pose, camera)).round().astype(np.uint8), camera, pose)


def test_a_view_shows_the_wall_as_another_photo_does() -> None:
    view = synthesize(cast, CAMERA, HERE, (60, 80), [photo(at(1.0))])
    assert np.array_equal(view.is_known, wall_x(HERE) > -3)  # the photo at x = 1 shows -3 to 5
    expected = grey(wall_x(HERE))
    assert np.abs(view.pixels - expected)[view.is_known].max() <= 1
    assert (view.pixels[~view.is_known] == 0).all()


def test_photos_and_views_may_be_reduced() -> None:
    large = Camera("SIMPLE_PINHOLE", 160, 120, (80.0, 80.0, 60.0))
    view = synthesize(cast, large, HERE, (60, 80), [PosedPhoto(photo(at(1.0)).pixels, large, at(1.0))])
    same = synthesize(cast, CAMERA, HERE, (60, 80), [photo(at(1.0))])
    assert np.array_equal(view.pixels, same.pixels) and np.array_equal(view.is_known, same.is_known)


def test_what_a_panel_hides_from_the_photo_is_not_taken_from_it() -> None:
    view = synthesize(cast_with_panel, CAMERA, HERE, (60, 80), [photo(at(1.0))])
    x = wall_x(HERE)
    # From x = 1 the panel at half the distance hides the wall from 2 * 0.2 - 1 to 2 * 0.4 - 1.
    hidden = (x > -0.6) & (x < -0.2)
    assert np.array_equal(view.is_known, (x > -3) & ~hidden)
    before = (x > 0.4) & (x < 0.8)  # the panel itself, which the photo shows where the wall is from -0.6 to -0.2
    assert np.abs(view.pixels - grey(x - 1))[before].max() <= 1


def test_the_first_photo_that_shows_a_place_paints_it() -> None:
    bright = PosedPhoto(np.full((60, 80), 250, np.uint8), CAMERA, HERE)
    view = synthesize(cast_with_panel, CAMERA, HERE, (60, 80), [photo(at(1.0)), bright])
    assert view.is_known.all()
    x = wall_x(HERE)
    assert np.array_equal(view.pixels == 250, (x < -3) | ((x > -0.6) & (x < -0.2)))


def test_a_wall_that_photos_show_from_its_other_side_is_black() -> None:
    other = photo(at(0.0, 8.0, turned=True))
    view = synthesize(cast, CAMERA, HERE, (60, 80), [other])
    assert view.is_known.all() and not view.pixels.any()
    painted = synthesize(cast, CAMERA, HERE, (60, 80), [other, photo(HERE)])
    assert np.array_equal(painted.pixels, photo(HERE).pixels)


def test_where_there_is_no_surface_nothing_is_known() -> None:
    view = synthesize(cast, CAMERA, at(0.0, 0.0, turned=True), (60, 80), [photo(HERE)])
    assert not view.is_known.any()


def test_a_view_through_a_lens_is_what_the_lens_gives() -> None:
    lens = Camera("SIMPLE_RADIAL", 80, 60, (40.0, 40.0, 30.0, -0.1))
    view = synthesize(cast, lens, HERE, (60, 80), [photo(HERE)])
    u = 0.5  # on the axis through the middle: x / z = 0.5 comes to 40 + 40 * 0.5 * (1 - 0.1 * 0.25) = 59.5
    assert view.pixels[30, 59] == pytest.approx(grey(np.array(u * WALL)), abs=1)


def test_detail_finer_than_the_pixels_of_the_view_is_averaged() -> None:
    near = PosedPhoto(np.where(np.indices((60, 80)).sum(axis=0) % 2, 200, 0).astype(np.uint8), CAMERA, at(0.0, 3.5))
    view = synthesize(cast, CAMERA, HERE, (60, 80), [near])
    assert view.is_known.sum() == 10 * 8  # an eighth each way; 8 of the rows have their centre in 7.5
    assert np.abs(view.pixels[view.is_known].astype(float) - 100).max() < 5


def test_what_a_lens_model_folds_into_the_picture_is_not_shown() -> None:
    lens = Camera("SIMPLE_RADIAL", 80, 60, (40.0, 40.0, 30.0, -0.1))
    # The wall at x = 12, three times as far aside as away, is projected to 40 + 40 * 3 * (1 - 0.1 * 9) = 52.
    view = synthesize(cast, CAMERA, at(12.0), (60, 80), [PosedPhoto(photo(HERE).pixels, lens, HERE)])
    assert not view.is_known.any()


def test_a_fisheye_that_sees_beside_itself_paints_what_is_ahead() -> None:
    fisheye = Camera("OPENCV_FISHEYE", 80, 60, (20.0, 20.0, 40.0, 30.0, 0.0, 0.0, 0.0, 0.0))
    u = (np.arange(80) + 0.5 - 40) / 20  # radians from the axis, to 115 degrees
    shown = np.tile(np.where(np.abs(u) < 0.78, grey(WALL * np.tan(u)), 0), (60, 1)).round().astype(np.uint8)
    view = synthesize(cast, CAMERA, HERE, (60, 80), [PosedPhoto(shown, fisheye, HERE)])
    assert view.is_known.all()
    assert view.pixels[30, 30] == pytest.approx(grey(np.array(-9.5 / 40 * WALL)), abs=2)
