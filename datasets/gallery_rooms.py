"""A room of the synthetic gallery as textured rectangles, painted when they are first seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

import numpy as np

from vloc.array_types import Float64, UInt8

from .gallery_dressing import dress_floor, dress_wall, hole_of, side_sign
from .gallery_furniture import Hanging, Solid, furnish, hang
from .gallery_paintings import painting
from .gallery_plan import DOOR_HEIGHT, DOOR_WIDTH, PITCH, RoomPlan, generator
from .gallery_surfaces import FLOORS, WALLS, Size, block, ceiling, muted, slabs, to_bytes
from .gallery_texture import Texture
from .gallery_trace import Quad

ROOM_LOOK, WALL_LOOK, PAINTING_LOOK, SOLID_LOOK = 4, 5, 6, 7  # streams of random numbers
PAINTING_DEPTH = 0.05  # m a painting stands out from its wall
UP = np.array([0.0, 0.0, 1.0])
WALL_LIGHTS = (0.97, 0.9, 1.0, 0.93)  # of walls in the order of `Door.wall`, so that corners show
MATERIALS = {"bench": (104, 70, 46), "lamp": (56, 56, 58), "column": (178, 174, 162), "pedestal": (196, 194, 188)}
Vector = Float64[np.ndarray, "3"]


class Painted:
    """A texture that is made when it is first seen, once, by whichever thread comes first."""

    def __init__(self, paint: Callable[[], UInt8[np.ndarray, "h w 3"]]) -> None:
        self._paint, self._lock = paint, Lock()
        self._texture: Texture | None = None

    def __call__(self) -> Texture:
        """The texture."""
        with self._lock:
            if self._texture is None:
                self._texture = Texture.from_image(self._paint())
            return self._texture


@dataclass(frozen=True, eq=False)
class WallFrame:
    """A wall as seen from inside: its upper left corner in the world, and unit vectors to the right and inwards."""

    corner: Vector
    right: Vector
    inward: Vector
    width: float


def wall_frame(plan: RoomPlan, wall: int) -> WallFrame:
    """The frame of one of the four walls, numbered as `Door.wall`."""
    outward = np.array([(1.0, 0, 0), (0, 1.0, 0), (-1.0, 0, 0), (0, -1.0, 0)][wall])
    right = np.cross(outward, UP)
    deep, wide = plan.half if wall % 2 == 0 else plan.half[::-1]
    corner = np.array([*plan.center, plan.height]) + outward * deep - right * wide
    return WallFrame(corner, right, -outward, 2 * wide)


def room_quads(seed: int, plan: RoomPlan) -> list[Quad]:
    """Walls, floor, ceiling, paintings and furniture of one room."""
    solids, hangings = furnish(seed, plan), hang(seed, plan)
    quads = [_wall(seed, plan, wall, [h for h in hangings if h.wall == wall]) for wall in range(4)]
    quads += _floor_and_ceiling(seed, plan, solids)
    for number, hanging in enumerate(hangings):
        quads += _painting(generator(seed, PAINTING_LOOK, plan.index, number), plan, hanging)
    for number, solid in enumerate(solids):
        quads += _solid(generator(seed, SOLID_LOOK, plan.index, number), solid)
    return quads


def _wall(seed: int, plan: RoomPlan, wall: int, hangings: list[Hanging]) -> Quad:
    look, rng = generator(seed, ROOM_LOOK, plan.index), generator(seed, WALL_LOOK, plan.index, wall)
    colour, (style, accent), accented = (
        muted(look, 115, 205, 0.5),
        look.choice(len(WALLS), 2, replace=False),
        look.integers(4),
    )
    paint_wall = WALLS[accent if wall == accented else style]

    def paint() -> UInt8[np.ndarray, "h w 3"]:
        return to_bytes(dress_wall(paint_wall(rng, (2048, 1024), tuple(colour)), rng, plan, wall, hangings))

    frame = wall_frame(plan, wall)
    holes = [hole_of(door, frame.width, plan.height) for door in plan.doors if door.wall == wall]
    edges = frame.right * frame.width, -UP * plan.height
    return Quad(frame.corner, *edges, Painted(paint), WALL_LIGHTS[wall], holes[0] if holes else None)


def _floor_and_ceiling(seed: int, plan: RoomPlan, solids: list[Solid]) -> list[Quad]:
    rng, above = generator(seed, WALL_LOOK, plan.index, 4), generator(seed, WALL_LOOK, plan.index, 5)
    pave = FLOORS[rng.integers(len(FLOORS))]
    (x, y), (half_x, half_y) = plan.center, plan.half
    across, along = np.array([2 * half_x, 0, 0]), np.array([0, 2 * half_y, 0])
    floor = Painted(lambda: to_bytes(dress_floor(pave(rng, (2048, 2048)), plan, solids)))
    return [
        Quad(np.array([x - half_x, y + half_y, 0]), across, -along, floor),
        Quad(
            np.array([x - half_x, y - half_y, plan.height]),
            across,
            along,
            Painted(lambda: to_bytes(ceiling(above, (1024, 1024)))),
        ),
    ]


def _painting(rng: np.random.Generator, plan: RoomPlan, hanging: Hanging) -> list[Quad]:
    """A picture standing out from its wall, with the four sides of its frame."""
    frame = wall_frame(plan, hanging.wall)
    right, down, inward = frame.right * hanging.width, -UP * hanging.height, frame.inward * PAINTING_DEPTH
    from_left = frame.width / 2 + side_sign(hanging.wall) * hanging.along - hanging.width / 2
    back = frame.corner + frame.right * from_left - UP * (plan.height - hanging.middle - hanging.height / 2)
    size = (512 if hanging.width > 0.75 else 256, 512 if hanging.height > 0.75 else 256)
    side = Painted(lambda: np.full((8, 8, 3), (62, 48, 36), np.uint8))
    return [
        Quad(back + inward, right, down, Painted(lambda: painting(rng, size)), WALL_LIGHTS[hanging.wall]),
        Quad(back, inward, down, side, 0.8),
        Quad(back + inward + right, -inward, down, side, 0.8),
        Quad(back, right, inward, side, 1.3),
        Quad(back + inward + down, right, -inward, side, 0.5),
    ]


def _solid(rng: np.random.Generator, solid: Solid) -> list[Quad]:
    """The sides of a prism; top and bottom where it has four of them."""
    count = len(solid.outline)
    base = MATERIALS.get(solid.kind)
    colour = tuple(muted(rng, 60, 215, 0.9) if base is None else np.array(base) + rng.normal(0, 10, 3))
    feet = np.column_stack([solid.outline, np.full(count, solid.bottom)])
    rise = UP * (solid.top - solid.bottom)
    sides = [float(np.linalg.norm(feet[(k + 1) % count] - feet[k])) for k in range(count)]
    faces = [(side, float(rise[2])) for side in sides] + [(sides[1], sides[0]), (sides[0], sides[1])]
    sizes = [(_texels(width), _texels(height)) for width, height in faces]
    skins = [_skin(child, size, colour) for child, size in zip(rng.spawn(count + 2), sizes, strict=True)]
    quads = []
    for k in range(count):
        edge = feet[(k + 1) % count] - feet[k]
        light = 0.72 + 0.22 * float(edge @ (0.8, -0.6, 0)) / float(np.linalg.norm(edge))
        quads.append(Quad(feet[k] + rise, edge, -rise, skins[k], light))
    if count == 4:
        quads.append(Quad(feet[0] + rise, feet[3] - feet[0], feet[1] - feet[0], skins[count], 1.05))
        quads.append(Quad(feet[0], feet[1] - feet[0], feet[3] - feet[0], skins[count + 1], 0.5))
    return quads


def _texels(length: float) -> int:
    """Texels along an edge of so many metres: a power of two, about one for every 3 mm."""
    return 1 << min(max(round(math.log2(max(length, 1e-3) / 0.003)), 5), 10)


def _skin(rng: np.random.Generator, size: Size, colour: tuple[float, ...]) -> Painted:
    return Painted(lambda: to_bytes(block(rng, size, (colour[0], colour[1], colour[2]))))


def _lining(rng: np.random.Generator, colour: tuple[float, ...]) -> Painted:
    return Painted(lambda: to_bytes(slabs(rng, (512, 512), (colour[0], colour[1], colour[2]))))


def passage_quads(seed: int, plan: RoomPlan, following: RoomPlan) -> list[Quad]:
    """The four sides of the passage through the walls between a room and the one after it."""
    door = plan.door_out
    if door is None:
        return []
    outward, rng = np.append(door.outward, 0.0), generator(seed, WALL_LOOK, plan.index, 6)
    axis = door.wall % 2
    begin, length = plan.half[axis], PITCH - plan.half[axis] - following.half[axis]
    right = np.cross(outward, UP)
    near = np.append(plan.center + door.middle, 0.0) - outward * (PITCH / 2 - begin) - right * DOOR_WIDTH / 2
    skins = [_lining(child, tuple(muted(rng, 110, 190, 0.4))) for child in rng.spawn(4)]
    ahead, across, tall = outward * length, right * DOOR_WIDTH, UP * DOOR_HEIGHT
    return [
        Quad(near + tall, ahead, -tall, skins[0], 0.85),
        Quad(near + across + ahead + tall, -ahead, -tall, skins[1], 0.8),
        Quad(near + ahead, across, -ahead, skins[2], 0.9),
        Quad(near + tall, across, ahead, skins[3], 0.7),
    ]
