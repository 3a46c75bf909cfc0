"""What localization says of one query: a pose with its evidence, or none with a reason. Never a lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, Literal

import numpy as np

from ..array_types import Float64
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .evidence import Evidence
from .features import Arrays
from .frame import Unit
from .quality import LIMITS, ImageQuality
from .sparse_map import camera_line, parse_camera_line
from .view import ViewSimilarity

Source = Literal["pnp", "depth", "rig", "sequence", "retrieval", "none"]


@dataclass(frozen=True, eq=False)
class PoseEstimate:
    """The pose of one query and where it comes from.

    `covariance`: of (rotation 3, translation 3), radians and `unit`, of the left perturbation
    `Exp(xi) @ cam_from_world`: the translation block is the camera centre's covariance in camera axes. Holds the noise
    of keypoints and points, errors of the map's poses, and what is left open of the intrinsics
    (`solvers.pose_covariance`). None where there is no pose. `reason` says why there is none, or why the photo's own
    gave way to that of its sequence. `confidence`: the probability that the pose is right, from its `evidence`; a pose
    that was found and refused keeps both.

    `camera`: the intrinsics that the pose goes with, found with it where they were rough. `focal_source`: where they
    were taken from, as in `Sensor`. `focal_sigma_px`: standard deviation of the focal length, which the covariance
    holds; 0 where it was taken as exact. `quality`: what the image looks like. `unit`: of all lengths in it, that of
    the map's frame.

    `num_inliers` of `num_matches` are the evidence: found without knowing the pose. `num_guided`: keypoints matched
    near where points project, on which the pose was then refined; 0 where it was not. `view`: how much the photo looks
    like what the pose would see of a scan; None where nobody compared them. `similarities`: by which each of the
    `retrieved` map images was listed; NaN for those that neighbours in time brought.
    """

    name: str
    cam_from_world: Rigid | None
    source: Source
    num_inliers: int = 0
    num_matches: int = 0
    covariance: Float64[np.ndarray, "6 6"] | None = None
    retrieved: tuple[str, ...] = ()
    seconds: float = 0.0
    reason: str = ""
    camera: Camera | None = None
    focal_source: str = ""
    focal_sigma_px: float = 0.0
    quality: ImageQuality | None = None
    unit: Unit = "m"
    confidence: float = 0.0
    evidence: Evidence | None = None
    num_guided: int = 0
    view: ViewSimilarity | None = None
    similarities: tuple[float, ...] = ()

    @property
    def is_localized(self) -> bool:
        """Whether there is a pose."""
        return self.cam_from_world is not None

    def given(self, names: Sequence[str], rows: Iterable[int], similarities: Mapping[int, float]) -> PoseEstimate:
        """With the map images (rows of `names`) that it was given, some of which are known to be so similar."""
        listed = list(rows)
        known = tuple(similarities.get(row, np.nan) for row in listed)
        return replace(self, retrieved=tuple(names[row] for row in listed), similarities=known)

    def to_arrays(self) -> Arrays:
        """The stored form; the pose and its covariance have no rows where there is no pose."""
        pose, quality, evidence = self.cam_from_world, self.quality, self.evidence
        camera = camera_line(self.camera) if self.camera is not None else ""
        text = [self.source, self.name, self.reason, camera, self.focal_source, *self.retrieved]
        return {
            "rotation": _row(None if pose is None else pose.rotation, 3, 3),
            "translation": _row(None if pose is None else pose.translation, 3),
            "covariance": _row(self.covariance, 6, 6),
            "focal_sigma_px": np.array([self.focal_sigma_px]),
            "quality": _row(None if quality is None else np.array(astuple(quality), np.float64), len(LIMITS)),
            "confidence": np.array([self.confidence]),
            "evidence": _row(None if evidence is None else evidence.to_row(), len(Evidence.NAMES)),
            "counts": np.array([[self.num_inliers, self.num_matches, self.num_guided]]),
            "similarities": np.array(self.similarities, np.float64),
            "view": _row(None if self.view is None else np.array(astuple(self.view)), 2),
            "text": np.frombuffer("\n".join(text).encode(), np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> PoseEstimate:
        """The inverse of `to_arrays`."""
        text: list[Any] = arrays["text"].tobytes().decode().split("\n")
        source, name, reason, camera, focal_source, *retrieved = text
        pose = Rigid(arrays["rotation"], arrays["translation"])
        inliers, matches, guided = arrays["counts"][0].tolist()
        covariance = arrays["covariance"][0] if len(arrays["covariance"]) else None
        quality = ImageQuality.from_arrays({"scores": arrays["quality"]}) if len(arrays["quality"]) else None
        return cls(
            name,
            pose[0] if len(pose) else None,
            source,
            inliers,
            matches,
            covariance,
            tuple(retrieved),
            reason=reason,
            camera=parse_camera_line(camera) if camera else None,
            focal_source=focal_source,
            focal_sigma_px=float(arrays["focal_sigma_px"][0]),
            quality=quality,
            confidence=float(arrays["confidence"][0]),
            evidence=Evidence.from_row(arrays["evidence"][0]) if len(arrays["evidence"]) else None,
            num_guided=guided,
            view=ViewSimilarity.from_arrays(arrays) if len(arrays.get("view", ())) else None,  # earlier ones lack it
            similarities=tuple(arrays.get("similarities", np.zeros(0)).tolist()),  # and this
        )


def _row(value: np.ndarray | None, *shape: int) -> np.ndarray:
    """A value as the one row of an array, or no row."""
    return np.zeros((0, *shape)) if value is None else value[None]
