"""A map of few points, chosen so that every place of it can still be localized in (docs/packed.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import numpy as np

from .array_types import Bool, Float32, Float64, Int32, Int64
from .compressed_map import Named, is_compressed, learned_arrays, look_arrays, point_arrays, vector_arrays
from .data.compact_map import depths_of, with_points
from .data.quantised import BITS
from .data.sparse_map import NO_POINT, SparseMap
from .errors import ConfigError, DataError
from .held_out import HeldOut, held_out, tried_images, tried_matcher
from .map import Map
from .packed_map import AboutForm, MarkForm, PackedMap
from .packing import about_packed, artifacts_of, taken_arrays
from .retrieval.product_quantisation import WORDS
from .retrieval.sparse_rows import SparseRows
from .retrieval.vlad import unit
from .run.fingerprint import fingerprint
from .run.packed import write_packed
from .run.remote import local_path
from .solvers.point_cover import cover_order

FORMAT = 2
"""counts in the marks of what is compressed"""
RESERVED = 2**14
"""bytes of a file for its index, and between arrays"""
SHARE_OF_VECTORS = 0.25
"""of a size, what global descriptors may take before they get fewer bits"""
CODES = 0, 32, 16
"""bytes of a point's descriptor, from finest to coarsest; 0: all of its own"""
TRIED = 64
"""images of the map at most by which it is said what was lost"""


@dataclass(frozen=True)
class Goal:
    """How much is to be left of a map: one of the three."""

    num_bytes: int | None = None
    """of the file"""
    num_points: int | None = None
    num_images: int | None = None

    def __post_init__(self) -> None:
        given = [value for value in (self.num_bytes, self.num_points, self.num_images) if value is not None]
        if len(given) != 1 or given[0] < 1:
            raise ConfigError(f"expected one of a size, points and images, above 0, got {given}")


@dataclass(frozen=True, eq=False)
class Compressed:
    """What was kept, and what the map was worth before and after for its own images without themselves."""

    num_images: int
    num_points: int
    bits: int
    """of every number of a global descriptor"""
    num_codes: int
    """bytes of a point's descriptor; 0: all of its own"""
    num_bytes: int
    before: HeldOut
    after: HeldOut


Order = Callable[[Int32[np.ndarray, "o"], Int64[np.ndarray, "p_plus_1"], Float64[np.ndarray, "p"], int], np.ndarray]
"""as `cover_order`"""


def compress(map_: Map, path: str | Path, goal: Goal, *, order: Order = cover_order, tried: int = TRIED) -> Compressed:
    """Write a smaller map as one file, which `Map.open` takes, and say what that cost.

    Points are taken in the order in which they cover images best (`solvers/point_cover.py`); each has one descriptor,
    the mean of those of its keypoints, in as many bytes as there is room for. Images without points are left out, and
    what global descriptors and learned tables say is rounded. ConfigError for a goal that cannot be met, or a map that
    cannot be tried by its own images.
    """
    _check(map_)
    bits = _bits(map_, goal)
    images = _images(map_.sparse, goal)
    points, num_codes = _points(map_, images, bits, goal, order)
    images = images[np.diff(with_points(map_.sparse, points, images).offsets) > 0]
    smaller = with_points(map_.sparse, points, images)
    arrays = ((name, [array]) for name, array in _arrays(map_, smaller, points, images, bits, num_codes))
    write_packed(local_path(path), arrays, msgspec.to_builtins(_about(map_, goal)))
    names = tried_images(map_.sparse, tried)
    before, after = held_out(map_, map_, names), held_out(map_, Map.open(path), names)
    return Compressed(len(images), len(points), bits, num_codes, Path(path).stat().st_size, before, after)


def _check(map_: Map) -> None:
    if isinstance(map_, PackedMap) and is_compressed(map_.file):
        raise DataError(f"{map_.folder}: is compressed already: compress the map that it was made from")
    tried_matcher(map_)
    if not map_.sparse.num_observations:
        raise DataError(f"{map_.folder}: no image shows a point: there is nothing to choose from")


def _images(sparse: SparseMap, goal: Goal) -> Int64[np.ndarray, "j"]:
    """The images (rows) to keep, rising: all, or those that cover the points best."""
    count = len(sparse.image_names)
    if goal.num_images is None or goal.num_images >= count:
        return np.arange(count)
    shows = sparse.point_of_keypoint != NO_POINT
    starts = np.concatenate([[0], np.cumsum(shows)])[sparse.offsets]
    order = cover_order(sparse.point_of_keypoint[shows], starts, np.ones(count), len(sparse.points))
    return np.sort(order[: goal.num_images])


def _bits(map_: Map, goal: Goal) -> int:
    """As many for every number of the global descriptors as a part of the size allows, and at least one."""
    numbers = sum(rows.shape[0] * rows.shape[1] for rows in map_.vectors.value if not isinstance(rows, SparseRows))
    room = np.inf if goal.num_bytes is None else SHARE_OF_VECTORS * goal.num_bytes
    return next((bits for bits in BITS if numbers * bits / 8 <= room), BITS[-1])


