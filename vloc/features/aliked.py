"""ALIKED: keypoints to a part of a pixel with deformable descriptors, by kornia's network and the official weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np

from ..array_types import UInt8
from ..data.features import LocalFeatures
from ..errors import ExtraMissingError
from ..runtime import Runtime
from ..weights import find
from .base import DENSE_STEP, FEATURES, DenseMap, Extractor
from .reduced_size import at_reduced_size
from .strongest import as_tensor, features_of, strongest

NOT_LEARNED = frozenset({"dkd.hw_grid"})
"""what kornia's module has beside the official state dict: a constant"""


@FEATURES.register("aliked")
@dataclass(frozen=True)
class Aliked:
    """Keypoints and descriptors by deformable convolutions (Zhao et al., ALIKED, IEEE Trans. Instrum. Meas. 2023)."""

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = True
    matcher: ClassVar[str] = "bands:ratio=1"  # mutual neighbours, no ratio, as its authors match

    network: Literal["n16", "n16rot", "n32", "t16"] = "n16"
    """published weights; n16rot was trained on turned images, n32 looks at 32 places a descriptor, t16 is small"""
    max_keypoints: Annotated[int, msgspec.Meta(gt=0)] = 4096
    """keypoints kept at most, those of highest score"""
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.2
    """least score of a keypoint"""
    max_size: Annotated[int, msgspec.Meta(ge=32)] = 1024
    """px; larger images are reduced to this longer side"""

    @property
    def weights(self) -> str:
        """The published weights."""
        return f"aliked-{self.network}.pth"

    def load(self, runtime: Runtime) -> Extractor:
        """The extractor of RGB images."""
        network = self._network(runtime)
        return at_reduced_size(lambda image: self._extract(network, image), self.max_size)

    def load_dense(self, runtime: Runtime) -> Callable[[np.ndarray], DenseMap]:
        """The descriptors of RGB images that the deformable ones are made from."""
        network = self._network(runtime)

        def describe(image: UInt8[np.ndarray, "h w 3"]) -> DenseMap:
            import torch

            with torch.inference_mode():
                dense, _ = network.extract_dense_map(as_tensor(image, network))
                return np.ascontiguousarray(dense[0, :, ::DENSE_STEP, ::DENSE_STEP].cpu().numpy())

        return describe

    def _network(self, runtime: Runtime) -> Any:
        try:
            from kornia.feature import ALIKED
        except ImportError as error:
            raise ExtraMissingError("aliked", "learned", error) from None
        from ..networks.loading import device_of, load_into

        module = ALIKED(f"aliked-{self.network}")
        return load_into(module, find(self.weights), but=NOT_LEARNED).to(device_of(runtime))

    def _extract(self, network: Any, image: UInt8[np.ndarray, "h w 3"]) -> LocalFeatures:
        import torch

        from ..networks.soft_peaks import normalised, soft_peaks

        with torch.inference_mode():
            dense, maps = network.extract_dense_map(as_tensor(image, network))
            places, scores = soft_peaks(maps[0, 0], self.threshold)
            order = strongest(scores, self.max_keypoints)
            places, scores = places[order], scores[order]
            descriptors = _described(network, dense, normalised(places, maps[0, 0]))
        return features_of(places, descriptors, scores)


def _described(network: Any, dense: Any, places: Any) -> Any:
    """The descriptors at some places, which may be none."""
    if not len(places):
        return dense.new_zeros((0, dense.shape[1]))
    descriptors, _ = network.desc_head(dense, [places])
    return descriptors[0]
