"""Bands against their definition: the full product, masked by what verification would allow of every pair."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vloc.data.features import LocalFeatures, Matches
from vloc.errors import ConfigError, DataError
from vloc.geometry.camera import Camera
from vloc.geometry.epipolar import agrees_with_poses
from vloc.geometry.half_planes import half_planes, posed_rays
from vloc.geometry.projection import project
from vloc.geometry.rigid import Rigid
from vloc.matching import MATCHERS, band_search
from vloc.matching.epipolar_bands import BACKGROUND, EpipolarBands, background
from vloc.runtime import Runtime

FIRST = Camera("PINHOLE", 1024, 683, (920.0, 900.0, 512.0, 341.0))
SECOND = Camera("SIMPLE_RADIAL", 640, 480, (500.0, 320.0, 240.0, -0.1))
HERE = Rigid(np.eye(3), np.zeros(3))
MOTIONS = {
    "sideways": (1.0, 0.1, 0.0),
    "forwards": (0.05, 0.02, 1.0),
    "backwards": (0.0, 0.0, -1.0),
    "oblique": (1, 0, 1),
}


def moved(motion: str, seed: int = 0) -> Rigid:
    """The second camera's pose: its centre moved, its axes turned a little."""
    rotation = Rotation.from_rotvec(np.random.default_rng(seed).normal(0, 0.1, 3)).as_matrix()
    return Rigid(rotation, -rotation @ np.array(MOTIONS[motion], float))


def everywhere(camera: Camera, count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 1, (count, 2)) * [camera.width, camera.height]


def descriptors(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 90, (count, 128)).astype(np.float32)


def allowed(motion: str, pixels1: np.ndarray, pixels2: np.ndarray, max_error_px: float) -> np.ndarray:
    """Which of all pairs verification lets through."""
    i, j = (x.ravel() for x in np.indices((len(pixels1), len(pixels2))))
    mask = agrees_with_poses(pixels1[i], FIRST, pixels2[j], SECOND, moved(motion), max_error_px)
    return mask.reshape(len(pixels1), len(pixels2))


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("counts", [(700, 500), (500, 700), (3, 900), (900, 3), (1, 1)])
def test_bands_find_what_the_masked_full_product_finds(motion: str, counts: tuple[int, int]) -> None:
    pixels = everywhere(FIRST, counts[0], 1), everywhere(SECOND, counts[1], 2)
    first, second = descriptors(counts[0], 3), descriptors(counts[1], 4)
    rays = posed_rays(FIRST, HERE, pixels[0]), posed_rays(SECOND, moved(motion), pixels[1])
    planes = half_planes(*rays, 3.0)
    assert planes is not None
    found = band_search.search_bands(first, second, planes)
    products = np.where(allowed(motion, *pixels, 3.0), first @ second.T, -np.inf)
    ranked = np.sort(np.concatenate([products, np.full((len(first), 1), -np.inf)], axis=1), axis=1)
    np.testing.assert_array_equal(found.products, ranked[:, -1])
    np.testing.assert_array_equal(found.runners_up, ranked[:, -2])
    np.testing.assert_array_equal(found.column_maxima, products.max(axis=0))
    some = np.isfinite(found.products)
    np.testing.assert_array_equal(found.best[some], products.argmax(axis=1)[some])


