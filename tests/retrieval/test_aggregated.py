"""Aggregations of local features that are worked out by hand, and of places made of a few kinds of features each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vloc.data.features import LocalFeatures
from vloc.errors import StageError
from vloc.retrieval.aggregated import Aggregated, BagOfWords, LocalVlad, unit_rows
from vloc.retrieval.fisher import FisherVector
from vloc.runtime import Runtime

KINDS = np.eye(8, dtype=np.float32)
"""what features look like, but for noise"""


def of(rows: np.ndarray) -> LocalFeatures:
    """Features with these descriptors."""
    nothing = np.zeros(len(rows), np.float32)
    return LocalFeatures(np.zeros((len(rows), 2), np.float32), rows.astype(np.float16), nothing, nothing)


def features(*kinds: int, noise: float = 0.02, seed: int = 0) -> LocalFeatures:
    """Features of these kinds, of various lengths."""
    rng = np.random.default_rng(seed)
    rows = KINDS[list(kinds)] + rng.normal(0, noise, (len(kinds), 8))
    return of(rows * rng.uniform(50, 200, (len(kinds), 1)))


def length(kind: Aggregated) -> int:
    """Of a descriptor of six images."""
    if isinstance(kind, BagOfWords):
        return kind.num_words
    assert isinstance(kind, LocalVlad | FisherVector)
    return 3 if kind.dims == 3 else 8 * kind.num_words * (2 if isinstance(kind, FisherVector) else 1)


def test_descriptors_count_by_their_direction() -> None:
    rows = unit_rows(features(0, 3, noise=0))
    np.testing.assert_allclose(rows, KINDS[[0, 3]], atol=1e-3)


def test_words_count_by_the_root_of_how_often_and_the_log_of_how_rarely_they_are_seen() -> None:
    trained = {"words": KINDS[:3], "rareness": np.log(np.array([4 / 1, 4 / 2, 4 / 4], np.float32))}
    found = BagOfWords().vector(unit_rows(features(0, 0, 0, 0, 1, 2, 2)), trained)
    expected = np.array([2 * np.log(4), np.log(2), 0])
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected), rtol=1e-6)


def test_rareness_is_learned_from_the_images_that_show_a_word() -> None:
    learned = BagOfWords().learn([features(*kinds) for kinds in ([0, 0, 1], [1], [1, 0], [1])], KINDS[:3])
    np.testing.assert_allclose(learned["rareness"], np.log([4 / 2, 4 / 4, 4 / 1]), rtol=1e-6)


def test_descriptors_are_sparse_where_images_show_less_than_a_twentieth_of_all_words() -> None:
    words, kind = np.eye(50, dtype=np.float32), BagOfWords(num_words=50)
    for shown, is_sparse in ((2, True), (3, False)):
        images = [of(words[np.arange(first, first + shown) % 50]) for first in range(50)]
        learned = {"words": words, **kind.learn(images, words)}
        assert kind.load(Runtime(), learned)(images[0]).is_sparse is is_sparse is kind.is_sparse(learned)
    assert not LocalVlad().is_sparse({})


@pytest.mark.parametrize(
    "kind",
    [
        LocalVlad(num_words=2),
        BagOfWords(num_words=8),
        FisherVector(num_words=2, components=8),
        LocalVlad(num_words=2, dims=3),
        LocalVlad(num_words=4, num_assigned=2, power=0.5),
        LocalVlad(num_words=4, num_assigned=9, power=0.5, dims=3),
        FisherVector(num_words=2, dims=3),
    ],
)
def test_a_place_looks_most_like_itself_in_other_noise(kind: Aggregated) -> None:
    places = [(0, 0, 1, 1), (2, 2, 2, 3), (4, 5, 5, 5), (0, 6, 6, 7), (1, 2, 3, 3), (4, 4, 7, 7)]
    shown = [features(*place * 8, seed=row) for row, place in enumerate(places)]
    trained = kind.train(Runtime(), shown, 0)
    describe = kind.load(Runtime(), trained)
    references = np.stack([describe(each).vector for each in shown])
    queries = np.stack([describe(features(*place * 5, seed=100 + row)).vector for row, place in enumerate(places)])
    assert (queries @ references.T).argmax(axis=1).tolist() == list(range(6))
    assert np.allclose(np.linalg.norm(references, axis=1), 1, atol=1e-5) and references.dtype == np.float32
    assert references.shape[1] == length(kind)


@pytest.mark.parametrize("kind", [LocalVlad(num_words=2), BagOfWords(num_words=2), FisherVector(num_words=2)])
def test_an_image_without_features_is_all_zeros(kind: Aggregated) -> None:
    trained = kind.train(Runtime(), [features(0, 1, 2), features(3, 4)], 0)
    assert not kind.load(Runtime(), trained)(features()).vector.any()


def test_images_without_any_features_are_an_error() -> None:
    with pytest.raises(StageError, match="vlad: none of 2 images has features"):
        LocalVlad().train(Runtime(), [features(), features()], 0)


def test_training_repeats_with_its_seed_and_a_word_has_a_hundred_descriptors_at_most() -> None:
    images = [features(*range(8), seed=seed) for seed in range(50)]
    once, again = (LocalVlad(num_words=3).train(Runtime(), images, 5)["words"] for _ in range(2))
    assert np.array_equal(once, again) and once.shape == (3, 8)
    assert not np.array_equal(once, LocalVlad(num_words=3).train(Runtime(), images, 6)["words"])
    scaled = [replace(each, descriptors=each.descriptors / np.float16(4)) for each in images]
    np.testing.assert_allclose(LocalVlad(num_words=3).train(Runtime(), scaled, 5)["words"], once, atol=2e-3)
