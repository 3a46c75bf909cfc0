"""The same search on a GPU: the products of many pairs are begun before the first result is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..data.features import LocalFeatures, Matches
from .base import ImageSize
from .nearest_neighbour import NearestNeighbour, clear_matches, common_unit, prepared
from .similarity import Neighbours

if TYPE_CHECKING:
    from torch import Tensor, device

PRODUCTS = 2**28
"""products at a time: 1 GB"""


@dataclass(frozen=True, eq=False)
class Held:
    """Descriptors of one image, of length `unit`, where products are made."""

    rows: Tensor
    unit: float


class DeviceNearestNeighbour:
    """`NearestNeighbour` at work on a device, for all threads: the same matches, but for how sums of floats round."""

    def __init__(self, settings: NearestNeighbour, on: device) -> None:
        self._settings, self._device = settings, on

    def prepare(self, features: LocalFeatures, size: ImageSize) -> Held:
        """Descriptors in float32; where keypoints lie is not asked."""
        import torch

        made = prepared(features)
        return Held(torch.from_numpy(made.rows).to(self._device), made.unit)

    def match(self, first: Held, second: Held) -> Matches:
        """As `LoadedNearestNeighbour` does."""
        return self.match_all([(first, second)])[0]

    def match_all(self, pairs: Sequence[tuple[Held, Held]]) -> list[Matches]:
        """Several pairs at a time."""
        import torch

        units = [common_unit(*pair) for pair in pairs]
        with torch.inference_mode():
            begun = [_search(a.rows, b.rows) if len(a.rows) and len(b.rows) else None for a, b in pairs]
        found = [None if parts is None else Neighbours(*(part.cpu().numpy() for part in parts)) for parts in begun]
        return [
            Matches.none() if near is None else clear_matches(near, unit, self._settings)
            for near, unit in zip(found, units, strict=True)
        ]


def _search(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """What `Neighbours` holds, of the rows of both, neither empty."""
    import torch

    parts, maxima = [], torch.full((len(second),), -np.inf, device=first.device)
    for rows in first.split(max(1, PRODUCTS // len(second))):
        products = rows @ second.T  # (r, k) = (r, d) @ (d, k)
        maxima = torch.maximum(maxima, products.amax(dim=0))
        largest = products.amax(dim=1)
        columns = torch.arange(len(second), device=first.device)
        best = torch.where(products == largest[:, None], columns, len(second)).amin(dim=1)  # of equal ones the first
        products.scatter_(1, best[:, None], -np.inf)
        parts.append((best, largest, products.amax(dim=1)))
    best, largest, runners_up = (torch.cat(part) for part in zip(*parts, strict=True))
    return best, largest, runners_up, maxima
