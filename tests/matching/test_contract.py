"""What every registered matcher owes to its users."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from vloc.data.features import LocalFeatures, Matches
from vloc.errors import ExtraMissingError
from vloc.matching import MATCHERS
from vloc.matching.base import ImageSize, PairMatcher
from vloc.runtime import Runtime

SIZE = (500, 500)
OTHERS = ("imported", "loftr")
"""those that read the matches of a map, or look at photos"""


def features(count: int, seed: int = 0) -> LocalFeatures:
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform(0, 500, (count, 2)).astype(np.float32)
    rows = rng.normal(size=(count, 128))
    rows *= 512 / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)
    ones = np.ones(count, np.float32)
    return LocalFeatures(keypoints, np.abs(np.rint(rows)).astype(np.uint8), ones, ones)


def shuffled(original: LocalFeatures, seed: int = 1) -> tuple[LocalFeatures, np.ndarray]:
    order = np.random.default_rng(seed).permutation(len(original))
    return original[order], order


def same(first: Matches, second: Matches) -> bool:
    return np.array_equal(first.indices, second.indices) and np.array_equal(first.scores, second.scores)


class GivenFloats:
    """A matcher that takes no bytes, given the same as floats."""

    def __init__(self, matcher: PairMatcher) -> None:
        self._matcher = matcher
        self.match = matcher.match

    def prepare(self, features: LocalFeatures, size: ImageSize) -> object:
        rows = (features.descriptors / features.lengths[:, None]).astype(np.float16)
        return self._matcher.prepare(LocalFeatures(features.keypoints, rows, features.scores, features.scales), size)


def lightglue(folder: Path, monkeypatch: pytest.MonkeyPatch) -> PairMatcher:
    """With made weights, that make it dual softmax."""
    pytest.importorskip("kornia", reason="kornia is not installed (the 'learned' extra)")
    from .glue import dual_softmax, publish

    publish("aliked", dual_softmax(0.02), folder)
    monkeypatch.setenv("VLOC_WEIGHTS", str(folder))
    return GivenFloats(MATCHERS.parse("lightglue:of=aliked").load(Runtime(device="cpu")))


@pytest.fixture(params=[name for name in MATCHERS.names() if name not in OTHERS])
def matcher(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PairMatcher:
    if request.param == "lightglue":
        return lightglue(tmp_path, monkeypatch)
    try:
        return MATCHERS.parse(request.param).load(Runtime(device="cpu"))
    except ExtraMissingError as error:
        pytest.skip(str(error))


def match(matcher: PairMatcher, first: LocalFeatures, second: LocalFeatures) -> Matches:
    return matcher.match(matcher.prepare(first, SIZE), matcher.prepare(second, SIZE))


def test_the_same_features_in_another_order_are_all_found(matcher: PairMatcher) -> None:
    first = features(300)
    second, order = shuffled(first)
    matches = match(matcher, first, second)
    assert len(matches) == 300
    assert (order[matches.indices[:, 1]] == matches.indices[:, 0]).all()


def test_rows_are_sorted_by_the_first_image_and_in_range(matcher: PairMatcher) -> None:
    matches = match(matcher, features(200), features(150, seed=5))
    assert (np.diff(matches.indices[:, 0].astype(int)) >= 0).all()
    assert (matches.indices < [200, 150]).all()


def test_types_are_the_stored_ones_with_and_without_matches(matcher: PairMatcher) -> None:
    first = features(50)
    for matches in (match(matcher, first, first), match(matcher, first, features(0))):
        assert matches.indices.dtype == np.uint32
        assert matches.scores.dtype == np.float32
        assert matches.indices.shape == (len(matches), 2)
        assert matches.scores.shape == (len(matches),)


@pytest.mark.parametrize("counts", [(0, 0), (0, 5), (5, 0)])
def test_an_image_without_keypoints_has_no_matches(matcher: PairMatcher, counts: tuple[int, int]) -> None:
    assert len(match(matcher, features(counts[0]), features(counts[1]))) == 0


def test_pairs_in_two_threads_give_what_they_give_alone(matcher: PairMatcher) -> None:
    images = [matcher.prepare(features(count, seed), SIZE) for seed, count in enumerate((350, 150, 450, 250))]
    pairs = [(a, b) for a in range(4) for b in range(a)]
    alone = [matcher.match(images[a], images[b]) for a, b in pairs]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda pair: matcher.match(images[pair[0]], images[pair[1]]), pairs))
    assert all(same(a, b) for a, b in zip(alone, together, strict=True))
