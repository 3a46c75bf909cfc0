from pathlib import Path

import numpy as np
import pytest
from scipy.cluster.vq import kmeans2

from vloc.errors import ConfigError, StageError
from vloc.retrieval import DESCRIPTORS, vlad
from vloc.retrieval.dense_sift import _cell_grid, _cell_sums, _orientation_channels, dense_root_sift
from vloc.retrieval.vlad import aggregate, learn_vocabulary, nearest_words, share_of_each
from vloc.retrieval.whitening import is_learnable, learn_whitening, whitened
from vloc.runtime import Runtime

STRECHA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "strecha"


def noise(seed: int, shape: tuple[int, int] = (60, 80)) -> np.ndarray:
    import cv2

    return cv2.GaussianBlur(np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8), (0, 0), 1.5)


def ramp(direction: float, size: int = 64) -> np.ndarray:
    """Brightness that rises by 2 a pixel towards `direction` (radians, y down)."""
    y, x = np.indices((size, size)) - size / 2
    return np.rint(128 + 2 * (x * np.cos(direction) + y * np.sin(direction))).astype(np.uint8)


@pytest.mark.parametrize("channel", range(8))
def test_a_ramp_fills_the_channel_of_its_direction(channel: int) -> None:
    patches = dense_root_sift(ramp(channel * np.pi / 4, 48), (4,), 8).reshape(-1, 16, 8)
    inner = patches[len(patches) // 2]
    assert (inner.argmax(axis=1) == channel).all()
    assert (inner**2).sum(axis=0)[channel] > 0.9


def test_a_direction_between_two_channels_fills_both_alike() -> None:
    patches = dense_root_sift(ramp(np.pi / 8, 48), (4,), 8).reshape(-1, 16, 8)
    shares = (patches[len(patches) // 2] ** 2).sum(axis=0)
    assert np.allclose(shares[:2], 0.5, atol=0.1)


@pytest.mark.parametrize(("steepness", "count"), [(0.45, 0), (0.6, 16)])
def test_patches_flatter_than_half_a_grey_level_a_pixel_are_left_out(steepness: float, count: int) -> None:
    image = np.rint(np.tile(100 + steepness * np.arange(64), (64, 1))).astype(np.uint8)
    assert len(dense_root_sift(image, (4,), 16)) == count


@pytest.mark.parametrize("axis", [0, 1])
def test_gradients_are_those_of_a_blurred_step(axis: int) -> None:
    """A Gaussian of 0.8 px has weights of 1, 0.4578, 0.0439 and 0.0009 before they are made to sum to one."""
    step = np.zeros((16, 16), np.uint8)
    step[:, 8:] = 100
    steepness = _orientation_channels(step if axis else step.T).sum(axis=2)
    after, before = (100 * weights / 2.0054 for weights in (1 + 0.4578 + 0.0439 + 0.0009, 0.0439 + 0.0009))
    assert np.allclose((steepness if axis else steepness.T)[:, 7], (after - before) / 2, rtol=2e-3)


def test_a_gradient_is_shared_among_cells_by_triangles_as_wide_as_two_of_them() -> None:
    one = np.zeros((9, 9, 8), np.float32)
    one[4, 4, 3] = 256
    triangle = np.array([0, 1, 2, 3, 4, 3, 2, 1, 0])  # of 16, for cells of 4 px
    assert np.allclose(_cell_sums(one, 4)[:, :, 3], np.outer(triangle, triangle), atol=1e-4)


@pytest.mark.parametrize("size", [4, 6])
def test_cells_of_a_patch_are_read_in_their_middles(size: int) -> None:
    names = np.add.outer(100 * np.arange(60), np.arange(80)).astype(np.float32)  # 100 row + column
    patches = _cell_grid(np.repeat(names[:, :, None], 8, axis=2), size, 10).reshape(-1, 4, 4, 8)
    weights = np.exp(-(np.array([1.5, 0.5, 0.5, 1.5]) ** 2) / 8)
    weights /= weights.sum()
    middles = np.arange(4) * size + size // 2
    columns = (80 - 4 * size) // 10 + 1
    last = patches[-1, :, :, 5] / np.outer(weights, weights) - 100 * ((60 - 4 * size) // 10 * 10) - (columns - 1) * 10
    assert np.allclose(last, np.add.outer(100 * middles, middles), atol=0.01)


def test_an_image_smaller_than_a_patch_has_none() -> None:
    assert dense_root_sift(noise(0, (15, 60)), (4,), 8).shape == (0, 128)
    assert len(dense_root_sift(noise(0, (16, 16)), (4,), 8)) == 1


def test_an_edge_appears_only_in_the_cells_that_see_it() -> None:
    image = np.full((16, 16), 50, np.uint8)
    image[:, 13:] = 200  # in the last of four cells of 4 px
    (patch,) = dense_root_sift(image, (4,), 16)
    by_column = (patch.reshape(4, 4, 8) ** 2).sum(axis=(0, 2))
    assert by_column.argmax() == 3
    assert by_column[:2].sum() < 1e-3


def test_cells_count_by_a_gaussian_of_two_cells_around_the_middle_of_their_patch() -> None:
    patches = dense_root_sift(ramp(0, 48), (4,), 8).reshape(-1, 4, 4, 8)
    by_cell = (patches[len(patches) // 2] ** 2).sum(axis=2)  # a ramp is as steep everywhere
    away = np.array([1.5, 0.5, 0.5, 1.5])  # of the cells' middles, in cells
    weights = np.exp(-(away[:, None] ** 2 + away**2) / (2 * 2**2))
    assert np.allclose(by_cell, weights / weights.sum(), atol=1e-3)


def test_patches_are_unit_vectors_and_as_many_as_fit() -> None:
    patches = dense_root_sift(noise(0, (40, 56)), (4, 6), 8)
    assert len(patches) == 4 * 6 + 3 * 5  # 1 + (40 - 16) // 8 by 1 + (56 - 16) // 8, and the same for 24 px
    assert np.allclose(np.linalg.norm(patches, axis=1), 1, atol=1e-5)


def test_words_of_separated_clusters_are_their_means() -> None:
    rng = np.random.default_rng(0)
    centers = np.array([[0, 0], [10, 0], [0, 10]], np.float32)
    points = np.concatenate([center + rng.normal(0, 0.1, (50, 2)) for center in centers]).astype(np.float32)
    words = learn_vocabulary(points, 3, np.random.default_rng(2))
    expected = points.reshape(3, 50, 2).mean(axis=1)
    assert np.allclose(words[np.lexsort(words.T)], expected[np.lexsort(expected.T)], atol=1e-4)


def test_words_are_those_of_scipy_after_five_rounds() -> None:
    points = np.random.default_rng(0).uniform(size=(400, 3)).astype(np.float32)
    first = points[np.sort(np.random.default_rng(7).choice(400, 12, replace=False))]
    expected, _ = kmeans2(points, first, iter=5, minit="matrix")
    np.testing.assert_allclose(learn_vocabulary(points, 12, np.random.default_rng(7)), expected, atol=1e-5)


def test_a_word_is_learned_from_a_hundred_descriptors_drawn_evenly() -> None:
    shares = [share_of_each(words, images) for words, images in ((128, 512), (1, 3), (2, 1), (2, 0))]
    assert shares == [25, 34, 200, 200]
    # at most 262,144 in all, but for ten of each word
    assert [share_of_each(words, 512) for words in (2_621, 2_622, 16_384, 26_214, 30_000)] == [512, 512, 512, 512, 586]


def test_the_nearest_word_is_so_however_long_words_are() -> None:
    descriptors = np.array([[4.9], [5.1], [-3.0], [14.9], [15.1]], np.float32)
    assert nearest_words(descriptors, np.array([[0], [10], [20]], np.float32)).ravel().tolist() == [0, 1, 0, 1, 2]


def test_words_are_found_in_blocks_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    descriptors, words = rng.normal(size=(50, 4)).astype(np.float32), rng.normal(size=(9, 4)).astype(np.float32)
    whole = [nearest_words(descriptors, words, count) for count in (1, 3)]
    monkeypatch.setattr(vlad, "NEARNESSES", 30)
    for found, expected in zip([nearest_words(descriptors, words, count) for count in (1, 3)], whole, strict=True):
        assert np.array_equal(np.sort(found), np.sort(expected))


def test_the_nearest_words_are_so_in_no_order() -> None:
    words = np.array([[0], [10], [20], [31]], np.float32)
    found = nearest_words(np.array([[4.9], [26.0], [40.0]], np.float32), words, 2)
    assert np.sort(found, axis=1).tolist() == [[0, 1], [2, 3], [2, 3]]


@pytest.mark.parametrize("seed", range(4))
def test_a_word_with_a_single_descriptor_is_that_descriptor(seed: int) -> None:
    points = np.array([[0.0], [1.0], [10.0]], np.float32)  # from whatever two of them: {0, 1} and {10}
    assert np.sort(learn_vocabulary(points, 2, np.random.default_rng(seed)).ravel()).tolist() == [0.5, 10]


def test_there_are_no_more_words_than_descriptors() -> None:
    points = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    assert learn_vocabulary(points, 64, np.random.default_rng(0)).shape == (5, 4)


def test_vlad_of_a_case_worked_by_hand() -> None:
    words = np.array([[0, 0], [10, 0], [0, 50]], np.float32)
    descriptors = np.array([[1, 1], [2, -1], [10, 4]], np.float32)
    # residual sums (3, 0), (0, 4) and none: unit each, then by the square root of two
    assert np.allclose(aggregate(descriptors, words), np.array([1, 0, 0, 1, 0, 0]) / np.sqrt(2))


def test_a_descriptor_counts_for_as_many_words_as_it_is_assigned_to() -> None:
    words = np.array([[0, 0], [10, 0], [0, 50]], np.float32)
    found = aggregate(np.array([[3, 4], [4, -4]], np.float32), words, num_assigned=2)
    # residual sums (7, 0), (-7 - 6, 4 - 4) and none
    assert np.allclose(found, np.array([1, 0, -1, 0, 0, 0]) / np.sqrt(2))
    everything = aggregate(np.array([[0, 5]], np.float32), words, num_assigned=9)
    expected = [[0, 1], np.array([-10, 5]) / np.sqrt(125), [0, -1]]
    assert np.allclose(everything, np.ravel(expected) / np.sqrt(3))


def test_a_power_keeps_the_signs_of_residuals_and_dampens_them() -> None:
    words = np.array([[0, 0], [30, 0]], np.float32)
    found = aggregate(np.array([[1, -4], [3, -5]], np.float32), words, power=0.5)
    assert np.allclose(found, np.array([2, -3, 0, 0]) / np.sqrt(13))  # roots of (4, -9)


def test_vlad_of_nothing_is_zero() -> None:
    assert not aggregate(np.zeros((0, 2), np.float32), np.ones((3, 2), np.float32), num_assigned=2, power=0.5).any()


@pytest.mark.parametrize("size", [1, 0.01])
def test_whitening_of_many_vectors_gives_uncorrelated_numbers(size: float) -> None:
    rng = np.random.default_rng(0)
    vectors = size * (rng.normal(size=(300, 6)) * [5, 3, 2, 1, 1, 1] @ rng.normal(size=(6, 6)) + 7).astype(np.float32)
    mean, projection = learn_whitening(vectors.copy(), 3)
    covariance = np.cov((vectors - mean) @ projection, rowvar=False)
    assert np.allclose(covariance, np.eye(3), atol=0.1)


def test_a_vector_is_whitened_by_its_difference_from_the_mean() -> None:
    trained = {"mean": np.array([2, 1], np.float32), "projection": np.array([[1, 0], [0, 2]], np.float32)}
    np.testing.assert_allclose(whitened(np.array([5, 3], np.float32), trained), [0.6, 0.8])  # (3, 2 * 2), of length 1
    assert whitened(np.zeros(2, np.float32), trained).tolist() == [0, 0]


def test_whitening_of_few_vectors_shrinks_variances_towards_their_mean() -> None:
    vectors = (np.random.default_rng(0).normal(size=(12, 40)) * np.geomspace(30, 0.1, 40)).astype(np.float32)
    _, projection = learn_whitening(vectors.copy(), 6)
    variances = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)[:6] ** 2 / 12
    shrunk = (variances + variances.mean()) / 2  # 6 dimensions of 12 vectors: half way
    assert np.allclose(np.linalg.norm(projection, axis=0), 1 / np.sqrt(shrunk), rtol=1e-4)


@pytest.mark.parametrize(("images", "dims"), [(12, 256), (511, 256), (5, 3)])
def test_too_few_images_are_not_whitened(images: int, dims: int) -> None:
    assert not is_learnable(images, dims)
    assert is_learnable(2 * dims, dims)


def test_a_small_map_keeps_the_whole_vlad_and_a_larger_one_the_projection() -> None:
    images = [noise(seed) for seed in range(12)]
    small = DESCRIPTORS.parse("densevlad:num_words=4,dims=7").train(Runtime(), images, 0)
    large = DESCRIPTORS.parse("densevlad:num_words=4,dims=6").train(Runtime(), images, 0)
    assert small.keys() == {"words"}
    assert {name: array.shape for name, array in large.items()} == {
        "words": (4, 128), "mean": (512,), "projection": (512, 6)
    }  # fmt: skip


def test_blank_images_do_not_disturb_the_training() -> None:
    descriptor = DESCRIPTORS.parse("densevlad:num_words=4,dims=2")
    trained = descriptor.train(Runtime(), [np.zeros((60, 80), np.uint8), *(noise(seed) for seed in range(5))], 0)
    vector = descriptor.load(Runtime(), trained)(noise(1)).vector
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_a_map_without_texture_is_refused() -> None:
    with pytest.raises(StageError, match="none of 3 images"):
        DESCRIPTORS.parse("densevlad").train(Runtime(), [np.zeros((60, 80), np.uint8)] * 3, 0)


@pytest.mark.parametrize("setting", ["image_size=8", "step=0", "num_words=0", "dims=0", "bins=4"])
def test_settings_out_of_range_are_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match="densevlad"):
        DESCRIPTORS.parse(f"densevlad:{setting}")


@pytest.mark.shared
@pytest.mark.skipif(not STRECHA.exists(), reason="needs ../shared/data/strecha")
@pytest.mark.parametrize("name", ["fountain-P11", "Herz-Jesus-P8"])
def test_photos_taken_side_by_side_look_alike(name: str) -> None:
    import cv2

    # The photographer walked an arc: neighbours in the file name order are neighbours in space.
    files = sorted((STRECHA / name).glob("*/sensors/records_data/*.jpg"), key=lambda path: path.name)
    images = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in files]
    descriptor = DESCRIPTORS.parse("densevlad")
    describe = descriptor.load(Runtime(), descriptor.train(Runtime(), images, 0))
    vectors = np.stack([describe(image).vector for image in images])
    similarity = vectors @ vectors.T - 2 * np.eye(len(images))
    assert (np.abs(similarity.argmax(axis=1) - np.arange(len(images))) <= 1).all()
