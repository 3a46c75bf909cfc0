"""Vectors of locally aggregated descriptors: the vocabulary and the aggregation."""

from __future__ import annotations

import numpy as np

from ..array_types import Float32, Int64

ITERATIONS = 5
"""of Lloyd's algorithm; later ones move the words little"""
DESCRIPTORS_PER_WORD = 100
"""that a vocabulary is learned from, at most"""
MOST_DESCRIPTORS = 2**18
"""that a large vocabulary is learned from, at most, however many words"""
FEWEST = 10
"""descriptors of each word, however many that makes"""
NEARNESSES = 2**20
"""of descriptors to words at a time: 4 MB, however many there are of both"""


def share_of_each(num_words: int, num_images: int) -> int:
    """How many descriptors each of so many images gives to learn a vocabulary."""
    count = min(DESCRIPTORS_PER_WORD * num_words, max(MOST_DESCRIPTORS, FEWEST * num_words))
    return -(-count // max(num_images, 1))


def learn_vocabulary(
    descriptors: Float32[np.ndarray, "n d"], num_words: int, rng: np.random.Generator
) -> Float32[np.ndarray, "words d"]:
    """Cluster centres by Lloyd's k-means; no more than there are descriptors.

    A word that loses all its descriptors stays where it is.
    """
    first = rng.choice(len(descriptors), min(num_words, len(descriptors)), replace=False)
    words = descriptors[np.sort(first)]
    for _ in range(ITERATIONS):
        counts, sums = _per_word(descriptors, words)
        words = np.where(counts > 0, sums / np.maximum(counts, 1), words)
    return words


def aggregate(
    descriptors: Float32[np.ndarray, "n d"],
    words: Float32[np.ndarray, "words d"],
    num_assigned: int = 1,
    power: float = 1.0,
) -> Float32[np.ndarray, "words_times_d"]:
    """Sums of residuals to the nearest words, every word's made a unit vector, then the whole; zeros of no descriptors.

    Arandjelovic & Zisserman, All about VLAD, CVPR 2013, section 3 (intra-normalisation). Before, numbers are brought to
    `power`, with their sign (Jegou et al., TPAMI 2012, section 3.2).
    """
    counts, sums = _per_word(descriptors, words, num_assigned)
    residuals = sums - counts * words
    if power != 1:
        residuals = np.sign(residuals) * np.abs(residuals) ** np.float32(power)
    return unit(unit(residuals).ravel())


def unit(vectors: Float32[np.ndarray, "*batch d"]) -> Float32[np.ndarray, "*batch d"]:
    """Vectors of length 1; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def _per_word(
    descriptors: Float32[np.ndarray, "n d"], words: Float32[np.ndarray, "words d"], num_assigned: int = 1
) -> tuple[Float32[np.ndarray, "words 1"], Float32[np.ndarray, "words d"]]:
    """How many descriptors have each word among the nearest, and their sum."""
    nearest = nearest_words(descriptors, words, num_assigned).ravel()
    counts = np.bincount(nearest, minlength=len(words))
    rows = np.argsort(nearest, kind="stable") // min(num_assigned, len(words))
    members = np.split(descriptors[rows], np.cumsum(counts)[:-1])
    return counts[:, None].astype(np.float32), np.stack([rows.sum(axis=0) for rows in members])


def nearest_words(
    descriptors: Float32[np.ndarray, "n d"], words: Float32[np.ndarray, "words d"], count: int = 1
) -> Int64[np.ndarray, "n count"]:
    """The words (or all) that each descriptor is nearest to, in no order."""
    # |x - w|^2 / 2 = |x|^2 / 2 - (x w - |w|^2 / 2): the nearest word has the largest bracket
    half_squares = 0.5 * np.einsum("wd,wd->w", words, words)
    rows, count = max(NEARNESSES // len(words), 1), min(count, len(words))
    parts = [
        _largest(descriptors[start : start + rows] @ words.T - half_squares, count)
        for start in range(0, len(descriptors), rows)
    ]
    return np.concatenate([np.zeros((0, count), np.int64), *parts])


def _largest(values: Float32[np.ndarray, "n words"], count: int) -> Int64[np.ndarray, "n count"]:
    """The columns of so many largest values of every row; of equal ones the first, if it is one."""
    if count == 1:
        return values.argmax(axis=1)[:, None]
    return np.argpartition(values, -count, axis=1)[:, -count:]
