"""The cameras of the synthetic gallery: a rig of three on the visitor's path, and phones held off it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vloc.array_types import Float64
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .gallery_furniture import Solid, furnish
from .gallery_plan import DOOR_WIDTH, RoomPlan, generator
from .gallery_world import World

CAMERA_NAMES = ("left", "front", "right")
PHONE_NAMES = ("phone_a", "phone_b")
RIG_HEIGHT = 1.55  # m
QUERY_STREAM = 8
TRIALS = 50  # places tried for a query


@dataclass(frozen=True, eq=False)
class Query:
    """A photo to be placed: what it is called, who took it, from where, and whether at night."""

    name: str
    phone: str
    cam_from_world: Rigid
    is_night: bool


def rig_cameras(image_size: tuple[int, int]) -> dict[str, Camera]:
    """The three cameras of the rig; the front one has a little barrel distortion."""
    width, height = image_size
    f, x, y = 0.8 * width, width / 2, height / 2
    return {
        "left": Camera("PINHOLE", width, height, (f, f, x - 2.5, y + 1.25)),
        "front": Camera("SIMPLE_RADIAL", width, height, (0.76 * width, x, y, -0.06)),
        "right": Camera("PINHOLE", width, height, (1.01 * f, 1.01 * f, x + 1.5, y - 2.0)),
    }


def phone_cameras(image_size: tuple[int, int]) -> dict[str, Camera]:
    """Two phones, of a longer and a shorter focal length than the rig's."""
    width, height = image_size
    return {
        "phone_a": Camera("PINHOLE", width, height, (0.95 * width, 0.95 * width, width / 2 + 3.5, height / 2)),
        "phone_b": Camera("SIMPLE_RADIAL", width, height, (0.7 * width, width / 2, height / 2 - 2.0, -0.04)),
    }


def sensors_from_rig() -> dict[str, Rigid]:
    """Where the cameras sit: the rig looks along z with y down; left and right are turned by 45 degrees."""
    placed = {"left": (-45.0, -0.08), "front": (0.0, 0.0), "right": (45.0, 0.08)}
    return {
        name: _turned(math.radians(yaw), np.array([x, 0.01 * x, -0.03 * abs(x)])) for name, (yaw, x) in placed.items()
    }


def _turned(yaw: float, center: Float64[np.ndarray, "3"]) -> Rigid:
    """A camera at `center` that looks `yaw` radians to the right of the z axis."""
    cos, sin = math.cos(yaw), math.sin(yaw)
    rotation = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    return Rigid(rotation, -rotation @ center)


def looking(center: Float64[np.ndarray, "3"], heading: float, pitch: float, roll: float) -> Rigid:
    """`cam_from_world` of a camera at `center` (m): heading from the x axis anticlockwise, pitch up, roll; radians."""
    ahead = np.array([math.cos(heading) * math.cos(pitch), math.sin(heading) * math.cos(pitch), math.sin(pitch)])
    right = np.array([math.sin(heading), -math.cos(heading), 0.0])
    level = np.stack([right, np.cross(ahead, right), ahead])
    cos, sin = math.cos(roll), math.sin(roll)
    rotation = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1.0]]) @ level
    return Rigid(rotation, -rotation @ center)


def _on_path(plan: RoomPlan, share: float) -> tuple[Float64[np.ndarray, "2"], float]:
    """The place at a share (0..1) of the way through a room, and the heading there."""
    at = share * (len(plan.path) - 1)
    k = min(int(at), len(plan.path) - 2)
    step = plan.path[k + 1] - plan.path[k]
    # The heading turns smoothly: chords of neighbouring samples, blended.
    before, after = plan.path[max(k - 1, 0)], plan.path[min(k + 2, len(plan.path) - 1)]
    chord = (1 - at + k) * (plan.path[k + 1] - before) + (at - k) * (after - plan.path[k])
    return plan.path[k] + (at - k) * step, math.atan2(chord[1], chord[0])


