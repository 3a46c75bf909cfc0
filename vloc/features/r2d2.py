"""R2D2: keypoints that are repeatable and reliable, with descriptors, from one network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np

from ..array_types import UInt8
from ..data.features import LocalFeatures
from ..errors import ExtraMissingError
from ..runtime import Runtime
from ..weights import find
from .base import DENSE_STEP, FEATURES, DenseMap, Extractor
from .strongest import MEAN_AND_DEVIATION, SIGMA, as_tensor, strongest

if TYPE_CHECKING:
    from torch import Tensor

FILES = {
    "wasf_n16": ("r2d2_WASF_N16.pt", {}),
    "waf_n16": ("r2d2_WAF_N16.pt", {}),
    "wasf_n8_big": ("r2d2_WASF_N8_big.pt", {"width": 48}),
    "fast_wasf_n16": ("faster2d2_WASF_N16.pt", {"pool": 2}),
}
SCALE_TOLERANCE = 1e-3
STRIP_PIXELS = 2**20
"""larger images go through the network in strips, which bounds memory"""
REACH = 32
"""rows beyond a strip that its features depend on, at most"""


@FEATURES.register("r2d2")
@dataclass(frozen=True)
class R2d2:
    """Dense features at several scales, of which the local maxima of repeatability stay (Revaud et al., NeurIPS 2019).

    Scores are repeatability times reliability.
    """

    plugin_name: ClassVar[str]
    in_color: ClassVar[bool] = True
    matcher: ClassVar[str] = "bands:ratio=1"  # mutual neighbours, no ratio, as its authors match

    network: Literal["wasf_n16", "waf_n16", "wasf_n8_big", "fast_wasf_n16"] = "wasf_n16"
    """published weights; the paper's benchmarks use wasf_n8_big"""
    max_keypoints: Annotated[int, msgspec.Meta(gt=0)] = 5000
    """keypoints kept at most over all scales, those of highest score; 20,000 and 40,000 in the paper's benchmarks"""
    reliability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.7
    """least reliability of a keypoint"""
    repeatability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.7
    """least repeatability of a keypoint"""
    scale_factor: Annotated[float, msgspec.Meta(gt=1)] = 2**0.25
    """between one scale and the next smaller one"""
    min_size: Annotated[int, msgspec.Meta(ge=16)] = 256
    """px; the image is searched as it is, and reduced while its longer side has so many"""
    max_size: Annotated[int, msgspec.Meta(ge=16)] = 1024
    """px; scales at which the longer side has more are left out"""
    min_scale: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """smaller scales are left out"""
    max_scale: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """larger scales are left out"""
    subpixel: bool = False
    """whether keypoints are placed where the repeatability around a pixel is largest, and not on the pixel"""

    @property
    def weights(self) -> str:
        """The published weights."""
        return FILES[self.network][0]

    def load(self, runtime: Runtime) -> Extractor:
        """The extractor of RGB images."""
        network = self._network(runtime)
        return lambda image: self._extract(network, image)

    def load_dense(self, runtime: Runtime) -> Callable[[np.ndarray], DenseMap]:
        """The descriptors of RGB images at scale 1."""
        network = self._network(runtime)

        def describe(image: UInt8[np.ndarray, "h w 3"]) -> DenseMap:
            import torch

            with torch.inference_mode():
                pixels = as_tensor(image, network, MEAN_AND_DEVIATION)
                dense = network(pixels.contiguous(memory_format=torch.channels_last)).descriptors[0]
                return np.ascontiguousarray(dense[:, ::DENSE_STEP, ::DENSE_STEP].cpu().numpy())

        return describe

    def _network(self, runtime: Runtime) -> Any:
        try:
            import torch  # noqa: F401
        except ImportError as error:
            raise ExtraMissingError("r2d2", "learned", error) from None
        from ..networks.loading import load_into, ready
        from ..networks.r2d2 import R2D2, Architecture

        architecture = Architecture(**FILES[self.network][1])
        return ready(load_into(R2D2(architecture), find(self.weights)), runtime)

    def _extract(self, network: Any, image: UInt8[np.ndarray, "h w 3"]) -> LocalFeatures:
        import torch

        with torch.inference_mode():
            pixels = as_tensor(image, network, MEAN_AND_DEVIATION)
            found = [self._keypoints(network, *level) for level in self._pyramid(pixels)]
            rows = torch.cat([rows for rows, _ in found]) if found else torch.zeros(0, 4)
            descriptors = torch.cat([d for _, d in found]) if found else torch.zeros(0, 128)
            order = strongest(rows[:, 3], self.max_keypoints)
            rows, descriptors = rows[order].cpu(), descriptors[order].half().cpu()
        x, y, scales, scores = np.ascontiguousarray(rows.numpy().T)
        return LocalFeatures(np.stack([x, y], axis=1), descriptors.numpy(), scores, scales)

    def _pyramid(self, image: Tensor) -> Iterator[tuple[Tensor, float, float]]:
        """The image at every scale that is searched, and how many of its own pixels one there is, across and down."""
        from torch.nn.functional import interpolate

        height, width = image.shape[-2:]
        longest, scale = max(height, width), 1.0
        least = min(1.0, max(self.min_scale, self.min_size / longest))
        while scale + SCALE_TOLERANCE >= least:
            if scale - SCALE_TOLERANCE <= min(self.max_scale, self.max_size / longest):
                yield image, width / image.shape[-1], height / image.shape[-2]
            scale /= self.scale_factor
            size = max(round(height * scale), 1), max(round(width * scale), 1)
            image = interpolate(image, size, mode="bilinear", align_corners=False)

    def _keypoints(self, network: Any, image: Tensor, across: float, down: float) -> tuple[Tensor, Tensor]:
        """(x, y, scale, score) in px of the whole image, and descriptors, of the keypoints at one scale."""
        import torch

        rows, descriptors = [], []
        for first, last, strip, begin in _strips(image):
            dense = network(strip.contiguous(memory_format=torch.channels_last))
            y, x, score, vectors = self._peaks(dense, first - begin, last - begin)
            place = torch.stack([(x + 0.5) * across, (y + begin + 0.5) * down], dim=1)
            rows.append(torch.cat([place, torch.full_like(place[:, :1], SIGMA * max(across, down)), score[:, None]], 1))
            descriptors.append(vectors)
        return torch.cat(rows), torch.cat(descriptors)

    def _peaks(self, dense: Any, first: int, last: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Row, column, score and descriptor of the local maxima in some rows."""
        from torch.nn.functional import max_pool2d

        from ..networks.subpixel import parabola_offsets

        largest = max_pool2d(dense.repeatability, 3, stride=1, padding=1)
        repeatability, reliability = dense.repeatability[0, 0], dense.reliability[0, 0]
        is_peak = (repeatability == largest[0, 0]) & (repeatability >= self.repeatability)
        is_peak &= reliability >= self.reliability
        is_peak[:first], is_peak[last:] = False, False
        y, x = is_peak.nonzero(as_tuple=True)
        score, descriptors = repeatability[y, x] * reliability[y, x], dense.descriptors[0, :, y, x].T
        if not self.subpixel:
            return y, x, score, descriptors
        down, across = parabola_offsets(repeatability, y, x)
        return y + down, x + across, score, descriptors


def _strips(image: Tensor) -> Iterator[tuple[int, int, Tensor, int]]:
    """First and last row of parts of an image, the rows that each depends on, and where these begin."""
    height, width = image.shape[-2:]
    count = -(-height * width // STRIP_PIXELS)
    bounds = [2 * round(height * part / count / 2) for part in range(count)] + [height]
    for first, last in pairwise(bounds):
        begin, end = max(first - REACH, 0), min(last + REACH, height)
        yield first, last, image[..., begin:end, :], begin
