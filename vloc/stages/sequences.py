"""What is made of images that one camera or rig took one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from ..registry import Time


@dataclass(frozen=True)
class SequenceConfig:
    """What is made of images that one camera or rig took one after the other."""

    use: Literal["none", "interpolate", "odometry"] = "none"
    """interpolate: images without a pose get one between those before and after; odometry: one that odometry leads to;
    none: every image stands for itself"""
    odometry: str = ""
    """FORMAT:PATH of a trajectory of the camera or rig, which may drift; left out: the poses that queries come with"""
    max_gap: Time = 0
    """the timestamps' unit; a longer time without a photo begins another sequence, and poses farther away say nothing;
    0: ten times the usual step"""
    causal: bool = False
    """only poses before an image are looked at, as while driving"""
    share: bool = False
    """photos without a pose are matched once more, with map images that their neighbours bring"""
    right_m: Annotated[float, msgspec.Meta(gt=0)] = 0.5
    """metres (or map units); confidence is the probability of a pose to be within so much"""
    right_deg: Annotated[float, msgspec.Meta(gt=0)] = 5.0
    """degrees; the same for its rotation"""
    max_step_m: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """metres (or map units); the farthest a body gets in its usual time between images; without odometry, poses that
    this contradicts are refused; 0: three times what its own poses say"""
    max_step_deg: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """degrees; the same for its rotation"""
