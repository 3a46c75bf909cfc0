"""What a file format is: how to recognise it, read it into a Capture and write one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..data.capture import Capture
from ..errors import ConfigError

Transfer = Literal["copy", "link", "skip"]


class FileLoss(str):
    """What was lost, where that is files which should have been copied and could not."""

    __slots__ = ()


@dataclass(frozen=True)
class ReadOptions:
    """What a reader cannot find in the files themselves."""

    pixel_center: float = 0.5
    """where the source puts the centre of the first pixel, px: 0.5 (COLMAP) or 0 (OpenCV, Virtual Gallery)"""
    images: Path | None = None
    """folder that image names are relative to; None is where the format keeps them"""
    camera: str | None = None
    """intrinsics of images that come without: `MODEL,params...` or `MODEL w h params...`"""
    every: int = 10
    """of a video, every how many frames one is taken"""
    parallax: float = 0.0
    """px: one of those frames is kept once the picture has moved so far since the last (median flow); 0 keeps all"""

    def __post_init__(self) -> None:
        check_pixel_center(self.pixel_center)
        if self.every < 1:
            raise ConfigError(f"every: expected 1 or more, got {self.every}")
        if not 0 <= self.parallax < math.inf:
            raise ConfigError(f"parallax: expected 0 px or more, got {self.parallax}")


@dataclass(frozen=True)
class WriteOptions:
    """Choices a writer leaves to the user."""

    pixel_center: float = 0.5
    """where the written intrinsics and keypoints put the centre of the first pixel, px"""
    transfer: Transfer = "copy"
    """how the image files get into the output: copied, as one link to their folder, or not at all"""
    pack: bool = False
    """whether a format with a file for each image's features packs them in one archive a type (kapture's tars)"""
    keypoints_type: str | None = None
    """which keypoints to write where a format holds only one type; None where there is only one"""

    def __post_init__(self) -> None:
        check_pixel_center(self.pixel_center)
        if self.transfer not in ("copy", "link", "skip"):
            raise ConfigError(f"transfer: expected copy, link or skip, got '{self.transfer}'")


def check_pixel_center(value: float) -> None:
    """ConfigError where no image convention puts the centre of the first pixel there."""
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise ConfigError(f"pixel_center: expected 0 or 0.5, got {value}")


@dataclass(frozen=True)
class Format:
    """One file format, by name. `about` says in one line what it keeps and what it loses.

    `write` puts the whole capture at a path that does not exist yet and returns what was lost, one counted line each.
    `pixel_center` is where its files put the centre of the first pixel, px, unless the user knows better.
    """

    name: str
    about: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, ReadOptions], Capture] | None = None
    write: Callable[[Capture, Path, WriteOptions], list[str]] | None = None
    pixel_center: float = 0.5


FORMATS: dict[str, Format] = {}


def register(form: Format) -> None:
    """Make a format known by its name."""
    if form.name in FORMATS:
        raise ConfigError(f"format '{form.name}' is registered twice")
    FORMATS[form.name] = form
