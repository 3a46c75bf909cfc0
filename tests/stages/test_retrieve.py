"""Map images ranked for queries whose similarities are known."""

from __future__ import annotations

import numpy as np

from vloc.retrieval import FUSIONS
from vloc.runtime import Runtime
from vloc.stages.retrieve import RETRIEVE, RetrieveConfig

IMAGES = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], np.float32)
QUERIES = np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)


def test_the_most_similar_map_images_come_first() -> None:
    ranking = RETRIEVE.run(RetrieveConfig(), Runtime(), [QUERIES], [IMAGES], FUSIONS.parse("mean"))
    assert [ranking.of(query).tolist() for query in (0, 1)] == [[1, 2, 0], [0, 2, 1]]
    np.testing.assert_allclose(ranking.scores, [1, 0.8, 0, 1, 0.6, 0])


def test_only_so_many_are_retrieved_and_all_descriptors_count() -> None:
    others = np.array([[1.0], [-1.0], [1.0]], np.float32)  # a second descriptor that speaks against image 1
    queries = [QUERIES, np.ones((2, 1), np.float32)]
    ranking = RETRIEVE.run(RetrieveConfig(num_retrieved=1), Runtime(), queries, [IMAGES, others], FUSIONS.parse("mean"))
    assert [ranking.of(query).tolist() for query in (0, 1)] == [[2], [0]]
