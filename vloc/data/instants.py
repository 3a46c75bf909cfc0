"""What a rig recorded at one time: images that are placed together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ..geometry.rigid import Rigid
from .capture import Capture
from .rigs import rig_chains


@dataclass(frozen=True, eq=False)
class Instant:
    """Images (names) that the cameras of one rig took at one time, and where these are mounted, in their order."""

    rig: str
    timestamp: int
    names: tuple[str, ...]
    cams_from_rig: tuple[Rigid, ...]

    @property
    def key(self) -> str:
        """The first image, which stands for all."""
        return self.names[0]

    @property
    def members(self) -> list[tuple[str, Rigid]]:
        """Every image with its `cam_from_rig`."""
        return list(zip(self.names, self.cams_from_rig, strict=True))


def instants_of(capture: Capture, names: Sequence[str], max_gap: int = 0) -> list[Instant]:
    """The instants at which two or more of some images were taken by one rig, in order of rig and time.

    Cameras count as on one rig if they hang on it, directly or through other rigs, with known geometry; of several such
    rigs, on the outermost. `max_gap`: of cameras that are not synchronised, images so far after the first of an instant
    (the capture's unit of time) belong to it.
    """
    found = []
    for (rig, _), group in groupby(_ordered(capture, names, max_gap), key=lambda taken: taken[:2]):
        _, starts, images, mounts = zip(*group, strict=True)
        if len(images) > 1:
            found.append(Instant(rig, starts[0], images, mounts))
    return found


def _ordered(capture: Capture, names: Sequence[str], max_gap: int) -> Iterator[tuple[str, int, str, Rigid]]:
    """Rig, time of the instant, image and mount, by rig and time; no camera twice at one instant."""
    chains = rig_chains(capture.rigs)
    outermost = {device: above[-1] for device, above in chains.items()}
    taken = [(capture.device(name), name) for name in names]
    rows = sorted(
        (outermost[device][0], int(capture.images.timestamps[capture.row_of[name]]), device, name)
        for device, name in taken
        if device in outermost
    )
    current, start, present = "", 0, set[str]()
    for rig, time, device, name in rows:
        if rig != current or time - start > max_gap or device in present:
            current, start, present = rig, time, set()
        present.add(device)
        yield rig, start, name, outermost[device][1]