def rig_pose(world: World, position: int, num_positions: int) -> Rigid:
    """`rig_from_world` at one of the stops, which are spread evenly over the rooms; it sways as it is pushed."""
    along = (position + 0.5) / num_positions * world.num_rooms
    room = min(int(along), world.num_rooms - 1)
    place, heading = _on_path(world.plan(room), along - room)
    height = RIG_HEIGHT + 0.03 * math.sin(1.7 * position)
    sway = 0.02 * math.sin(2.3 * position + 1), 0.015 * math.sin(3.1 * position)
    return looking(np.append(place, height), heading, *sway)


def drive_pose(world: World, share: float) -> Rigid:
    """`rig_from_world` at a share (0..1) of a drive through all rooms, beside the mapping rig's path and higher."""
    along = share * world.num_rooms
    room = min(int(along), world.num_rooms - 1)
    place, heading = _on_path(world.plan(room), along - room)
    side = 0.3 * math.sin(5 * along) * np.array([-math.sin(heading), math.cos(heading)])
    turn, height = 0.25 * math.sin(3.7 * along + 1), RIG_HEIGHT + 0.12
    return looking(
        np.append(place + side, height), heading + turn, 0.04 * math.sin(7 * along), 0.03 * math.sin(9 * along)
    )


def query(world: World, index: int, num_queries: int) -> Query:
    """One hand-held photo: beside the path, turned, tilted; every other one at night."""
    rng = generator(world.seed, QUERY_STREAM, index)
    is_night, phone = index % 2 == 1, PHONE_NAMES[index // 2 % 2]
    name = f"{'night' if is_night else 'day'}/{index:06d}.jpg"
    return Query(name, phone, _hand_held(world, rng, (index, num_queries)), is_night)


def _hand_held(world: World, rng: np.random.Generator, place: tuple[int, int]) -> Rigid:
    """The first free place found with something to look at; on the path itself when there is none."""
    along = (place[0] + rng.uniform(0.1, 0.9)) / place[1] * world.num_rooms
    room = min(int(along), world.num_rooms - 1)
    plan = world.plan(room)
    solids = furnish(world.seed, plan)
    on_path, heading = _on_path(plan, along - room)
    tilt, roll, height = rng.uniform(-0.26, 0.2), rng.normal(0, 0.05), rng.uniform(1.25, 1.85)
    for _ in range(TRIALS):
        center, yaw = on_path + rng.uniform(-1.0, 1.0, 2), heading + rng.uniform(-0.7, 0.7)
        if is_free(plan, solids, center, 0.5) and sight(plan, solids, center, yaw) > 1.8:
            return looking(np.append(center, height), yaw, tilt, roll)
    return looking(np.append(on_path, height), heading, tilt, roll)


def is_free(plan: RoomPlan, solids: list[Solid], center: Float64[np.ndarray, "2"], gap: float) -> bool:
    """Whether a place in a room keeps `gap` (m) from its walls and from what stands in it."""
    inside = bool((np.abs(center - plan.center) < np.array(plan.half) - gap).all())
    standing = [solid.outline for solid in solids if solid.bottom < 2]
    return inside and all(
        np.linalg.norm(outline - outline.mean(0), axis=1).max() + gap < np.linalg.norm(center - outline.mean(0))
        for outline in standing
    )


def sight(plan: RoomPlan, solids: list[Solid], center: Float64[np.ndarray, "2"], heading: float) -> float:
    """How far (m) one sees from a place at eye height before a wall or piece of furniture stands in the way."""
    ahead = np.array([math.cos(heading), math.sin(heading)])
    step = np.arange(0.1, 2.5, 0.1)
    for far in step:
        place = center + far * ahead
        through = any(
            abs((place - plan.center - door.middle) @ door.outward[::-1]) < DOOR_WIDTH / 2 - 0.2 for door in plan.doors
        )
        if not through and not is_free(plan, solids, place, 0.05):
            return float(far)
    return float(step[-1])
