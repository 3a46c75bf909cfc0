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
    return [instant for instant in every_instant(capture, names, max_gap) if len(instant.names) > 1]


def every_instant(capture: Capture, names: Sequence[str], max_gap: int = 0) -> Iterator[Instant]:
    """The same with the instants of single images, too; a camera that hangs on no rig is one itself."""
    for _, group in groupby(_ordered(capture, names, max_gap), key=lambda taken: taken[:3]):
        rigs, starts, _, images, mounts = zip(*group, strict=True)
        yield Instant(rigs[0], starts[0], images, mounts)


def _ordered(capture: Capture, names: Sequence[str], max_gap: int) -> Iterator[tuple[str, int, int, str, Rigid]]:
    """Rig, time and number of the instant, image and mount, by rig and time; no camera twice at one instant."""
    outermost = {device: above[-1] for device, above in rig_chains(capture.rigs).items()}
    alone = Rigid.identity()
    taken = ((*outermost.get(capture.device(name), (capture.device(name), alone)), name) for name in names)
    rows = sorted(
        (
            (rig, int(capture.images.timestamps[capture.row_of[name]]), capture.device(name), name, mount)
            for rig, mount, name in taken
        ),
        key=lambda row: row[:4],
    )
    current, start, number, present = "", 0, 0, set[str]()
    for rig, time, device, name, mount in rows:
        if rig != current or time - start > max_gap or device in present:
            current, start, number, present = rig, time, number + 1, set()
        present.add(device)
        yield rig, start, number, name, mount
