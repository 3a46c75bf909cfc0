"""Where a stage's items come from: the photos of a capture, or the features that another program made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..data.capture import Capture
from ..data.imported import Imported, LocalType, completed, global_type, local_type
from ..data.reconstruction import ArraySource, Features, Reconstruction, StampedSource
from ..errors import DataError
from ..features.base import LocalFeature
from ..features.imported import Arrays, ImportedFeature
from ..geometry.camera import Camera
from ..retrieval.imported import ImportedDescriptor
from ..stage import Items
from .images import ContentHash, Photos, TurnedItems

OUTSIDE_PX = 16.0
"""px; detectors may put a keypoint so far beyond the border, but not further"""


def local_items(photos: Photos, names: Sequence[str], feature: LocalFeature) -> Items[Any]:
    """What the extractor of a feature takes, for some images; DataError where not one of them has what is imported."""
    if not isinstance(feature, ImportedFeature):
        return TurnedItems(photos.upright(names, in_color=feature.in_color))
    found = local_type_of(photos.capture, feature)
    completed(feature, found.name, found.descriptors)
    items = ImportedLocal(photos.capture, names, photos.content_hash, found)
    if names and not items.there.intersection(names):
        raise DataError(f"{names[0]}, nor any other image: {items.missing}")
    return items


def whole_items(photos: Photos, names: Sequence[str], descriptor: ImportedDescriptor) -> ImportedWhole:
    """The arrays of an imported global descriptor, for some images; DataError where not one of them has any."""
    name, found = global_type_of(photos.capture, descriptor)
    completed(descriptor, name, found)
    items = ImportedWhole(names, photos.content_hash, name, found)
    if names and not items.there.intersection(names):
        raise DataError(f"{names[0]}, nor any other image: {items.missing}")
    return items


def looks_at_photos(feature: LocalFeature) -> bool:
    """Whether a feature needs the photos themselves."""
    return not isinstance(feature, ImportedFeature)


def local_type_of(capture: Capture, wanted: Imported) -> LocalType:
    """The local features of a type that a capture brings, or that lie beside it."""
    return local_type(brought(capture, wanted.path), wanted, wanted.path or "the capture")


def global_type_of(capture: Capture, wanted: Imported) -> tuple[str, Features]:
    """The global features of a type that a capture brings, or that lie beside it, with the name of the type."""
    return global_type(brought(capture, wanted.path), wanted, wanted.path or "the capture")


def brought(capture: Capture, path: str) -> Reconstruction:
    """What a capture brings, or what lies at a path beside it."""
    if not path:
        return capture.reconstruction or Reconstruction()
    from ..formats.beside import read_features_beside  # formats are imported where they are read

    return read_features_beside(Path(path), capture.images.names, capture.pixel_center)


@dataclass(frozen=True, eq=False)
class ImportedLocal:
    """Keypoints and descriptors as items, by image name; no photo is looked at."""

    capture: Capture
    keys: Sequence[str]
    content_hash: ContentHash
    found: LocalType

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "capture": self.capture.recorded}

    @cached_property
    def there(self) -> frozenset[str]:
        """The images that have both."""
        return frozenset(self.found.keypoints.images).intersection(self.found.descriptors.images)

    @property
    def missing(self) -> str:
        """What is said of an image that is not among them."""
        return f"no imported features of type '{self.found.name}'; {len(self.there)} images have them"

    def fingerprint(self, index: int) -> str:
        """Changes when keypoints or descriptors do."""
        name, found = self.keys[index], self.found
        if name not in self.there:
            return "missing"
        marks = [
            content_mark(self.content_hash, f"keypoints/{found.name}/{name}", found.keypoints.source, name),
            content_mark(self.content_hash, f"descriptors/{found.name}/{name}", found.descriptors.source, name),
        ]
        return " ".join(marks)

    def load(self, index: int) -> Arrays:
        """Both arrays; DataError for an image that has none, or has them of another size of the photo."""
        name = self.keys[index]
        if name not in self.there:
            raise DataError(f"{name}: {self.missing}")
        keypoints, descriptors = self.found.keypoints.load(name), self.found.descriptors.load(name)
        if len(keypoints) != len(descriptors):
            raise DataError(f"{name}: {len(keypoints)} imported keypoints, but {len(descriptors)} descriptors")
        check_inside(name, keypoints, self.capture.camera(name))
        return keypoints, descriptors


@dataclass(frozen=True, eq=False)
class ImportedWhole:
    """Global features as items, by image name; no photo is looked at."""

    keys: Sequence[str]
    content_hash: ContentHash
    name: str
    found: Features

    @cached_property
    def there(self) -> frozenset[str]:
        """The images that have one."""
        return frozenset(self.found.images)

    @property
    def missing(self) -> str:
        """What is said of an image that is not among them."""
        return f"no imported global features of type '{self.name}'; {len(self.there)} images have them"

    def fingerprint(self, index: int) -> str:
        """Changes when the array does."""
        image = self.keys[index]
        if image not in self.there:
            return "missing"
        return content_mark(self.content_hash, f"global_features/{self.name}/{image}", self.found.source, image)

    def load(self, index: int) -> np.ndarray:
        """The array (1, d); DataError for an image that has none."""
        if self.keys[index] not in self.there:
            raise DataError(f"{self.keys[index]}: {self.missing}")
        return self.found.load(self.keys[index])

    def __iter__(self) -> Iterator[np.ndarray]:
        """The arrays of all images."""
        return map(self.load, range(len(self.keys)))


def content_mark(content_hash: ContentHash, key: str, source: ArraySource, item: str | tuple[str, str]) -> str:
    """The hash of an array, remembered where its source can tell whether it changed; a word where it is broken."""

    def read() -> bytes:
        array = np.ascontiguousarray(source.load(item))
        return f"{array.dtype.str} {array.shape} ".encode() + array.tobytes()

    try:
        if isinstance(source, StampedSource):
            return content_hash(key, source.stamp(item), read)
        return content_hash(key, None, read)
    except DataError:
        return "unreadable"


def check_inside(name: str, keypoints: np.ndarray, camera: Camera) -> None:
    """DataError for keypoints far outside of the image: they were found at another size of it."""
    places = keypoints[:, :2]
    outside = (places < -OUTSIDE_PX) | (places > np.array([camera.width, camera.height]) + OUTSIDE_PX)
    if outside.any():
        x, y = places[outside.any(axis=1)][0].tolist()
        raise DataError(
            f"{name}: an imported keypoint at ({x:.1f}, {y:.1f}), but the image is {camera.width} x {camera.height}: "
            "were they extracted from images of another size?"
        )
