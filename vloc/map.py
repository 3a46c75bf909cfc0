"""A map: the points of a place, what its images look like, and the settings that made both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from .config import MappingConfig, config_from_json, config_to_json
from .data.evidence import Calibration
from .data.features import GlobalDescriptor, LocalFeatures
from .data.frame import Frame
from .data.selection import Trained, Weighing
from .data.sparse_map import SparseMap
from .data.taken import Taken
from .errors import ConfigError, DataError
from .retrieval.fusion import Fusion
from .retrieval.sparse_rows import Rows, stacked
from .run.fingerprint import fingerprint
from .run.packed import is_packed
from .run.remote import Location, located
from .run.results import NamedArtifact
from .run.store import open_artifact, open_results
from .run.workspace import read_manifest
from .stage import Artifact, Context, Results
from .versions import MANIFEST, file_of, number_of, read_version

FORMAT = 2


class CaptureForm(msgspec.Struct):
    """Where the capture of a map was, as the command was told, and what there was to say of it."""

    location: str = ""
    folder: str | None = None
    pixel_center: float = 0.5
    given_pixel_center: float | None = None
    images: str | None = None
    camera: str | None = None
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class ReferencesForm(msgspec.Struct):
    """Which stored results a map consists of."""

    sparse: str
    features: str
    descriptors: list[str]
    trained: list[str]
    reconstruction: str
    colors: str
    weighing: str | msgspec.UnsetType = msgspec.UNSET
    taken: str | msgspec.UnsetType = msgspec.UNSET


class ManifestForm(msgspec.Struct):
    """The types of a manifest; what else is in it is for people."""

    config: dict[str, Any]
    references: ReferencesForm
    frame: dict[str, Any]
    version: Annotated[int, msgspec.Meta(ge=1)] = 1
    capture: CaptureForm | msgspec.UnsetType = msgspec.UNSET


msgspec.json.Decoder(ManifestForm)  # msgspec takes types apart here, in one thread: see `run/shard.py`


@dataclass(frozen=True, eq=False)
class Map:
    """What localization needs, read from disk on demand."""

    has_all_keypoints: ClassVar[bool] = True
    """whether also those of its images that show no point"""

    folder: Location
    """or its file, or the URL of either"""
    config: MappingConfig
    stored: Artifact[SparseMap]
    features: Results[LocalFeatures]
    descriptors: tuple[Results[GlobalDescriptor], ...]
    trained: tuple[Artifact[Trained], ...]
    calibration: Artifact[Calibration]
    manifest: Mapping[str, Any]
    weighing: Artifact[Weighing] | None = None
    """the descriptors' weights that were chosen on the map; None where they were not to be"""
    recorded: Artifact[Taken] | None = None
    """when and by what its images were taken; None in maps of earlier versions"""

    def __repr__(self) -> str:
        return f"Map({str(self.folder)!r}, {len(self.sparse.image_names)} images, {len(self.sparse.points)} points)"

    @classmethod
    def open(cls, folder: str | Location, version: int | None = None) -> Map:
        """The finished map in a folder, as it is now or was, or in a packed file; or at the URL of either, as text.

        DataError: there is none, or one of another format.
        """
        folder = located(folder)
        if is_packed(folder):
            from .packed_map import open_packed

            if version is not None:
                raise DataError(f"{folder}: is a packed map, which is one version: leave out version {version}")
            return open_packed(folder if isinstance(folder, Path) else folder.now())
        if version is not None:
            return cls.of(folder, read_version(folder, version).manifest, folder / file_of(version))
        if not (folder / MANIFEST).exists():
            raise _unfinished(folder)
        return cls.of(folder, read_manifest(folder / MANIFEST))

    @classmethod
    def of(cls, folder: Location, manifest: Mapping[str, Any], path: Location | None = None) -> Map:
        """The map that a manifest describes, whose file is `path` (`map.json`); errors as of `open`."""
        path = path or folder / MANIFEST
        if manifest.get("format") != FORMAT:
            raise DataError(
                f"{path}: map format {manifest.get('format')}, this vloc reads {FORMAT}: "
                "run `vloc map` on its capture again"
            )
        check_types(path, manifest)
        references = manifest["references"]
        return cls(
            folder,
            read_config(path, manifest["config"]),
            open_artifact(folder, references["sparse"], SparseMap),
            open_results(folder, references["features"], LocalFeatures),
            tuple(open_results(folder, reference, GlobalDescriptor) for reference in references["descriptors"]),
            tuple(open_artifact(folder, reference, Trained) for reference in references["trained"]),
            open_artifact(folder, references["calibration"], Calibration),
            manifest,
            open_artifact(folder, references["weighing"], Weighing) if "weighing" in references else None,
            open_artifact(folder, references["taken"], Taken) if "taken" in references else None,
        )

    @property
    def version(self) -> int:
        """Its number in the history of its folder."""
        return number_of(self.manifest)

    @property
    def sparse(self) -> SparseMap:
        """Points, and the posed images that see them."""
        return self.stored.value

    @cached_property
    def frame(self) -> Frame:
        """What its coordinates mean."""
        return Frame.from_json(self.manifest["frame"], str(self.folder / MANIFEST))

    @property
    def reconstruction(self) -> str:
        """The reference of the sparse map before it was moved into its frame."""
        return str(self.manifest["references"]["reconstruction"])

    @cached_property
    def fusion(self) -> Fusion | Artifact[Fusion]:
        """How its descriptors' similarities are fused."""
        return fusion_by(self.config, self.weighing)

    @cached_property
    def taken(self) -> Taken:
        """When, by what and where the sparse map's images were taken; DataError where the map does not know."""
        if self.recorded is None:
            raise DataError(
                f"{self.folder}: does not know when its images were taken: run `vloc map` on its capture again"
            )
        return self.recorded.value.of(self.sparse.image_names, self.sparse.cam_from_world.center)

    @cached_property
    def vectors(self) -> Artifact[list[Rows]]:
        """For every global descriptor, the vectors of the sparse map's images, in their order."""
        return vectors_of(self.descriptors, self.sparse.image_names)


