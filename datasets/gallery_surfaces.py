"""Procedural walls, floors and ceilings of the synthetic gallery: never repeating, rich at every scale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vloc.array_types import Float32, Float64, Int32, UInt8

Image = Float32[np.ndarray, "h w 3"]
Field = Float32[np.ndarray, "h w"]
Size = tuple[int, int]
"""Width and height, px."""
Colour = tuple[float, float, float]
"""Red, green, blue, 0 to 255."""


def noise(rng: np.random.Generator, size: Size, cells: Size, octaves: int, falloff: float = 0.6) -> Field:
    """Smooth random values around 0: random grids of `cells` (columns, rows), each octave twice as fine."""
    import cv2

    total = np.zeros((size[1], size[0]), np.float32)
    for octave in range(octaves):
        shape = (min(cells[1] << octave, size[1]), min(cells[0] << octave, size[0]))
        grid = rng.standard_normal(shape, dtype=np.float32) * np.float32(falloff**octave)
        cv2.add(total, cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC), total)
    return total


def to_bytes(image: Image) -> UInt8[np.ndarray, "h w 3"]:
    """Rounded and limited to 0..255."""
    import cv2

    return np.asarray(cv2.add(image, (0.0, 0.0, 0.0, 0.0), dtype=cv2.CV_8U))


def muted(rng: np.random.Generator, low: float, high: float, saturation: float) -> Float64[np.ndarray, "3"]:
    """A random colour between two grey levels, drawn towards grey where `saturation` is under 1."""
    colour = rng.uniform(low, high, 3)
    return np.asarray(colour.mean() + saturation * (colour - colour.mean()))


def tint(colour: Colour, values: Field) -> Image:
    """A colour, lighter where `values` (grey levels) are positive and darker where they are negative."""
    import cv2

    return np.asarray(cv2.merge([values + np.float32(part) for part in colour]))


def speckle(rng: np.random.Generator, size: Size, share: float, strength: float) -> Field:
    """Scattered small spots, some dark and some light, as dirt and grain give: corners at the finest scale."""
    import cv2

    total = np.zeros((size[1], size[0]), np.float32)
    for density, sigma in ((share, 1.1), (share / 2, 2.2), (share / 6, 4.2)):
        spots, count = np.zeros_like(total), int(density * total.size)
        heights = rng.normal(0, 1.65 * strength, count)
        # Dirt is commoner than glints.
        spots[rng.integers(0, size[1], count), rng.integers(0, size[0], count)] = np.where(
            heights > 0, 0.55 * heights, heights
        )
        # A blurred unit spot is 1 / (2 pi sigma^2) high.
        total += cv2.GaussianBlur(spots, (0, 0), sigma) * np.float32(2 * np.pi * sigma**2)
    return total


def _tiles(size: Size, tile: tuple[float, float], shift: float, joint: float) -> tuple[Int32[np.ndarray, "h w"], Field]:
    """The number of the tile at each pixel, and 1 on tiles but 0 on joints; each course moves by `shift` tiles."""
    x, y = np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32)
    course = np.floor(y / np.float32(tile[1]))
    along = x[None] / np.float32(tile[0]) + (course * np.float32(shift))[:, None]
    column = np.floor(along)
    number = (course[:, None] * 4096 + column).astype(np.int32)
    # Distances, px, from the middle of the tile, turned into distances from its edge.
    from_side = (np.float32(0.5) - np.abs(along - column - np.float32(0.5))) * np.float32(tile[0])
    from_top = (tile[1] / 2 - np.abs(y - course * tile[1] - tile[1] / 2)).astype(np.float32)[:, None]
    edge = (np.minimum(from_side, from_top) - np.float32(joint / 2)) / np.float32(1.5)
    return number, np.minimum(np.maximum(edge, 0), 1)


def _per_tile(rng: np.random.Generator, number: Int32[np.ndarray, "h w"], spread: float) -> Field:
    """One random value a tile."""
    values = rng.normal(0, spread, int(number.max()) + 1).astype(np.float32)
    return np.asarray(values[number])


def plaster(rng: np.random.Generator, size: Size, colour: Colour) -> Image:
    """Trowelled plaster: clouds, fine grain and hairline cracks."""
    import cv2

    values = noise(rng, size, (6, 3), 8, 0.72) * np.float32(7) + speckle(rng, size, 0.012, 14)
    cracks = np.zeros((size[1], size[0]), np.uint8)
    for _ in range(26):
        start = rng.uniform((0, 0), size)
        steps = np.cumsum(rng.normal(0, 14, (24, 2)) + rng.normal(0, 8, 2), axis=0)
        cv2.polylines(cracks, [np.int32(start + steps)], False, 255, 1, cv2.LINE_AA)
    return tint(colour, values - cracks.astype(np.float32) * np.float32(0.22))


def brick(rng: np.random.Generator, size: Size, colour: Colour) -> Image:
    """A running bond of bricks, each of its own shade, in pale mortar."""
    number, on_brick = _tiles(size, (size[0] / 36, size[1] / 46), 0.5, 4)
    grain = noise(rng, size, (64, 32), 6, 0.8) * np.float32(7) + speckle(rng, size, 0.01, 16)
    shade = np.float32(0.55) * np.array(colour, np.float32) + np.array((52, 18, 8), np.float32)
    bricks = shade + (_per_tile(rng, number, 19) + grain)[..., None]
    mortar = tint((176, 170, 160), grain)
    return np.asarray(mortar + (bricks - mortar) * on_brick[..., None])


def wallpaper(rng: np.random.Generator, size: Size, colour: Colour) -> Image:
    """Printed stripes and florets on stained paper: no two florets alike, as in hand-blocked paper."""
    import cv2

    stripe = size[0] / int(rng.integers(22, 40))
    bands = np.where((np.arange(size[0]) % stripe) < stripe / 2, 9, -9).astype(np.float32)[None]
    image = tint(colour, bands + noise(rng, size, (8, 4), 8, 0.7) * np.float32(6) + speckle(rng, size, 0.008, 12))
    ink = np.array(colour) + rng.choice([-1, 1]) * rng.uniform(30, 55, 3)
    for y in np.arange(20, size[1], stripe * 1.3):
        for x in np.arange(stripe / 4, size[0], stripe):
            axes = rng.uniform(3, 11, 2)
            place = (round(x + rng.normal(0, 3)), round(y + rng.normal(0, 3)))
            cv2.ellipse(image, (place, tuple(axes * 2), rng.uniform(0, 180)), tuple(ink + rng.normal(0, 9, 3)), -1)
    return image


def concrete(rng: np.random.Generator, size: Size, colour: Colour) -> Image:
    """Cast concrete: boards of different grey, pores, runs of water."""
    number, on_board = _tiles(size, (size[0] / 7, size[1] / 9), 0.37, 3)
    runs = noise(rng, size, (160, 3), 5, 0.7) * np.float32(5)
    values = runs + noise(rng, size, (24, 12), 7, 0.78) * np.float32(6) + speckle(rng, size, 0.016, 17)
    grey = tuple(0.45 * c + 85 for c in colour)
    return tint((grey[0], grey[1], grey[2]), values + _per_tile(rng, number, 6) - 22 * (1 - on_board))


def panels(rng: np.random.Generator, size: Size, colour: Colour) -> Image:
    """Wooden panelling up to the waist, painted plaster above."""
    image, cut = plaster(rng, size, colour), int(size[1] * 0.68)
    lower = (size[0], size[1] - cut)
    number, on_panel = _tiles(lower, (size[0] / 22, lower[1] + 1), 0, 7)
    grain = noise(rng, lower, (360, 2), 4, 0.75) * np.float32(9) + speckle(rng, lower, 0.006, 12)
    image[cut:] = tint((122, 82, 50), grain + _per_tile(rng, number, 12) - 45 * (1 - on_panel))
    image[cut - 14 : cut + 6] = (88, 58, 36)
    return image


WALLS: tuple[Callable[[np.random.Generator, Size, Colour], Image], ...] = (plaster, brick, wallpaper, concrete, panels)


def parquet(rng: np.random.Generator, size: Size) -> Image:
    """Oak boards of different lengths, with grain and knots."""
    colour = rng.uniform(0.65, 1.1) * np.array((158, 116, 78)) + rng.normal(0, 6, 3)
    number, on_board = _tiles(size, (size[0] / 8, size[1] / 52), float(rng.uniform(0.27, 0.43)), 2.5)
    grain = noise(rng, size, (20, 400), 4, 0.75) * np.float32(8) + speckle(rng, size, 0.007, 14)
    return tint((colour[0], colour[1], colour[2]), _per_tile(rng, number, 15) + grain - 40 * (1 - on_board))


def stone_tiles(rng: np.random.Generator, size: Size) -> Image:
    """Stone slabs in two shades, with veins."""
    colour = muted(rng, 110, 185, 0.3)
    count = int(rng.integers(13, 19))
    number, on_slab = _tiles(size, (size[0] / count, size[1] / count), 0, 4)
    veins = np.exp(-np.abs(noise(rng, size, (14, 14), 6, 0.7)) * 9) * np.float32(rng.choice([-34, 26]))
    checks = np.where((number // 4096 + number % 4096) % 2 == 0, np.float32(rng.uniform(8, 30)), np.float32(-14))
    values = veins + checks + noise(rng, size, (32, 32), 6, 0.75) * np.float32(5) + speckle(rng, size, 0.01, 12)
    return tint((colour[0], colour[1], colour[2]), values + _per_tile(rng, number, 7) - 40 * (1 - on_slab))


def slabs(rng: np.random.Generator, size: Size, colour: Colour) -> Image:
    """A few large polished slabs of stone, as line a passage."""
    number, on_slab = _tiles(size, (size[0] / 1.7, size[1] / 4), 0.5, 4)
    veins = np.exp(-np.abs(noise(rng, size, (4, 4), 7, 0.75)) * 9) * np.float32(40)
    values = veins + noise(rng, size, (16, 16), 5, 0.8) * np.float32(7) + speckle(rng, size, 0.012, 18)
    return tint(colour, values + _per_tile(rng, number, 10) - 45 * (1 - on_slab))


FLOORS: tuple[Callable[[np.random.Generator, Size], Image], ...] = (parquet, stone_tiles)


def ceiling(rng: np.random.Generator, size: Size) -> Image:
    """White coffers with rows of bright lamps."""
    count = int(rng.integers(5, 9))
    step = size[0] / count
    number, on_coffer = _tiles(size, (step, step), 0, step * 0.1)
    values = (
        noise(rng, size, (8, 8), 7, 0.75) * np.float32(5) + speckle(rng, size, 0.012, 12) + _per_tile(rng, number, 5)
    )
    image = tint((190, 188, 182), values - 50 * (1 - on_coffer))
    _, on_lamp = _tiles(size, (step, step), 0, step * 0.55)
    lit = (number // 4096) % 2 == rng.integers(2)
    return np.asarray(image + (lit * on_lamp * np.float32(75))[..., None] * np.array((1, 0.97, 0.85), np.float32))


def block(rng: np.random.Generator, size: Size, colour: Colour) -> Image:
    """The face of a box: paint or stone with stains, scratches and a darker rim."""
    import cv2

    values = noise(rng, size, (4, 4), 6, 0.75) * np.float32(9) + speckle(rng, size, 0.015, 15)
    image = tint(colour, values)
    for _ in range(int(rng.integers(3, 9))):
        a, b = rng.uniform(0, size[0], 2), rng.uniform(0, size[1], 2)
        shade = np.array(colour) + rng.normal(0, 40)
        cv2.line(
            image, (int(a[0]), int(b[0])), (int(a[1]), int(b[1])), tuple(shade), int(rng.integers(1, 4)), cv2.LINE_AA
        )
    cv2.rectangle(image, (0, 0), (size[0] - 1, size[1] - 1), tuple(0.6 * np.array(colour)), 3)
    return image
