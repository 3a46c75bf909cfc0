"""The floor plan of the synthetic gallery: rooms on a serpentine grid, their doors, and the visitor's path.

World frame: metres, z up, floor at z = 0. Each room is a function of (seed, room index) alone, so that a gallery of
any length costs nothing until a room is entered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vloc.array_types import Float64

PITCH = 10.0  # m between the centres of neighbouring rooms
DOOR_WIDTH, DOOR_HEIGHT = 1.9, 2.5  # m
ROOM_STREAM, DOOR_STREAM = 0, 1  # what keeps independent random choices apart
PATH_SAMPLES = 65


@dataclass(frozen=True)
class Door:
    """An opening in a wall of a room, seen from that room.

    `wall`: 0 east, 1 north, 2 west, 3 south. `offset`: m of the door's middle from the room's centre, along x or y.
    """

    wall: int
    offset: float

    @property
    def outward(self) -> Float64[np.ndarray, "2"]:
        """Unit vector out of the room, in (x, y)."""
        return np.array([(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)][self.wall])

    @property
    def middle(self) -> Float64[np.ndarray, "2"]:
        """The middle of the passage, half way between two rooms, from the room's centre, m."""
        return np.asarray(self.outward * (PITCH / 2) + np.abs(self.outward[::-1]) * self.offset)


@dataclass(frozen=True, eq=False)
class RoomPlan:
    """One room: where it stands, its half sizes and height (m), its doors and the path through it."""

    index: int
    center: Float64[np.ndarray, "2"]
    half: tuple[float, float]
    height: float
    door_in: Door | None
    door_out: Door | None
    path: Float64[np.ndarray, "k 2"]
    """points of the visitor's path at equal distances, x and y in the world"""

    @property
    def doors(self) -> list[Door]:
        """The doors there are."""
        return [door for door in (self.door_in, self.door_out) if door is not None]


def generator(seed: int, *stream: int) -> np.random.Generator:
    """Random numbers of one purpose: the same for the same seed and stream, whatever was drawn before."""
    return np.random.default_rng((seed, *stream))


def cell_of(index: int, columns: int) -> tuple[int, int]:
    """The grid cell (column, row) of a room: rows are walked to and fro."""
    row, k = divmod(index, columns)
    return (k if row % 2 == 0 else columns - 1 - k), row


def room_at(x: float, y: float, columns: int, num_rooms: int) -> int:
    """The room whose cell holds the place (x, y), m; the nearest one outside the grid."""
    row = min(max(round(y / PITCH), 0), (num_rooms - 1) // columns)
    column = min(max(round(x / PITCH), 0), columns - 1)
    index = row * columns + (column if row % 2 == 0 else columns - 1 - column)
    return min(index, num_rooms - 1)


def plan_room(seed: int, index: int, columns: int, num_rooms: int) -> RoomPlan:
    """The plan of one room, from nothing but the seed and its number."""
    rng = generator(seed, ROOM_STREAM, index)
    half = (float(rng.uniform(3.9, 4.7)), float(rng.uniform(3.9, 4.7)))
    height = float(rng.uniform(3.3, 4.3))
    door_in = _door(seed, index, index - 1, columns) if index > 0 else None
    door_out = _door(seed, index, index + 1, columns) if index + 1 < num_rooms else None
    center = np.array(cell_of(index, columns), np.float64) * PITCH
    swing = float(rng.uniform(0.3, 0.8) * rng.choice([-1, 1]))
    return RoomPlan(index, center, half, height, door_in, door_out, center + _path(half, door_in, door_out, swing))


def _door(seed: int, index: int, other: int, columns: int) -> Door:
    (x, y), (other_x, other_y) = cell_of(index, columns), cell_of(other, columns)
    wall = {(1, 0): 0, (0, 1): 1, (-1, 0): 2, (0, -1): 3}[other_x - x, other_y - y]
    number = min(index, other)
    # Doors lie left and right in turn, so that no line of sight passes three: a picture shows few rooms.
    side = 1 if number % 2 == 0 else -1
    return Door(wall, side * float(generator(seed, DOOR_STREAM, number).uniform(0.9, 1.5)))


def _path(
    half: tuple[float, float], door_in: Door | None, door_out: Door | None, swing: float
) -> Float64[np.ndarray, "k 2"]:
    """A cubic Hermite curve, perpendicular to the doors so that rooms join smoothly, with one swing to the side."""
    ahead = np.array([1.0, 0.0]) if door_out is None or door_in is not None else door_out.outward
    if door_in is not None:
        ahead = -door_in.outward
    start = -ahead * (half[0] - 0.8) if door_in is None else door_in.middle
    end = ahead * (half[0] - 2.4) if door_out is None else door_out.middle
    leave = ahead if door_out is None else door_out.outward
    length = float(np.linalg.norm(end - start))
    u = np.linspace(0, 1, 8 * PATH_SAMPLES)[:, None]
    curve = (2 * u**3 - 3 * u**2 + 1) * start + (u**3 - 2 * u**2 + u) * ahead * length * 0.9
    curve = curve + (3 * u**2 - 2 * u**3) * end + (u**3 - u**2) * leave * length * 0.9
    side = np.array([-(end - start)[1], (end - start)[0]]) / length
    return _resample(curve + swing * np.sin(math.pi * u) ** 2 * side)


def _resample(curve: Float64[np.ndarray, "j 2"]) -> Float64[np.ndarray, "k 2"]:
    """The same curve in equal steps."""
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    steps = np.linspace(0, walked[-1], PATH_SAMPLES)
    return np.stack([np.interp(steps, walked, curve[:, k]) for k in range(2)], -1)