def _unfinished(folder: Location) -> DataError:
    """What is said of a place without a map."""
    if isinstance(folder, Path):
        return DataError(
            f"{folder}: no finished vloc map (no {MANIFEST}): `vloc map CAPTURE {folder}` makes or finishes one"
        )
    return DataError(f"{folder}: no packed map, nor the folder of a finished one (no {MANIFEST}): copy one there")


def fusion_by(config: MappingConfig, weighing: Artifact[Weighing] | None) -> Fusion | Artifact[Fusion]:
    """The late fusion of the settings, with the weights that were chosen on the map where they were to be."""
    if weighing is None:
        return config.fuse
    mark = fingerprint(config.fuse, weighing.fingerprint)
    return NamedArtifact("fusion", mark, partial(_weighed, config.fuse, weighing))


def _weighed(fusion: Fusion, weighing: Artifact[Weighing]) -> Fusion:
    return fusion.weighed(weighing.value.weights)


def check_types(path: Location, manifest: Mapping[str, Any]) -> None:
    """DataError where what is read of a manifest has other types than `publish` wrote."""
    try:
        msgspec.convert(manifest, ManifestForm)
    except msgspec.ValidationError as error:
        raise DataError(f"{path}: {error}; run the command that made the map again") from None


def read_config(path: Location, values: Mapping[str, Any]) -> MappingConfig:
    """The settings of a manifest; DataError names it where this vloc does not know them."""
    try:
        return config_from_json(values)
    except ConfigError as error:
        raise DataError(f"{path}: config: {error}") from None


def vectors_of(described: Sequence[Results[GlobalDescriptor]], names: Sequence[str]) -> Artifact[list[Rows]]:
    """For every global descriptor, the vectors of those images; read from disk when they are looked at."""
    mark = fingerprint(list(names), [results.fingerprint for results in described])
    return NamedArtifact("vectors", mark, partial(_stacked, described, names))


def _stacked(described: Sequence[Results[GlobalDescriptor]], names: Sequence[str]) -> list[Rows]:
    return [stacked(results[name] for name in names) for results in described]


def manifest_of(
    config: MappingConfig, parts: Mapping[str, Context | tuple[Context, ...]], frame: Frame, about: Mapping[str, Any]
) -> dict[str, Any]:
    """The text form of a map: its settings, where its parts are, its frame, and what there is to say about it."""
    references = {
        name: [one.reference for one in part] if isinstance(part, tuple) else part.reference
        for name, part in parts.items()
    }
    settings = config_to_json(config)
    return {"format": FORMAT, "config": settings, "references": references, "frame": frame.to_json(), **about}
