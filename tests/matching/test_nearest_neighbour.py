import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vloc.data.features import LocalFeatures, Matches
from vloc.errors import ConfigError, DataError
from vloc.matching import MATCHERS, similarity
from vloc.runtime import Runtime

SIZE = (1, 1)


def of(descriptors: np.ndarray) -> LocalFeatures:
    count = len(descriptors)
    zeros = np.zeros(count, np.float32)
    return LocalFeatures(np.zeros((count, 2), np.float32), descriptors, zeros, zeros)


def match(spec: str, first: np.ndarray, second: np.ndarray) -> Matches:
    matcher = MATCHERS.parse(spec).load(Runtime())
    return matcher.match(matcher.prepare(of(first), SIZE), matcher.prepare(of(second), SIZE))


def brute_force(
    cosines: np.ndarray, ratio: float = 0.8, mutual: bool = True, max_distance: float = 2.0
) -> list[tuple[int, int]]:
    """The definition, one keypoint after the other, in float64."""
    found: list[tuple[int, int]] = []
    for i, row in enumerate(cosines):
        j = int(np.argmax(row))
        rest = np.delete(row, j)
        best, second = max(2 - 2 * row[j], 0) ** 0.5, max(2 - 2 * rest.max(), 0) ** 0.5 if len(rest) else np.inf
        is_mutual = row[j] == cosines[:, j].max() and all(b != j for _, b in candidates(cosines, i))
        is_clear = ratio == 1 or best < ratio * second
        if (is_mutual or not mutual) and is_clear and best <= max_distance:
            found.append((i, j))
    return found


def candidates(cosines: np.ndarray, before: int) -> list[tuple[int, int]]:
    """Earlier rows that are as similar to their best column as any row is."""
    best = cosines[:before].argmax(axis=1)
    return [(i, int(j)) for i, j in enumerate(best) if cosines[i, j] == cosines[:, j].max()]


def noisy_bytes(count: int, noise: float, seed: int) -> np.ndarray:
    """Descriptors of the same things, seen with noise, so that some pass the ratio and some do not."""
    things = np.abs(np.random.default_rng(0).normal(size=(600, 128)))
    seen = things[:count] + noise * np.random.default_rng(seed).normal(size=(count, 128))
    seen = np.abs(seen) / np.linalg.norm(seen, axis=1, keepdims=True)
    return np.rint(512 * seen).astype(np.uint8)


