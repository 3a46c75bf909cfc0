"""Videos through OpenCV: every n-th frame, or fewer by parallax. Keeps pictures and times; there are no poses."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...array_types import UInt8
from ...data.capture import GIVEN, GUESSED, Capture, Sensor
from ...data.records import Records
from ...errors import DataError
from ...geometry.camera import Camera
from ..base import Format, ReadOptions, register
from ..camera_text import parse_camera, split_camera
from ..image_folder import GUESSED_FOCAL
from ..remarks import Remarks
from .parallax import ParallaxGate

if TYPE_CHECKING:
    from cv2 import VideoCapture

SENSOR = "camera0"
JPEG_QUALITY = 95
# Frames that readers who share a video may be apart without decoding it anew.
CACHED_FRAMES = 32
# Where each kind of video has which bytes. Playlists, which name other files, are none of them.
_SIGNS = (
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"), (8, b"AVI "), (0, b"\x1a\x45\xdf\xa3"),
    (0, b"\0\0\1\xba"), (0, b"G@"),
)  # fmt: skip


def recognises(path: Path) -> bool:
    """A file that begins as MP4, MOV, AVI, Matroska (WebM) or MPEG videos do."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(16)
    is_picture = start[4:12] in (b"ftypavif", b"ftypheic", b"ftypmif1")
    return not is_picture and any(start[place:].startswith(sign) for place, sign in _SIGNS)


def read(path: Path, options: ReadOptions) -> Capture:
    """The chosen frames as images `000010.jpg`, named by their number from 0; timestamps are ns since the first frame.

    The whole video is decoded once to find its end; pixels are decoded again when they are asked for.
    """
    if not recognises(path):
        raise DataError(f"{path}: not a video of a known kind (MP4, MOV, AVI, Matroska, WebM, MPEG)")
    remarks, gate = Remarks(), ParallaxGate(options.parallax)
    times: dict[int, float] = {}
    size, last = (0, 0), 0
    for last, time, frame in _frames(path, options.every):
        if frame is not None:
            size = frame.shape[1], frame.shape[0]
            if gate.passes(frame):
                times[last] = time
    if not times:
        raise DataError(f"{path}: no frame of the video can be decoded")
    _remark_missing(path, last + 1, remarks)
    sensor = _sensor(path, size, options, remarks)
    names = {frame_name(number): number for number in times}
    rows = [(time, SENSOR, name) for time, name in zip(_timestamps(path, times, remarks), names, strict=True)]
    files = VideoFrames(path, names)
    return Capture(
        {SENSOR: sensor},
        Records.from_rows(rows),
        files=files,
        pixel_center=options.pixel_center,
        notes=remarks.lines(),
        left_out=remarks.left_out(),
    )


def frame_name(number: int) -> str:
    """The image name of a frame."""
    return f"{number:06d}.jpg"


@dataclass(frozen=True, eq=False)
class VideoFrames:
    """The frames of a video as JPEG files. Reading in order decodes the video once; going back begins anew."""

    path: Path
    numbers: dict[str, int]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _cache: OrderedDict[int, bytes] = field(default_factory=OrderedDict)
    _running: list[tuple[VideoCapture, int]] = field(default_factory=list)

    def __reduce__(self) -> tuple[Any, ...]:
        return VideoFrames, (self.path, self.numbers)

    def read(self, name: str) -> bytes:
        """The encoded frame; DataError where the video has no such frame (any more)."""
        if name not in self.numbers:
            raise DataError(f"{self.path}: no frame '{name}' was taken from this video")
        number = self.numbers[name]
        with self._lock:
            if number not in self._cache:
                self._cache[number] = _encoded(self._decode(number), self.path)
                while len(self._cache) > CACHED_FRAMES:
                    self._cache.popitem(last=False)
            return self._cache[number]

    def stamp(self, name: str) -> str:
        """Size and modification time of the video, and the number of the frame."""
        if name not in self.numbers or not self.path.is_file():
            return "missing"
        status = self.path.stat()
        return f"{status.st_size}-{status.st_mtime_ns}-{self.numbers[name]}"

    def _decode(self, number: int) -> UInt8[np.ndarray, "h w 3"]:
        video, place = self._running.pop() if self._running else (_open(self.path), 0)
        if place > number:
            video.release()
            video, place = _open(self.path), 0
        while place <= number and video.grab():
            place += 1
        is_there, frame = video.retrieve() if place > number else (False, None)
        if not is_there:
            raise DataError(f"{self.path}: frame {number} cannot be decoded")
        self._running.append((video, place))
        return np.asarray(frame)


def _open(path: Path) -> VideoCapture:
    import cv2

    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not video.isOpened():
        raise DataError(f"{path}: OpenCV cannot open this video")
    return video


def _encoded(frame: np.ndarray, path: Path) -> bytes:
    import cv2

    is_done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not is_done:
        raise DataError(f"{path}: a frame cannot be encoded as JPEG")
    return data.tobytes()


@contextmanager
def _opened(path: Path) -> Iterator[VideoCapture]:
    video = _open(path)
    try:
        yield video
    finally:
        video.release()


def _frames(path: Path, every: int) -> Iterator[tuple[int, float, np.ndarray | None]]:
    """(number, time in ms, pixels of every n-th or None) of all frames in order."""
    import cv2

    with _opened(path) as video:
        number = 0
        while video.grab():
            frame = video.retrieve()[1] if number % every == 0 else None
            yield number, float(video.get(cv2.CAP_PROP_POS_MSEC)), frame
            number += 1


def _timestamps(path: Path, times: dict[int, float], remarks: Remarks) -> list[int]:
    """ns since the first frame; the frames' numbers where the video's own times do not grow."""
    stamps = [round(time * 1e6) for time in times.values()]
    if all(before < after for before, after in pairwise(stamps)):
        return [stamp - stamps[0] for stamp in stamps]
    remarks.add(path, "frames without a usable time: their numbers are the timestamps", len(times))
    return list(times)


def _remark_missing(path: Path, count: int, remarks: Remarks) -> None:
    import cv2

    with _opened(path) as video:
        promised = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
    if promised > count:
        remarks.lose(path, "frames that the header promises cannot be decoded: was the file cut?", promised - count)


def _sensor(path: Path, size: tuple[int, int], options: ReadOptions, remarks: Remarks) -> Sensor:
    if options.camera is not None:
        try:
            camera = parse_camera(split_camera(options.camera), size)
        except ValueError as error:
            raise DataError(f"--camera '{options.camera}' for {path.name}: {error}") from None
        return Sensor("camera", camera=camera.shifted(0.5 - options.pixel_center), focal_source=GIVEN)
    focal = GUESSED_FOCAL * max(size)
    remarks.add(path, f"cameras with a guessed focal length ({GUESSED_FOCAL} x longer side)")
    camera = Camera("SIMPLE_RADIAL", *size, (focal, size[0] / 2, size[1] / 2, 0.0))
    return Sensor("camera", camera=camera, focal_source=GUESSED)


register(
    Format("video", "video file; every n-th frame (--every), or by parallax (--parallax); no poses", recognises, read)
)
