"""Procedural paintings in their frames: no two alike, with corners at several scales."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vloc.array_types import Float64, UInt8

from .gallery_surfaces import Size, muted, noise, speckle, to_bytes

Palette = Float64[np.ndarray, "5 3"]
Picture = UInt8[np.ndarray, "h w 3"]


def _palette(rng: np.random.Generator) -> Palette:
    """Five colours that go together: two hues in several shades, one accent."""
    base, accent = muted(rng, 40, 215, 0.75), muted(rng, 40, 225, 1.0)
    mixes = np.array([[0.35, 0], [0.75, 0.1], [1.1, 0.25], [0.3, 0.8], [0.1, 1.1]])
    return np.asarray(np.clip(mixes @ np.stack([base, accent]) + rng.normal(0, 18, (5, 3)), 5, 250))


def _ground(rng: np.random.Generator, size: Size, palette: Palette) -> Picture:
    """A colour gradient in a random direction."""
    x, y = np.meshgrid(np.linspace(-1, 1, size[0], dtype=np.float32), np.linspace(-1, 1, size[1], dtype=np.float32))
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.clip((np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y) / 2 + 0.5, 0, 1)[..., None]
    low, high = palette[0].astype(np.float32), palette[2].astype(np.float32)
    return to_bytes(low + ramp * (high - low) + (noise(rng, size, (4, 8), 6, 0.7) * 8)[..., None])


def _colour(rng: np.random.Generator, palette: Palette) -> tuple[float, float, float]:
    red, green, blue = palette[rng.integers(5)] + rng.normal(0, 14, 3)
    return float(red), float(green), float(blue)


def shapes(rng: np.random.Generator, size: Size, palette: Palette) -> Picture:
    """Discs, rings and polygons of all sizes over each other."""
    import cv2

    image, scale = _ground(rng, size, palette), min(size)
    for radius in np.sort(scale * 0.3 * rng.random(70) ** 2 + 3)[::-1]:
        place = rng.uniform((0, 0), size)
        if rng.random() < 0.4:
            thickness = -1 if rng.random() < 0.6 else max(1, int(radius / 5))
            cv2.circle(
                image, (int(place[0]), int(place[1])), int(radius), _colour(rng, palette), thickness, cv2.LINE_AA
            )
        else:
            angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 7))))
            corners = place + radius * np.stack([np.cos(angles), np.sin(angles)], -1)
            cv2.fillPoly(image, [np.int32(corners)], _colour(rng, palette), cv2.LINE_AA)
    return image


def grid(rng: np.random.Generator, size: Size, palette: Palette) -> Picture:
    """Rectangles cut again and again by black lines, after Mondrian."""
    import cv2

    image = np.full((size[1], size[0], 3), 235, np.uint8)
    boxes = [(0, 0, size[0], size[1])]
    for _ in range(int(rng.integers(28, 60))):
        x0, y0, x1, y1 = boxes.pop(int(np.argmax([(b[2] - b[0]) * (b[3] - b[1]) * rng.random() for b in boxes])))
        cut = rng.uniform(0.25, 0.75)
        if x1 - x0 > y1 - y0:
            middle = int(x0 + cut * (x1 - x0))
            boxes += [(x0, y0, middle, y1), (middle, y0, x1, y1)]
        else:
            middle = int(y0 + cut * (y1 - y0))
            boxes += [(x0, y0, x1, middle), (x0, middle, x1, y1)]
    for x0, y0, x1, y1 in boxes:
        if rng.random() < 0.7:
            cv2.rectangle(image, (x0, y0), (x1, y1), _colour(rng, palette), -1)
        cv2.rectangle(image, (x0, y0), (x1, y1), (18, 18, 20), max(1, size[0] // 120))
    return image


def landscape(rng: np.random.Generator, size: Size, palette: Palette) -> Picture:
    """Sky, sun, ridges behind each other, and trees."""
    import cv2

    image = _ground(rng, size, palette)
    sun = (int(rng.uniform(0.1, 0.9) * size[0]), int(rng.uniform(0.1, 0.4) * size[1]))
    cv2.circle(image, sun, max(4, size[0] // 14), _colour(rng, palette), -1, cv2.LINE_AA)
    for ridge in range(5):
        line = noise(rng, (size[0], 1), (3 + ridge, 1), 6, 0.5)[0] * size[1] * 0.06
        heights = np.clip(size[1] * (0.35 + 0.13 * ridge) + line, 0, size[1])
        outline = np.stack([np.arange(size[0]), heights], -1)
        closed = np.concatenate([outline, [[size[0], size[1]], [0, size[1]]]])
        cv2.fillPoly(image, [np.int32(closed)], _colour(rng, palette), cv2.LINE_AA)
        for x in rng.integers(0, size[0], 9):
            tall = int(rng.uniform(0.04, 0.13) * size[1])
            foot = (int(x), int(heights[x]))
            cv2.line(image, foot, (foot[0], foot[1] - tall), (40, 30, 22), 2, cv2.LINE_AA)
            cv2.circle(image, (foot[0], foot[1] - tall), max(2, tall // 3), _colour(rng, palette), -1, cv2.LINE_AA)
    return image


def strokes(rng: np.random.Generator, size: Size, palette: Palette) -> Picture:
    """Loose brush strokes, broad ones below and fine ones above."""
    import cv2

    image = _ground(rng, size, palette)
    for width in np.geomspace(size[0] / 9, 1.2, 130):
        start, drift = rng.uniform((0, 0), size), rng.normal(0, 1, 2) * size[0] / 40
        steps = np.cumsum(drift + rng.normal(0, size[0] / 45, (9, 2)), axis=0)
        cv2.polylines(image, [np.int32(start + steps)], False, _colour(rng, palette), int(width) or 1, cv2.LINE_AA)
    return image


def mosaic(rng: np.random.Generator, size: Size, palette: Palette) -> Picture:
    """Small stones that follow a hidden picture of clouds."""
    import cv2

    count = int(rng.integers(18, 34))
    small = (count, max(2, round(count * size[1] / size[0])))
    hidden = np.digitize(noise(rng, small, (3, 3), 3), [-0.9, -0.3, 0.3, 0.9])
    stones = palette[hidden] + rng.normal(0, 20, (*hidden.shape, 1))
    image = cv2.resize(to_bytes(stones), size, interpolation=cv2.INTER_NEAREST)
    for x in range(small[0]):
        cv2.line(image, (x * size[0] // small[0], 0), (x * size[0] // small[0], size[1]), (30, 28, 26), 2)
    for y in range(small[1]):
        cv2.line(image, (0, y * size[1] // small[1]), (size[0], y * size[1] // small[1]), (30, 28, 26), 2)
    return np.asarray(image)


def stripes(rng: np.random.Generator, size: Size, palette: Palette) -> Picture:
    """Bands of random widths, bent by a slow wave and crossed by a second set."""
    x, y = np.meshgrid(np.arange(size[0], dtype=np.float32), np.arange(size[1], dtype=np.float32))
    bend = noise(rng, size, (3, 3), 3) * size[0] * 0.05
    image = np.zeros((size[1], size[0], 3))
    for share, along in ((1.0, x + bend), (0.45, y + bend)):
        edges = np.sort(rng.uniform(-0.3, 1.3, 40)) * max(size)
        bands = palette[rng.integers(0, 5, 41)] + rng.normal(0, 12, (41, 3))
        image = image * (1 - share) + share * bands[np.searchsorted(edges, along.ravel())].reshape(image.shape)
    return to_bytes(image.astype(np.float32))


STYLES: tuple[Callable[[np.random.Generator, Size, Palette], Picture], ...] = (
    shapes, grid, landscape, strokes, mosaic, stripes,
)  # fmt: skip


def painting(rng: np.random.Generator, size: Size) -> Picture:
    """A painting with its frame and, now and then, a white mount around it."""
    import cv2

    canvas = STYLES[rng.integers(len(STYLES))](rng, size, _palette(rng))
    canvas = to_bytes(canvas + (speckle(rng, size, 0.01, 8) + noise(rng, size, (32, 32), 4, 0.8) * 3)[..., None])
    frame = max(6, int(min(size) * rng.uniform(0.05, 0.09)))
    if rng.random() < 0.35:
        cv2.rectangle(canvas, (0, 0), (size[0] - 1, size[1] - 1), (232, 228, 216), 4 * frame)
    wood = np.array([(168, 128, 52), (58, 38, 24), (24, 24, 26), (210, 204, 190), (120, 76, 40)][rng.integers(5)])
    for inset in range(frame):
        bevel = 1.15 - 0.5 * abs(inset / frame - 0.4) - 0.35 * (inset > frame - 3)
        cv2.rectangle(canvas, (inset, inset), (size[0] - 1 - inset, size[1] - 1 - inset), tuple(wood * bevel), 1)
    return canvas
