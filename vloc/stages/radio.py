"""What was heard when images were taken: for each image the scan that is nearest to it in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..array_types import Int64
from ..data.capture import Capture
from ..data.records import Readings
from ..errors import DataError
from ..retrieval.radio import Scan
from .images import ContentHash, Photos

ADDRESSES = {"wifi": "BSSID", "bluetooth": "address"}
"""kind of readings -> its column of transmitters"""
MAX_AGE = 2.0
"""times a receiver's usual interval between two scans: a scan farther off says nothing of an image"""


@dataclass(frozen=True)
class ScanItems:
    """Scans as items, by image name; an empty one for an image around which nothing was heard."""

    capture: Capture
    keys: Sequence[str]
    content_hash: ContentHash
    kind: str

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "capture": self.capture.recorded}

    @cached_property
    def readings(self) -> Readings:
        """All of the kind; DataError where there are none."""
        found = self.capture.readings.get(self.kind)
        if found is None or not len(found):
            raise DataError(f"{self.capture.format}: no {self.kind} readings (sensors/records_{self.kind}.txt)")
        return found

    def fingerprint(self, index: int) -> str:
        """The hash of the scan."""
        scan = self.load(index)
        text = f"{list(scan.addresses)} {scan.strengths.tolist()}"
        return self.content_hash(f"{self.kind}/{self.keys[index]}", None, text.encode)

    def load(self, index: int) -> Scan:
        """The scan of every receiver of the image that is nearest to it in time, if near enough."""
        name, readings = self.keys[index], self.readings
        time = int(self.capture.images.timestamps[self.capture.row_of[name]])
        rows = [self._tracks[receiver].near(time) for receiver in receivers_of(self.capture, readings, name)]
        heard = np.concatenate(rows).tolist()
        addresses, strengths = readings.columns[ADDRESSES[self.kind]], np.asarray(readings.columns["RSSI"], np.float64)
        return Scan([addresses[row] for row in heard], strengths[heard])

    def __iter__(self) -> Iterator[Scan]:
        """Every scan."""
        return map(self.load, range(len(self.keys)))

    @cached_property
    def _tracks(self) -> dict[str, Track]:
        readings = self.readings
        own = {device: np.flatnonzero(readings.devices == row) for row, device in enumerate(readings.device_ids)}
        return {device: Track(rows, readings.timestamps[rows]) for device, rows in own.items()}


@dataclass(frozen=True, eq=False)
class Track:
    """The rows of one receiver's readings and their times, sorted; one scan has several rows of one time."""

    rows: Int64[np.ndarray, "n"]
    times: Int64[np.ndarray, "n"]

    @cached_property
    def _scan_times(self) -> Int64[np.ndarray, "s"]:
        return np.unique(self.times)

    def near(self, time: int) -> Int64[np.ndarray, "k"]:
        """The rows of the scan nearest to a time; none where that is too far off, or not known to be near."""
        gaps = np.abs(self._scan_times - time)
        nearest = int(gaps.argmin())
        usual = float(np.median(np.diff(self._scan_times))) if len(gaps) > 1 else 0.0
        if gaps[nearest] > MAX_AGE * usual:
            return self.rows[:0]
        return self.rows[self.times == self._scan_times[nearest]]


def receivers_of(capture: Capture, readings: Readings, name: str) -> Sequence[str]:
    """The receivers on the rigs of an image's camera, or else the only one. DataError where several might be meant."""
    camera = capture.device(name)
    rigs = {member.rig_id for member in capture.rigs if member.sensor_id == camera}
    beside = {member.sensor_id for member in capture.rigs if member.rig_id in rigs}
    if own := [device for device in readings.device_ids if device in beside]:
        return own
    if len(readings.device_ids) > 1:
        raise DataError(
            f"{name}: camera '{camera}' shares no rig with any of the receivers {', '.join(readings.device_ids)}: "
            "say in rigs.txt which receiver goes with which camera"
        )
    return readings.device_ids


def scan_items(photos: Photos, names: Sequence[str], kind: str) -> ScanItems:
    """The scans of some images; DataError where the capture has none, or none is of any of these images."""
    items = ScanItems(photos.capture, names, photos.content_hash, kind)
    if names and not any(len(scan.addresses) for scan in items):
        raise DataError(f"{names[0]}, nor any other image, has {kind} readings near it in time")
    return items
