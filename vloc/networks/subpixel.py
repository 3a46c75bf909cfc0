"""Peaks of a score map to a part of a pixel."""

from __future__ import annotations

import torch
from torch import Tensor


def places_of(scores: Tensor, y: Tensor, x: Tensor, *, between: bool) -> Tensor:
    """Maxima of a map (h, w) as (n, 2) x, y in px from the first pixel's centre: between pixels, or on them."""
    if between:
        down, across = parabola_offsets(scores, y, x)
        y, x = y + down, x + across
    return torch.stack([x, y], dim=1).float()


def parabola_offsets(scores: Tensor, y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """How far the maxima lie from the pixels (y, x) (n each) that are largest of their neighbours in a map (h, w).

    Down and across apart, by the parabola through a pixel and its two neighbours: at most half a pixel, and 0 at the
    border and on plateaus.
    """
    return _offset(scores, y, x, down=True), _offset(scores, y, x, down=False)


def _offset(scores: Tensor, y: Tensor, x: Tensor, *, down: bool) -> Tensor:
    position, size = (y, scores.shape[0]) if down else (x, scores.shape[1])
    before, after = (position - 1).clamp(min=0), (position + 1).clamp(max=size - 1)
    least, most = (scores[before, x], scores[after, x]) if down else (scores[y, before], scores[y, after])
    curvature = 2 * scores[y, x] - least - most
    is_fitted = (curvature > 0) & (before < position) & (position < after)
    half = (most - least) / 2
    return torch.where(is_fitted, half / torch.where(is_fitted, curvature, 1), 0).clamp(-0.5, 0.5)
