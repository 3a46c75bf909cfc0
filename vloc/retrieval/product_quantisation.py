"""Descriptors in a few bytes: the nearest words of parts of them (Jegou et al., Product quantization, TPAMI 2011)."""

from __future__ import annotations

import numpy as np

from ..array_types import Float32, UInt8
from .vlad import learn_vocabulary, nearest_words

WORDS = 256
"""of every part: one byte says which"""
LEARNED_FROM = 20_000
"""descriptors at most"""

Books = Float32[np.ndarray, "parts words d_of_part"]


def codebooks(rows: Float32[np.ndarray, "n d"], num_parts: int, seed: int = 0) -> Books:
    """The words of every part, the same number of each; as many as there are rows at most, and one at least."""
    rng = np.random.default_rng(seed)
    some = rows[rng.permutation(len(rows))[:LEARNED_FROM]] if len(rows) else np.zeros((1, rows.shape[1]), np.float32)
    return np.stack([learn_vocabulary(part, WORDS, rng) for part in _parts(some, num_parts)])


def encoded(rows: Float32[np.ndarray, "n d"], books: Books) -> UInt8[np.ndarray, "n parts"]:
    """The nearest word of every part."""
    codes = [nearest_words(part, book) for part, book in zip(_parts(rows, len(books)), books, strict=True)]
    return np.concatenate(codes, axis=1).astype(np.uint8)


def decoded(codes: UInt8[np.ndarray, "n parts"], books: np.ndarray) -> np.ndarray:
    """What the codes stand for, of the books' type."""
    return books[np.arange(len(books)), codes].reshape(len(codes), books.shape[0] * books.shape[2])


def _parts(rows: Float32[np.ndarray, "n d"], count: int) -> list[Float32[np.ndarray, "n d_of_part"]]:
    return [np.ascontiguousarray(part) for part in np.split(rows, count, axis=1)]
