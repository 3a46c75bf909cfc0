"""COLMAP models, text or binary. Keeps cameras, poses, rigs, keypoint positions, points and tracks; see `about`."""

from __future__ import annotations

from pathlib import Path

from ...data.capture import Capture
from ...errors import DataError
from ...regular_file import is_regular
from ..base import Format, ReadOptions, WriteOptions, register
from ..images import FolderImages
from ..kapture.write import transfer_files
from ..remarks import Remarks
from .binary import read_binary
from .binary_write import write_binary
from .capture import capture_of
from .export import model_of
from .model import check_model
from .text import read_text
from .text_write import write_text

_PARTS = ("cameras", "images", "points3D")
# Where the images of a model usually are, seen from its folder.
_IMAGE_FOLDERS = ("images", "../images", "../../images", "../dense/images")


def is_binary(path: Path) -> bool:
    """A folder with the three .bin files."""
    return all((path / f"{part}.bin").is_file() for part in _PARTS)


def is_text(path: Path) -> bool:
    """A folder with the three .txt files."""
    return all((path / f"{part}.txt").is_file() for part in _PARTS)


def recognises(path: Path) -> bool:
    """A folder with a whole model in either form."""
    return is_binary(path) or is_text(path)


def read(path: Path, options: ReadOptions) -> Capture:
    """A model folder; the binary form is taken where both are there. Images are needed only once pixels are."""
    remarks = Remarks()
    if not recognises(path):
        missing = [f"{part}.bin" for part in _PARTS if not (path / f"{part}.bin").is_file()]
        raise DataError(f"{path}: not a COLMAP model: {', '.join(missing)} (or the same as .txt) not there")
    if is_binary(path) and is_text(path):
        remarks.add(path, "text models beside the binary one left unread")
    model = read_binary(path, remarks) if is_binary(path) else read_text(path, remarks)
    check_model(model)
    return capture_of(model, image_files(path, options.images, model.images.names), options, remarks)


def image_files(path: Path, given: Path | None, names: list[str]) -> FolderImages | None:
    """The folder of images: the given one, or the first usual one that has the first image."""
    if given is not None:
        return FolderImages(given)
    folders = (path / folder for folder in _IMAGE_FOLDERS if names)
    return next((FolderImages(folder) for folder in folders if is_regular(folder / names[0])), None)


def write(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """A binary model, with the images beside it in images/; returns what was lost."""
    return _write(capture, path, options, binary=True)


def write_as_text(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """A text model, with the images beside it in images/; returns what was lost."""
    return _write(capture, path, options, binary=False)


def _write(capture: Capture, path: Path, options: WriteOptions, binary: bool) -> list[str]:
    model, losses = model_of(capture, options)
    path.mkdir()
    (write_binary if binary else write_text)(path, model)
    blanks = sum(" " in name for name in model.images.names)
    if blanks and not binary:
        losses.append(f"{blanks} names with blanks: COLMAP itself cuts them in text models, not in binary ones")
    return losses + transfer_files(capture.files, model.images.names, path / "images", options.transfer)


_KEEPS = (
    "cameras, poses, rigs, keypoint positions, points and tracks; loses names of sensors, times, descriptors, matches"
)
register(Format("colmap", f"COLMAP model, binary or text; {_KEEPS}", recognises, read, write))
register(Format("colmap-text", f"COLMAP model as text; {_KEEPS}", lambda _: False, None, write_as_text))
