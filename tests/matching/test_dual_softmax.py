"""Dual softmax against its definition, in float64."""

import numpy as np
import pytest

from vloc.data.features import LocalFeatures, Matches
from vloc.features.sift import Sift
from vloc.matching import MATCHERS, dual_softmax
from vloc.runtime import Runtime

from .homographies import BESIDE, SIZE, projected, textured, warped


def of(rows: np.ndarray) -> LocalFeatures:
    count = len(rows)
    return LocalFeatures(np.zeros((count, 2), np.float32), rows, *np.ones((2, count), np.float32))


def match(spec: str, first: LocalFeatures, second: LocalFeatures) -> Matches:
    matcher = MATCHERS.parse(spec).load(Runtime())
    return matcher.match(matcher.prepare(first, SIZE), matcher.prepare(second, SIZE))


def noisy(count: int, seed: int) -> np.ndarray:
    """Unit vectors, half of which are those of any other seed, disturbed."""
    shared, rng = np.random.default_rng(0).normal(size=(count // 2, 32)), np.random.default_rng(seed)
    rows = np.concatenate([shared + 0.4 * rng.normal(size=shared.shape), rng.normal(size=(count - len(shared), 32))])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


@pytest.mark.parametrize("block", [1, 700, 2**20])
@pytest.mark.parametrize("threshold", [0.0, 0.05, 0.5])
def test_pairs_are_those_of_the_definition_whatever_the_size_of_blocks(
    block: int, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dual_softmax, "BLOCK", block)
    first, second = noisy(60, 1), noisy(80, 2)
    units = [rows / np.linalg.norm(rows.astype(float), axis=1, keepdims=True) for rows in (first, second)]
    odds = np.exp(20 * units[0] @ units[1].T)
    likely = odds / odds.sum(axis=0) * odds / odds.sum(axis=1, keepdims=True)
    mutual = (likely == likely.max(axis=0)) & (likely == likely.max(axis=1, keepdims=True)) & (likely > threshold)
    found = match(f"dual_softmax:threshold={threshold}", of(first), of(second))
    np.testing.assert_array_equal(found.indices, np.argwhere(mutual))
    np.testing.assert_allclose(found.scores, likely[mutual], rtol=1e-3)
    assert len(found) >= 20


@pytest.mark.parametrize("name", BESIDE)
def test_a_known_homography_is_found(name: str) -> None:
    image, extract = textured(), Sift(max_keypoints=600).load(Runtime())
    other, homography = warped(image, name)
    first, second = extract(image), extract(other)
    rows, columns = match("dual_softmax:threshold=0.2,inverse_temperature=40", first, second).indices.T
    errors = np.linalg.norm(projected(homography, first.keypoints[rows]) - second.keypoints[columns], axis=1)
    assert len(rows) > 150 and (errors < 2).mean() > 0.9


def test_equal_descriptors_share_their_likelihood_and_the_first_counts() -> None:
    rows = np.eye(4, dtype=np.float16)
    found = match("dual_softmax", of(rows[:2]), of(rows[[0, 0, 1]]))
    assert found.indices.tolist() == [[0, 0], [1, 2]]
    assert 0.4 < found.scores[0] < 0.5 < 0.9 < found.scores[1]
