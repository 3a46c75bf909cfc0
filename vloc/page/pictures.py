"""Pictures of a page as WebP text, half of JPEG's: thumbnails, and two images side by side with their matches."""

from __future__ import annotations

import base64

import numpy as np

from ..array_types import Float64, Int64, UInt8
from .evidence import Evidence

AGREES, DISAGREES = (61, 220, 151), (255, 107, 74)  # RGB; also apart in lightness, for readers who confuse the hues
MAX_LINES = 120
GAP = 10  # px between the two images


def data_uri(pixels: UInt8[np.ndarray, "h w 3"], quality: int = 70) -> str:
    """An RGB image as the value of an HTML `src`."""
    import cv2

    _, data = cv2.imencode(".webp", pixels[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, quality])
    return f"data:image/webp;base64,{base64.b64encode(data.tobytes()).decode()}"


def fitted(pixels: UInt8[np.ndarray, "h w 3"], height: int) -> UInt8[np.ndarray, "h w 3"]:
    """The image scaled to a height, px."""
    import cv2

    width = max(round(pixels.shape[1] * height / pixels.shape[0]), 1)
    scaled: np.ndarray = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return scaled


def match_picture(
    query: UInt8[np.ndarray, "h w 3"], other: UInt8[np.ndarray, "h w 3"], evidence: Evidence, height: int = 420
) -> UInt8[np.ndarray, "h w 3"]:
    """Query and map image side by side; matches that agree with the pose in green, the others in orange below them."""
    import cv2

    left, right = fitted(query, height), fitted(other, height)
    canvas = np.concatenate([left, np.full((height, GAP, 3), 255, np.uint8), right], axis=1)
    starts = evidence.query_pixels * (height / query.shape[0])
    ends = evidence.map_pixels * (height / other.shape[0]) + (left.shape[1] + GAP, 0)
    lines, drawn = canvas.copy(), spread(len(starts))
    for rows, color in ((drawn[~evidence.agrees[drawn]], DISAGREES), (drawn[evidence.agrees[drawn]], AGREES)):
        _draw(lines, starts[rows], ends[rows], color)
    blended: np.ndarray = cv2.addWeighted(lines, 0.7, canvas, 0.3, 0)
    return blended


def spread(count: int, most: int = MAX_LINES) -> Int64[np.ndarray, "m"]:
    """Which of many matches are drawn: evenly over all of them, so that those that agree keep their share."""
    return np.linspace(0, count - 1, min(count, most)).astype(np.int64)


def _draw(
    canvas: UInt8[np.ndarray, "h w 3"],
    starts: Float64[np.ndarray, "m 2"],
    ends: Float64[np.ndarray, "m 2"],
    color: tuple[int, int, int],
) -> None:
    """Lines with dots at their ends."""
    import cv2

    shift = 4  # cv2 takes fixed-point coordinates, whose pixel centres are at integers
    for start, end in np.stack([starts, ends], axis=1):
        a, b = (tuple(np.rint((point - 0.5) * 2**shift).astype(int).tolist()) for point in (start, end))
        cv2.line(canvas, a, b, color, 1, cv2.LINE_AA, shift)
        cv2.circle(canvas, a, 3 << shift, color, -1, cv2.LINE_AA, shift)
        cv2.circle(canvas, b, 3 << shift, color, -1, cv2.LINE_AA, shift)
