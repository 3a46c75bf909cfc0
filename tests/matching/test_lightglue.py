"""LightGlue with made weights: against kornia called directly, and as dual softmax where its layers do nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")
kornia = pytest.importorskip("kornia.feature", reason="kornia is not installed (the 'learned' extra)")

from vloc.config import LocalizationConfig, MappingConfig, make_config, query_matcher  # noqa: E402
from vloc.data.features import LocalFeatures, Matches  # noqa: E402
from vloc.errors import ConfigError, DataError, WeightsMissingError  # noqa: E402
from vloc.features.sift import Sift  # noqa: E402
from vloc.matching import MATCHERS  # noqa: E402
from vloc.matching.base import ImageSize  # noqa: E402
from vloc.registry import to_text  # noqa: E402
from vloc.runtime import Runtime  # noqa: E402

from .glue import State, dual_softmax, in_floats, network, publish  # noqa: E402
from .homographies import BESIDE, SIZE, projected, textured, warped  # noqa: E402


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, State], None]:
    """Puts weights where they are looked for, under their published name and with the published names of layers."""
    monkeypatch.setenv("VLOC_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def save(of: str, state: State) -> None:
        publish(of, state, tmp_path)

    return save


def made(count: int, dims: int, seed: int, size: ImageSize = SIZE) -> LocalFeatures:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(count, dims))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    places = rng.uniform(0, 1, (count, 2)) * size
    return LocalFeatures(places.astype(np.float32), rows.astype(np.float16), *np.ones((2, count), np.float32))


def match(spec: str, first: LocalFeatures, second: LocalFeatures, sizes: tuple[ImageSize, ImageSize]) -> Matches:
    matcher = MATCHERS.parse(spec).load(Runtime(device="cpu"))
    return matcher.match(matcher.prepare(first, sizes[0]), matcher.prepare(second, sizes[1]))


@pytest.mark.parametrize("of", ["aliked", "superpoint", "xfeat"])
def test_matches_and_scores_are_those_of_kornia(of: str, put: Callable[[str, State], None]) -> None:
    module = network(of, filter_threshold=0.0)
    put(of, module.state_dict())
    sizes, dims = (SIZE, (640, 200)), module.conf.input_dim
    images = made(90, dims, 1), made(120, dims, 2, sizes[1])
    given = {
        f"image{i}": {
            "keypoints": torch.from_numpy(own.keypoints)[None],
            "descriptors": torch.from_numpy(own.descriptors.astype(np.float32))[None],
            "image_size": torch.tensor([sizes[i]]),
        }
        for i, own in enumerate(images)
    }
    with torch.inference_mode():
        expected = module(given)
    found = match(f"lightglue:of={of},threshold=0", *images, sizes)
    np.testing.assert_array_equal(found.indices, expected["matches"][0])
    np.testing.assert_allclose(found.scores, expected["scores"][0], rtol=1e-5)
    assert len(found) > 10


def test_sift_is_given_with_scales_and_orientations_as_kornia_takes_them(put: Callable[[str, State], None]) -> None:
    module = network("sift", filter_threshold=0.0)
    put("sift", module.state_dict())
    extract, image = Sift(max_keypoints=150).load(Runtime()), textured()
    other, _ = warped(image, "turned and moved")
    images, sizes = (extract(image), extract(other)), (SIZE, (other.shape[1], other.shape[0]))
    given = {
        f"image{i}": {
            "keypoints": torch.from_numpy(own.keypoints)[None],
            "descriptors": torch.from_numpy(own.descriptors / own.lengths[:, None])[None],
            "scales": torch.from_numpy(own.scales)[None],
            "oris": torch.from_numpy(own.angles)[None],
            "image_size": torch.tensor([sizes[i]]),
        }
        for i, own in enumerate(images)
    }
    with torch.inference_mode():
        expected = module(given)
    found = match("lightglue:of=sift,threshold=0", *images, sizes)
    assert len(found) == len(expected["matches"][0]) > 10
    np.testing.assert_array_equal(found.indices, expected["matches"][0])
    np.testing.assert_allclose(found.scores, expected["scores"][0], rtol=1e-4)
    matcher = MATCHERS.parse("lightglue:of=sift").load(Runtime(device="cpu"))
    with pytest.raises(DataError, match="needs orientations of keypoints, which these do not have"):
        matcher.prepare(replace(images[0], angles=None), SIZE)


@pytest.mark.parametrize("name", BESIDE)
def test_layers_that_do_nothing_leave_dual_softmax_which_finds_a_known_homography(
    name: str, put: Callable[[str, State], None]
) -> None:
    put("aliked", dual_softmax(temperature=0.02))
    image, extract = textured(), Sift(max_keypoints=600).load(Runtime())
    other, homography = warped(image, name)
    first, second = (in_floats(extract(pixels)) for pixels in (image, other))
    sizes = SIZE, (other.shape[1], other.shape[0])
    found = match("lightglue:of=aliked,adaptive=false", first, second, sizes)
    cosines = first.descriptors.astype(np.float32) @ second.descriptors.astype(np.float32).T
    odds = np.exp(cosines / 0.02)
    likely = odds / odds.sum(axis=1, keepdims=True) * odds / odds.sum(axis=0, keepdims=True)
    rows, columns = found.indices.T
    np.testing.assert_allclose(found.scores, likely[rows, columns], rtol=2e-3)
    errors = np.linalg.norm(projected(homography, first.keypoints[rows]) - second.keypoints[columns], axis=1)
    assert len(found) > 150 and (errors < 2).mean() > 0.9


class TestPositions:
    """What the network is given: its positional encoding takes the positions from -1 to 1."""

    @pytest.fixture
    def given(self, put: Callable[[str, State], None]) -> Callable[..., np.ndarray]:
        put("aliked", network("aliked").state_dict())
        matcher = MATCHERS.parse("lightglue:of=aliked").load(Runtime(device="cpu"))
        seen: list[np.ndarray] = []
        matcher._network.posenc.register_forward_pre_hook(lambda module, args: seen.append(args[0].numpy()))

        def positions(keypoints: list[tuple[float, float]], size: ImageSize) -> np.ndarray:
            features = made(len(keypoints), 128, 0)
            features = replace(features, keypoints=np.array(keypoints, np.float32))
            image = matcher.prepare(features, size)
            matcher.match(image, image)
            return seen[0][0]

        return positions

    def test_the_middle_of_the_image_is_zero_and_its_longer_side_reaches_one(self, given: Callable) -> None:
        corners = [(320.0, 240.0), (0.0, 0.0), (640.0, 480.0), (640.0, 0.0)]
        np.testing.assert_allclose(given(corners, (640, 480)), [(0, 0), (-1, -0.75), (1, 0.75), (1, -0.75)])

    def test_first_and_last_pixel_lie_as_far_from_the_middle(self, given: Callable) -> None:
        first, last = given([(0.5, 0.5), (639.5, 479.5)], (640, 480))
        np.testing.assert_allclose(first, -last)

    def test_the_size_of_the_photo_counts_and_not_the_reach_of_its_keypoints(self, given: Callable) -> None:
        np.testing.assert_allclose(given([(100.0, 50.0), (90.0, 40.0)], (200, 100)), [(0, 0), (-0.1, -0.1)], atol=1e-6)

    def test_keypoints_outside_of_the_image_count_as_on_its_border(self, given: Callable) -> None:
        np.testing.assert_allclose(given([(-9.0, 50.0), (207.0, 101.0)], (200, 100)), [(-1, 0), (1, 0.5)])


def test_only_the_strongest_take_part(put: Callable[[str, State], None]) -> None:
    put("aliked", dual_softmax(0.05))
    first = made(60, 128, 3)
    found = match("lightglue:of=aliked,max_keypoints=20", first, first, (SIZE, SIZE))
    np.testing.assert_array_equal(found.indices, np.arange(20)[:, None].repeat(2, axis=1))
    assert len(match("lightglue:of=aliked", first, first[:0], (SIZE, SIZE))) == 0


def test_the_weights_are_those_of_the_maps_feature() -> None:
    config = make_config(MappingConfig, extract="aliked", match="lightglue:threshold=0.2")
    assert to_text(config.match) == "lightglue:of=aliked,threshold=0.2"
    queries = make_config(LocalizationConfig, match="lightglue")
    assert to_text(query_matcher(queries, config)) == "lightglue:of=aliked"
    assert to_text(query_matcher(queries, make_config(MappingConfig, extract="aliked"))) == "lightglue:of=aliked"
    original = make_config(MappingConfig, extract="superpoint:network=original", match="lightglue")
    assert to_text(original.match) == "lightglue:of=superpoint"
    other = make_config(MappingConfig, extract="aliked:network=n32", match="lightglue:of=aliked")
    assert to_text(other.match) == "lightglue:of=aliked"
    for feature in ("sift", "colmap_sift"):
        assert to_text(make_config(MappingConfig, extract=feature, match="lightglue").match) == "lightglue:of=sift"
    imported = make_config(MappingConfig, extract="imported:type=superpoint", match="lightglue:of=superpoint")
    assert to_text(imported.match) == "lightglue:of=superpoint"


@pytest.mark.parametrize(
    ("feature", "matcher", "message"),
    [
        (
            "keynet",
            "lightglue",
            "weights for aliked n16, dedode, disk depth, sift, superpoint original, xfeat, but not for keynet$",
        ),
        ("imported:type=sift", "lightglue:of=sift", "needs orientations, which imported keypoints do not have"),
        (
            "superpoint",
            "lightglue",
            "superpoint original, .*not for superpoint open; say which to take: of=superpoint$",
        ),
        ("imported", "lightglue", "not for imported; say which to take: of=aliked, of=dedode_b"),
        ("aliked", "lightglue:of=disk", "the features are 'aliked'"),
    ],
)
def test_features_that_it_is_not_trained_for_are_refused_before_any_work(
    feature: str, matcher: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        make_config(MappingConfig, extract=feature, match=matcher)


@pytest.mark.wrong_shapes
def test_descriptors_of_another_length_or_in_bytes_are_refused(put: Callable[[str, State], None]) -> None:
    put("aliked", network("aliked").state_dict())
    matcher = MATCHERS.parse("lightglue:of=aliked").load(Runtime(device="cpu"))
    for features in (made(5, 64, 1), Sift().load(Runtime())(textured())):
        with pytest.raises(DataError, match="takes descriptors of 128 floats, not"):
            matcher.prepare(features, SIZE)


def test_missing_weights_and_those_of_another_feature_are_told_in_one_line(put: Callable[[str, State], None]) -> None:
    with pytest.raises(WeightsMissingError, match=r"^disk_lightglue\.pth is in none of .*Apache-2\.0") as caught:
        MATCHERS.parse("lightglue:of=disk").load(Runtime(device="cpu"))
    assert "\n" not in str(caught.value)
    put("disk", network("superpoint").state_dict())
    with pytest.raises(DataError, match=r"disk_lightglue\.pth: these weights are for another network"):
        MATCHERS.parse("lightglue:of=disk").load(Runtime(device="cpu"))
    with pytest.raises(ConfigError, match="for which feature"):
        MATCHERS.parse("lightglue").load(Runtime(device="cpu"))


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_keypoints_of_a_photo_on_its_side_are_matched_as_of_the_upright_one(
    quarter_turns: int, put: Callable[[str, State], None]
) -> None:
    put("aliked", network("aliked").state_dict())
    matcher = MATCHERS.parse("lightglue:of=aliked").load(Runtime(device="cpu"))
    width, height = size = 320, 200
    upright = made(5, 128, 1, size)
    x, y = upright.keypoints.T
    # Counterclockwise, a place x to the right of the left border comes to lie x above the lower border.
    stored = {1: (y, width - x), 2: (width - x, height - y), 3: (height - y, x)}[quarter_turns]
    turned = replace(upright, keypoints=np.stack(stored, axis=1), quarter_turns=quarter_turns)
    assert matcher.prepare(turned, size).frames == {}
    prepared = matcher.prepare(turned[:3], size if quarter_turns == 2 else size[::-1])
    np.testing.assert_allclose(prepared.keypoints[0], upright.keypoints[:3], atol=1e-3)
    assert prepared.size.tolist() == [list(size)]


def test_orientations_of_a_photo_on_its_side_are_those_in_the_upright_one(put: Callable[[str, State], None]) -> None:
    put("sift", network("sift").state_dict())
    matcher = MATCHERS.parse("lightglue:of=sift").load(Runtime(device="cpu"))
    lying = replace(made(3, 128, 1), angles=np.array([0.0, 1.0, 3.0], np.float32), quarter_turns=1)
    upright = matcher.prepare(lying, SIZE).frames["oris"][0].numpy()
    np.testing.assert_allclose(upright, [np.pi / 2, 1 + np.pi / 2, 3 - 1.5 * np.pi], rtol=1e-5)
