"""Query -> a pose from those of the map images that look most like it, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..array_types import Float64
from ..data.capture import Sensor
from ..data.estimate import PoseEstimate
from ..data.selection import evenly
from ..errors import DataError
from ..geometry.pose_error import pose_errors
from ..geometry.rigid import Rigid
from ..retrieval.search import Vectors
from ..retrieval.sparse_rows import products
from ..runtime import Runtime
from ..solvers.pose_approximation import ApproximationConfig, ErrorCurve, barycentre, weights_of
from ..stage import EachStage, Run

TRIED = 100
"""map images at most whose poses are approximated to learn how far approximations are off"""
FEWEST = 3
"""map images"""
STEPS = np.concatenate([np.linspace(0, 0.8, 5), np.linspace(1, 2, 6)])
"""where the curve of errors has its points: 0 is no similarity, 1 and 2 are least and most between map images"""


@dataclass(frozen=True, eq=False)
class Approximator:
    """Approximates poses from those of `num_retrieved` images at most, which have these vectors."""

    config: ApproximationConfig
    images: Vectors
    cam_from_world: Rigid
    num_retrieved: int

    def __call__(self, cosines: Float64[np.ndarray, "k"], rows: np.ndarray) -> Rigid:
        """`cam_from_world` by the images of some rows; `cosines`: theirs with the query."""
        vectors = [part[rows] for part in self.images]
        return barycentre(self.cam_from_world[rows], weights_of(self.config, cosines, similarity(vectors, vectors)))

    def learned(self) -> ErrorCurve:
        """How far the poses of map images are off by others that are no more similar to them than so much.

        DataError for too few images to say.
        """
        if len(self.cam_from_world) < FEWEST:
            raise DataError(f"a map of {len(self.cam_from_world)} images: expected {FEWEST} to approximate poses by")
        tried = np.array(evenly(range(len(self.cam_from_world)), TRIED))
        cosines = similarity([part[tried] for part in self.images], self.images)
        cosines[np.arange(len(tried)), tried] = -np.inf  # an image is not among the others
        tops = cosines.max(axis=1)
        limits = np.interp(STEPS, [0, 1, 2], [min(0.0, tops.min()), tops.min(), tops.max()])
        errors = [self._errors(tried, cosines, limit) for limit in limits]
        told = [row for row, found in enumerate(errors) if 2 * len(found) >= len(tried)]
        return ErrorCurve.of(limits[told], np.array([np.quantile(errors[row], 0.95, axis=0) for row in told]))

    def _errors(
        self, tried: np.ndarray, cosines: Float64[np.ndarray, "t n"], limit: float
    ) -> Float64[np.ndarray, "e 2"]:
        """Radians and metres for all images that have others no more similar than a limit."""
        errors = []
        for image, own in zip(tried, cosines, strict=True):
            allowed = np.where(own <= limit, own, -np.inf)
            rows = np.argsort(-allowed, kind="stable")[: self.num_retrieved]
            rows = rows[np.isfinite(allowed[rows])]
            if len(rows):
                errors.append(pose_errors(self(own[rows], rows), self.cam_from_world[image])[::-1])
        return np.array(errors, np.float64).reshape(-1, 2)


def similarity(queries: Vectors, images: Vectors) -> Float64[np.ndarray, "q r"]:
    """The mean cosine over all descriptors."""
    every = [products(q, r) for q, r in zip(queries, images, strict=True)]
    return np.asarray(np.mean(every, axis=0, dtype=np.float64))


def approximated(
    name: str, sensor: Sensor, cosines: Float64[np.ndarray, "n"], rows: np.ndarray, by: Approximator, curve: ErrorCurve
) -> PoseEstimate:
    """The estimate of one query: no matches, no evidence, confidence 0."""
    if not len(rows):
        return PoseEstimate(name, None, "none", reason="no map image may be retrieved for it")
    rows = rows[: by.num_retrieved].astype(np.int64)
    return PoseEstimate(
        name,
        by(cosines[rows], rows),
        "retrieval",
        covariance=curve.covariance(float(cosines[rows].max())),
        camera=sensor.camera,
        focal_source=sensor.focal_source,
    )


def _start(
    config: ApproximationConfig,
    runtime: Runtime,
    retrieved: Mapping[str, np.ndarray],
    sensors: Mapping[str, Sensor],
    names: Sequence[str],
    queries: Vectors,
    images: Vectors,
    cam_from_world: Rigid,
    num_retrieved: int,
) -> Run[str, PoseEstimate]:
    by = Approximator(config, images, cam_from_world, num_retrieved)
    curve, row_of = by.learned(), {name: row for row, name in enumerate(names)}

    def run(items: Iterable[str]) -> Iterator[PoseEstimate]:
        for name in items:
            cosines = similarity([part[[row_of[name]]] for part in queries], images)[0]
            yield approximated(name, sensors[name], cosines, retrieved[name], by, curve)

    return run


APPROXIMATE: EachStage[str, PoseEstimate] = EachStage("approximate", 1, PoseEstimate, _start)
