"""Matches that a network finds in all descriptors and positions of two images: LightGlue, by kornia."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

import msgspec
import numpy as np

from ..array_types import Float32
from ..data.features import LocalFeatures, Matches
from ..errors import ConfigError, DataError, ExtraMissingError
from ..features.base import LocalFeature
from ..geometry.quarter_turns import angles_turned_back, turned_back
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
    "sift": Trained("sift", "sift_lightglue.pth", "sift", ""),
    "superpoint": Trained("superpoint", "superpoint_lightglue.pth", "superpoint", "original"),
    "xfeat": Trained("xfeat", "xfeat-lighterglue.pt", "xfeat", ""),
}
SAME = {"colmap_sift": "sift"}
"""features that are as another one, for which there are weights"""
DERIVED = frozenset({"confidence_thresholds"})
"""what kornia's module has beside the published weights: constants"""


@dataclass(frozen=True, eq=False)
class PreparedKeypoints:
    """An image as the network takes it: descriptors (1, n, d), keypoints (1, n, 2), width and height (1, 2).

    `frames`: scales and orientations (1, n) by kornia's names, where it is trained with them.
    """

    descriptors: Tensor
    keypoints: Tensor
    size: Tensor
    frames: dict[str, Tensor]


@MATCHERS.register("lightglue")
@dataclass(frozen=True)
class LightGlue:
    """A transformer that looks at all keypoints of both images together (Lindenberger et al., LightGlue, ICCV 2023).

    Scores are its own, from 0 to 1. KeyNet, of which it needs affine frames, is left out.
    """

    plugin_name: ClassVar[str]

    of: Literal["", "aliked", "dedode_b", "dedode_g", "disk", "sift", "superpoint", "xfeat"] = ""
    """what its weights are trained for; left out: the map's local feature with its network"""
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.1
    """least score of a match"""
    max_keypoints: Annotated[int, msgspec.Meta(gt=0)] = 2048
    """keypoints of an image that take part at most, the strongest; time grows with their square"""
    adaptive: bool = True
    """whether it stops when it is sure and drops keypoints without a partner on the way, as its authors do"""

    def for_feature(self, feature: LocalFeature) -> LightGlue:
        """The same with the weights for a feature; ConfigError where there are none, or others are asked for."""
        name, network = SAME.get(feature.plugin_name, feature.plugin_name), getattr(feature, "network", "")
        if self.of and name not in ("imported", TRAINED[self.of].feature):
            raise ConfigError(f"matcher 'lightglue:of={self.of}': the features are '{name}'; leave out 'of'")
        if self.of == "sift" and name == "imported":
            raise ConfigError("matcher 'lightglue:of=sift': needs orientations, which imported keypoints do not have")
        if self.of:
            return self
        for of, trained in TRAINED.items():
            if (trained.feature, trained.network) == (name, network):
                return replace(self, of=of)  # type: ignore[arg-type]  # a key of TRAINED
        kinds = ", ".join(f"{made.feature} {made.network}".strip() for made in TRAINED.values() if made.feature)
        near = [f"of={of}" for of, made in TRAINED.items() if name in ("imported", made.feature) and of != "sift"]
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
        features = features[: self._settings.max_keypoints]
        inside = features.keypoints.clip(0, np.array(size, np.float32))
        if features.quarter_turns:  # turned as the image was for its descriptors
            inside = turned_back(inside, 4 - features.quarter_turns, size[::-1])
            size = size[::-1] if features.quarter_turns % 2 else size
        descriptors, keypoints, sides = map(self._tensor, (self._rows(features), inside, np.array(size, np.float32)))
        frames = {name: self._tensor(array) for name, array in self._frames(features).items()}
        return PreparedKeypoints(descriptors, keypoints, sides, frames)

    def _tensor(self, array: np.ndarray) -> Tensor:
        import torch

        return torch.from_numpy(array)[None].to(self._device)

    def _rows(self, features: LocalFeatures) -> Float32[np.ndarray, "n d"]:
        """Descriptors as the network takes them; DataError for those of another feature."""
        wanted, (_, dims), kind = self._network.conf.input_dim, features.descriptors.shape, features.descriptors.dtype
        in_bytes = self._settings.of == "sift" and kind == np.uint8
        if dims != wanted or not (in_bytes or kind.kind == "f"):
            found = f"{dims} numbers of type {kind}"
            raise DataError(f"lightglue:of={self._settings.of} takes descriptors of {wanted} floats, not {found}")
        rows: Float32[np.ndarray, "n d"] = features.descriptors.astype(np.float32)
        return rows / features.lengths[:, None] if in_bytes else rows

    def _frames(self, features: LocalFeatures) -> dict[str, Float32[np.ndarray, "n"]]:
        """COLMAP's scales and orientations in the upright image where the network is trained with them."""
        if not self._network.conf.add_scale_ori:
            return {}
        if features.angles is None:
            raise DataError(
                f"lightglue:of={self._settings.of} needs orientations of keypoints, which these do not have: build the "
                "map again, with features 'sift' or 'colmap_sift'"
            )
        return {"scales": features.scales, "oris": angles_turned_back(features.angles, -features.quarter_turns)}

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
    return {"keypoints": image.keypoints, "descriptors": image.descriptors, "image_size": image.size, **image.frames}


def _own_name(key: str) -> str:
    """A key of the published weights as kornia's module has it: layers are under `transformers`."""
    key = key.removeprefix("matcher.")  # XFeat's
    block, _, rest = key.partition(".")
    if block not in ("self_attn", "cross_attn"):
        return key
    layer, _, rest = rest.partition(".")
    return f"transformers.{layer}.{block}.{rest}"
