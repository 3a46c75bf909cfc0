"""The place seen from above: map points, cameras with their directions, true and estimated query poses."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import Float64
from ..data.frame import Unit
from ..data.sparse_map import SparseMap
from ..geometry.rigid import Rigid
from .pictures import spread
from .svg import plain, svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_POINTS, MAX_CAMERAS, MAX_LABELS = 20_000, 1_000, 100
"""points, cameras of each kind and labels that are drawn; a page of a large place stays small"""
POINT, MAPPED, TRUE, ESTIMATED = "#9aa5b1", "#3b6ea5", "#2f9e6e", "#e4572e"


def plan_view(sparse: SparseMap, estimated: Mapping[str, Rigid], truth: Mapping[str, Rigid], unit: Unit = "m") -> str:
    """SVG text of the plan. Poses are `cam_from_world` by the label they get in it; `unit`: that of the map."""
    plane = ground_plane(sparse.cam_from_world)
    centers = sparse.cam_from_world.center @ plane.T
    shown = np.concatenate([centers, *(pose.center[None] @ plane.T for pose in (*estimated.values(), *truth.values()))])
    points = sparse.points @ plane.T
    low, high = limits(points, shown)
    size = float((high - low).max())

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        some = points[spread(len(points), MAX_POINTS)]
        axes.scatter(some[:, 0], some[:, 1], s=2.0, c=POINT, alpha=0.6, linewidths=0, rasterized=True)
        _draw_cameras(axes, plane, sparse.cam_from_world, 0.016 * size, color=MAPPED, label="map images")
        _draw_queries(axes, plane, truth, estimated, 0.022 * size)
        _finish(axes, low, high, unit)

    return svg(9.6, _height(high - low), draw)


def ground_plane(cam_from_world: Rigid) -> Float64[np.ndarray, "2 3"]:
    """Rows: the plan's directions right and up in the world, across the mean of the cameras' upward directions.

    The plan keeps the world's own axes where one of them is upright.
    """
    upward = -cam_from_world.rotation[:, 1].mean(axis=0)  # y points down in a camera
    norm = np.linalg.norm(upward)
    upward = upward / norm if norm > 1e-6 else np.array([0.0, 0.0, 1.0])
    nearest = int(np.argmax(np.abs(upward)))
    if abs(upward[nearest]) > np.cos(np.radians(15)):
        upward = np.sign(upward[nearest]) * np.eye(3)[nearest]
    right = np.eye(3)[int(np.argmin(np.abs(upward)))]
    right = right - (right @ upward) * upward
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(upward, right)])


def limits(
    points: Float64[np.ndarray, "p 2"], cameras: Float64[np.ndarray, "i 2"]
) -> tuple[Float64[np.ndarray, "2"], Float64[np.ndarray, "2"]]:
    """Lower left and upper right of a plan that shows every camera and all points but the outermost 2 of 100 a side."""
    box = cameras
    if len(points):
        box = np.concatenate([cameras, np.quantile(points, [0.02, 0.98], axis=0)])
    low, high = box.min(axis=0), box.max(axis=0)
    margin = max(0.08 * float((high - low).max()), 1e-3)
    return low - margin, high + margin


def _height(sides: Float64[np.ndarray, "2"]) -> float:
    """Inches of a figure 9.6 wide that shows a plan of these sides, within reason."""
    return float(np.clip(8.6 * sides[1] / sides[0], 3.2, 6.4)) + 0.8


def _triangles(plane: Float64[np.ndarray, "2 3"], poses: Rigid, size: float) -> Float64[np.ndarray, "i 3 2"]:
    """Cameras as triangles: the apex is the centre, the base is ahead."""
    poses = poses[spread(len(poses), MAX_CAMERAS)]
    apex = poses.center @ plane.T
    ahead = poses.rotation[:, 2] @ plane.T * size  # the camera's z axis in the world
    aside = poses.rotation[:, 0] @ plane.T * size * 0.6
    return np.stack([apex, apex + ahead + aside, apex + ahead - aside], axis=1)


def _draw_cameras(
    axes: Axes, plane: np.ndarray, poses: Rigid, size: float, *, color: str, label: str, filled: bool = True
) -> None:
    from matplotlib.collections import PolyCollection

    face = color if filled else "none"
    alpha, width = (0.75, 0.0) if filled else (1.0, 1.4)
    axes.add_collection(
        PolyCollection(
            list(_triangles(plane, poses, size)),
            facecolors=face,
            edgecolors=color,
            alpha=alpha,
            linewidths=width,
            label=label,
        )
    )


def _draw_queries(
    axes: Axes, plane: np.ndarray, truth: Mapping[str, Rigid], estimated: Mapping[str, Rigid], size: float
) -> None:
    if estimated:
        _draw_cameras(
            axes, plane, Rigid.stack(list(estimated.values())), size, color=ESTIMATED, label="queries, estimated"
        )
    if truth:
        _draw_cameras(
            axes, plane, Rigid.stack(list(truth.values())), 1.35 * size, color=TRUE, label="queries, true", filled=False
        )
    for label, pose in islice({**estimated, **truth}.items(), MAX_LABELS):
        x, y = plane @ (pose.center - 0.7 * size * pose.rotation[2])
        axes.text(x, y, label, ha="center", va="center", fontsize=9, fontweight="bold", color="#222222")
        if label in truth and label in estimated:
            ends = np.stack([plane @ truth[label].center, plane @ estimated[label].center])
            axes.plot(*ends.T, color=ESTIMATED, linewidth=1)


def _finish(axes: Axes, low: np.ndarray, high: np.ndarray, unit: str) -> None:
    axes.set_aspect("equal")
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.set_xlabel(unit)
    axes.set_ylabel(unit)
    plain(axes)
    axes.legend(loc="upper left", bbox_to_anchor=(0, 1.1), ncols=3, frameon=False)
