"""A reconstruction in the frame of known poses, of positions by satellite, of one distance, or of an older map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..array_types import Float64
from ..data.frame import Frame, Placement
from ..data.mounting import Mounting, baselines
from ..data.sparse_map import SparseMap
from ..errors import StageError
from ..geometry.alignment import Similarity
from ..geometry.pose_error import rotation_angle
from ..geometry.rigid import Rigid
from ..geometry.robust_alignment import RobustAlignment, align_robustly
from .positions import Positions

MIN_POSITIONS = 5
"""images that positions by satellite must agree on: seven numbers are fitted to three each"""
MAX_SPREAD = 0.05
"""root mean square residual, of the extent, up to which two sets of poses count as the same shape"""
MAX_SCALE_ERROR = 0.02
"""standard deviation of the scale, as a part of it, up to which positions by satellite are taken"""
MAX_TURN_ERROR_DEG = 5.0
"""degrees; of the rotation, for positions by satellite"""
MAD_TO_SIGMA = 1.4826
"""of a normal distribution"""
MAX_NAMED = 3
"""images that disagree, in a line for people"""


@dataclass(frozen=True, eq=False)
class Fit:
    """`target_from_map` of the images in common, and what is left in each."""

    names: Sequence[str]
    alignment: RobustAlignment

    @property
    def target_from_map(self) -> Similarity:
        """What moves the map into the target's frame."""
        return self.alignment.target_from_source

    @property
    def disagreeing(self) -> dict[str, float]:
        """Residuals of the images that do not agree, target units, largest first."""
        rows = np.flatnonzero(~self.alignment.agrees)
        rows = rows[np.argsort(-self.alignment.residuals[rows], kind="stable")]
        return {self.names[row]: float(self.alignment.residuals[row]) for row in rows.tolist()}

    def about(self, unit: str) -> str:
        """How many images agree and how well, for people."""
        own = self.alignment.residuals[self.alignment.agrees]
        text = f"{len(own)} of {len(self.names)} images agree, residuals median {length(float(np.median(own)), unit)}, "
        others = [f"{name} {length(apart, unit)}" for name, apart in self.disagreeing.items()]
        shown = ", ".join(others[:MAX_NAMED]) + (" ..." if others[MAX_NAMED:] else "")
        return f"{text}largest {length(float(own.max()), unit)}" + (f"; elsewhere: {shown}" if others else "")


def length(value: float, unit: str) -> str:
    """A length with three digits and its unit."""
    return f"{value:#.3g} {unit}"


def fit_poses(sparse: SparseMap, targets: Mapping[str, Rigid], seed: int) -> Fit:
    """The similarity to `cam_from_target` of images by name; StageError where they are few, or of another shape."""
    names = [name for name in sparse.image_names if name in targets]
    own = sparse.cam_from_world[[sparse.row_of[name] for name in names]]
    known = Rigid.stack([targets[name] for name in names])
    rotations = np.swapaxes(known.rotation, -1, -2) @ own.rotation
    fit = _fit(names, own.center, known.center, rotations, seed)
    if not _is_one_shape(fit.alignment):
        raise StageError(_why_apart(own, known, rotations, seed))
    return fit


def _is_one_shape(found: RobustAlignment) -> bool:
    return found.spread <= MAX_SPREAD * found.extent


def _why_apart(own: Rigid, known: Rigid, rotations: Float64[np.ndarray, "n 3 3"], seed: int) -> str:
    """Whether the centres alone would have agreed."""
    count = len(rotations)
    try:
        found = align_robustly(own.center, known.center, seed=seed)
    except ValueError as error:
        return f"the {count} images in common do not agree, and {error}"
    if not _is_one_shape(found):
        return f"the {count} images in common stand in another shape: {found.spread / found.extent:.0%} of its size"
    turned = np.degrees(np.median(rotation_angle(rotations, found.target_from_source.rotation)))
    return (
        f"the centres of the {count} images in common agree, but they look {turned:.0f} degrees apart: "
        "are the poses world to camera, with x right, y down, z forward?"
    )


