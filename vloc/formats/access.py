"""Reading and writing by location: `FORMAT:PATH`, or a path whose format is recognised."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from ..atomic import sync_folder
from ..data.capture import Capture
from ..errors import ConfigError, DataError, ResourceError
from .base import FORMATS, Format, ReadOptions, WriteOptions

IMAGES = "images"
"""the format of photos without more"""
MODULES = {
    "bundler": "bundler", "colmap": "colmap", "colmap-db": "colmap_database", "colmap-db3": "colmap_database",
    "colmap-text": "colmap", "euroc": "euroc", "hloc": "hloc", IMAGES: "image_folder", "kapture": "kapture",
    "lamar": "lamar", "list": "image_list", "nerfstudio": "nerfstudio", "nvm": "nvm", "openmvg": "openmvg",
    "opensfm": "opensfm", "ply": "ply", "tum": "tum", "video": "video",
}  # fmt: skip
"""name of a format of ours -> module that registers it; importing all of them takes a fifth of a command's start"""
KAPTURE_FOLDERS = {"sensors", "reconstruction"}
"""what a kapture folder holds"""
O = TypeVar("O", ReadOptions, WriteOptions)  # noqa: E741 - options


def read(location: str | Path, **options: Any) -> Capture:
    """The capture at a location, strictly checked; `options` are those of `ReadOptions`.

    Without `pixel_center`, or with None, it is the format's own. DataError names file and line of what is broken;
    ConfigError an option that does not exist.
    """
    form, path = find_format(location)
    if form.read is None:
        raise DataError(f"{location}: vloc writes {form.name} and does not read it")
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    chosen = _options(ReadOptions, form, options)
    if chosen.images is not None and not chosen.images.is_dir():
        raise DataError(f"{chosen.images}: no such folder of images")
    return dataclasses.replace(form.read(path, chosen), format=form.name)


def write(capture: Capture, location: str | Path, **options: Any) -> list[str]:
    """Write a capture to `FORMAT:PATH` and tell what was lost, one counted line each; options as in `WriteOptions`.

    Without `pixel_center`, or with None, it is the format's own. The output appears by rename when it is whole.
    DataError where something is already there.
    """
    form, path = _split(location)
    if form is None:
        writable = ", ".join(f.name for f in formats() if f.write)
        raise DataError(f"{location}: say which format to write, FORMAT:PATH with FORMAT one of {writable}")
    if form.write is None:
        raise DataError(f"{location}: vloc reads {form.name} and does not write it")
    with new_output(path) as temporary:
        return form.write(capture, temporary, _options(WriteOptions, form, options))


def formats() -> list[Format]:
    """Every format by name, those of other packages (entry points `vloc.format`) included."""
    _load_all()
    return [FORMATS[name] for name in sorted(FORMATS)]


@cache
def _load_all() -> None:
    """Import what registers formats, once: looking through all installed packages takes its time."""
    from importlib.metadata import entry_points

    for module in MODULES.values():
        import_module(f".{module}", __package__)
    for point in entry_points(group="vloc.format"):
        point.load()


def _named(name: str) -> Format | None:
    """The format of that name; one of ours without a look at the others."""
    if name in MODULES:
        import_module(f".{MODULES[name]}", __package__)
    else:
        _load_all()
    return FORMATS.get(name)


def find_format(location: str | Path) -> tuple[Format, Path]:
    """The format and path of a location; DataError unless exactly one format recognises a bare path."""
    if not str(location):
        raise DataError("the location is empty: expected FORMAT:PATH or a path")
    form, path = _split(location)
    if form is not None:
        return form, path
    if not path.exists():
        raise DataError(f"{path}: no such file or folder{_unknown_prefix(str(location))}")
    if (kapture := _kapture_alone(path)) is not None:
        return kapture, path
    readable = [f for f in formats() if f.read]
    found = [f for f in readable if f.recognises(path)]
    found = [f for f in found if f.name != IMAGES] or found  # a project's folder may hold images as well
    if all(f.name == IMAGES for f in found):
        _refuse_upper_level(path, readable)
    if len(found) != 1:
        what = f"looks like {' and like '.join(f.name for f in found)}" if found else "no format recognises it"
        raise DataError(f"{path}: {what}; say which: {', '.join(f'{f.name}:{path.name}' for f in found or readable)}")
    return found[0], path


