"""Which frames of a video differ enough: median optical flow since the last frame that was kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...array_types import Float32, UInt8

# Flow is measured in a picture of about this longer side, px: it is enough for the median.
FLOW_SIZE = 640
MAX_CORNERS, CORNER_QUALITY, CORNER_DISTANCE = 400, 0.01, 8
# With fewer of its corners left, the picture is taken to have changed altogether.
LOST_SHARE = 0.25


@dataclass
class ParallaxGate:
    """Lets the first frame pass, then each one whose picture moved by `parallax` px (of the full frame) since.

    Corners are followed from frame to frame by pyramidal Lucas-Kanade (Bouguet 2000). With 0 every frame passes.
    """

    parallax: float
    _before: UInt8[np.ndarray, "h w"] | None = None
    _start: Float32[np.ndarray, "n 2"] | None = None
    _now: Float32[np.ndarray, "n 2"] | None = None
    _num_start: int = 0

    def passes(self, frame: UInt8[np.ndarray, "h w 3"]) -> bool:
        """Whether to keep the next frame in time."""
        if self.parallax == 0:
            return True
        grey, scale = _small_grey(frame)
        if self._before is not None:
            self._follow(grey)
        if self._before is None or self._is_lost() or self._moved() * scale >= self.parallax:
            self._restart(grey)
            return True
        self._before = grey
        return False

    def _follow(self, grey: np.ndarray) -> None:
        import cv2

        if self._now is None or not len(self._now) or self._before is None or self._start is None:
            return
        points, found, _ = cv2.calcOpticalFlowPyrLK(self._before, grey, self._now[:, None], None)
        kept = found[:, 0] == 1
        self._start, self._now = self._start[kept], points[kept, 0]

    def _is_lost(self) -> bool:
        return self._num_start > 0 and len(self._now if self._now is not None else ()) < LOST_SHARE * self._num_start

    def _moved(self) -> float:
        """Median motion since the last kept frame, px of the small picture; 0 in a picture without corners."""
        if self._now is None or self._start is None or not len(self._now):
            return 0.0
        return float(np.median(np.linalg.norm(self._now - self._start, axis=1)))

    def _restart(self, grey: np.ndarray) -> None:
        import cv2

        corners = cv2.goodFeaturesToTrack(grey, MAX_CORNERS, CORNER_QUALITY, CORNER_DISTANCE)
        points = np.zeros((0, 2), np.float32) if corners is None else corners[:, 0]
        self._before, self._start, self._now, self._num_start = grey, points, points, len(points)


def _small_grey(frame: np.ndarray) -> tuple[UInt8[np.ndarray, "h w"], float]:
    """The frame in grey at a bounded size, and how many px of it one px is."""
    import cv2

    longer = max(frame.shape[:2])
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    if longer <= FLOW_SIZE:
        return grey, 1.0
    scale = longer / FLOW_SIZE
    size = (round(frame.shape[1] / scale), round(frame.shape[0] / scale))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA), scale