@pytest.mark.parametrize("cost", [1, 1000, 10**7])
def test_the_size_of_blocks_changes_nothing(cost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = everywhere(FIRST, 600, 1), everywhere(SECOND, 600, 2)
    planes = half_planes(posed_rays(FIRST, HERE, pixels[0]), posed_rays(SECOND, moved("forwards"), pixels[1]), 4.0)
    assert planes is not None
    first, second = descriptors(600, 3), descriptors(600, 4)
    expected = band_search.search_bands(first, second, planes)
    monkeypatch.setattr(band_search, "BLOCK_COST", cost)
    found = band_search.search_bands(first, second, planes)
    for mine, theirs in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    some = np.isfinite(found.products)
    np.testing.assert_array_equal(found.best[some], expected.best[some])


def test_rows_share_blocks_with_rows_of_bands_up_to_four_times_as_wide() -> None:
    widths = np.array([0.01, 0.039, 0.05, 0.2, np.nan])
    assert band_search._levels(widths).tolist() == [0, 0, 1, 2, 0]


def test_a_block_has_as_many_rows_as_make_its_surplus_as_dear_as_a_call() -> None:
    """Of 400 rows over 100 columns n have n / 400 * 100 columns more than one of them: n^2 / 4 = 8192 for n = 181."""
    levels = np.repeat([0, 2], [400, 3])
    blocks = [(block.start, block.stop) for block in band_search._blocks(levels, 100)]
    assert blocks == [(0, 181), (181, 362), (362, 400), (400, 403)]
    assert [block.stop for block in band_search._blocks(levels[400:], 10**6)] == [1, 2, 3]


def test_columns_are_taken_on_round_the_circle() -> None:
    assert band_search._columns(10, 12, 12) == slice(10, 12) and band_search._columns(13, 15, 12) == slice(1, 3)
    assert np.array_equal(band_search._columns(10, 14, 12), [10, 11, 0, 1])
    assert np.array_equal(np.sort(band_search._columns(5, 30, 12)), np.arange(12))


def seen(motion: str, count: int = 400) -> tuple[LocalFeatures, LocalFeatures]:
    """Points in front of both cameras with a descriptor each, which the second image lists backwards and with noise."""
    rng = np.random.default_rng(5)
    points = rng.uniform([-2, -1.5, 4], [2, 1.5, 9], (count, 3))
    things = np.abs(rng.normal(size=(count, 128)))
    views = [things + 0.2 * rng.normal(size=things.shape) for _ in range(2)]
    rows = [np.rint(512 * np.abs(x) / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.uint8) for x in views]
    pixels = project(FIRST, points), project(SECOND, moved(motion).apply(points))[::-1]
    return of(pixels[0], rows[0]), of(pixels[1], rows[1][::-1])


def of(pixels: np.ndarray, descriptors: np.ndarray) -> LocalFeatures:
    ones = np.ones(len(pixels), np.float32)
    return LocalFeatures(pixels.astype(np.float32), descriptors, ones, ones)


def match(spec: str, features: tuple[LocalFeatures, LocalFeatures], second_pose: Rigid) -> Matches:
    matcher = MATCHERS.parse(spec)
    assert isinstance(matcher, EpipolarBands)
    loaded = matcher.load_posed(Runtime())
    cameras = zip((FIRST, SECOND), (HERE, second_pose), features, strict=True)
    rays = [posed_rays(camera, pose, own.keypoints.astype(np.float64)) for camera, pose, own in cameras]
    return loaded.match_posed(*(loaded.prepare(own) for own in features), (rays[0], rays[1]))


@pytest.mark.parametrize("motion", MOTIONS)
def test_every_point_is_matched_with_itself(motion: str) -> None:
    matches = match("bands", seen(motion), moved(motion))
    assert len(matches) > 350
    assert (matches.indices.sum(axis=1) == 399).all()
    assert (np.diff(matches.indices[:, 0].astype(int)) > 0).all()


def test_a_pattern_that_repeats_off_the_line_is_matched_though_the_whole_image_is_not_clear() -> None:
    first, second = seen("sideways")
    again = np.concatenate([second.descriptors, second.descriptors])
    shifted = np.concatenate([second.keypoints, second.keypoints + np.float32([0, 40])])
    twice = of(shifted, again)
    whole = MATCHERS.parse("nn").load(Runtime())
    assert len(whole.match(whole.prepare(first, FIRST.size), whole.prepare(twice, SECOND.size))) == 0
    matches = match("bands", (first, twice), moved("sideways"))
    assert len(matches) > 300
    assert (matches.indices.sum(axis=1) == 399).mean() > 0.97  # the copies lie on other points' lines


def test_a_keypoint_that_resembles_nothing_is_not_matched_with_the_only_one_in_its_band() -> None:
    first, second = seen("sideways")
    stranger = of(second.keypoints, np.roll(second.descriptors, 7, axis=0))
    assert len(match("bands", (first, stranger), moved("sideways"))) < 4
    assert len(match("bands:ratio=1", (first, stranger), moved("sideways"))) > 100


def test_images_from_one_spot_have_no_matches() -> None:
    features = seen("sideways")
    assert len(match("bands", features, Rigid(moved("sideways").rotation, np.zeros(3)))) == 0


@pytest.mark.parametrize("blind", [0, 1])
def test_keypoints_without_a_ray_are_left_out(blind: int) -> None:
    pixels = [own.keypoints.astype(np.float64) for own in seen("sideways")]
    pixels[blind][:] = np.nan
    planes = half_planes(posed_rays(FIRST, HERE, pixels[0]), posed_rays(SECOND, moved("sideways"), pixels[1]), 2.0)
    assert planes is not None
    found = band_search.search_bands(descriptors(400, 1), descriptors(400, 2), planes)
    assert np.isneginf(found.products).all() and np.isneginf(found.column_maxima).all()


def test_without_poses_bands_are_nearest_neighbours() -> None:
    first, second = seen("sideways")
    loaded = [MATCHERS.parse(spec).load(Runtime()) for spec in ("nn:ratio=0.7", "bands:ratio=0.7")]
    plain, banded = (one.match(one.prepare(first, FIRST.size), one.prepare(second, SECOND.size)) for one in loaded)
    np.testing.assert_array_equal(plain.indices, banded.indices)


def test_the_background_is_the_nearest_of_a_sample_without_the_keypoint_itself() -> None:
    rows = descriptors(BACKGROUND, 1)  # all are in the sample
    products = rows @ rows.T
    np.fill_diagonal(products, -np.inf)
    np.testing.assert_array_equal(background(rows), products.max(axis=1))
    assert np.isneginf(background(rows[:1])).all() and len(background(rows[:0])) == 0


def test_the_background_is_a_sample_of_256_keypoints_spread_over_the_list() -> None:
    rows = np.eye(256, dtype=np.float32)
    rows = np.concatenate([rows, rows[10:11], rows[:1]])[[*range(255), 256, 257]]  # of 257, the last but one left out
    found = background(rows)
    assert found[255] == 1 and found[10] == 0  # alike, but only keypoint 10 is in the sample
    assert found[256] == found[0] == 1


def test_descriptors_of_two_kinds_are_refused() -> None:
    first, second = seen("sideways")
    floats = of(second.keypoints, second.descriptors.astype(np.float16))
    with pytest.raises(DataError, match=r"128 bytes .* 128 floats"):
        match("bands", (first, floats), moved("sideways"))


@pytest.mark.parametrize("setting", ["max_error_px=0", "ratio=2", "band=1"])
def test_settings_out_of_range_are_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match="bands"):
        MATCHERS.parse(f"bands:{setting}")
