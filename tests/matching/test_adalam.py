"""AdaLAM on images that a known homography makes of one another, and against kornia called directly."""

from __future__ import annotations

import numpy as np
import pytest

from vloc.data.features import LocalFeatures, Matches
from vloc.errors import ConfigError
from vloc.features.sift import Sift
from vloc.matching import MATCHERS
from vloc.matching.base import ImageSize
from vloc.runtime import Runtime

from .homographies import BESIDE, SIZE, projected, textured, warped

pytest.importorskip("kornia", reason="kornia is not installed (the 'learned' extra)")


def found(first: LocalFeatures, second: LocalFeatures, sizes: tuple[ImageSize, ImageSize], spec: str) -> Matches:
    matcher = MATCHERS.parse(spec).load(Runtime(device="cpu"))
    return matcher.match(matcher.prepare(first, sizes[0]), matcher.prepare(second, sizes[1]))


def of(keypoints: np.ndarray, descriptors: np.ndarray) -> LocalFeatures:
    return LocalFeatures(keypoints.astype(np.float32), descriptors, *np.ones((2, len(keypoints)), np.float32))


@pytest.mark.parametrize("name", BESIDE)
def test_right_nearest_neighbours_stay_and_wrong_ones_go(name: str) -> None:
    image, extract = textured(), Sift(max_keypoints=1000).load(Runtime())
    other, homography = warped(image, name)
    features, sizes = (extract(image), extract(other)), (SIZE, (other.shape[1], other.shape[0]))
    right, wrong = [], []
    for spec in ("nn:ratio=1,mutual=false", "adalam"):
        rows = found(*features, sizes, spec).indices
        truth = projected(homography, features[0].keypoints[rows[:, 0]])
        errors = np.linalg.norm(truth - features[1].keypoints[rows[:, 1]], axis=1)
        right.append((errors < 2).sum())
        wrong.append((errors > 8).sum())
    assert right[1] > 0.9 * right[0] > 200
    assert wrong[1] < 0.1 * wrong[0] and wrong[0] > 100


def test_images_that_show_different_things_have_no_matches() -> None:
    extract = Sift(max_keypoints=500).load(Runtime())
    assert len(found(extract(textured(1)), extract(textured(2)), (SIZE, SIZE), "adalam")) < 8


def test_matches_are_those_of_kornia_and_scores_are_cosines() -> None:
    import torch
    from kornia.feature import match_adalam
    from kornia.feature.laf import laf_from_center_scale_ori

    extract = Sift(max_keypoints=400).load(Runtime())
    image = textured()
    other, _ = warped(image, "larger")
    first, second = extract(image), extract(other)
    units = [own.descriptors / 512 for own in (first, second)]  # as RootSIFT is stored in bytes
    frames = [laf_from_center_scale_ori(torch.from_numpy(own.keypoints)[None]) for own in (first, second)]
    config = {"orientation_difference_threshold": None, "scale_rate_threshold": None}
    tensors = [torch.from_numpy(rows.astype(np.float32)) for rows in units]
    cosines = units[0] @ units[1].T
    distances = torch.from_numpy(np.sqrt(np.maximum(2 - 2 * cosines, 0)).astype(np.float32))
    _, expected = match_adalam(*tensors, *frames, config, hw1=image.shape, hw2=other.shape, dm=distances)
    matches = found(first, second, (SIZE, (other.shape[1], other.shape[0])), "adalam")
    np.testing.assert_array_equal(matches.indices, expected)
    assert len(matches) > 100
    rows, columns = matches.indices.T
    np.testing.assert_allclose(matches.scores, (units[0][rows] * units[1][columns]).sum(axis=1), atol=2e-3)


def test_the_size_of_the_image_decides_how_far_a_motion_reaches() -> None:
    """The same keypoints in a huge image are all in one circle, where only the clearest match looks for a motion."""
    rng = np.random.default_rng(0)
    places, rows = rng.uniform(0, 400, (300, 2)), rng.normal(size=(300, 64)).astype(np.float16)
    turned = places.copy()
    turned[places[:, 0] > 200] = 400 - places[places[:, 0] > 200]  # the right half moves otherwise
    turned += rng.normal(0, 0.3, turned.shape)
    first, second = of(places, rows), of(turned, (rows + rng.normal(0, 0.3, rows.shape)).astype(np.float16))
    counts = [len(found(first, second, (size, size), "adalam")) for size in ((400, 400), (40_000, 40_000))]
    assert counts[0] > 270 and 100 < counts[1] < 200


@pytest.mark.parametrize("setting", ["min_inliers=2", "area_ratio=0", "min_confidence=1", "ratio=0.8"])
def test_settings_out_of_range_are_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match="adalam"):
        MATCHERS.parse(f"adalam:{setting}")
