"""Parts of descriptors as bytes: exact where there are few of them, nearest words where there are many."""

import numpy as np
import pytest

from vloc.retrieval.product_quantisation import WORDS, codebooks, decoded, encoded


def test_few_descriptors_come_back_as_they_are():
    rows = np.random.default_rng(0).normal(size=(WORDS, 8)).astype(np.float32)
    books = codebooks(rows, 4)
    assert books.shape == (4, WORDS, 2)
    assert np.abs(decoded(encoded(rows, books), books) - rows).max() < 1e-5


@pytest.mark.parametrize("num_parts", [1, 2, 4])
def test_every_part_gets_its_nearest_word_and_more_parts_are_nearer(num_parts):
    rows = np.random.default_rng(1).normal(size=(2000, 8)).astype(np.float32)
    books = codebooks(rows, num_parts)
    codes = encoded(rows, books)
    for part, (own, book) in enumerate(zip(np.split(rows, num_parts, axis=1), books, strict=True)):
        distances = np.linalg.norm(own[:, None] - book, axis=2)
        assert (distances[np.arange(len(rows)), codes[:, part]] <= distances.min(axis=1) + 1e-5).all()
    error = np.square(decoded(codes, books) - rows).mean()
    assert error < {1: 0.45, 2: 0.15, 4: 0.02}[num_parts]


def test_no_descriptors_have_books_and_no_codes():
    books = codebooks(np.zeros((0, 8), np.float32), 2)
    assert encoded(np.zeros((0, 8), np.float32), books).shape == (0, 2)
