"""A packed map: a map in one file, of which nothing is read before it is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, ClassVar, TypeVar

import msgspec
import numpy as np

from .compressed_map import features_in, is_compressed, restored_under, sparse_in
from .data.evidence import Calibration
from .data.features import GlobalDescriptor, LocalFeatures
from .data.indexed_map import IndexedMap
from .data.lines import Lines
from .data.selection import Trained, Weighing
from .data.sparse_map import SparseMap
from .data.taken import Taken
from .errors import DataError
from .map import FORMAT, Map, check_types, read_config
from .retrieval.half_rows import HalfRows
from .retrieval.sparse_rows import Rows, SparseRows
from .retrieval.vlad import unit
from .run.packed import PackedFile
from .run.remote import Location
from .run.results import NamedArtifact
from .stage import Artifact, Key, Results, Storable

R = TypeVar("R", bound=Storable)
T = TypeVar("T")


class MarkForm(msgspec.Struct):
    """By what reruns know a part of the map: its fingerprint, and its reference in the map's folder."""

    fingerprint: str
    reference: str = ""


class AboutForm(msgspec.Struct):
    """What a packed map says of its arrays, which are named PART/NAME."""

    manifest: dict[str, Any]
    marks: dict[str, MarkForm]
    """of the parts"""


msgspec.json.Decoder(AboutForm)  # msgspec takes types apart here, in one thread: see `run/shard.py`


@dataclass(frozen=True, eq=False)
class PackedResults(Results[R]):
    """Something of every image of a map, read in place by the image's row."""

    mark: MarkForm
    stored: Artifact[SparseMap]
    of_row: Callable[[int], R]

    def __len__(self) -> int:
        return len(self.stored.value.image_names)

    def __iter__(self) -> Iterator[Key]:
        return iter(self.stored.value.image_names)

    def __getitem__(self, key: Key) -> R:
        return self.of_row(self.stored.value.row_of[str(key)])

    @property
    def reference(self) -> str:
        """That in the map's folder."""
        return self.mark.reference

    @property
    def fingerprint(self) -> str:
        """That in the map's folder, so that what was made with it serves."""
        return self.mark.fingerprint

    @property
    def failures(self) -> Mapping[Key, str]:
        """None: images that failed are not in the map."""
        return {}

    def fingerprint_of(self, key: Key) -> str:
        """Stands for all of them, and this one."""
        return f"{self.mark.fingerprint} {key}"


@dataclass(frozen=True, eq=False, kw_only=True)
class PackedMap(Map):
    """A map in one file (its `folder`), which has no other keypoints than those that show a point."""

    has_all_keypoints: ClassVar[bool] = False

    file: PackedFile = field(repr=False)
    marks: Mapping[str, MarkForm] = field(repr=False)
    rows: tuple[Artifact[Rows], ...] = field(repr=False)
    """what gives, for each global descriptor, the vectors of all images"""

    @cached_property
    def vectors(self) -> Artifact[list[Rows]]:
        """For every global descriptor, the vectors of its images."""
        return _artifact("vectors", self.marks["vectors"], partial(_every, self.rows))


def open_packed(path: Location) -> PackedMap:
    """The map in a packed file; StoreError for one that is broken, DataError for one of another format."""
    file = PackedFile(path)
    about = _about(file)
    config, marks = read_config(path, about.manifest["config"]), about.marks
    stored: Artifact[SparseMap] = _artifact("sparse", marks["sparse"], partial(_sparse, file))
    every = range(len(config.describe))
    names = [f"descriptors/{i}" for i in every]
    rows = tuple(_artifact(name, marks[name], partial(_rows, file, f"{name}/")) for name in names)

    def part(name: str, result: type[R]) -> Artifact[R]:
        return _artifact(name, marks[name], partial(_part, file, f"{name}/", result))

    return PackedMap(
        folder=path,
        config=config,
        stored=stored,
        features=PackedResults(marks["features"], stored, partial(_features, file, stored)),
        descriptors=tuple(
            PackedResults(marks[f"descriptors/{i}"], stored, partial(_descriptor, rows[i])) for i in every
        ),
        trained=tuple(part(f"trained/{i}", Trained) for i in every),
        calibration=part("calibration", Calibration),
        manifest=about.manifest,
        weighing=part("weighing", Weighing) if "weighing" in marks else None,
        recorded=_artifact("taken", marks["taken"], partial(_taken, file, stored)) if "taken" in marks else None,
        file=file,
        marks=marks,
        rows=rows,
    )


def _about(file: PackedFile) -> AboutForm:
    try:
        about = msgspec.convert(file.about, AboutForm)
    except msgspec.ValidationError as error:
        raise DataError(f"{file.path}: not the file of a map: {error}") from None
    if (found := about.manifest.get("format")) != FORMAT:
        raise DataError(f"{file.path}: map format {found}, this vloc reads {FORMAT}: pack the map again")
    check_types(file.path, about.manifest)
    return about


def _artifact(name: str, mark: MarkForm, fetch: Callable[[], T]) -> NamedArtifact[T]:
    return NamedArtifact(name, mark.fingerprint, fetch, mark.reference)


def _sparse(file: PackedFile) -> SparseMap:
    return sparse_in(file) if is_compressed(file) else IndexedMap.from_arrays(file.under("sparse/"))


def _features(file: PackedFile, stored: Artifact[SparseMap], row: int) -> LocalFeatures:
    """The features of an image (row) that show a point."""
    if is_compressed(file):
        return features_in(file, stored.value, row)
    start, stop = stored.value.offsets[row : row + 2]
    columns = file.under("features/")
    turns = columns.pop("quarter_turns")[row : row + 1]
    return LocalFeatures.from_arrays({"quarter_turns": turns, **{name: a[start:stop] for name, a in columns.items()}})


def _taken(file: PackedFile, stored: Artifact[SparseMap]) -> Taken:
    ids, sparse = Lines(file["taken/ids"], file["taken/ids_starts"]), stored.value
    times, devices = file["taken/timestamps"], file["taken/devices"]
    return Taken(tuple(sparse.image_names), times, devices, tuple(ids), sparse.cam_from_world.center)


def _learned(file: PackedFile, prefix: str) -> dict[str, np.ndarray]:
    """What is stored of one part; yours to change."""
    return {**file.under(prefix, copied=True), **restored_under(file, prefix)}


def _part(file: PackedFile, prefix: str, result: type[R]) -> R:
    return result.from_arrays(_learned(file, prefix))


def _every(rows: Sequence[Artifact[Rows]]) -> list[Rows]:
    return [each.value for each in rows]


def _descriptor(rows: Artifact[Rows], row: int) -> GlobalDescriptor:
    own = rows.value[row : row + 1]
    return GlobalDescriptor(own.matrix.toarray()[0], True) if isinstance(own, SparseRows) else GlobalDescriptor(own[0])


def _rows(file: PackedFile, prefix: str) -> Rows:
    """The vectors of all images by one descriptor, in place unless they are in few bits."""
    arrays = file.under(prefix)
    if coarse := restored_under(file, prefix):
        return unit(coarse["vectors"])
    if "vectors" in arrays:
        vectors = arrays["vectors"]
        return HalfRows(vectors) if vectors.dtype == np.float16 else vectors
    from scipy.sparse import csr_array

    values, columns, ends, dims = (arrays[name] for name in ("values", "columns", "ends", "dims"))
    return SparseRows(csr_array((values, columns, ends), shape=(len(ends) - 1, int(dims[0]))))
