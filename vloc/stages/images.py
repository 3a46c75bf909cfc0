"""The images of a capture, decoded one at a time as a stage asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..data.capture import Capture, ImageFiles
from ..errors import DataError
from ..formats.images import check_size, decode

ContentHash = Callable[[str, str | None, Callable[[], bytes]], str]
"""(name, stamp, read) -> hash of the bytes; `Workspace.content_hash`."""


@dataclass(frozen=True)
class Photos:
    """The images of a capture, of which stages take those they want, as they want them."""

    capture: Capture
    content_hash: ContentHash

    def there(self, names: Sequence[str]) -> list[str]:
        """Those of some images that have a file."""
        files = self.capture.files
        return [name for name in names if files is not None and files.stamp(name) != "missing"]

    def of(self, names: Sequence[str], *, in_color: bool, min_size: int | None = None) -> ImageItems:
        """Some images by name; see `ImageItems`."""
        return ImageItems(self.capture, names, self.content_hash, in_color, min_size)


@dataclass(frozen=True)
class ImageItems:
    """Images as items of a stage, by name. A broken or missing one is a DataError when it is loaded."""

    capture: Capture
    keys: Sequence[str]
    content_hash: ContentHash
    in_color: bool
    min_size: int | None = None
    """an image may be decoded smaller, with at least this longer side (px)"""

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
            return self.content_hash(name, stamp, lambda: self.files.read(name))
        except DataError:
            return "unreadable"

    def load(self, index: int) -> np.ndarray:
        """uint8 pixels, (h, w) or (h, w, 3) RGB, of the size the camera says unless reduced."""
        return self[self.keys[index]]

    def __getitem__(self, name: str) -> np.ndarray:
        """The pixels of an image by name."""
        pixels = decode(self.files.read(name), name, color=self.in_color, min_size=self.min_size)
        if self.min_size is None:
            check_size(pixels, self.capture.camera(name), name)
        return pixels

    def __contains__(self, name: object) -> bool:
        """Whether it is one of these images."""
        return name in self.capture.row_of

    def size(self, name: str) -> tuple[int, int]:
        """Width and height of the whole image, px."""
        return self.capture.camera(name).size

    def __iter__(self) -> Iterator[np.ndarray]:
        """The pixels of every image; DataError at the first that cannot be read."""
        return map(self.load, range(len(self.keys)))
