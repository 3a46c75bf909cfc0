"""The images of a capture, decoded one at a time as a stage asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np

from ..array_types import UInt8
from ..data.capture import Capture, ImageFiles
from ..data.gravity import Gravity
from ..errors import DataError
from ..formats.image_header import upright_turns
from ..formats.images import check_size, decode
from ..geometry.quarter_turns import turned

ContentHash = Callable[[str, str | None, Callable[[], bytes]], str]
"""(name, stamp, read) -> hash of the bytes; `Workspace.content_hash`."""
Turner = Callable[[bytes, str], int]
"""(encoded image, name) -> quarter turns clockwise that make it upright"""


def _as_stored(data: bytes, name: str) -> int:
    return 0


def _as_felt(gravity: Gravity, data: bytes, name: str) -> int:
    return gravity.quarter_turns(name)


@dataclass(frozen=True)
class LookConfig:
    """How photos are looked at by features and descriptors that are not made for turned ones."""

    upright: Literal["exif", "gravity", "none"] = "exif"
    """turn a photo upright as its EXIF orientation or the accelerometer on its rig says, or take it as stored;
    keypoints are of the stored pixels"""

    def turner(self, capture: Capture) -> Turner:
        """How far the images of a capture are turned clockwise; DataError where it has to say and does not."""
        if self.upright == "gravity":
            gravity = Gravity(capture)
            return partial(_as_felt, gravity)
        return upright_turns if self.upright == "exif" else _as_stored


@dataclass(frozen=True)
class Photos:
    """The images of a capture, of which stages take those they want, as they want them."""

    capture: Capture
    content_hash: ContentHash
    look: LookConfig = LookConfig()

    def there(self, names: Sequence[str]) -> list[str]:
        """Those of some images that have a file."""
        files = self.capture.files
        return [name for name in names if files is not None and files.stamp(name) != "missing"]

    def of(self, names: Sequence[str], *, in_color: bool, min_size: int | None = None) -> ImageItems:
        """Some images by name, as stored; see `ImageItems`."""
        return ImageItems(self.capture, names, self.content_hash, in_color, min_size)

    def upright(self, names: Sequence[str], *, in_color: bool, min_size: int | None = None) -> ImageItems:
        """Some images by name, turned upright where that is wanted."""
        as_stored = self.of(names, in_color=in_color, min_size=min_size)
        return replace(as_stored, look=self.look, turner=self._turner)

    @cached_property
    def _turner(self) -> Turner:
        return self.look.turner(self.capture)


@dataclass(frozen=True, eq=False)
class Photo:
    """An image, and the quarter turns clockwise from how it is stored."""

    pixels: UInt8[np.ndarray, "h w *c"]
    quarter_turns: int

    @classmethod
    def turned(cls, stored: UInt8[np.ndarray, "h w *c"], quarter_turns: int) -> Photo:
        """From the pixels as they are stored."""
        return cls(turned(stored, quarter_turns), quarter_turns)


@dataclass(frozen=True)
class ImageItems:
    """Images as items of a stage, by name. A broken or missing one is a DataError when it is loaded."""

    capture: Capture
    keys: Sequence[str]
    content_hash: ContentHash
    in_color: bool
    min_size: int | None = None
    """an image may be decoded smaller, with at least this longer side (px)"""
    look: LookConfig = LookConfig("none")
    turner: Turner = _as_stored

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "capture": self.capture.recorded}

    @property
    def files(self) -> ImageFiles:
        """Where the bytes are; DataError for a capture without images."""
        if self.capture.files is None:
            raise DataError("this capture has no image files: give their folder with --images")
        return self.capture.files

    def fingerprint(self, index: int) -> str:
        """The hash of the image file."""
        return self.fingerprint_of(self.keys[index])

    def fingerprint_of(self, name: str) -> str:
        """The hash of the file of an image; a word for one that cannot be read, which fails when it is loaded."""
        stamp = self.files.stamp(name)
        if stamp == "missing":
            return stamp
        try:
            content = self.content_hash(name, stamp, lambda: self.files.read(name))
            turned = f" turned {self.turner(b'', name)}" if self.look.upright == "gravity" else " upright"
        except DataError:
            return "unreadable"
        return content if self.look.upright == "none" else content + turned

    def load(self, index: int) -> np.ndarray:
        """uint8 pixels, (h, w) or (h, w, 3) RGB, of the size the camera says unless reduced or turned."""
        return self[self.keys[index]]

    def __getitem__(self, name: str) -> np.ndarray:
        """The pixels of an image by name."""
        return self.photo(name).pixels

    def photo(self, name: str) -> Photo:
        """An image by name, and how far it is turned."""
        data = self.files.read(name)
        pixels = decode(data, name, color=self.in_color, min_size=self.min_size)
        if self.min_size is None:
            check_size(pixels, self.capture.camera(name), name)
        return Photo.turned(pixels, self.turner(data, name))

    def __contains__(self, name: object) -> bool:
        """Whether it is one of these images."""
        return name in self.capture.row_of

    def size(self, name: str) -> tuple[int, int]:
        """Width and height of the whole image, px."""
        return self.capture.camera(name).size

    def __iter__(self) -> Iterator[np.ndarray]:
        """The pixels of every image; DataError at the first that cannot be read."""
        return map(self.load, range(len(self.keys)))


@dataclass(frozen=True)
class TurnedItems:
    """The same images as items of a stage that has to know how far each is turned."""

    images: ImageItems

    @property
    def keys(self) -> Sequence[str]:
        """Their names."""
        return self.images.keys

    def fingerprint(self, index: int) -> str:
        """That of the image."""
        return self.images.fingerprint(index)

    def load(self, index: int) -> Photo:
        """The image."""
        return self.images.photo(self.keys[index])
