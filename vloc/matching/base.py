"""What a matcher is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np

from ..array_types import UInt8
from ..data.features import LocalFeatures, Matches
from ..data.photo_matches import PhotoMatches
from ..errors import ConfigError
from ..features.base import LocalFeature
from ..features.matched import Matched
from ..geometry.half_planes import PosedRays
from ..registry import Registry
from ..runtime import Runtime

ImageSize = tuple[int, int]
"""Width and height, px: keypoints lie between (0, 0) and these."""


@runtime_checkable
class PairMatcher(Protocol):
    """A loaded matcher. Safe to call from several threads."""

    def prepare(self, features: LocalFeatures, size: ImageSize) -> Any:
        """What `match` needs of one image of that size, made once and used for every pair of it."""
        ...

    def match(self, first: Any, second: Any) -> Matches:
        """Matches between two prepared images, rows sorted by the first image's keypoint."""
        ...


@runtime_checkable
class Matcher(Protocol):
    """Settings of a matcher."""

    plugin_name: ClassVar[str]

    def load(self, runtime: Runtime) -> PairMatcher:
        """The matcher; heavy imports and weights happen here."""
        ...


@runtime_checkable
class BatchMatcher(PairMatcher, Protocol):
    """A loaded matcher that takes several pairs at a time sooner than one after the other."""

    def match_all(self, pairs: Sequence[tuple[Any, Any]]) -> Sequence[Matches]:
        """The matches of each pair; DataError where one of them cannot be matched."""
        ...


@runtime_checkable
class TrainedMatcher(Matcher, Protocol):
    """Settings of a matcher that is trained for one local feature."""

    def for_feature(self, feature: LocalFeature) -> Matcher:
        """The same for a feature; ConfigError where it is trained for none such."""
        ...


@runtime_checkable
class PhotoPairMatcher(Protocol):
    """A loaded matcher of photos. Safe to call from several threads."""

    def prepare(self, photo: UInt8[np.ndarray, "h w *c"]) -> Any:
        """What `match` needs of one upright photo, grey or RGB, made once and used for several pairs of it."""
        ...

    def match(self, first: Any, second: Any) -> PhotoMatches:
        """Matches between two prepared photos, in px of these."""
        ...


@runtime_checkable
class PhotoMatcher(Protocol):
    """Settings of a matcher that looks at two photos, and needs no features of them."""

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool]
    """whether it wants RGB"""

    def load_photos(self, runtime: Runtime) -> PhotoPairMatcher:
        """The matcher; heavy imports and weights happen here."""
        ...


AnyMatcher = Matcher | PhotoMatcher


def suited(matcher: AnyMatcher, feature: LocalFeature) -> AnyMatcher:
    """A matcher as it matches a feature; ConfigError where it cannot."""
    name, bare = matcher.plugin_name, isinstance(feature, Matched)
    if isinstance(matcher, PhotoMatcher) and not bare:
        raise ConfigError(
            f"matcher '{name}' looks at photos, not at features '{feature.plugin_name}': leave out --features "
            "(keypoints are where photos match: 'matched'), or choose another matcher"
        )
    if bare and not isinstance(matcher, PhotoMatcher):
        raise ConfigError(
            f"matcher '{name}' compares descriptors, which features 'matched' do not have: choose a matcher of photos, "
            f"such as {feature.matcher}, or other features"
        )
    return matcher.for_feature(feature) if isinstance(matcher, TrainedMatcher) else matcher


@runtime_checkable
class PosedPairMatcher(Protocol):
    """A loaded matcher that is also told where keypoints look. Safe to call from several threads."""

    def prepare(self, features: LocalFeatures) -> Any:
        """What `match_posed` needs of one image, made once and used for every pair of it."""
        ...

    def match_posed(self, first: Any, second: Any, rays: tuple[PosedRays, PosedRays]) -> Matches:
        """Matches that agree with the poses, rows sorted by the first image's keypoint; nothing verifies them later."""
        ...


@runtime_checkable
class PosedMatcher(Matcher, Protocol):
    """Settings of a matcher that treats pairs of known poses apart."""

    def load_posed(self, runtime: Runtime) -> PosedPairMatcher:
        """The matcher for such pairs."""
        ...


HOMES = {
    "adalam": "vloc.matching.adalam",
    "bands": "vloc.matching.epipolar_bands",
    "dual_softmax": "vloc.matching.dual_softmax",
    "imported": "vloc.matching.imported",
    "lightglue": "vloc.matching.lightglue",
    "loftr": "vloc.matching.loftr",
    "nn": "vloc.matching.nearest_neighbour",
}
"""the module of each"""

MATCHERS: Registry[AnyMatcher] = Registry("matcher", HOMES)
