"""Matches that a network finds in all descriptors and positions of two images: LightGlue, by kornia."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

import msgspec
import numpy as np

from ..data.features import LocalFeatures, Matches
from ..errors import ConfigError, DataError, ExtraMissingError
from ..features.base import LocalFeature
from ..geometry.quarter_turns import turned_back
from ..runtime import Runtime
from ..weights import find
from .base import MATCHERS, ImageSize, PairMatcher

if TYPE_CHECKING:
    from torch import Tensor


class Trained(NamedTuple):
    """Weights that are trained for one feature."""

    name: str
    """kornia's name of the network"""
    file: str
    feature: str
    network: str
    """of that feature; empty where it has one"""


TRAINED = {
    "aliked": Trained("aliked", "aliked_lightglue.pth", "aliked", "n16"),
    "dedode_b": Trained("dedodeb", "dedodeb_lightglue.pth", "dedode", ""),
    "dedode_g": Trained("dedodeg", "dedodeg_lightglue.pth", "", ""),
    "disk": Trained("disk", "disk_lightglue.pth", "disk", "depth"),
    "superpoint": Trained("superpoint", "superpoint_lightglue.pth", "superpoint", "original"),
    "xfeat": Trained("xfeat", "xfeat-lighterglue.pt", "xfeat", ""),
}
DERIVED = frozenset({"confidence_thresholds"})
"""what kornia's module has beside the published weights: constants"""


@dataclass(frozen=True, eq=False)
class PreparedKeypoints:
    """An image as the network takes it: descriptors (1, n, d), keypoints (1, n, 2), width and height (1, 2)."""

    descriptors: Tensor
    keypoints: Tensor
    size: Tensor


@MATCHERS.register("lightglue")
@dataclass(frozen=True)
class LightGlue:
    """A transformer that looks at all keypoints of both images together (Lindenberger et al., LightGlue, ICCV 2023).

    Scores are its own, from 0 to 1. Features that it needs orientations of (SIFT, KeyNet) are left out.
    """

    plugin_name: ClassVar[str]

    of: Literal["", "aliked", "dedode_b", "dedode_g", "disk", "superpoint", "xfeat"] = ""
    """what its weights are trained for; left out: the map's local feature with its network"""
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1
    """least score of a match"""
    max_keypoints: Annotated[int, msgspec.Meta(gt=0)] = 2048
    """keypoints of an image that take part at most, the strongest; time grows with their square"""
    adaptive: bool = True
    """whether it stops when it is sure and drops keypoints without a partner on the way, as its authors do"""

    def for_feature(self, feature: LocalFeature) -> LightGlue:
        """The same with the weights for a feature; ConfigError where there are none, or others are asked for."""
        name, network = feature.plugin_name, getattr(feature, "network", "")
        if self.of and name not in ("imported", TRAINED[self.of].feature):
            raise ConfigError(f"matcher 'lightglue:of={self.of}': the features are '{name}'; leave out 'of'")
        if self.of:
            return self
        for of, trained in TRAINED.items():
            if (trained.feature, trained.network) == (name, network):
                return replace(self, of=of)  # type: ignore[arg-type]  # a key of TRAINED
        kinds = ", ".join(f"{made.feature} {made.network}".strip() for made in TRAINED.values() if made.feature)
        near = [f"of={of}" for of, made in TRAINED.items() if name in ("imported", made.feature)]
        hint = f"; say which to take: {', '.join(near)}" if near else ""
        kind = f"{name} {network}".strip()
        raise ConfigError(f"matcher 'lightglue': has weights for {kinds}, but not for {kind}{hint}")

    @property
    def weights(self) -> str:
        """The published weights for the feature."""
        return TRAINED[self.of].file

    def load(self, runtime: Runtime) -> PairMatcher:
        """The matcher with its weights."""
        if not self.of:
            raise ConfigError(f"matcher 'lightglue': for which feature? say of=NAME: {', '.join(TRAINED)}")
        try:
            import kornia.feature  # noqa: F401
        except ImportError as error:
            raise ExtraMissingError("lightglue", "learned", error) from None
        return LoadedLightGlue(self, self._network(find(self.weights), runtime))

    def _network(self, weights: Path, runtime: Runtime) -> Any:
        from kornia.feature import LightGlue as Network

        from ..networks.loading import device_of, filled, state_of

        architecture = {
            key: value for key, value in Network.features[TRAINED[self.of].name].items() if key != "weights"
        }
        settings = {**architecture, "filter_threshold": self.threshold}
        if not self.adaptive:
            settings |= {"depth_confidence": -1, "width_confidence": -1}
        module = Network(None, **settings)
        state = {_own_name(key): value for key, value in state_of(weights).items()}
        return filled(module, state, weights, but=DERIVED).to(device_of(runtime))


class LoadedLightGlue:
    """`LightGlue` at work."""

    def __init__(self, settings: LightGlue, network: Any) -> None:
        self._settings, self._network = settings, network
        self._device = next(network.parameters()).device

    def prepare(self, features: LocalFeatures, size: ImageSize) -> PreparedKeypoints:
        """The strongest keypoints; those outside of the image count as on its border.

        The network measures from the middle of the image, size / 2, which is where vloc's first pixel centre of
        (0.5, 0.5) puts it: keypoints go in as they are.
        """
        import torch

        wanted, dims = self._network.conf.input_dim, features.descriptors.shape[1]
        if features.descriptors.dtype.kind != "f" or dims != wanted:
            found = f"{dims} numbers of type {features.descriptors.dtype}"
            raise DataError(f"lightglue:of={self._settings.of} takes descriptors of {wanted} floats, not {found}")
        features = features[: self._settings.max_keypoints]
        inside = features.keypoints.clip(0, np.array(size, np.float32))
        if features.quarter_turns:  # turned as the image was for its descriptors
            inside = turned_back(inside, 4 - features.quarter_turns, size[::-1])
            size = size[::-1] if features.quarter_turns % 2 else size
        arrays = features.descriptors.astype(np.float32), inside, np.array(size, np.float32)
        return PreparedKeypoints(*(torch.from_numpy(array)[None].to(self._device) for array in arrays))

    def match(self, first: PreparedKeypoints, second: PreparedKeypoints) -> Matches:
        """Matches by rising keypoint of the first image."""
        import torch

        if not first.keypoints.shape[1] or not second.keypoints.shape[1]:
            return Matches.none()
        with torch.inference_mode():
            found = self._network({"image0": _given(first), "image1": _given(second)})
        indices, scores = found["matches"][0].cpu().numpy(), found["scores"][0].float().cpu().numpy()
        order = np.argsort(indices[:, 0], kind="stable")
        return Matches(np.ascontiguousarray(indices[order], np.uint32), scores[order])


def _given(image: PreparedKeypoints) -> dict[str, Tensor]:
    return {"keypoints": image.keypoints, "descriptors": image.descriptors, "image_size": image.size}


def _own_name(key: str) -> str:
    """A key of the published weights as kornia's module has it: layers are under `transformers`."""
    key = key.removeprefix("matcher.")  # XFeat's
    block, _, rest = key.partition(".")
    if block not in ("self_attn", "cross_attn"):
        return key
    layer, _, rest = rest.partition(".")
    return f"transformers.{layer}.{block}.{rest}"