def fit_positions(sparse: SparseMap, positions: Positions, seed: int) -> Fit:
    """The similarity to positions by satellite; StageError where too few agree, or they leave scale or turn unsure."""
    names = [name for name in sparse.image_names if name in positions.xyz]
    if len(names) < MIN_POSITIONS:
        raise StageError(f"{len(names)} images of the map have a position, at least {MIN_POSITIONS} are needed")
    centers = sparse.cam_from_world.center[[sparse.row_of[name] for name in names]]
    fit = _fit(names, centers, np.stack([positions.xyz[name] for name in names]), None, seed)
    found = fit.alignment
    if found.agrees.sum() < MIN_POSITIONS or found.scale_error > MAX_SCALE_ERROR:
        raise StageError(
            f"{fit.about('m')} over an extent of {length(found.extent, 'm')}: "
            f"a scale known to {100 * found.scale_error:.1f} %, {100 * MAX_SCALE_ERROR:.0f} % are needed"
        )
    if np.degrees(found.turn_error) > MAX_TURN_ERROR_DEG:
        raise StageError(f"the positions are too near to one line: turned about it by {_degrees(found.turn_error)}")
    return fit


def _degrees(radians: float) -> str:
    return f"up to {min(np.degrees(radians), 180):.0f} degrees"


def _fit(
    names: Sequence[str],
    centers: Float64[np.ndarray, "n 3"],
    targets: Float64[np.ndarray, "n 3"],
    rotations: Float64[np.ndarray, "n 3 3"] | None,
    seed: int,
) -> Fit:
    try:
        return Fit(names, align_robustly(centers, targets, rotations, seed=seed))
    except ValueError as error:
        raise StageError(str(error)) from None


def frame_of_distance(sparse: SparseMap, frame: Frame, first: str, second: str, metres: float) -> Frame:
    """The same frame in metres, from the distance of two cameras' centres; StageError: unknown, or in one place."""
    for name in (first, second):
        if name not in sparse.row_of:
            raise StageError(f"'{name}': no image of the map, such as '{sparse.image_names[0]}'")
    ends = sparse.cam_from_world.center[[sparse.row_of[first], sparse.row_of[second]]]
    distance = float(np.linalg.norm(ends[1] - ends[0]))
    if not distance > 0:
        raise StageError(f"'{first}' and '{second}' were taken from one place: their distance gives no scale")
    scaled = Similarity(metres / distance, np.eye(3), np.zeros(3))
    about = f"{first} and {second} are {metres:g} m apart"
    return moved_frame(Frame(True, "distance", about), frame, scaled)


def frame_of_positions(fit: Fit, positions: Positions, frame: Frame) -> Frame:
    """Metres east, north and up of the positions' origin, for a map that stands in `frame` now."""
    about = f"{fit.about('m')}; scale known to {100 * fit.alignment.scale_error:.2g} %"
    return moved_frame(Frame(True, "gnss", about, origin=positions.origin), frame, fit.target_from_map)


def frame_of_baselines(sparse: SparseMap, mounting: Mounting, frame: Frame) -> Frame:
    """The same frame in metres, from how far apart cameras are mounted; `mounting`: of the map's images in their order.

    StageError where they are mounted in one place, or disagree about the scale.
    """
    mounted, found = baselines(mounting, sparse.cam_from_world.center).T
    usable = (mounted > 0) & (found > 0)
    if not usable.any():
        raise StageError("cameras of one instant are mounted in one place: their distance gives no scale")
    scales = mounted[usable] / found[usable]
    scale = float(np.median(scales))
    spread = MAD_TO_SIGMA * float(np.median(np.abs(scales / scale - 1)))
    told = f"{usable.sum()} distances of cameras on rigs, {length(float(np.median(mounted[usable])), 'm')} (median)"
    if spread / np.sqrt(usable.sum()) > MAX_SCALE_ERROR:
        raise StageError(f"{told}, disagree about the scale by {spread:.0%}, {MAX_SCALE_ERROR:.0%} are needed of all")
    about = f"{told}, agree to {100 * spread:.2g} %"
    return moved_frame(Frame(True, "rig", about), frame, Similarity(scale, np.eye(3), np.zeros(3)))


def moved_frame(target: Frame, frame: Frame, target_from_map: Similarity) -> Frame:
    """The target's frame, for a map that stands in `frame` now."""
    return replace(target, placement=Placement.of(target_from_map @ frame.similarity))
