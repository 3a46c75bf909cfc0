"""What stands and hangs in a room of the synthetic gallery: where, how large; as boxes and upright prisms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vloc.array_types import Float64

from .gallery_plan import DOOR_WIDTH, RoomPlan, generator

FURNITURE_STREAM, HANGING_STREAM = 2, 3
CLEARANCE = 0.75  # m between the middle of the path and furniture
Kind = Literal["pedestal", "sculpture", "bench", "column", "crate", "lamp"]


@dataclass(frozen=True, eq=False)
class Solid:
    """An upright prism: its foot's outline in (x, y), anticlockwise, from `bottom` to `top`, m in the world."""

    kind: Kind
    outline: Float64[np.ndarray, "k 2"]
    bottom: float
    top: float


@dataclass(frozen=True)
class Hanging:
    """A painting: its wall (as `Door.wall`), its middle along the wall and above the floor, its size, m."""

    wall: int
    along: float
    middle: float
    width: float
    height: float


def _prism(
    kind: Kind, center: np.ndarray, radii: tuple[float, float], sides: int, *, yaw: float, z: tuple[float, float]
) -> Solid:
    angles = np.arange(sides) * 2 * np.pi / sides + np.pi / sides
    corners = np.stack([np.cos(angles), np.sin(angles)], -1) / np.cos(np.pi / sides) * radii
    turn = np.array([[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]])
    return Solid(kind, center + corners @ turn.T, *z)


def furnish(seed: int, plan: RoomPlan) -> list[Solid]:
    """Benches, pedestals with sculptures, columns and crates, none of them in the visitor's way; lamps above."""
    rng = generator(seed, FURNITURE_STREAM, plan.index)
    solids: list[Solid] = []
    taken: list[tuple[np.ndarray, float]] = []
    for _ in range(60):
        reach = float(rng.uniform(0.35, 0.8))
        center = plan.center + rng.uniform(-1, 1, 2) * (np.array(plan.half) - reach - 0.15)
        if _is_free(plan, center, reach, taken) and len(taken) < 8:
            taken.append((center, reach))
            solids += _piece(rng, plan, center, reach)
    return solids + _lamps(rng, plan)


def _is_free(plan: RoomPlan, center: np.ndarray, reach: float, taken: list[tuple[np.ndarray, float]]) -> bool:
    if np.linalg.norm(plan.path - center, axis=1).min() < reach + CLEARANCE:
        return False
    doors = [(plan.center + door.middle, DOOR_WIDTH + 0.6) for door in plan.doors]
    return all(np.linalg.norm(center - other) > reach + other_reach + 0.3 for other, other_reach in taken + doors)


def _piece(rng: np.random.Generator, plan: RoomPlan, center: np.ndarray, reach: float) -> list[Solid]:
    """One group of solids within `reach` of its centre."""
    yaw, choice = float(rng.uniform(0, np.pi)), rng.random()
    if choice < 0.25:
        width = reach * 0.9
        return [_prism("bench", center, (width, 0.24), 4, yaw=yaw, z=(0.0, 0.46))]
    if choice < 0.4:
        radius = min(reach, 0.38) * 0.8
        return [_prism("column", center, (radius, radius), 8, yaw=yaw, z=(0.0, plan.height))]
    if choice < 0.6:
        side, top = reach * 0.5, float(rng.uniform(0.4, 0.8))
        upper = _prism(
            "crate", center, (side * 0.7, side * 0.7), 4, yaw=yaw + 0.6, z=(top, top + float(rng.uniform(0.25, 0.6)))
        )
        return [_prism("crate", center, (side, side), 4, yaw=yaw, z=(0.0, top)), upper]
    side, top = min(reach * 0.5, 0.3), float(rng.uniform(0.75, 1.15))
    waist = top + float(rng.uniform(0.25, 0.45))
    lower = _prism("sculpture", center, (side * 0.7, side * 0.7), 4, yaw=yaw + 0.4, z=(top, waist))
    upper = _prism(
        "sculpture",
        center,
        (side * 0.4, side * 0.4),
        4,
        yaw=yaw + 1.1,
        z=(waist, waist + float(rng.uniform(0.15, 0.4))),
    )
    return [_prism("pedestal", center, (side, side), 4, yaw=yaw, z=(0.0, top)), lower, upper]


def _lamps(rng: np.random.Generator, plan: RoomPlan) -> list[Solid]:
    """Rails with spotlights under the ceiling."""
    solids = []
    for side in (-0.45, 0.45):
        middle = plan.center + np.array([0, side * plan.half[1]])
        solids.append(
            _prism("lamp", middle, (plan.half[0] * 0.8, 0.04), 4, yaw=0.0, z=(plan.height - 0.3, plan.height - 0.24))
        )
        for x in np.linspace(-0.7, 0.7, int(rng.integers(4, 7))):
            place = middle + np.array([x * plan.half[0], 0])
            solids.append(
                _prism(
                    "lamp",
                    place,
                    (0.07, 0.07),
                    4,
                    yaw=float(rng.uniform(0, 1)),
                    z=(plan.height - 0.5, plan.height - 0.3),
                )
            )
    return solids


def hang(seed: int, plan: RoomPlan) -> list[Hanging]:
    """Paintings side by side along each wall, some above each other, none over a door."""
    rng, hangings = generator(seed, HANGING_STREAM, plan.index), []
    for wall in range(4):
        half = plan.half[1 if wall % 2 == 0 else 0]
        doors = [door.offset for door in plan.doors if door.wall == wall]
        along = -half + float(rng.uniform(0.3, 0.6))
        while along < half - 0.7:
            width = float(rng.choice([0.6, 0.8, 1.1, 1.5, 1.9]) * rng.uniform(0.85, 1.15))
            middle = along + width / 2
            if along + width < half - 0.2 and all(
                abs(middle - door) > (width + DOOR_WIDTH) / 2 + 0.35 for door in doors
            ):
                hangings += _column(rng, plan, wall, middle, width)
                along += width + float(rng.uniform(0.15, 0.45))
            else:
                along += 0.2
    return hangings


def _column(rng: np.random.Generator, plan: RoomPlan, wall: int, along: float, width: float) -> list[Hanging]:
    """One painting at eye height, or two smaller ones above each other."""
    if width < 1.0 and rng.random() < 0.45:
        heights = width * rng.uniform(0.75, 1.05, 2)
        low = float(rng.uniform(0.95, 1.1))
        high = low + float(heights.sum()) / 2 + float(rng.uniform(0.12, 0.25))
        return [
            Hanging(wall, along, low, width, float(heights[0])),
            Hanging(wall, along, high, width * 0.9, float(heights[1])),
        ]
    height = min(width * float(rng.uniform(0.65, 1.3)), plan.height - 1.5)
    return [Hanging(wall, along, float(rng.uniform(1.5, 1.65)), width, height)]
