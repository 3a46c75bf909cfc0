"""Which pairs of map images are worth matching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from ..array_types import Bool, Int32, Int64
from ..data.capture import Capture
from ..data.selection import Ranking
from ..errors import StageError
from ..geometry.pose_error import pose_errors
from ..geometry.rigid import Rigid
from ..retrieval.fusion import Fusion
from ..retrieval.search import Vectors, others, search
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


@dataclass(frozen=True, eq=False)
class Layout:
    """What a capture says of images before they are matched: where and when they were taken, which points they show.

    All by row of the images: `devices` count cameras; `observations` are (image, point), of a reconstruction that came
    with the capture, empty where there is none.
    """

    cam_from_world: Rigid
    has_pose: Bool[np.ndarray, "i"]
    timestamps: Int64[np.ndarray, "i"]
    devices: Int32[np.ndarray, "i"]
    observations: Int64[np.ndarray, "o 2"]


def layout(capture: Capture, names: Sequence[str]) -> Layout:
    """The layout of some images of a capture, in the order of their names."""
    rows = np.array([capture.row_of[name] for name in names], np.int64)
    times, devices = capture.images.timestamps[rows], capture.images.devices[rows]
    return Layout(capture.cam_from_world[rows], capture.has_pose[rows], times, devices, _observations(capture, rows))


def _observations(capture: Capture, rows: Int64[np.ndarray, "i"]) -> Int64[np.ndarray, "o 2"]:
    made = capture.reconstruction
    if made is None or made.points is None or not made.observations:
        return np.zeros((0, 2), np.int64)
    row_of = np.full(len(capture.images), -1, np.int64)
    row_of[rows] = np.arange(len(rows))
    images = np.concatenate([row_of[seen.images] for seen in made.observations.values()])
    points = np.concatenate([seen.points for seen in made.observations.values()])
    return np.stack([images, points], axis=1)[images >= 0]


def check(config: PairConfig, capture: Capture) -> None:
    """StageError where the capture lacks what the method goes by; asked before any work."""
    if config.method == "distance" and not capture.has_pose.any():
        raise StageError("--pairs distance: the capture has no poses: choose another method")
    made = capture.reconstruction
    if config.method == "covisibility" and (made is None or made.points is None or not made.observations):
        raise StageError("--pairs covisibility: the capture brings no reconstruction: choose another method")


def _pair(config: PairConfig, runtime: Runtime, images: Layout, vectors: Vectors, fusion: Fusion) -> Ranking:
    chosen = {
        "exhaustive": lambda: exhaustive(len(images.devices)),
        "retrieval": lambda: search(vectors, vectors, fusion, config.num_pairs, others(len(images.devices))),
        "distance": lambda: by_distance(config, images),
        "sequence": lambda: by_time(config, images),
        "covisibility": lambda: by_covisibility(config, images),
    }[config.method]()
    return unordered(chosen)


PAIR: OnceStage[Ranking] = OnceStage("pair", 2, Ranking, _pair)


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


def by_distance(config: PairConfig, images: Layout) -> Ranking:
    """The nearest poses; score 2 - (distance / max_distance + angle / max_angle), as kapture-localization."""
    posed = np.flatnonzero(images.has_pose)
    poses = images.cam_from_world[posed]
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


def by_time(config: PairConfig, images: Layout) -> Ranking:
    """Neighbours in time of the same camera, num_pairs / 2 on each side; score 1 / steps apart."""
    devices = images.devices
    order = np.lexsort((images.timestamps, devices))
    parts = []
    for step in range(1, max(config.num_pairs // 2, 1) + 1):
        first, second = order[:-step], order[step:]
        same = devices[first] == devices[second]
        parts.append(_partners(first[same], second[same], np.full(int(same.sum()), 1 / step)))
    return _joined(parts)


def by_covisibility(config: PairConfig, images: Layout) -> Ranking:
    """The images that share most points of the reconstruction that came with the capture; score = shared points."""
    shared = _shared_points(images)
    parts = []
    for i in range(len(images.devices)):
        entries = slice(shared.indptr[i], shared.indptr[i + 1])
        others, counts = shared.indices[entries], shared.data[entries]
        order = np.lexsort((others, -counts))
        best = order[others[order] != i][: config.num_pairs]
        parts.append(_partners(i, others[best], counts[best]))
    return _joined(parts)


def _shared_points(images: Layout) -> Any:
    """Sparse (i, i) counts of points that two images both see."""
    from scipy.sparse import csr_array

    rows, points = images.observations.T
    if not len(rows):
        raise StageError("--pairs covisibility: the capture brings no reconstruction: choose another method")
    shape = len(images.devices), int(points.max()) + 1
    sees = csr_array((np.ones(len(rows), np.int32), (rows, points)), shape=shape)
    sees.data[:] = 1  # two keypoints of an image on one point count once
    return (sees @ sees.T).tocsr()


def _partners(image: int | np.integer[Any] | np.ndarray, others: np.ndarray, scores: np.ndarray) -> Ranking:
    rows = np.stack(np.broadcast_arrays(image, others), axis=1).astype(np.uint32)
    return Ranking(rows, scores.astype(np.float32))


def _joined(parts: Sequence[Ranking]) -> Ranking:
    rows = np.concatenate([np.zeros((0, 2), np.uint32), *(part.rows for part in parts)])
    return Ranking(rows, np.concatenate([np.zeros(0, np.float32), *(part.scores for part in parts)]))