def cosines_of(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return first.astype(np.float64) @ second.T.astype(np.float64) / 512**2


@pytest.mark.parametrize("ratio", [0.7, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("mutual", [True, False])
@pytest.mark.parametrize("counts", [(520, 400), (90, 600), (300, 2), (7, 257)])
def test_bytes_match_as_the_definition_says(ratio: float, mutual: bool, counts: tuple[int, int]) -> None:
    first, second = noisy_bytes(counts[0], 0.7, 1), noisy_bytes(counts[1], 0.7, 2)
    matches = match(f"nn:ratio={ratio},mutual={mutual}", first, second)
    expected = brute_force(cosines_of(first, second), ratio, mutual)
    assert list(map(tuple, matches.indices.tolist())) == expected


def test_half_floats_of_any_length_match_as_unit_vectors() -> None:
    rng = np.random.default_rng(4)
    first, second = (rng.normal(size=(count, 64)).astype(np.float16) for count in (200, 300))
    unit = [x.astype(np.float64) / np.linalg.norm(x.astype(np.float64), axis=1, keepdims=True) for x in (first, second)]
    matches = match("nn:ratio=0.98", first, second)
    assert list(map(tuple, matches.indices.tolist())) == brute_force(unit[0] @ unit[1].T, ratio=0.98)
    i, j = matches.indices.T
    assert np.allclose(matches.scores, (unit[0][i] * unit[1][j]).sum(axis=1), atol=1e-6)


def test_scores_are_cosines() -> None:
    first, second = noisy_bytes(50, 0.1, 1), noisy_bytes(60, 0.1, 2)
    matches = match("nn", first, second)
    i, j = matches.indices.T
    assert len(matches) > 10
    assert np.array_equal(matches.scores, cosines_of(first, second)[i, j].astype(np.float32))


@given(st.integers(1, 12), st.integers(1, 12), st.sampled_from([0.8, 1.0]), st.booleans(), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=150)
def test_ties_go_to_the_first(rows: int, columns: int, ratio: float, mutual: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (rng.integers(0, 2, (count, 3)).astype(np.uint8) * 200 for count in (rows, columns))
    matches = match(f"nn:ratio={ratio},mutual={mutual}", first, second)
    assert list(map(tuple, matches.indices.tolist())) == brute_force(cosines_of(first, second), ratio, mutual)


def test_a_tie_across_folded_lanes_goes_to_the_first_column() -> None:
    second = noisy_bytes(600, 0.0, 1)
    second[[300, 280, 599]] = second[17]  # 300 and 280 fold to lanes 44 and 24, 599 to 87
    best = match("nn:ratio=1", second[[17]], second)
    assert best.indices.tolist() == [[0, 17]]
    second[17] = 0
    assert match("nn:ratio=1", second[[300]], second).indices.tolist() == [[0, 280]]


def test_a_match_with_an_equally_good_second_is_not_clear() -> None:
    second = noisy_bytes(20, 0.0, 1)
    second[4] = second[3]
    assert 3 not in match("nn", second, second).indices[:, 0]
    axes = np.eye(8, dtype=np.float16)
    assert len(match("nn", axes[:2], axes[[0, 0]])) == 0 and len(match("nn", axes[:2], axes[:2])) == 2


def test_the_only_keypoint_of_an_image_has_no_second_best() -> None:
    first = noisy_bytes(30, 0.1, 1)
    assert match("nn:ratio=0.1", first, first[[12]]).indices.tolist() == [[12, 0]]


def test_matches_beyond_the_largest_distance_are_left_out() -> None:
    first, second = noisy_bytes(200, 0.2, 1), noisy_bytes(200, 0.2, 2)
    cosines = cosines_of(first, second)
    expected = brute_force(cosines, ratio=1.0, max_distance=0.26)
    matches = match("nn:ratio=1,max_distance=0.26", first, second)
    assert 0 < len(matches) < len(brute_force(cosines, ratio=1.0))
    assert list(map(tuple, matches.indices.tolist())) == expected
    axes = np.eye(8, dtype=np.float16)
    assert len(match("nn:ratio=1,max_distance=0", axes, axes)) == 8  # at that distance they are still matched


def test_bytes_give_the_same_whatever_the_size_of_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = noisy_bytes(500, 0.25, 1), noisy_bytes(600, 0.25, 2)
    expected = match("nn", first, second)
    for block in (1, 5000, 100_000):
        monkeypatch.setattr(similarity, "BLOCK", block)
        matches = match("nn", first, second)
        assert np.array_equal(matches.indices, expected.indices)
        assert np.array_equal(matches.scores, expected.scores)


def test_one_matcher_serves_images_of_different_sizes_in_turn() -> None:
    matcher = MATCHERS.parse("nn").load(Runtime())
    for rows, columns in ((10, 600), (600, 10), (300, 300), (1, 1)):
        first, second = noisy_bytes(rows, 0.2, 1), noisy_bytes(columns, 0.2, 2)
        matches = matcher.match(matcher.prepare(of(first), SIZE), matcher.prepare(of(second), SIZE))
        assert list(map(tuple, matches.indices.tolist())) == brute_force(cosines_of(first, second))


def test_a_zero_descriptor_is_no_accident() -> None:
    zeros = np.zeros((2, 8), np.float16)
    assert len(match("nn", zeros, zeros)) == 0


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.zeros((3, 128), np.uint8), np.zeros((3, 64), np.uint8), "128 bytes .* 64 bytes"),
        (np.zeros((3, 128), np.uint8), np.zeros((3, 128), np.float16), "128 bytes .* 128 floats"),
        (np.zeros((3, 128), np.int32), np.zeros((3, 128), np.int32), "int32"),
        (np.full((3, 8), np.nan, np.float16), np.zeros((3, 8), np.float16), "finite"),
        (np.full((3, 8), np.inf, np.float16), np.zeros((3, 8), np.float16), "finite"),
    ],
)
def test_descriptors_that_cannot_be_compared_are_refused(first: np.ndarray, second: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        match("nn", first, second)


@pytest.mark.parametrize("setting", ["ratio=0", "ratio=1.2", "max_distance=3", "cross_check=true"])
def test_settings_out_of_range_are_refused(setting: str) -> None:
    with pytest.raises(ConfigError, match="nn"):
        MATCHERS.parse(f"nn:{setting}")
