"""Which pairs of map images are worth matching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
import numpy as np

from ..data.capture import Capture
from ..data.selection import Ranking
from ..errors import StageError
from ..geometry.pose_error import pose_errors
from ..retrieval.fusion import Fusion
from ..retrieval.search import search
from ..runtime import Runtime
from ..stage import OnceStage

PairMethod = Literal["exhaustive", "retrieval", "distance", "sequence", "covisibility"]


@dataclass(frozen=True)
class PairConfig:
    """Choice of the map's image pairs."""

    method: PairMethod = "retrieval"
    """retrieval: most similar images; distance: nearest poses; sequence: neighbours in time of one camera;
    covisibility: shared points of a reconstruction the capture brings; exhaustive: all"""
    num_pairs: Annotated[int, msgspec.Meta(ge=1)] = 20
    """partners an image gets (a pair may be wanted from both sides)"""
    max_distance: Annotated[float, msgspec.Meta(gt=0)] = 25.0
    """distance: between camera centres, m"""
    max_angle_deg: Annotated[float, msgspec.Meta(gt=0, le=180)] = 45.0
    """distance: between viewing rotations, degrees"""


def _pair(
    config: PairConfig, runtime: Runtime, names: Sequence[str], capture: Capture,
    vectors: Sequence[np.ndarray], fusion: Fusion,
) -> Ranking:
    chosen = {
        "exhaustive": lambda: exhaustive(len(names)),
        "retrieval": lambda: search(vectors, vectors, fusion, config.num_pairs, exclude_self=True),
        "distance": lambda: by_distance(config, names, capture),
        "sequence": lambda: by_time(config, names, capture),
        "covisibility": lambda: by_covisibility(config, names, capture),
    }[config.method]()
    return unordered(chosen)


PAIR: OnceStage[Ranking] = OnceStage("pair", 1, Ranking, _pair)


def unordered(ranking: Ranking) -> Ranking:
    """Each pair once, smaller row first, with its better score; sorted by rows."""
    rows = np.sort(ranking.rows, axis=1)
    order = np.lexsort((-ranking.scores, rows[:, 1], rows[:, 0]))
    rows, scores = rows[order], ranking.scores[order]
    first = np.ones(len(rows), bool)
    first[1:] = (rows[1:] != rows[:-1]).any(axis=1)
    keep = first & (rows[:, 0] != rows[:, 1])
    return Ranking(rows[keep], scores[keep])


def exhaustive(count: int) -> Ranking:
    """Every pair of `count` rows."""
    rows = np.stack(np.triu_indices(count, k=1), axis=1).astype(np.uint32)
    return Ranking(rows, np.ones(len(rows), np.float32))


def by_distance(config: PairConfig, names: Sequence[str], capture: Capture) -> Ranking:
    """The nearest poses; score 2 - (distance / max_distance + angle / max_angle), as kapture-localization."""
    rows = np.array([capture.row_of[name] for name in names], np.int64)
    posed = np.flatnonzero(capture.has_pose[rows])
    poses = capture.cam_from_world[rows[posed]]
    found, scores = [np.zeros((0, 2), np.uint32)], [np.zeros(0, np.float32)]
    for i in range(len(posed)):
        distance, radians = pose_errors(poses, poses[i])
        angle = np.degrees(radians)
        score = 2 - distance / config.max_distance - angle / config.max_angle_deg
        score[(distance > config.max_distance) | (angle > config.max_angle_deg)] = -np.inf
        score[i] = -np.inf
        best = np.argsort(-score, kind="stable")[: config.num_pairs]
        best = best[np.isfinite(score[best])]
        found.append(np.stack([np.full(len(best), posed[i]), posed[best]], axis=1).astype(np.uint32))
        scores.append(score[best].astype(np.float32))
    return Ranking(np.concatenate(found), np.concatenate(scores))


def by_time(config: PairConfig, names: Sequence[str], capture: Capture) -> Ranking:
    """Neighbours in time of the same camera, num_pairs / 2 on each side; score 1 / steps apart."""
    rows = np.array([capture.row_of[name] for name in names], np.int64)
    devices, times = capture.images.devices[rows], capture.images.timestamps[rows]
    order = np.lexsort((times, devices))
    found, scores = [np.zeros((0, 2), np.uint32)], [np.zeros(0, np.float32)]
    for step in range(1, max(config.num_pairs // 2, 1) + 1):
        first, second = order[:-step], order[step:]
        same = devices[first] == devices[second]
        found.append(np.stack([first[same], second[same]], axis=1).astype(np.uint32))
        scores.append(np.full(int(same.sum()), 1 / step, np.float32))
    return Ranking(np.concatenate(found), np.concatenate(scores))


def by_covisibility(config: PairConfig, names: Sequence[str], capture: Capture) -> Ranking:
    """The images that share most points of the reconstruction that came with the capture; score = shared points."""
    from scipy.sparse import csr_array

    seen = capture.reconstruction
    if seen is None or not len(seen.observations):
        raise StageError("--pairs covisibility: the capture brings no reconstruction: choose another method")
    rows = np.full(len(capture.images), -1, np.int64)
    rows[[capture.row_of[name] for name in names]] = np.arange(len(names))
    images, points = rows[seen.observations.images], seen.observations.points
    images, points = images[images >= 0], points[images >= 0]
    sees = csr_array((np.ones(len(images), np.int32), (images, points)), shape=(len(names), len(seen.points)))
    sees.data[:] = 1
    shared = (sees @ sees.T).tocsr()
    found, scores = [np.zeros((0, 2), np.uint32)], [np.zeros(0, np.float32)]
    for i in range(len(names)):
        others = shared.indices[shared.indptr[i] : shared.indptr[i + 1]]
        counts = shared.data[shared.indptr[i] : shared.indptr[i + 1]]
        order = np.lexsort((others, -counts))
        best = order[others[order] != i][: config.num_pairs]
        found.append(np.stack([np.full(len(best), i), others[best]], axis=1).astype(np.uint32))
        scores.append(counts[best].astype(np.float32))
    return Ranking(np.concatenate(found), np.concatenate(scores))
