"""Camera models: names, parameters and checks. `projection.py` maps points through them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..array_types import Float64

# COLMAP's names and parameter order, which kapture shares.
CAMERA_PARAMS: dict[str, tuple[str, ...]] = {
    "SIMPLE_PINHOLE": ("f", "cx", "cy"),
    "PINHOLE": ("fx", "fy", "cx", "cy"),
    "SIMPLE_RADIAL": ("f", "cx", "cy", "k"),
    "RADIAL": ("f", "cx", "cy", "k1", "k2"),
    "OPENCV": ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2"),
    "OPENCV_FISHEYE": ("fx", "fy", "cx", "cy", "k1", "k2", "k3", "k4"),
    "FULL_OPENCV": ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6"),
    "FOV": ("fx", "fy", "cx", "cy", "omega"),
    "SIMPLE_RADIAL_FISHEYE": ("f", "cx", "cy", "k"),
    "RADIAL_FISHEYE": ("f", "cx", "cy", "k1", "k2"),
    "THIN_PRISM_FISHEYE": ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2", "k3", "k4", "sx1", "sy1"),
}
UNKNOWN = "UNKNOWN_CAMERA"
# Models whose parameters are the first ones of a wider model, apart from their single focal length.
WIDER = {
    **dict.fromkeys(("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL"), "OPENCV"),
    **dict.fromkeys(("SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE"), "OPENCV_FISHEYE"),
}
MAX_SIDE = 2**24
"""px: up to here float32, in which keypoints are kept, tells pixels apart; no image is as large"""


@dataclass(frozen=True)
class Camera:
    """Intrinsics of a stored image, distortion included.

    `params` in the order of `CAMERA_PARAMS[model]`, px; the centre of the first pixel is (0.5, 0.5).
    `UNKNOWN_CAMERA` has a size and no parameters. A wrong model, count or range is a ValueError.
    """

    model: str
    width: int
    height: int
    params: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not (0 < self.width <= MAX_SIDE and 0 < self.height <= MAX_SIDE):
            raise ValueError(f"image size {self.width} x {self.height}, expected 1 to {MAX_SIDE} px a side")
        if self.model == UNKNOWN:
            return
        if self.model not in CAMERA_PARAMS:
            raise ValueError(f"camera model '{self.model}', expected one of {', '.join(CAMERA_PARAMS)}")
        names = CAMERA_PARAMS[self.model]
        if len(self.params) != len(names):
            wanted = f"{len(names)}: {', '.join(names)}"
            raise ValueError(f"{self.model} with {len(self.params)} parameters, expected {wanted}")
        if not np.all(np.isfinite(self.params)):
            raise ValueError(f"{self.model} with parameters {self.params}, expected finite numbers")
        if min(self.focal) <= 0:
            raise ValueError(f"{self.model} with focal length {min(self.focal)}, expected positive")

    @property
    def is_known(self) -> bool:
        """Whether there are intrinsics at all."""
        return self.model != UNKNOWN

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.width, self.height

    @property
    def num_focals(self) -> int:
        """1 where x and y share one focal length, 2 where each has its own."""
        return 1 if CAMERA_PARAMS[self.model][0] == "f" else 2

    @property
    def focal(self) -> tuple[float, float]:
        """(fx, fy) px."""
        return (self.params[0], self.params[0]) if self.num_focals == 1 else (self.params[0], self.params[1])

    @property
    def principal_point(self) -> tuple[float, float]:
        """(cx, cy) px."""
        return self.params[self.num_focals], self.params[self.num_focals + 1]

    @property
    def distortion(self) -> tuple[float, ...]:
        """The parameters after the principal point."""
        return self.params[self.num_focals + 2 :]

    @property
    def matrix(self) -> Float64[np.ndarray, "3 3"]:
        """The calibration matrix K, distortion left out."""
        (fx, fy), (cx, cy) = self.focal, self.principal_point
        return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])

    def shifted(self, pixels: float) -> Camera:
        """The same camera when the first pixel's centre is called `pixels` more than it was."""
        if not self.is_known or pixels == 0:
            return self
        params, n = list(self.params), self.num_focals
        params[n] += pixels
        params[n + 1] += pixels
        return Camera(self.model, self.width, self.height, tuple(params))

    def reduced(self, longer_side: int) -> Camera:
        """The same camera with larger pixels where the image's longer side has more than so many."""
        scale, n = longer_side / max(self.size), self.num_focals + 2
        if scale >= 1:
            return self
        width, height = (max(2, math.ceil(scale * side)) for side in self.size)
        return Camera(self.model, width, height, (*(scale * x for x in self.params[:n]), *self.distortion))

    def adjusted(
        self, log_focal: float = 0.0, distortion: float = 0.0, x: float = 0.0, y: float = 0.0, log_aspect: float = 0.0
    ) -> Camera:
        """The same camera, focal lengths exp(log_focal) times as long, first distortion parameter `distortion` more.

        The principal point moves by (x, y) px; fy / fx grows by exp(log_aspect) where the model has both.
        """
        n = self.num_focals
        center, rest = self.principal_point, self.distortion
        focals = [
            f * math.exp(log) for f, log in zip(self.params[:n], (log_focal, log_focal + log_aspect), strict=False)
        ]
        moved = (rest[0] + distortion, *rest[1:]) if rest else ()
        return Camera(self.model, self.width, self.height, (*focals, center[0] + x, center[1] + y, *moved))

    def generalised(self) -> Camera:
        """The same camera in a model that has two focal lengths and distortion; itself where there is none wider."""
        model = WIDER.get(self.model, self.model)
        params = (*self.focal, *self.principal_point, *self.distortion)
        return Camera(model, self.width, self.height, params + (0.0,) * (len(CAMERA_PARAMS[model]) - len(params)))

    def moves_to(self, other: Camera) -> Float64[np.ndarray, "5"]:
        """What `adjusted` needs to make this camera the other one, of the same model."""
        (x, y), (other_x, other_y) = self.principal_point, other.principal_point
        (fx, fy), (other_fx, other_fy) = self.focal, other.focal
        bent = other.distortion[0] - self.distortion[0] if self.distortion else 0.0
        longer, higher = math.log(other_fx / fx), math.log(other_fy / fy)
        return np.array([longer, bent, other_x - x, other_y - y, higher - longer])
