"""A plain folder of images: names, positions in EXIF; intrinsics of `--camera`, of EXIF, or a counted guess."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ..data.capture import EXIF, GIVEN, GUESSED, Capture, Sensor
from ..data.records import Records
from ..errors import DataError
from ..geometry.camera import Camera
from .base import Format, ReadOptions, register
from .camera_text import parse_camera, split_camera
from .gps import Position, gnss_readings, gps_sensor, gps_sensor_id
from .image_header import ImageHeader, read_header
from .images import SUFFIXES, FolderImages
from .photo_files import decodable, is_photo, photos_below
from .remarks import Remarks

# COLMAP's guess for photos that say nothing of their lens.
GUESSED_FOCAL = 1.2


ORIENTATION = "images with an EXIF orientation: intrinsics and poses are of the stored pixels"


def recognises(path: Path) -> bool:
    """A photo, or a folder with one in it, or below, that is no other format's folder."""
    if path.is_file():
        return is_photo(path.name)
    from . import colmap, kapture  # not read otherwise

    return not kapture.recognises(path) and not colmap.recognises(path) and any(photos_below(path))


def read(path: Path, options: ReadOptions) -> Capture:
    """All images below the folder, sorted by path (timestamps are places in that order), without poses; or one photo.

    A file that cannot be read stays, with the most common camera, and is remarked: decoding it will fail by name.
    """
    remarks, files = Remarks(), FolderImages(options.images or (path.parent if path.is_file() else path))
    names = decodable(files.root, [path.name] if path.is_file() else list(photos_below(files.root)), remarks)
    if not names:
        why = "; ".join(remarks.left_out()) or f"no images here or below (looked for {', '.join(sorted(SUFFIXES))})"
        raise DataError(f"{files.root}: {why}")
    headers = {name: _header(files, name, remarks) for name in names}
    known = {
        name: sensor_of_header(header, options, files.root / name, remarks)
        for name, header in headers.items()
        if header
    }
    if not known:
        raise DataError(f"{files.root}: none of the {len(names)} images can be read; {remarks.lines()[0]}")
    common = Counter(known.values()).most_common(1)[0][0]
    ids: dict[Sensor, str] = {}
    rows = [
        (time, ids.setdefault(known.get(name, common), f"camera{len(ids)}"), name) for time, name in enumerate(names)
    ]
    sensors = {sensor_id: sensor for sensor, sensor_id in ids.items()}
    positions = _positions(rows, headers, files, remarks)
    return Capture(
        sensors | {device: gps_sensor() for _, device, _ in positions},
        Records.from_rows(rows),
        readings={"gnss": gnss_readings(positions)} if positions else {},
        files=files,
        pixel_center=options.pixel_center,
        notes=remarks.lines(),
        left_out=remarks.left_out(),
    )


def _positions(
    rows: list[tuple[int, str, str]], headers: Mapping[str, ImageHeader | None], files: FolderImages, remarks: Remarks
) -> list[tuple[int, str, Position]]:
    """(timestamp, gnss sensor, position) of the images whose EXIF has one."""
    found = []
    for time, device, name in rows:
        header = headers[name]
        if header is not None and header.position is not None:
            found.append((time, gps_sensor_id(device), header.position))
            if header.position.altitude is None:
                remarks.add(files.root, "positions without altitude, taken as 0 m", first=name)
    return found


def orientation_note(capture: Capture) -> tuple[str, ...]:
    """A remark where images of a folder carry an EXIF orientation, which no intrinsics heed; none otherwise."""
    if not isinstance(capture.files, FolderImages):
        return ()
    remarks = Remarks()
    for name in capture.images.names:
        with suppress(DataError):
            if read_header(capture.files.path(name), name).orientation != 1:
                remarks.add(capture.files.root, ORIENTATION, first=name)
    return tuple(line for line in remarks.lines() if line not in capture.notes)


def _header(files: FolderImages, name: str, remarks: Remarks) -> ImageHeader | None:
    try:
        header = read_header(files.path(name), name)
    except DataError as error:
        remarks.add(files.root, "images that cannot be read", first=str(error))
        return None
    if header.orientation != 1:
        remarks.add(files.root, ORIENTATION, first=name)
    return header


def sensor_of_header(header: ImageHeader, options: ReadOptions, path: Path, remarks: Remarks) -> Sensor:
    """The camera of an image: from `--camera`, else EXIF, else a guess that is remarked; DataError for a bad option."""
    size = header.width, header.height
    if options.camera is not None:
        try:
            camera = parse_camera(split_camera(options.camera), size).shifted(0.5 - options.pixel_center)
        except ValueError as error:
            raise DataError(f"--camera '{options.camera}' for {path.name}: {error}") from None
        return Sensor("camera", camera=camera, focal_source=GIVEN)
    if header.focal_px is None:
        remarks.add(path.parent, f"images with a guessed focal length ({GUESSED_FOCAL} x longer side)", first=path.name)
    return rough_sensor(header)


def rough_sensor(header: ImageHeader) -> Sensor:
    """The camera that a header tells: its focal length, or else a guess, no distortion, the centre in the middle."""
    focal, source = header.focal_px, f"{EXIF} {header.focal_source}"
    if focal is None:
        focal, source = GUESSED_FOCAL * max(header.width, header.height), GUESSED
    params = focal, header.width / 2, header.height / 2, 0.0
    camera = Camera("SIMPLE_RADIAL", header.width, header.height, params)
    return Sensor("camera", camera=camera, focal_source=source, device=header.device)


def with_devices(capture: Capture) -> Capture:
    """The capture with the device of each camera, as the header of its first image that can be read tells."""
    if not isinstance(capture.files, FolderImages):
        return capture
    sensors, images = dict(capture.sensors), capture.images
    waiting = {key for key, sensor in sensors.items() if sensor.camera is not None and not sensor.device}
    for device, name in zip(images.devices.tolist(), images.names, strict=True):
        key = images.device_ids[device]
        if key in waiting:
            with suppress(DataError):
                sensors[key] = replace(sensors[key], device=read_header(capture.files.path(name), name).device)
                waiting.remove(key)
    return replace(capture, sensors=sensors)


register(
    Format(
        "images",
        "photo or folder of photos; names, intrinsics from EXIF or --camera, EXIF positions, no poses",
        recognises,
        read,
    )
)
