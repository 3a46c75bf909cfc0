"""Features whose networks are kornia's: with made weights, against kornia called directly, and half pixels by spots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")
kornia = pytest.importorskip("kornia.feature", reason="kornia is not installed (the 'learned' extra)")

from vloc.data.features import LocalFeatures  # noqa: E402
from vloc.errors import DataError, WeightsMissingError  # noqa: E402
from vloc.features import FEATURES  # noqa: E402
from vloc.runtime import Runtime  # noqa: E402

NAMES = ("dedode", "disk", "keynet", "xfeat")


@pytest.fixture
def folder(made_weights: Path) -> Path:
    return made_weights


@pytest.fixture(autouse=True)
def _made(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLOC_WEIGHTS", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def textured(height: int, width: int) -> np.ndarray:
    import cv2

    noise = np.random.default_rng(0).normal(size=(height, width, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    return np.rint(np.interp(smooth, (-0.6, 0.6), (0, 255))).astype(np.uint8)


def spot(x: float, y: float, sigma: float = 3.0, height: int = 128, width: int = 160) -> np.ndarray:
    """A bright round spot around (x, y), where the first pixel is centred at (0.5, 0.5)."""
    columns, rows = np.arange(width) + 0.5, np.arange(height) + 0.5
    bright = np.exp(-((columns - x) ** 2 + (rows[:, None] - y) ** 2) / (2 * sigma**2))
    return np.rint(20 + 220 * bright).astype(np.uint8)


def extract(spec: str, image: np.ndarray) -> LocalFeatures:
    feature = FEATURES.parse(spec)
    if not feature.in_color and image.ndim == 3:
        image = image.mean(axis=2).astype(np.uint8)
    if feature.in_color and image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    return feature.load(Runtime(device="cpu"))(image)


def tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255


def same(found: LocalFeatures, keypoints: np.ndarray, descriptors: np.ndarray, scores: np.ndarray) -> None:
    """The same features in any order; half floats are good to 1e-3."""
    assert len(found) == len(keypoints) > 30
    apart = np.linalg.norm(found.keypoints[:, None] - keypoints[None], axis=2)
    nearest = apart.argmin(axis=1)
    assert len(set(nearest)) == len(found) and apart.min(axis=1).max() < 1e-3
    np.testing.assert_allclose(found.scores, scores[nearest], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(found.descriptors, descriptors[nearest], rtol=2e-3, atol=2e-3)


def test_disk_is_that_of_kornia(folder: Path) -> None:
    image, network = textured(93, 118), kornia.DISK().eval()
    network.load_state_dict(torch.load(folder / "depth-save.pth")["extractor"])
    with torch.inference_mode():
        expected = network(tensor(image), pad_if_not_divisible=True)[0]
    keypoints = expected.keypoints.numpy() + 0.5
    same(extract("disk", image), keypoints, expected.descriptors.numpy(), expected.detection_scores.numpy())


def test_xfeat_is_that_of_kornia(folder: Path) -> None:
    image, network = textured(128, 160), kornia.XFeat().eval()
    network.net.load_state_dict(torch.load(folder / "xfeat.pt"))
    expected = {key: value.numpy() for key, value in network.detectAndCompute(tensor(image))[0].items()}
    same(extract("xfeat", image), expected["keypoints"] + 0.5, expected["descriptors"], expected["scores"])


def test_dedode_is_that_of_kornia(folder: Path) -> None:
    from kornia.feature.dedode.dedode_models import get_descriptor, get_detector
    from torch import nn

    image = textured(61, 75)
    with torch.device("meta"):
        made = get_detector("L"), get_descriptor("B")
    network = kornia.DeDoDe.__new__(kornia.DeDoDe)  # whose own beginning makes up 300 million numbers
    nn.Module.__init__(network)
    network.detector, network.descriptor = (module.to_empty(device="cpu") for module in made)
    network.detector.load_state_dict(torch.load(folder / "dedode_detector_L_v2.pth"))
    network.descriptor.load_state_dict(torch.load(folder / "dedode_descriptor_B.pth"))
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).view(2, 1, 3, 1, 1)
    network.normalizer = lambda images: (images - mean) / deviation
    keypoints, scores, descriptors = (made[0].numpy() for made in network(tensor(image), n=200))
    same(extract("dedode:max_keypoints=200", image), keypoints, descriptors, scores)


@pytest.mark.parametrize("upright", [True, False])
def test_keynet_is_that_of_kornia_but_for_half_pixels(upright: bool, folder: Path) -> None:
    image = textured(120, 150)
    grey = image.mean(axis=2).astype(np.uint8)
    parts = (
        kornia.KeyNet(False),
        kornia.LAFAffNetShapeEstimator(False, False),
        kornia.OriNet(False),
        kornia.HardNet(False),
    )
    files = "keynet_pytorch", "AffNet", "OriNet", "checkpoint_liberty_with_aug"
    for part, file in zip(parts, files, strict=True):
        part.load_state_dict(torch.load(folder / f"{file}.pth")["state_dict"])
    turn = None if upright else kornia.LAFOrienter(angle_detector=parts[2])
    detector = kornia.KeyNetDetector(False, 60, ori_module=turn, aff_module=parts[1])
    detector.model = parts[0]
    network = kornia.LocalFeature(detector, kornia.LAFDescriptor(parts[3])).eval()
    with torch.inference_mode():
        frames, scores, descriptors = network(torch.from_numpy(grey)[None, None] / 255)
    found = extract(f"keynet:max_keypoints=60,upright={str(upright).lower()}", grey)
    np.testing.assert_allclose(found.scores, scores[0], rtol=1e-5)
    np.testing.assert_allclose(found.descriptors, descriptors[0], atol=2e-3)
    naive = kornia.get_laf_center(frames)[0].numpy() + 0.5
    zoom = found.scales / 1.6
    np.testing.assert_allclose(found.keypoints - naive, np.repeat((zoom[:, None] - 1) / 2, 2, axis=1), atol=0.02)
    assert zoom.min() < 1 < zoom.max()


@pytest.mark.parametrize("name", ["xfeat", "dedode"])
def test_a_spot_is_at_the_centre_of_its_pixel(name: str) -> None:
    run = FEATURES.parse(f"{name}:max_keypoints=50").load(Runtime(device="cpu"))
    for place in ((70.5, 60.5), (61.5, 50.5)):
        keypoints = run(np.repeat(spot(*place)[..., None], 3, axis=2)).keypoints
        assert np.abs(keypoints - place).max(axis=1).min() < 1e-4


def test_xfeat_finds_a_spot_in_an_image_that_it_has_to_resize() -> None:
    """63 x 63 px become 32 x 32: kornia's own place of pixel (12, 20) is off by half of what it has become wider."""
    place = np.array([12.5, 20.5]) * 63 / 32
    keypoints = extract("xfeat", spot(*place, height=63, width=63)).keypoints
    assert np.abs(keypoints - place).max(axis=1).min() < 1e-4


