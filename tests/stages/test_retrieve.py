"""Map images ranked for queries whose similarities are known."""

from __future__ import annotations

import numpy as np

from vloc.data.selection import Ranking
from vloc.geometry.rigid import Rigid
from vloc.retrieval import FUSIONS
from vloc.retrieval.reranking import RERANKINGS
from vloc.runtime import Runtime
from vloc.stages.retrieve import RETRIEVE, RetrieveConfig

IMAGES = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], np.float32)
QUERIES = np.array([[0.0, 1.0], [1.0, 0.0]], np.float32)


def retrieved(
    queries: list[np.ndarray], images: list[np.ndarray], config: RetrieveConfig | None = None, *reranking: str
) -> Ranking:
    made = tuple(RERANKINGS.parse(text) for text in reranking)
    context = queries, images, FUSIONS.parse("mean"), made, Rigid.identity(len(IMAGES)), None
    return RETRIEVE.run(config or RetrieveConfig(), Runtime(), *context)


def test_the_most_similar_map_images_come_first() -> None:
    ranking = retrieved([QUERIES], [IMAGES])
    assert [ranking.of(query).tolist() for query in (0, 1)] == [[1, 2, 0], [0, 2, 1]]
    np.testing.assert_allclose(ranking.scores, [1, 0.8, 0, 1, 0.6, 0])


def test_only_so_many_are_retrieved_and_all_descriptors_count() -> None:
    others = np.array([[1.0], [-1.0], [1.0]], np.float32)  # a second descriptor that speaks against image 1
    queries = [QUERIES, np.ones((2, 1), np.float32)]
    ranking = retrieved(queries, [IMAGES, others], RetrieveConfig(num_retrieved=1))
    assert [ranking.of(query).tolist() for query in (0, 1)] == [[2], [0]]


def test_re_rankings_go_over_it_and_geometry_gets_as_many_as_it_looks_at() -> None:
    # all stand in one place, so that the first of each list is the only viewpoint and the order stays
    one = RetrieveConfig(num_retrieved=1)
    assert retrieved([QUERIES], [IMAGES], one, "diverse").rows.tolist() == [[0, 1], [1, 0]]
    assert len(retrieved([QUERIES], [IMAGES], one, "diverse", "geometric:depth=2")) == 4
    expanded = retrieved([QUERIES], [IMAGES], None, "alpha_qe:k=2,alpha=0")
    # (0, 1) + (0, 1) + (0.6, 0.8), and its cosine with (1, 0)
    assert expanded.scores[2] == np.float32(0.6 / np.hypot(0.6, 2.8))
