"""How a compressed map stands in a packed file, and how it is read: few points, each with one descriptor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from .data.compact_map import compact_arrays, depths_of, sparse_of_compact
from .data.features import LocalFeatures
from .data.quantised import BITS, quantised, restored
from .data.sparse_map import SparseMap
from .geometry.projection import project
from .retrieval.product_quantisation import codebooks, decoded, encoded
from .retrieval.sparse_rows import Rows, SparseRows, dense
from .run.packed import PackedFile

COARSE = "coarse/"
"""begins the names of what is stored in fewer bits"""
LARGE = 1 << 20
"""bytes; larger tables of learned numbers are stored in 8 bits each"""

Named = Iterator[tuple[str, np.ndarray]]


def is_compressed(file: PackedFile) -> bool:
    """Whether a packed file holds one descriptor a point, and no keypoints."""
    return "points/sizes" in file


def point_arrays(sparse: SparseMap, looks: Mapping[str, np.ndarray], sizes: np.ndarray, turns: np.ndarray) -> Named:
    """A sparse map all of whose keypoints show a point, with what its points look like (`look_arrays`)."""
    yield from ((f"sparse/{name}", array) for name, array in compact_arrays(sparse).items())
    yield from ((f"points/{name}", array) for name, array in looks.items())
    yield "points/sizes", sizes.astype(np.float16)
    yield "images/quarter_turns", turns


def look_arrays(directions: np.ndarray, like: np.ndarray, num_codes: int) -> dict[str, np.ndarray]:
    """Unit descriptors of points as rows like those of features, or as that many codes of one byte each, if any.

    Bytes are as long as the features' own, so that rounding costs as little.
    """
    if not num_codes:
        return {"descriptors": _typed(directions, like)}
    books = codebooks(directions, num_codes)
    return {"codes": encoded(directions, books), "codebooks": _typed(books, like)}


def _typed(directions: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Directions, or parts of them, as numbers of the type of some descriptors."""
    if like.dtype.kind == "f":
        return directions.astype(like.dtype)
    length = np.median(np.linalg.norm(like.astype(np.float32), axis=1)) if len(like) else 1.0
    return np.rint(directions * length).clip(0, np.iinfo(like.dtype).max).astype(like.dtype)


def sparse_in(file: PackedFile) -> SparseMap:
    """The sparse map."""
    return sparse_of_compact(file.under("sparse/"))


def features_in(file: PackedFile, sparse: SparseMap, row: int) -> LocalFeatures:
    """The features of an image (row): its points where they project, each with the descriptor of the point."""
    points, camera = sparse.points_of(row), sparse.camera(row)
    keypoints = project(camera, sparse.cam_from_world[row].apply(sparse.points[points]))
    with np.errstate(divide="ignore"):
        scales = file["points/sizes"][points] * camera.focal[0] / depths_of(sparse, row, points)
    scores, turns = np.zeros(len(points), np.float32), int(file["images/quarter_turns"][row])
    if "points/codes" in file:
        descriptors = decoded(file["points/codes"][points], file["points/codebooks"])
    else:
        descriptors = file["points/descriptors"][points]
    return LocalFeatures(keypoints.astype(np.float32), descriptors, scores, scales.astype(np.float32), turns)


def vector_arrays(part: str, rows: Rows, bits: int) -> Named:
    """The vectors of all images by one descriptor, in so many bits a number; sparse ones as they are."""
    if isinstance(rows, SparseRows):
        yield from ((f"{part}/{name}", array) for name, array in sparse_row_arrays(rows).items())
    else:
        yield from coarse_arrays(f"{part}/vectors", dense(rows), bits)


def sparse_row_arrays(rows: SparseRows) -> dict[str, np.ndarray]:
    """Vectors that are held without their zeros."""
    values, columns, ends = rows.matrix.data, rows.matrix.indices, rows.matrix.indptr
    return {"values": values, "columns": columns, "ends": ends, "dims": np.array([rows.shape[1]])}


def learned_arrays(part: str, arrays: Mapping[str, np.ndarray]) -> Named:
    """What was learned, large tables in 8 bits a number."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and array.ndim == 2 and array.nbytes > LARGE:
            yield from coarse_arrays(f"{part}/{name}", array.astype(np.float32), BITS[0])
        else:
            yield f"{part}/{name}", array


def coarse_arrays(name: str, rows: np.ndarray, bits: int) -> Named:
    """One table in so many bits a number."""
    yield from ((f"{COARSE}{name}/{key}", array) for key, array in quantised(rows, bits).items())


def restored_under(file: PackedFile, prefix: str) -> dict[str, np.ndarray]:
    """What `coarse_arrays` left of the tables whose names begin so, by what follows."""
    names = {
        name.removeprefix(COARSE + prefix).partition("/")[0] for name in file.forms if name.startswith(COARSE + prefix)
    }
    return {name: restored(file.under(f"{COARSE}{prefix}{name}/")) for name in sorted(names)}
