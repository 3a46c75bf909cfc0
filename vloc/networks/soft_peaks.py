"""Local maxima of a score map to a part of a pixel (DKD, Zhao et al., ALIKE, IEEE Trans. Multimedia 2022)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, max_pool2d, unfold

RADIUS = 2
"""px; of the suppression of what is not the largest, and of the soft maximum; nothing is found nearer to the border"""
TEMPERATURE = 0.1
"""of the soft maximum"""


def soft_peaks(scores: Tensor, threshold: float) -> tuple[Tensor, Tensor]:
    """Maxima above a threshold in a map (h, w): (n, 2) x, y in px from the first pixel's centre, and scores there.

    The score is read again at the refined place, and may be under the threshold.
    """
    y, x = (local_maxima(scores) & (scores > threshold)).nonzero(as_tuple=True)
    size = 2 * RADIUS + 1
    around = unfold(scores[None, None], size, padding=RADIUS)[0].view(size * size, *scores.shape)[:, y, x]
    weights = torch.softmax(around / TEMPERATURE, dim=0)  # (25, n)
    steps = torch.arange(-RADIUS, RADIUS + 1, device=scores.device, dtype=scores.dtype)
    down, across = torch.meshgrid(steps, steps, indexing="ij")
    places = torch.stack([x + across.flatten() @ weights, y + down.flatten() @ weights], dim=1)
    sampled = grid_sample(scores[None, None], normalised(places, scores)[None, None], align_corners=True)
    return places, sampled[0, 0, 0]


def local_maxima(scores: Tensor, radius: int = RADIUS) -> Tensor:
    """Where a map (h, w) is largest within a radius (px), of equals all, in three rounds; not so near to the border.

    What a maximum suppresses takes no part in the next round, where others may be the largest of what is left.
    """
    is_peak = _is_largest(scores, radius)
    for _ in range(2):
        suppressed = _largest(is_peak.to(scores.dtype), radius) > 0
        left = torch.where(suppressed, torch.zeros_like(scores), scores)
        is_peak = is_peak | (_is_largest(left, radius) & ~suppressed)
    inside = torch.zeros_like(is_peak)
    inside[radius : -radius or None, radius : -radius or None] = True
    return is_peak & inside


def normalised(places: Tensor, scores: Tensor) -> Tensor:
    """Places (n, 2) in px from the first pixel's centre as -1 to 1 between the outer pixels' centres."""
    height, width = scores.shape
    return places / places.new_tensor([max(width - 1, 1), max(height - 1, 1)]) * 2 - 1


def _is_largest(scores: Tensor, radius: int) -> Tensor:
    return scores == _largest(scores, radius)


def _largest(scores: Tensor, radius: int) -> Tensor:
    return max_pool2d(scores[None, None], 2 * radius + 1, stride=1, padding=radius)[0, 0]
