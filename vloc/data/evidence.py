"""What speaks for a pose, and what true and false agreement look like in a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import ClassVar

import numpy as np

from ..array_types import Bool, Float64, Int64
from .features import Arrays


@dataclass(frozen=True)
class Evidence:
    """What speaks for a pose. All of it is counted on matches that were made without knowing the pose."""

    log10_false_alarms: float
    """log10 of how many poses are expected to agree as well with as many random matches; below 0 it is no chance"""
    agreement: float
    """of the matches with the map images that support the pose most, the share that agrees at least, 0 to 1"""
    coverage: float
    """share of the image in which matches agree, 0 to 1"""
    rival: float
    """inliers of the best pose elsewhere, relative to those of this one; 0 where there is none"""
    relative_error: float
    """standard deviation of the camera's centre, relative to the median distance of the points that agree"""
    quality: float = 1.0
    """how good the photo is, 0 to 1 (`ImageQuality.overall`)"""

    NAMES: ClassVar = ("log10_false_alarms", "agreement", "coverage", "rival", "relative_error", "quality")

    def to_row(self) -> Float64[np.ndarray, "6"]:
        """The numbers in the order of their declaration."""
        return np.array(astuple(self), np.float64)

    @classmethod
    def from_row(cls, row: Float64[np.ndarray, "6"]) -> Evidence:
        """The inverse of `to_row`."""
        return cls(*map(float, row))


@dataclass(frozen=True, eq=False)
class Trials:
    """What became of attempts to localize one of the map's own images: a row an attempt that gave a pose."""

    evidence: Float64[np.ndarray, "t 6"]
    is_right: Bool[np.ndarray, "t"]
    against_wrong_images: Bool[np.ndarray, "t"]
    """whether the attempt was made against map images that do not show the place"""
    num_attempts: Int64[np.ndarray, "1 2"]
    """how many were made, with the right images and with wrong ones"""

    @classmethod
    def joined(cls, parts: Sequence[Trials]) -> Trials:
        """The trials of several images together."""
        none = cls(np.zeros((0, len(Evidence.NAMES))), np.zeros(0, bool), np.zeros(0, bool), np.zeros((1, 2), np.int64))
        rows = [(t.evidence, t.is_right, t.against_wrong_images, t.num_attempts) for t in (none, *parts)]
        evidence, is_right, against_wrong_images, num_attempts = map(np.concatenate, zip(*rows, strict=True))
        return cls(evidence, is_right, against_wrong_images, num_attempts.sum(axis=0, keepdims=True))

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {
            "evidence": self.evidence,
            "is_right": self.is_right,
            "against_wrong_images": self.against_wrong_images,
            "num_attempts": self.num_attempts,
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Trials:
        """The inverse of `to_arrays`."""
        return cls(**arrays)


@dataclass(frozen=True, eq=False)
class Calibration:
    """How much evidence is worth in one map: confidence = 1 / (1 + exp(-(slope * log odds + offset))).

    `trials` are what slope and offset were learned from.
    """

    slope: float
    offset: float
    trials: Trials

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {"curve": np.array([[self.slope, self.offset]]), **self.trials.to_arrays()}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Calibration:
        """The inverse of `to_arrays`."""
        rest = dict(arrays)
        slope, offset = rest.pop("curve")[0].tolist()
        return cls(slope, offset, Trials.from_arrays(rest))
