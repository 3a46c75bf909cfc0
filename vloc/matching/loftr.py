"""Matches of two photos without features: LoFTR, by kornia."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np

from ..array_types import Float32, UInt8
from ..data.photo_matches import PhotoMatches
from ..errors import ExtraMissingError
from ..features.reduced_size import reduced
from ..runtime import Runtime
from ..weights import find
from .base import MATCHERS, PhotoPairMatcher

if TYPE_CHECKING:
    from torch import Tensor

COARSE = 8
"""px of the reduced photo between the places that are matched first"""
FILES = {"outdoor": "loftr_outdoor.ckpt", "indoor": "loftr_indoor.ckpt", "indoor_new": "loftr_indoor_ds_new.ckpt"}


@dataclass(frozen=True, eq=False)
class PreparedPhoto:
    """What the network makes of one photo alone, and px of the stored photo for one of the reduced one (x, y)."""

    features: dict[str, Tensor]
    scale: Float32[np.ndarray, "2"]


@MATCHERS.register("loftr")
@dataclass(frozen=True)
class LoFTR:
    """A transformer that compares all places of two photos (Sun et al., LoFTR, CVPR 2021). Scores are its own.

    Places of the first photo lie on a grid of 8 px of the photo as it is looked at, those of the second anywhere.
    """

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = False

    network: Literal["outdoor", "indoor", "indoor_new"] = "outdoor"
    """weights trained on MegaDepth (outdoor) or ScanNet"""
    max_size: Annotated[int, msgspec.Meta(ge=64)] = 832
    """px; larger photos are reduced to this longer side; the memory of a pair grows with its fourth power"""
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.2
    """least score of a match"""

    @property
    def weights(self) -> str:
        """The published weights."""
        return FILES[self.network]

    def load_photos(self, runtime: Runtime) -> PhotoPairMatcher:
        """The matcher with its weights."""
        try:
            from kornia.feature import LoFTR as Network
            from kornia.feature.loftr.loftr import default_cfg
        except ImportError as error:
            raise ExtraMissingError("loftr", "learned", error) from None
        from ..networks.loading import device_of, filled, state_of

        coarse = {**default_cfg["coarse"], "temp_bug_fix": self.network == "indoor_new"}
        matching = {**default_cfg["match_coarse"], "thr": self.threshold}
        path = find(self.weights)
        module = Network(None, {**default_cfg, "coarse": coarse, "match_coarse": matching})
        state = {key.removeprefix("matcher."): value for key, value in state_of(path).items()}
        return LoadedLoFTR(filled(module, state, path).to(device_of(runtime)), self.max_size)


class LoadedLoFTR:
    """`LoFTR` at work, on one pair at a time: a pair needs all the memory that there should be for it."""

    def __init__(self, network: Any, max_size: int) -> None:
        self._network, self._max_size, self._alone = network, max_size, Lock()

    def prepare(self, photo: UInt8[np.ndarray, "h w"]) -> PreparedPhoto:
        """The features of every place of a photo."""
        import torch

        from ..features.strongest import as_tensor

        small = reduced(photo, self._max_size)
        scale = np.array([photo.shape[1] / small.shape[1], photo.shape[0] / small.shape[0]], np.float32)
        with self._alone, torch.inference_mode():
            return PreparedPhoto(self._network.extract_features(as_tensor(small, self._network)), scale)

    def match(self, first: PreparedPhoto, second: PreparedPhoto) -> PhotoMatches:
        """Matches, by rising place of the first photo, row by row."""
        import torch

        with self._alone, torch.inference_mode():
            found = self._network({"features0": first.features, "features1": second.features})
            first_places, second_places, scores = (
                found[name].float().cpu().numpy() for name in ("keypoints0", "keypoints1", "confidence")
            )
        return PhotoMatches(first_places * first.scale, second_places * second.scale, scores)
