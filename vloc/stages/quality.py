"""Image -> how good it is to localize with. No reference; a few milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec
import numpy as np

from ..array_types import Float32, Float64, UInt8
from ..data.estimate import PoseEstimate
from ..data.quality import ImageQuality
from ..runtime import Runtime
from ..stage import EachStage, Run

REDUCED_SIZE = 256
"""px, longer side of the image in which sharpness and texture are looked for: what is finer, features do without"""
COARSER = 4
"""sharpness compares gradients at the reduced size with those at so much less"""
WHITE = 250
"""grey level from which a pixel counts as blown out"""
BLACK = 2
"""grey level up to which a pixel's noise may be cut off"""
CELL = 8
"""px of the reduced image, side of the cells in which texture is looked for"""
LEAST_CONTRAST = 3.0
"""grey levels, standard deviation in a cell; with less there is no texture"""
NOISE_CELL = 16
"""px, side of the cells in which noise is looked for"""
QUIET_PART = 0.2
"""the cells of least response, a fifth, are taken to be free of texture"""
DOUBT = 0.02
"""grey levels squared; gradients of less energy, as those of rounding, tell nothing of sharpness"""
NOISE_DOUBT = 0.5
"""how much of the noise's own gradients may be taken for detail, or the other way round"""


@dataclass(frozen=True)
class QualityConfig:
    """Which photos are worth matching."""

    min_quality: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """queries whose photo is worse are refused before matching: 0 takes all, 1 only good photos"""


