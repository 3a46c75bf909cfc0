"""A map: the points of a place, what its images look like, and the settings that made both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .config import MappingConfig, config_from_json, config_to_json
from .data.features import GlobalDescriptor, LocalFeatures
from .data.selection import Trained
from .data.sparse_map import SparseMap
from .errors import DataError
from .run.store import open_artifact, open_results
from .run.workspace import read_manifest
from .stage import Artifact, Results

MANIFEST = "map.json"
FORMAT = 1


@dataclass(frozen=True, eq=False)
class Map:
    """What localization needs, read from disk on demand."""

    folder: Path
    config: MappingConfig
    sparse: SparseMap
    features: Results[LocalFeatures]
    descriptors: tuple[Results[GlobalDescriptor], ...]
    trained: tuple[Artifact[Trained], ...]
    fingerprint: str
    manifest: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Map({str(self.folder)!r}, {len(self.sparse.image_names)} images, {len(self.sparse.points)} points)"

    @classmethod
    def open(cls, folder: str | Path) -> Map:
        """The finished map in a folder; DataError where there is none, or one of another format."""
        folder = Path(folder)
        if not (folder / MANIFEST).exists():
            raise DataError(
                f"{folder}: no finished vloc map (no {MANIFEST}): `vloc map CAPTURE {folder}` makes or finishes one"
            )
        manifest = read_manifest(folder / MANIFEST)
        if manifest.get("format") != FORMAT:
            raise DataError(f"{folder / MANIFEST}: map format {manifest.get('format')}, this vloc reads {FORMAT}")
        references = manifest["references"]
        sparse = open_artifact(folder, references["sparse"], SparseMap)
        return cls(
            folder,
            config_from_json(manifest["config"]),
            sparse.value,
            open_results(folder, references["features"], LocalFeatures),
            tuple(open_results(folder, reference, GlobalDescriptor) for reference in references["descriptors"]),
            tuple(open_artifact(folder, reference, Trained) for reference in references["trained"]),
            sparse.fingerprint,
            manifest,
        )

    @cached_property
    def vectors(self) -> list[np.ndarray]:
        """For every global descriptor, the (i, d) vectors of the sparse map's images, in their order."""
        return [stack_vectors(results, self.sparse.image_names) for results in self.descriptors]


def stack_vectors(results: Mapping[Any, GlobalDescriptor], names: Any) -> np.ndarray:
    """(i, d) float32 vectors of those images."""
    return np.stack([results[name].vector for name in names]) if len(names) else np.zeros((0, 0), np.float32)


def manifest_of(config: MappingConfig, references: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """The text form of a map: its settings, where its parts are, and what there is to say about it."""
    return {"format": FORMAT, "config": config_to_json(config), "references": references, **about}
