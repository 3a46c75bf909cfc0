"""Descriptors that are mostly zeros, searched by an inverted index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from ..array_types import Float32, Int64
from ..data.features import GlobalDescriptor
from .half_rows import HalfRows

Index = slice | list[int] | np.ndarray


@dataclass(frozen=True, eq=False)
class SparseRows:
    """Vectors of some images in rows, without their zeros: a scipy `csr_array`."""

    matrix: Any

    @classmethod
    def of(cls, vectors: Iterable[Float32[np.ndarray, "d"]]) -> SparseRows:
        """From dense vectors, at least one, of which no two are held at a time."""
        from scipy.sparse import csr_array

        ends, columns, values, dims = [0], [], [], 0
        for vector in vectors:
            places, dims = np.flatnonzero(vector), len(vector)
            columns.append(places.astype(np.int32))
            values.append(vector[places])
            ends.append(ends[-1] + len(places))
        parts = np.concatenate(values), np.concatenate(columns), np.array(ends)
        return cls(csr_array(parts, shape=(len(columns), dims)))

    @cached_property
    def index(self) -> Any:
        """For every number the images in which it is not zero: the transpose, row by row."""
        return self.matrix.T.tocsr()

    @property
    def shape(self) -> tuple[int, int]:
        """Images and numbers of each."""
        return self.matrix.shape

    def __len__(self) -> int:
        return int(self.matrix.shape[0])

    def __getitem__(self, rows: Index) -> SparseRows:
        return SparseRows(self.matrix[rows])

    def sum(self) -> float:
        """Of all numbers."""
        return float(self.matrix.sum())


Rows = Float32[np.ndarray, "_ _"] | SparseRows | HalfRows
"""vectors of some images, by row"""


def stacked(descriptors: Iterable[GlobalDescriptor]) -> Rows:
    """The descriptors of some images; without their zeros where they are stored so."""
    found = iter(descriptors)
    first = next(found, None)
    if first is None:
        return np.zeros((0, 0), np.float32)
    vectors = (each.vector for each in chain([first], found))
    return SparseRows.of(vectors) if first.is_sparse else np.stack(list(vectors))


def products(queries: Rows, references: Rows) -> Float32[np.ndarray, "q r"]:
    """The inner products of all vectors with all others."""
    if isinstance(references, SparseRows):
        found = (queries.matrix if isinstance(queries, SparseRows) else dense(queries)) @ references.index
        return found if isinstance(found, np.ndarray) else found.toarray()
    if isinstance(references, HalfRows):
        return references.products(dense(queries))
    if isinstance(queries, SparseRows):
        return queries.matrix @ references.T
    return dense(queries) @ references.T


def dense(rows: Rows) -> Float32[np.ndarray, "_ d"]:
    """The vectors as float32, their zeros among them."""
    return rows.matrix.toarray() if isinstance(rows, SparseRows) else np.asarray(rows)


def with_neighbours(
    vectors: Rows, references: Rows, rows: Int64[np.ndarray, "n"], columns: Int64[np.ndarray, "n"], alpha: float
) -> SparseRows:
    """Unit vectors of each vector plus references, each times max(cosine, 0)^alpha: for a row the columns beside it."""
    from scipy.sparse import csr_array

    own, others = (
        each.matrix if isinstance(each, SparseRows) else csr_array(dense(each)) for each in (vectors, references)
    )
    cosines = np.asarray(own[rows].multiply(others[columns]).sum(axis=1)).ravel()
    weights = np.maximum(cosines, 0) ** np.float32(alpha)
    sums = (own + csr_array((weights, (rows, columns)), shape=(own.shape[0], others.shape[0])) @ others).tocsr()
    lengths = np.sqrt(np.asarray(sums.multiply(sums).sum(axis=1)).ravel())
    sums.data /= np.repeat(np.where(lengths > 0, lengths, 1), np.diff(sums.indptr))
    return SparseRows(sums.astype(np.float32))