def image_quality(image: UInt8[np.ndarray, "h w"]) -> ImageQuality:
    """The scores of a grey image."""
    import cv2

    counts = cv2.calcHist([image], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    brightness = max(int(np.searchsorted(counts.cumsum(), 0.9 * image.size)), 1)
    sigma = noise_level(image)
    scale = max(1.0, max(image.shape) / REDUCED_SIZE)
    width, height = (max(1, round(side / scale)) for side in image.shape[::-1])
    # In floats: rounding to grey levels again would look like detail in a blurred image.
    reduced = cv2.resize(image.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return ImageQuality(
        megapixels=image.size / 1e6,
        brightness=brightness / 255,
        blown_out=float(counts[WHITE:].sum() / image.size),
        noise=sigma / brightness,
        sharpness=sharpness(reduced, sigma / scale),
        texture=textured_share(reduced, sigma / scale),
    )


def noise_level(image: UInt8[np.ndarray, "h w"]) -> float:
    """Standard deviation of white noise, grey levels, of the quietest fifth of a third of the image's cells.

    Each cell by the mean absolute response to the difference of two Laplacians (Immerkaer, CVIU 64(2), 1996), which
    planes and straight edges along the axes do not excite; pixels near black or white, where noise is cut off, do not
    count. 0 where no cell can be judged.
    """
    import cv2

    side = min(NOISE_CELL, *image.shape)
    rows = np.arange(0, image.shape[0] - side + 1, 3 * side)
    strips = np.stack([image[row : row + side] for row in rows])
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = np.stack([np.abs(cv2.filter2D(strip, cv2.CV_16S, mask)) for strip in strips])
    counted = ((strips > BLACK) & (strips < WHITE)).astype(np.uint8)
    sums, numbers = _cell_sums(response, side), _cell_sums(counted, side)
    judged = numbers > side * side / 2
    if not judged.any():
        return 0.0
    means = sums[judged] / numbers[judged]
    return float(np.quantile(means, QUIET_PART) * np.sqrt(np.pi / 2) / 6)


def _cell_sums(strips: np.ndarray, side: int) -> Float64[np.ndarray, "s c"]:
    """Sums over square cells of strips (s, side, w); what is left over at the end is dropped."""
    cells = strips.shape[2] // side
    cut = strips[:, :, : cells * side].reshape(len(strips), side, cells, side)
    return cut.sum((1, 3), dtype=np.float64)


def sharpness(reduced: Float32[np.ndarray, "h w"], noise: float) -> float:
    """Detail at the image's own scale against a coarser one, in the direction that has least of it, from 0 to 1.

    Each scale by its structure tensor (the mean outer product of gradients in px of that scale) without the part of
    white noise. Pictures of the world have about as much of it at every scale, smooth ones the part 1 / COARSER; the
    least generalised eigenvalue is that of the direction of motion, or of any where the focus is off. 1 where there is
    nothing to judge by.
    """
    import cv2

    if min(reduced.shape) < 3 * COARSER:
        return 1.0
    coarse = cv2.resize(reduced, None, fx=1 / COARSER, fy=1 / COARSER, interpolation=cv2.INTER_AREA)
    doubt = (DOUBT + NOISE_DOUBT * noise**2 / 2) * np.eye(2)
    fine_part, coarse_part = _tensor(reduced, noise) + doubt, _tensor(coarse, noise / COARSER) + doubt
    whitening = np.linalg.inv(np.linalg.cholesky(coarse_part))
    ratio = np.sqrt(np.linalg.eigvalsh(whitening @ fine_part @ whitening.T)[0])
    return float(np.clip((ratio - 1 / COARSER) / (1 - 1 / COARSER), 0.0, 1.0))


def _tensor(image: Float32[np.ndarray, "h w"], noise: float) -> Float64[np.ndarray, "2 2"]:
    """Mean outer product of the central differences, less that of white noise, which is half its variance."""
    dx = (image[1:-1, 2:] - image[1:-1, :-2]).ravel() / 2
    dy = (image[2:, 1:-1] - image[:-2, 1:-1]).ravel() / 2
    gradients = np.stack([dx, dy])
    tensor = (gradients @ gradients.T).astype(np.float64) / len(dx) - noise**2 / 2 * np.eye(2)
    values, vectors = np.linalg.eigh(tensor)
    return (vectors * np.maximum(values, 0)) @ vectors.T


def textured_share(reduced: Float32[np.ndarray, "h w"], noise: float) -> float:
    """Share of the image's cells with more contrast than noise has; 0 for an image smaller than a cell."""
    rows, columns = (side // CELL for side in reduced.shape)
    cells = reduced[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns, CELL)
    if not cells.size:
        return 0.0
    return float((cells.var((1, 3)) > LEAST_CONTRAST**2 + noise**2).mean())


def refuse(config: QualityConfig, qualities: Mapping[str, Any]) -> dict[str, PoseEstimate]:
    """The queries, by name, whose photos are worse than asked for, with what is said of them: nothing was tried.

    Where all are taken the scores (ImageQuality) are not looked at, not even by type: a dry run lacks them.
    """
    if config.min_quality == 0:
        return {}
    return {name: _refused(name, q, config) for name, q in qualities.items() if q.overall < config.min_quality}


def _refused(name: str, quality: ImageQuality, config: QualityConfig) -> PoseEstimate:
    found = f"quality {quality.overall:.2f}, at least {config.min_quality:g} asked for"
    return PoseEstimate(name, None, "none", reason=f"refused: {found}; {quality.complaint}", quality=quality)


def explained(estimate: PoseEstimate, quality: ImageQuality | None) -> PoseEstimate:
    """An estimate with its photo's quality, which is named where there is no pose and the photo is not good."""
    if quality is None:
        return estimate
    blames = not estimate.is_localized and bool(quality.complaint)
    reason = f"{estimate.reason}; {quality.complaint}" if blames else estimate.reason
    return replace(estimate, quality=quality, reason=reason)


def _start(settings: None, runtime: Runtime) -> Run[UInt8[np.ndarray, "h w"], ImageQuality]:
    def run(images: Iterable[np.ndarray]) -> Iterator[ImageQuality]:
        return map(image_quality, images)

    return run


QUALITY: EachStage[np.ndarray, ImageQuality] = EachStage("quality", 1, ImageQuality, _start)
