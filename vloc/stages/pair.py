"""Which pairs of map images are worth matching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

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


def check(config: PairConfig, capture: Capture) -> None:
    """StageError where the capture lacks what the method goes by; asked before any work."""
    if config.method == "distance" and not capture.has_pose.any():
        raise StageError("--pairs distance: the capture has no poses: choose another method")
    made = capture.reconstruction
    if config.method == "covisibility" and (made is None or made.points is None or not made.observations):
        raise StageError("--pairs covisibility: the capture brings no reconstruction: choose another method")


def _pair(
    config: PairConfig,
    runtime: Runtime,
    names: Sequence[str],
    capture: Capture,
    vectors: Sequence[np.ndarray],
    fusion: Fusion,
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
    parts = []
    for i in range(len(posed)):
        metres, radians = pose_errors(poses, poses[i])
        distance, angle = metres / config.max_distance, np.degrees(radians) / config.max_angle_deg
        scores = 2 - distance - angle
        scores[(distance > 1) | (angle > 1) | (np.arange(len(posed)) == i)] = -np.inf
        best = np.argsort(-scores, kind="stable")[: config.num_pairs]
        best = best[np.isfinite(scores[best])]
        parts.append(_partners(posed[i], posed[best], scores[best]))
    return _joined(parts)


def by_time(config: PairConfig, names: Sequence[str], capture: Capture) -> Ranking:
    """Neighbours in time of the same camera, num_pairs / 2 on each side; score 1 / steps apart."""
    rows = np.array([capture.row_of[name] for name in names], np.int64)
    devices, times = capture.images.devices[rows], capture.images.timestamps[rows]
    order = np.lexsort((times, devices))
    parts = []
    for step in range(1, max(config.num_pairs // 2, 1) + 1):
        first, second = order[:-step], order[step:]
        same = devices[first] == devices[second]
        parts.append(_partners(first[same], second[same], np.full(int(same.sum()), 1 / step)))
    return _joined(parts)


def by_covisibility(config: PairConfig, names: Sequence[str], capture: Capture) -> Ranking:
    """The images that share most points of the reconstruction that came with the capture; score = shared points."""
    shared = _shared_points(names, capture)
    parts = []
    for i in range(len(names)):
        entries = slice(shared.indptr[i], shared.indptr[i + 1])
        others, counts = shared.indices[entries], shared.data[entries]
        order = np.lexsort((others, -counts))
        best = order[others[order] != i][: config.num_pairs]
        parts.append(_partners(i, others[best], counts[best]))
    return _joined(parts)


def _shared_points(names: Sequence[str], capture: Capture) -> Any:
    """Sparse (i, i) counts of points that two images both see."""
    from scipy.sparse import csr_array

    made = capture.reconstruction
    if made is None or made.points is None:
        raise StageError("--pairs covisibility: the capture brings no reconstruction: choose another method")
    rows = np.full(len(capture.images), -1, np.int64)
    rows[[capture.row_of[name] for name in names]] = np.arange(len(names))
    images = np.concatenate([rows[seen.images] for seen in made.observations.values()])
    points = np.concatenate([seen.points for seen in made.observations.values()])
    entries = np.ones(int((images >= 0).sum()), np.int32)
    sees = csr_array((entries, (images[images >= 0], points[images >= 0])), shape=(len(names), len(made.points)))
    sees.data[:] = 1  # two keypoints of an image on one point count once
    return (sees @ sees.T).tocsr()


def _partners(image: int | np.integer[Any] | np.ndarray, others: np.ndarray, scores: np.ndarray) -> Ranking:
    rows = np.stack(np.broadcast_arrays(image, others), axis=1).astype(np.uint32)
    return Ranking(rows, scores.astype(np.float32))


def _joined(parts: Sequence[Ranking]) -> Ranking:
    rows = np.concatenate([np.zeros((0, 2), np.uint32), *(part.rows for part in parts)])
    return Ranking(rows, np.concatenate([np.zeros(0, np.float32), *(part.scores for part in parts)]))
