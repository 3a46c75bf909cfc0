"""Flags that several commands share, and what they stand for."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from tyro.constructors import PrimitiveConstructorSpec

from ..errors import ConfigError
from ..formats.base import Transfer
from ..run.plan import PlanRow
from ..run.progress import Reporter, reporter_for
from ..run.remote import local_path
from ..runtime import Device, Runtime

Switch = Annotated[bool, tyro.conf.FlagCreatePairsOff]
"""a flag without a value, and without a `--no-` twin: it is off unless given"""
if TYPE_CHECKING:
    Words = tuple[str, ...]
else:  # the same to tyro, which would import typeguard to check a default against it
    Words = Annotated[
        object, PrimitiveConstructorSpec("*", "[STR [STR ...]]", tuple, lambda it: isinstance(it, tuple), list)
    ]
LocalPath = Annotated[
    Path,
    PrimitiveConstructorSpec(
        1, "PATH", lambda it: local_path(it[0]), lambda it: isinstance(it, Path), lambda it: [str(it)]
    ),
]
"""a path of what is no map, or of a map that may be written; a URL is refused"""


@dataclass(frozen=True, kw_only=True)
class RunFlags:
    """How to run, which never changes a result."""

    device: Device = "auto"
    """where networks run"""
    workers: int = 0
    """images or pairs worked on at a time; 0: one per core"""
    cluster: str = ""
    """who works instead of threads: local:N processes, or dask:tcp://HOST:PORT of a Dask scheduler (docs/cluster.md)"""
    dry_run: Switch = False
    """say what would be done or redone, and why; do nothing"""
    quiet: Switch = False
    """no progress"""
    json: Switch = False
    """print the summary as JSON"""
    config: Path | None = None
    """TOML file of settings: stage tables such as [match] with ratio = 0.75; flags go over it"""

    @property
    def runtime(self) -> Runtime:
        """Device and workers; ConfigError for a CUDA that is not there."""
        if self.device == "cuda" and not has_cuda():
            raise ConfigError("--device cuda: torch sees no CUDA device here (`vloc doctor` tells more)")
        return Runtime(self.device, self.workers, self.cluster)

    @property
    def reporter(self) -> Reporter:
        """Bars on a terminal, lines elsewhere, nothing when quiet."""
        return reporter_for(quiet=self.quiet)


@dataclass(frozen=True, kw_only=True)
class ReadFlags:
    """How to read a capture."""

    pixel_center: Literal["0", "0.5"] | None = None
    """px: where intrinsics put the centre of the first pixel (COLMAP 0.5, Virtual Gallery 0); else the format's own"""
    images: Path | None = None
    """folder of the image files, where it is not the usual place of the format"""
    camera: str | None = None
    """intrinsics of a plain folder of images: MODEL,params... (e.g. SIMPLE_RADIAL,1200,960,540,0); else from EXIF"""
    every: int = 10
    """of a video, every how many frames one is taken"""
    parallax: float = 0.0
    """px: of those frames of a video, keep one once the picture has moved so far (median optical flow); 0: all"""

    @property
    def read_options(self) -> dict[str, Any]:
        """Keyword arguments of `read`."""
        return {
            "pixel_center": number_or_none(self.pixel_center),
            "images": self.images,
            "camera": self.camera,
            "every": self.every,
            "parallax": self.parallax,
        }


def number_or_none(text: str | None) -> float | None:
    """The number of a flag that can be left out."""
    return None if text is None else float(text)


def location(metavar: str) -> Any:
    """A positional FORMAT:PATH, or path, with that name in the help."""
    return Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar=metavar)]


def folder(metavar: str) -> Any:
    """A positional path with that name in the help; a URL is refused."""
    return Annotated[LocalPath, tyro.conf.Positional, tyro.conf.arg(metavar=metavar)]


@dataclass(frozen=True, kw_only=True)
class WriteFlags:
    """How to write a capture."""

    transfer: Transfer = "copy"
    """how image files get into the output: copied, as one link to their folder, or not at all"""
    write_pixel_center: Literal["0", "0.5"] | None = None
    """px: where the output puts the centre of the first pixel; left out: where its format has it (COLMAP: 0.5)"""
    keypoints_type: str | None = None
    """which keypoints to write where the output holds one type and the capture several"""

    pack: Switch = False
    """whether features go into one tar a type (kapture)"""

    @property
    def write_options(self) -> dict[str, Any]:
        """Keyword arguments of `write`."""
        return {
            "transfer": self.transfer,
            "pixel_center": number_or_none(self.write_pixel_center),
            "keypoints_type": self.keypoints_type,
            "pack": self.pack,
        }


def print_plan(plan: Sequence[PlanRow], flags: RunFlags) -> int:
    """The stages of a dry run as JSON where that was asked for; the reporter has told them otherwise."""
    if flags.json:
        print_json([asdict(row) for row in plan])
    return 0


def has_cuda() -> bool:
    """Whether torch is installed and sees a GPU."""
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


def print_json(values: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False))


def parse_threshold(text: str) -> tuple[float, float]:
    """`METRES,DEGREES`."""
    try:
        metres, degrees = (float(part) for part in text.split(","))
        if not (0 <= metres < math.inf and 0 <= degrees < math.inf):
            raise ValueError("negative, infinite or NaN")
    except ValueError:
        raise ConfigError(f"threshold '{text}': expected METRES,DEGREES such as 0.25,2") from None
    return metres, degrees
