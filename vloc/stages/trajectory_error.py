"""Errors of trajectories: absolute, with or without alignment, and of the motion from one time to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from ..array_types import Int64
from ..errors import DataError
from ..geometry.alignment import Similarity, align
from ..geometry.pose_error import Errors, pose_errors
from ..geometry.rigid import Rigid

Alignment = Literal["none", "rigid", "similarity"]


@dataclass(frozen=True)
class TrajectoryError:
    """Root mean squares over the poses, and the motions from one to the next, that were estimated.

    `ate_m`: metres between camera centres once the estimated trajectory is moved onto the true one as `alignment` says.
    `rpe_m`, `rpe_deg`: metres and degrees between estimated and true motions (Sturm et al. 2012); None without any.
    `scale`: what the alignment multiplies lengths by.
    """

    alignment: Alignment
    num_poses: int
    num_motions: int
    ate_m: float
    rpe_m: float | None
    rpe_deg: float | None
    scale: float

    def to_json(self) -> dict[str, Any]:
        """The figures by name."""
        return asdict(self)


def trajectory_error(
    estimates: Mapping[str, Rigid], truth: Mapping[str, Rigid], tracks: Sequence[Sequence[str]], alignment: Alignment
) -> TrajectoryError:
    """Of `cam_from_world` by image name; images that lack a pose on either side are left out, with the motions to them.

    `tracks`: the images of one camera each, one time after the other. DataError where nothing is left, or fewer than
    three poses, or poses on a line, fix no alignment.
    """
    names = [name for track in tracks for name in track if name in estimates and name in truth]
    if not names:
        raise DataError("no image of a sequence has both an estimated and a true pose")
    found, true = (Rigid.stack([poses[name] for name in names]) for poses in (estimates, truth))
    moved = aligned(found, true, alignment)
    metres, _ = pose_errors(moved.apply_to_cameras(found), true)
    row_of = {name: row for row, name in enumerate(names)}
    steps = [[row_of[a], row_of[b]] for track in tracks for a, b in pairwise(track) if a in row_of and b in row_of]
    rpe_m, rpe_deg = _motion_errors(found, true, np.array(steps), moved.scale) if steps else (None, None)
    return TrajectoryError(alignment, len(names), len(steps), _rms(metres), rpe_m, rpe_deg, moved.scale)


def aligned(found: Rigid, truth: Rigid, alignment: Alignment) -> Similarity:
    """What brings the centres of estimated cameras nearest to the true ones; `rigid`: in their own scale."""
    if alignment == "none":
        return Similarity.identity()
    try:
        best = align(found.center, truth.center)
    except ValueError as error:
        raise DataError(f"the trajectory cannot be aligned: {error}") from None
    if alignment == "similarity":
        return best
    shift = truth.center.mean(0) - best.rotation @ found.center.mean(0)
    return Similarity(1.0, best.rotation, shift)


def _motion_errors(found: Rigid, truth: Rigid, steps: Int64[np.ndarray, "s 2"], scale: float) -> tuple[float, float]:
    """Root mean square metres and degrees of the motions between pairs of rows; estimated lengths are scaled."""
    scaled = Rigid(found.rotation, scale * found.translation)
    own, true = (poses[steps[:, 1]] @ poses[steps[:, 0]].inverse() for poses in (scaled, truth))
    metres, radians = pose_errors(own, true)
    return _rms(metres), float(np.degrees(_rms(radians)))


def _rms(values: Errors) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
