import numpy as np
import pytest

from vloc.errors import ConfigError
from vloc.features import FEATURES
from vloc.features.sift import Sift
from vloc.runtime import Runtime


def checkers() -> np.ndarray:
    """A pattern that repeats, so that many keypoints are equally strong."""
    return np.kron(np.indices((12, 16)).sum(axis=0) % 2, np.full((12, 12), 200)).astype(np.uint8)


@pytest.mark.parametrize("name", ["sift", "colmap_sift"])
def test_equally_strong_keypoints_do_not_lift_the_limit(name: str) -> None:
    features = FEATURES.parse(f"{name}:max_keypoints=50").load(Runtime())(checkers())
    assert len(features) == 50


def test_a_position_with_several_orientations_keeps_all_of_them() -> None:
    features = FEATURES.parse("sift").load(Runtime())(checkers())
    positions, counts = np.unique(features.keypoints, axis=0, return_counts=True)
    assert len(positions) < len(features)
    assert counts.max() > 1


def test_opencv_and_colmap_agree_on_a_real_looking_texture() -> None:
    import cv2

    noise = np.random.default_rng(3).uniform(0, 255, (200, 200)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3.0)
    image = np.rint(255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)
    ours, colmaps = (FEATURES.parse(name).load(Runtime())(image) for name in ("sift", "colmap_sift"))
    distances = np.linalg.norm(ours.keypoints[:, None] - colmaps.keypoints[None], axis=2)
    shared = distances.min(axis=1) < 0.5
    offsets = ours.keypoints[shared] - colmaps.keypoints[distances.argmin(axis=1)[shared]]
    assert shared.mean() > 0.5
    assert np.abs(np.median(offsets, axis=0)).max() < 0.02
    cosines = ours.descriptors[shared].astype(float) @ colmaps.descriptors.T.astype(float) / 512**2
    assert np.median(cosines.max(axis=1)) > 0.95
    # A keypoint has several orientations at times, and then several descriptors: those of the most similar ones.
    turned = ours.angles[shared] - colmaps.angles[cosines.argmax(axis=1)]
    assert np.median(np.abs(np.angle(np.exp(1j * turned)))) < 0.1  # of histograms in steps of 0.17
    for features in (ours, colmaps):
        assert (features.angles > -np.pi - 1e-6).all() and (features.angles <= np.pi + 1e-6).all()
        assert (features.angles < -2).any() and (features.angles > 2).any()
    ratios = ours.scales[shared] / colmaps.scales[cosines.argmax(axis=1)]
    assert 0.95 < np.median(ratios) < 1.05


@pytest.mark.parametrize("setting", ["max_keypoints=0", "contrast_threshold=-1", "edge_threshold=1", "octaves=3"])
def test_settings_out_of_range_are_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match="sift"):
        FEATURES.parse(f"sift:{setting}")


@pytest.mark.parametrize(
    ("max_keypoints", "size", "expected"),
    [(8192, (1080, 1920), 1600), (8192, (683, 1024), 1024), (1500, (1080, 1920), 1265), (10, (480, 1000), 640)],
)
def test_few_wanted_keypoints_are_searched_in_a_smaller_image(
    max_keypoints: int, size: tuple[int, int], expected: int
) -> None:
    assert Sift(max_keypoints=max_keypoints)._working_size(*size) == expected


def test_a_sparing_extractor_finds_the_same_keypoints_and_describes_coarse_ones_alike() -> None:
    import cv2

    noise = np.random.default_rng(3).uniform(0, 255, (240, 320)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5) + 2 * cv2.GaussianBlur(noise, (0, 0), 5.0)
    image = np.rint(255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8)
    every, some = Sift().load(Runtime())(image), Sift().load_sparing(Runtime(), 40)(image)
    order = [np.lexsort((each.angles, each.scales, *each.keypoints.T)) for each in (every, some)]
    for name in ("keypoints", "scales", "angles", "scores"):
        assert np.array_equal(*(getattr(each, name)[rows] for each, rows in zip((every, some), order, strict=True)))
    assert len(some) > 200 and not some.descriptors[40:].any()
    assert (some.scales[:40] > 1.79).all()  # 1.6 px and half a step of the scale: none at twice the image's size
    assert (np.diff(some.scores[:40]) <= 0).all()
    own = np.empty(len(some), np.int64)
    own[order[1]] = order[0]
    cosines = (every.descriptors[own[:40]].astype(float) * some.descriptors[:40]).sum(axis=1) / 512**2
    assert cosines.min() > 0.98  # they are cut from the image, not from one doubled and halved
    everything = Sift().load_sparing(Runtime(), 10_000)(image)
    assert everything.descriptors.any(axis=1).all()


def test_a_blank_image_has_no_features_to_be_sparing_with() -> None:
    assert not len(Sift().load_sparing(Runtime(), 40)(np.zeros((50, 60), np.uint8)))
