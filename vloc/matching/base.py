"""What a matcher is."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

from ..data.features import LocalFeatures, Matches
from ..features.base import LocalFeature
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
class TrainedMatcher(Matcher, Protocol):
    """Settings of a matcher that is trained for one local feature."""

    def for_feature(self, feature: LocalFeature) -> Matcher:
        """The same for a feature; ConfigError where it is trained for none such."""
        ...


def suited(matcher: Matcher, feature: LocalFeature) -> Matcher:
    """A matcher as it matches a feature; ConfigError where it cannot."""
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
    "nn": "vloc.matching.nearest_neighbour",
}
"""the module of each"""

MATCHERS: Registry[Matcher] = Registry("matcher", HOMES)