def test_keynet_is_off_to_neither_side_at_any_scale() -> None:
    """kornia's own places are off by (zoom - 1) / 2 px, half a pixel at a zoom of 2."""
    run, errors = FEATURES.parse("keynet").load(Runtime(device="cpu")), []
    for x, y in zip(50 + 1.25 * np.arange(16), 45 + 0.75 * np.arange(16), strict=True):  # all parts of 2 px
        found = run(spot(x, y, sigma=5.0, height=100, width=120))
        near = np.abs(found.keypoints - (x, y)).max(axis=1) < found.scales
        errors.append(np.column_stack([found.scales[near] / 1.6, found.keypoints[near] - (x, y)]))
    zoom, *apart = np.concatenate(errors).T
    for low, high in ((0.6, 1.1), (1.1, 1.7), (1.7, 2.4)):
        some = (low < zoom) & (zoom < high)
        assert some.sum() >= 10 and np.abs(np.mean(apart, axis=1, where=some)).max() < 0.1 * high


@pytest.mark.parametrize("name", ["disk", "xfeat"])
def test_between_pixels_they_stay_within_half_a_pixel_of_the_same_maxima(name: str) -> None:
    on, between = (extract(f"{name}:subpixel={choice}", textured(128, 160)) for choice in ("false", "true"))
    np.testing.assert_array_equal(on.scores, between.scores)
    moved = np.abs(on.keypoints - between.keypoints)
    assert moved.max() <= 0.5 + 1e-4 and moved.mean() > 0.05


@pytest.mark.parametrize("name", NAMES)
def test_missing_weights_are_told_in_one_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLOC_WEIGHTS", str(tmp_path))
    weights = FEATURES.parse(name).weights
    first = weights if isinstance(weights, str) else weights[0]
    with pytest.raises(WeightsMissingError, match=rf"^{first} is in none of .*vloc weights get {first}") as caught:
        FEATURES.parse(name).load(Runtime())
    assert "\n" not in str(caught.value)


def test_a_key_too_few_is_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = torch.load(folder / "xfeat.pt")
    state.popitem()
    torch.save(state, tmp_path / "xfeat.pt")
    monkeypatch.setenv("VLOC_WEIGHTS", str(tmp_path))
    with pytest.raises(DataError, match=r"xfeat\.pt: these weights are for another network"):
        FEATURES.parse("xfeat").load(Runtime())
