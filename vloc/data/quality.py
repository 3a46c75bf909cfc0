"""How good a photo is to localize with: scores, what is wrong with it in words, and one number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass

import numpy as np

from .features import Arrays


@dataclass(frozen=True)
class Limit:
    """How a score is read: `useless` is where gallery queries are lost, `good` is what any good photo has."""

    useless: float
    good: float
    complaint: str
    """what is wrong with a photo that is not good, in the user's words"""
    measure: str
    """how the value is called in the complaint"""

    def goodness(self, value: float) -> float:
        """1 at `good`, 0 at `useless`, linear in the logarithm between them and beyond."""
        return math.log(max(value, 1e-6) / self.useless) / math.log(self.good / self.useless)

    def explain(self, value: float) -> str:
        """What is wrong, with the measured value and the limit."""
        side = "over" if self.good > self.useless else "under"
        return f"the image {self.complaint} ({self.measure} {value:.2g}, good photos have {side} {self.good:g})"


LIMITS = {
    "megapixels": Limit(0.002, 0.02, "has too few pixels", "megapixels"),
    "brightness": Limit(0.05, 0.15, "is dark", "brightness"),
    "blown_out": Limit(0.9, 0.6, "is blown out", "white share"),
    "noise": Limit(0.3, 0.1, "is noisy", "noise"),
    "sharpness": Limit(0.04, 0.2, "is blurred", "sharpness"),
    "texture": Limit(0.04, 0.2, "shows nearly no texture", "textured share"),
}
"""From what nobody can use to what any good photo has; docs/quality.md says how they were found."""


@dataclass(frozen=True)
class ImageQuality:
    """What a photo looks like, by measures that need no other photo (`vloc/stages/quality.py`)."""

    megapixels: float
    """millions of pixels"""
    brightness: float
    """the grey level, 0 to 1, that a tenth of the pixels exceed"""
    blown_out: float
    """share of pixels that are white"""
    noise: float
    """standard deviation of the noise, in parts of the brightness"""
    sharpness: float
    """from 0, nothing but blur, to 1, as much detail at 256 px as at 64; of the direction that has least"""
    texture: float
    """share of the image's area on which anything is to be seen"""

    @property
    def overall(self) -> float:
        """From 0, such queries are lost, to 1, a good photo: the least goodness of the scores."""
        return min(1.0, max(0.0, min(self._goodness().values())))

    @property
    def complaint(self) -> str:
        """What is worst, with value and limit; empty for a good photo.

        Texture is blamed only where nothing else is wrong: light, blur and noise all take it away.
        """
        goodness = self._goodness()
        worst = min((name for name in goodness if name != "texture"), key=goodness.__getitem__)
        if goodness[worst] >= 1:
            worst = "texture"
        return "" if goodness[worst] >= 1 else LIMITS[worst].explain(getattr(self, worst))

    def _goodness(self) -> dict[str, float]:
        return {name: limit.goodness(getattr(self, name)) for name, limit in LIMITS.items()}

    def to_json(self) -> dict[str, float]:
        """The scores by name, and the one number made of them."""
        return {"overall": self.overall, **asdict(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, float]) -> ImageQuality:
        """The inverse of `to_json`."""
        return cls(**{name: values[name] for name in LIMITS})

    def to_arrays(self) -> Arrays:
        """The stored form."""
        return {"scores": np.array([astuple(self)], np.float64)}

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> ImageQuality:
        """The inverse of `to_arrays`."""
        return cls(*arrays["scores"][0].tolist())