def _kapture_alone(path: Path) -> Format | None:
    """kapture, for a folder of kapture's own folders and nothing else: no other format has to be imported and asked."""
    names = {child.name for child in path.iterdir()} if path.is_dir() else set[str]()
    kapture = _named("kapture") if names and names <= KAPTURE_FOLDERS else None
    return kapture if kapture is not None and kapture.recognises(path) else None


def _refuse_upper_level(path: Path, readable: Sequence[Format]) -> None:
    """DataError where the folders in a folder are captures: their images are more than photos."""
    folders = sorted(child for child in path.iterdir() if child.is_dir()) if path.is_dir() else []
    below = [f"{f.name}:{child}" for child in folders for f in readable if f.name != IMAGES and f.recognises(child)]
    if below:
        shown = ", ".join(below[:5]) + (" ..." if len(below) > 5 else "")
        raise DataError(f"{path}: holds captures; say which: {shown}, or {IMAGES}:{path} for all photos below")


def seen_from(folder: Path, location: str) -> str:
    """A location that was given in a folder, as it is to be given anywhere."""
    form, _ = _split(location)
    path = path_seen_from(folder, location)
    return f"{form.name}:{path}" if form else str(path)


def path_seen_from(folder: Path, location: str) -> Path:
    """The path of a location that was given in a folder."""
    return folder / _split(location)[1]


def _unknown_prefix(location: str) -> str:
    prefix, colon, _ = location.partition(":")
    known = ", ".join(form.name for form in formats())
    return f" (and '{prefix}' is no format: {known})" if colon and prefix.isidentifier() else ""


def _split(location: str | Path) -> tuple[Format | None, Path]:
    """A known format's prefix and the rest; a path that merely contains a colon stays whole. DataError for a URL."""
    if isinstance(location, str):
        if "://" in location:
            raise DataError(f"{location}: a capture is read from, and written to, a file system alone: copy it there")
        prefix, colon, rest = location.partition(":")
        if colon and rest and (form := _named(prefix)):
            return form, Path(rest)
    return None, Path(location)


def _options(cls: type[O], form: Format, options: dict[str, Any]) -> O:
    known = [f.name for f in dataclasses.fields(cls)]
    for name in options:
        if name not in known:
            raise ConfigError(f"unknown option '{name}': choose from {', '.join(known)}")
    if isinstance(options.get("images"), str):
        options["images"] = Path(options["images"])
    if options.get("pixel_center") is None:
        options["pixel_center"] = form.pixel_center
    return cls(**options)


@contextmanager
def new_output(path: Path) -> Iterator[Path]:
    """A place to write a file or folder that becomes `path`, flushed to disk, when the block ends without error.

    DataError where anything is at `path` but an empty folder. ResourceError on a full disk.
    """
    is_empty_folder = path.is_dir() and not path.is_symlink() and not any(path.iterdir())
    if (path.exists() or path.is_symlink()) and not is_empty_folder:
        raise DataError(f"{path}: exists already; remove it or write elsewhere")
    if not path.parent.is_dir():
        raise DataError(f"{path.parent}: no such folder")
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp"))
    try:
        yield folder / path.name
        _flush(folder / path.name)
        if is_empty_folder:
            path.rmdir()  # a file cannot take its place
        (folder / path.name).replace(path)
        sync_folder(path.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError(f"{path}: no space left on the disk; nothing was written") from None
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _flush(path: Path) -> None:
    """Flush a file, or every file and folder under a folder."""
    if path.is_dir():
        for child in path.iterdir():
            if not child.is_symlink():
                _flush(child)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
