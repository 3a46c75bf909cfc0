"""Made weights for the networks whose published ones are not at hand, under their published names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch


def superpoint(folder: Path) -> None:
    """Both networks, as torch begins them."""
    from vloc.networks.superpoint import OpenSuperPoint, SuperPoint

    torch.manual_seed(0)
    torch.save(SuperPoint().state_dict(), folder / "superpoint_v1.pth")
    torch.save(OpenSuperPoint().state_dict(), folder / "superpoint_v6_from_tf.pth")


MADE: dict[str, Callable[[Path], None]] = {"superpoint": superpoint}
"""feature -> what writes weights for it into a folder"""
