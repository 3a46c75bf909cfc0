"""What is painted on the walls and floors of the synthetic gallery: skirting, door frames, labels, soft shadows."""

from __future__ import annotations

import numpy as np

from .gallery_furniture import Hanging, Solid
from .gallery_plan import DOOR_HEIGHT, DOOR_WIDTH, Door, RoomPlan
from .gallery_surfaces import Field, Image

SKIRTING = 0.13  # m
TRIM = 0.14  # m of door frame
DULL = 8  # shadows are soft, so they are drawn this much coarser


def side_sign(wall: int) -> float:
    """1 where offsets along the wall (x or y) grow to the right for who faces it, else -1."""
    return -1.0 if wall in (0, 3) else 1.0


def dress_wall(image: Image, rng: np.random.Generator, plan: RoomPlan, wall: int, hangings: list[Hanging]) -> Image:
    """A wall with everything on it that is flat, lit from above."""
    width = 2 * plan.half[1 if wall % 2 == 0 else 0]
    scale = np.array([image.shape[1] / width, image.shape[0] / plan.height])
    shadow = np.zeros((image.shape[0] // DULL, image.shape[1] // DULL), np.float32)
    for hanging in hangings:
        low, high = _frame(hanging, width, plan.height)
        _fill(shadow, np.add(low, (0.02, 0.08)) * scale / DULL, np.add(high, (0.05, 0.13)) * scale / DULL, 0.55)
        _label(image, rng, np.add(high, (0.07, -0.12)) * scale, scale)
    _skirt(image, scale)
    for door in plan.doors:
        if door.wall == wall:
            _trim(image, door, scale, width, plan.height)
    return _lit(image, shadow)


def hole_of(door: Door, width: float, height: float) -> tuple[float, float, float, float]:
    """The part (s0, t0, s1, t1) of a wall that a door opens."""
    middle = width / 2 + side_sign(door.wall) * door.offset
    return (middle - DOOR_WIDTH / 2) / width, 1 - DOOR_HEIGHT / height, (middle + DOOR_WIDTH / 2) / width, 1.01


def _frame(hanging: Hanging, width: float, height: float) -> tuple[np.ndarray, np.ndarray]:
    """Upper left and lower right of a painting, m right of and below the wall's upper left corner."""
    middle = np.array([width / 2 + side_sign(hanging.wall) * hanging.along, height - hanging.middle])
    half = np.array([hanging.width, hanging.height]) / 2
    return middle - half, middle + half


def _fill(image: np.ndarray, low: np.ndarray, high: np.ndarray, value: object) -> None:
    import cv2

    cv2.rectangle(image, np.rint(low).astype(int).tolist(), np.rint(high).astype(int).tolist(), value, -1)


def _label(image: Image, rng: np.random.Generator, place: np.ndarray, scale: np.ndarray) -> None:
    """A white card with lines of unreadable print, right of a painting's foot."""
    size = scale * (0.16, 0.11)
    _fill(image, place, place + size, (235, 233, 226))
    for line in np.linspace(0.2, 0.8, 4):
        start = place + size * (0.1, line)
        _fill(image, start, start + size * (float(rng.uniform(0.3, 0.8)), 0.02), (70, 70, 74))


def _skirt(image: Image, scale: np.ndarray) -> None:
    top = round(image.shape[0] - SKIRTING * scale[1])
    image[top:] = image[top:] * 0.25 + 45
    image[top : top + 3] = 160
    cornice = round(0.1 * scale[1])
    image[:cornice] = image[:cornice] * 0.3 + 150
    image[cornice : cornice + 3] = 90


def _trim(image: Image, door: Door, scale: np.ndarray, width: float, height: float) -> None:
    s0, t0, s1, _ = hole_of(door, width, height)
    size = np.array([image.shape[1], image.shape[0]])
    low, high = np.array([s0, t0]) * size, np.array([s1, 1.0]) * size
    for inset, colour in ((1.0, (74, 60, 48)), (0.75, (120, 98, 76)), (0.3, (92, 74, 58))):
        border = TRIM * inset * scale
        _fill(image, low - border, np.add(high, (border[0], 0)), colour)


def _lit(image: Image, shadow: Field) -> Image:
    """Darker in corners, brighter where the lamps shine, soft shadows under frames."""
    import cv2

    rows, columns = shadow.shape
    x, y = np.linspace(0, 1, columns, dtype=np.float32), np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    corner = 1 - 0.22 * np.exp(-np.minimum(x, 1 - x) * 22) - 0.25 * np.exp(-(1 - y) * 16) - 0.2 * np.exp(-y * 14)
    pools = 1 + 0.1 * np.exp(-(((y - 0.45) / 0.3) ** 2)) * np.cos(x * np.float32(9 * np.pi)) ** 2
    light = (corner * pools * (1 - cv2.GaussianBlur(shadow, (0, 0), 2.2))).astype(np.float32)
    fine = cv2.resize(light, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.multiply(image, cv2.merge([fine] * 3)))


def dress_floor(image: Image, plan: RoomPlan, solids: list[Solid]) -> Image:
    """A floor with the shadows of what stands on it and darker towards the walls."""
    import cv2

    half = np.array(plan.half)
    shadow = np.zeros((image.shape[0] // DULL, image.shape[1] // DULL), np.float32)
    for solid in solids:
        if solid.bottom == 0:
            middle = solid.outline.mean(0)
            spread = middle + (solid.outline - middle) * 1.15 - plan.center
            foot = (spread * (1, -1) + half) / (2 * half) * shadow.shape[::-1]
            cv2.fillPoly(shadow, [np.rint(foot).astype(np.int32)], 0.6)
    return _lit(image, shadow)
