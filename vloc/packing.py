"""A map as one file with just what localization needs of it (docs/packed.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from .compressed_map import sparse_row_arrays
from .data.indexed_map import indexed_arrays
from .data.lines import Lines
from .data.selection import evenly
from .data.sparse_map import NO_POINT
from .data.taken import Taken
from .errors import DataError
from .known_cameras import agreed_image
from .map import Map
from .packed_map import AboutForm, MarkForm, PackedMap
from .retrieval.half_rows import HalfRows
from .retrieval.search import search
from .retrieval.sparse_rows import Rows, SparseRows, dense
from .run.fingerprint import fingerprint
from .run.packed import Parts, write_packed
from .run.remote import local_path
from .stage import Artifact, Context

TRIED = 128
"""images of the map at most that say what half precision changes"""
FIRST = 20
"""similar images that are compared"""


def pack(map_: Map, path: str | Path, *, half: bool = False) -> None:
    """Write what localization needs of a map as one file, which `Map.open` takes and which gives the same poses.

    `half`: global descriptors in half precision, by which other images may be found; `recall_of_half` says how many.
    DataError for a map that is packed already.
    """
    if isinstance(map_, PackedMap):
        raise DataError(f"{map_.folder}: is packed already: copy the file")
    about = about_packed(map_)
    if half:
        described = {name: mark for name, mark in about.marks.items() if name.startswith(("vectors", "descriptors/"))}
        about.marks |= {name: MarkForm(fingerprint(mark.fingerprint, "half")) for name, mark in described.items()}
    write_packed(local_path(path), _arrays(map_, half), msgspec.to_builtins(about))


def recall_of_half(map_: Map) -> float:
    """The share of the other images most similar to some of the map's own that half precision finds, too."""
    whole, fusion = map_.vectors.value, map_.fusion.value if isinstance(map_.fusion, Artifact) else map_.fusion
    tried = evenly(range(len(map_.sparse.image_names)), TRIED)
    queries = [rows[tried] for rows in whole]
    halved = [rows if isinstance(rows, SparseRows) else HalfRows(dense(rows).astype(np.float16)) for rows in whole]
    exact, found = (
        search(queries, references, fusion, FIRST, lambda rows: np.array(tried)[rows, None] != np.arange(len(whole[0])))
        for references in (whole, halved)
    )
    same = [np.isin(exact.of(row), found.of(row)).mean() for row in range(len(tried)) if len(exact.of(row))]
    return float(np.mean(same)) if same else 1.0


def about_packed(map_: Map) -> AboutForm:
    """The manifest, and by what the parts are known. Of every device one image stands for all: it has its camera."""
    agreed = {device: agreed_image(map_, device) for device in map_.manifest.get("devices", {})}
    devices = {device: [name] for device, name in agreed.items() if name is not None}
    parts: dict[str, Context] = {**artifacts_of(map_), "sparse": map_.stored, "features": map_.features}
    parts |= {"vectors": map_.vectors} | {f"descriptors/{i}": each for i, each in enumerate(map_.descriptors)}
    parts |= {} if map_.recorded is None else {"taken": map_.recorded}
    marks = {name: MarkForm(part.fingerprint, part.reference) for name, part in parts.items()}
    return AboutForm({**map_.manifest, "devices": devices}, marks)


def artifacts_of(map_: Map) -> Mapping[str, Artifact[Any]]:
    """What is kept as it is stored, by name."""
    learned = {f"trained/{i}": trained for i, trained in enumerate(map_.trained)}
    weighing = {} if map_.weighing is None else {"weighing": map_.weighing}
    return {"calibration": map_.calibration, **learned, **weighing}


def _arrays(map_: Map, half: bool) -> Iterator[tuple[str, Parts]]:
    """Everything that is kept, array by array."""
    parts = {"sparse": indexed_arrays(map_.sparse)}
    parts |= {name: part.value.to_arrays() for name, part in artifacts_of(map_).items()}
    parts |= {f"descriptors/{i}": vector_arrays(rows, half) for i, rows in enumerate(map_.vectors.value)}
    parts |= {} if map_.recorded is None else {"taken": taken_arrays(map_.taken)}
    for part, arrays in parts.items():
        yield from ((f"{part}/{name}", [array]) for name, array in arrays.items())
    yield from _features(map_)


def _features(map_: Map) -> Iterator[tuple[str, Parts]]:
    """The features that show a point, image after image, of which one is in memory at a time."""
    sparse = map_.sparse

    def column(name: str) -> Iterator[np.ndarray]:
        for row, image in enumerate(sparse.image_names):
            array = map_.features[image].to_arrays()[name]
            yield array if name == "quarter_turns" else array[sparse.points_of(row) != NO_POINT]

    for name in map_.features[sparse.image_names[0]].to_arrays():
        yield f"features/{name}", column(name)


def vector_arrays(rows: Rows, half: bool) -> dict[str, np.ndarray]:
    """The vectors of all images by one descriptor; without their zeros where they are held so."""
    if isinstance(rows, SparseRows):
        return sparse_row_arrays(rows)
    return {"vectors": dense(rows).astype(np.float16 if half else np.float32, copy=False)}


def taken_arrays(taken: Taken) -> dict[str, np.ndarray]:
    """When and by what images were taken; their names and centres are those of the sparse map."""
    ids = Lines.of(taken.device_ids)
    return {"timestamps": taken.timestamps, "devices": taken.devices, "ids": ids.text, "ids_starts": ids.starts}