def _points(
    map_: Map, images: Int64[np.ndarray, "j"], bits: int, goal: Goal, by: Order
) -> tuple[Int64[np.ndarray, "k"], int]:
    """The points (rows) to keep, those first that cover most, and the bytes of their descriptors (`CODES`).

    Of a size the finest descriptors with which all points have room, else those with which most have.
    """
    sparse = with_points(map_.sparse, np.arange(len(map_.sparse.points)), images)
    groups, starts = sparse.images_by_point
    order = by(groups, starts, np.ones(len(sparse.points)), len(images))
    order = order[is_fixed(sparse)[order]]
    if goal.num_bytes is None:
        return order[: goal.num_points], 0
    none = with_points(map_.sparse, order[:0], images)
    bare = sum(array.nbytes for _, array in _arrays(map_, none, order[:0], images, bits, 0)) + RESERVED
    counts = {codes: _room(map_, sparse, order, codes, goal.num_bytes - bare) for codes in _codes(map_)}
    num_codes = max(counts, key=lambda codes: counts[codes])
    if not counts[num_codes]:
        raise ConfigError(f"a size of {goal.num_bytes:,} bytes: {bare:,} go to what is no point: keep fewer --images")
    return order[: counts[num_codes]], num_codes


def _codes(map_: Map) -> list[int]:
    """Of `CODES`, those into which the map's descriptors can be taken apart."""
    dims = map_.features[map_.sparse.image_names[0]].descriptors.shape[1]
    return [codes for codes in CODES if not codes or (dims % codes == 0 and dims > codes)]


def _room(map_: Map, sparse: SparseMap, points: Int64[np.ndarray, "k"], codes: int, num_bytes: int) -> int:
    """For how many of the points, in their order, there is room, with the images that show them."""
    like = map_.features[sparse.image_names[0]].descriptors
    of_descriptor, books = like.shape[1] * like.itemsize, WORDS * like.shape[1] * like.itemsize
    kinds = (sparse.point_covariances is not None) + (sparse.depth_information is not None)
    of_row = 4 if len(points) > 2**16 else 2
    each = (codes or of_descriptor) + 16 + 12 * kinds + of_row * sparse.track_lengths[points]
    return int(np.searchsorted(np.cumsum(each), num_bytes - (books if codes else 0), side="right"))


def is_fixed(sparse: SparseMap) -> Bool[np.ndarray, "p"]:
    """Which points two images show, or one and depth: others would not say how far errors of poses move them."""
    has_depth = sparse.depth_information_of(np.arange(len(sparse.points))).any(axis=(1, 2))
    fixed: Bool[np.ndarray, "p"] = sparse.track_lengths >= np.where(has_depth, 1, 2)
    return fixed


def _arrays(
    map_: Map,
    smaller: SparseMap,
    points: Int64[np.ndarray, "k"],
    images: Int64[np.ndarray, "j"],
    bits: int,
    num_codes: int,
) -> Named:
    """Everything that is kept, array by array."""
    directions, sizes, turns = _looks(map_, smaller, points)
    like = map_.features[smaller.image_names[0]].descriptors
    yield from point_arrays(smaller, look_arrays(directions, like, num_codes), sizes, turns)
    for name, part in artifacts_of(map_).items():
        yield from learned_arrays(name, part.value.to_arrays())
    for i, rows in enumerate(map_.vectors.value):
        yield from vector_arrays(f"descriptors/{i}", rows[images], bits)
    if map_.recorded is not None:
        yield from (
            (f"taken/{name}", array) for name, array in taken_arrays(map_.taken.of(smaller.image_names)).items()
        )


def _looks(
    map_: Map, smaller: SparseMap, points: Int64[np.ndarray, "k"]
) -> tuple[np.ndarray, Float32[np.ndarray, "k"], np.ndarray]:
    """The points' mean descriptors and sizes, and the quarter turns of the images; an image in memory at a time."""
    whole, place = map_.sparse, np.full(len(map_.sparse.points) + 1, NO_POINT)
    place[points] = np.arange(len(points))
    like = map_.features[smaller.image_names[0]].descriptors
    sums, sizes = np.zeros((len(points), like.shape[1]), np.float32), np.zeros(len(points))
    turns, counts = np.zeros(len(smaller.image_names), np.uint8), np.zeros(len(points))
    for row, name in enumerate(smaller.image_names):
        features, shown = map_.features[name], place[whole.points_of(whole.row_of[name])]
        own, shown = features[shown != NO_POINT], shown[shown != NO_POINT]
        np.add.at(sums, shown, own.descriptors / own.lengths[:, None])
        np.add.at(sizes, shown, own.scales * depths_of(smaller, row, shown) / smaller.camera(row).focal[0])
        np.add.at(counts, shown, 1)
        turns[row] = features.quarter_turns
    return unit(sums), (sizes / np.maximum(counts, 1)).astype(np.float32), turns


def _about(map_: Map, goal: Goal) -> AboutForm:
    """As of a packed map; its parts are others, and known by other marks."""
    about = about_packed(map_)
    marks = {name: MarkForm(fingerprint(mark.fingerprint, FORMAT, goal)) for name, mark in about.marks.items()}
    return AboutForm({**about.manifest, "compressed": {k: v for k, v in asdict(goal).items() if v is not None}}, marks)
