"""The sparse map in memory: points, and for every image the point that each of its keypoints shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..array_types import Float32, Float64, Int, Int32, Int64, UInt8
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .features import Arrays

NO_POINT = -1


@dataclass(frozen=True, eq=False)
class SparseMap:
    """Triangulated points and the posed images that see them. Images are rows; names are looked up once.

    `points`: in world coordinates (metres when the poses are). `point_errors`: mean reprojection error, px.
    `point_of_keypoint`: the images' keypoints one after the other (image i has rows offsets[i]:offsets[i+1]);
    each the row of its point, or NO_POINT. `cameras[camera_of_image[i]]` is the camera of image i.
    `colors`: RGB, the mean over the images that show the point; None where nobody has looked.

    `point_covariances`: of the part of each point's error that comes from the noise of its keypoints: xx, xy, xz, yy,
    yz, zz in world axes, m^2; None where nobody has estimated them. `pose_noise`: standard deviation of each component
    of the errors of the images' poses, rotation (radians) and centre (m). `depth_information`: what depth says of each
    point beside its keypoints, as the inverse of a covariance, 1/m^2, in the order of `point_covariances`; None where
    there was no depth. `stages.place.moved` moves all three.
    """

    image_names: Sequence[str]
    cameras: Sequence[Camera]
    camera_of_image: Int32[np.ndarray, "i"]
    cam_from_world: Rigid
    points: Float64[np.ndarray, "p 3"]
    point_errors: Float32[np.ndarray, "p"]
    offsets: Int64[np.ndarray, "i_plus_1"]
    point_of_keypoint: Int32[np.ndarray, "o"]
    colors: UInt8[np.ndarray, "p 3"] | None = None
    point_covariances: Float32[np.ndarray, "p 6"] | None = None
    pose_noise: Float64[np.ndarray, "2"] = field(default_factory=lambda: np.zeros(2))
    depth_information: Float32[np.ndarray, "p 6"] | None = None

    def __repr__(self) -> str:
        counts = f"{len(self.image_names)} images, {len(self.points)} points, {self.num_observations} observations"
        return f"SparseMap({counts})"

    @property
    def num_observations(self) -> int:
        """How many keypoints show a point."""
        return int((self.point_of_keypoint != NO_POINT).sum())

    @property
    def mean_error(self) -> float:
        """Mean reprojection error over observations, px (0 without points)."""
        tracks = self.track_lengths
        return float((self.point_errors * tracks).sum() / max(tracks.sum(), 1))

    @cached_property
    def row_of(self) -> Mapping[str, int]:
        """Image name -> row."""
        return {name: row for row, name in enumerate(self.image_names)}

    @cached_property
    def track_lengths(self) -> Int64[np.ndarray, "p"]:
        """For every point, the number of images' keypoints that show it."""
        seen = self.point_of_keypoint[self.point_of_keypoint != NO_POINT]
        return np.bincount(seen, minlength=len(self.points))

    def points_of(self, image: int) -> Int32[np.ndarray, "n"]:
        """The row of the point of each keypoint of an image, or NO_POINT."""
        return self.point_of_keypoint[self.offsets[image] : self.offsets[image + 1]]

    def image_of(self, rows: Int64[np.ndarray, "r"]) -> Int32[np.ndarray, "r"]:
        """The image of rows of `point_of_keypoint`."""
        return (np.searchsorted(self.offsets, rows, side="right") - 1).astype(np.int32)

    def observations_of(self, points: Int32[np.ndarray, "m"]) -> tuple[Int32[np.ndarray, "o"], Int64[np.ndarray, "o"]]:
        """Of all observations of some points: the image, and which of `points` it shows."""
        images, starts = self.images_by_point
        counts = starts[points + 1] - starts[points]
        which = np.repeat(np.arange(len(points)), counts)
        within = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        return images[starts[points][which] + within], which

    @cached_property
    def images_by_point(self) -> tuple[Int32[np.ndarray, "o"], Int64[np.ndarray, "p_plus_1"]]:
        """The images of all observations, point by point and rising, and where each point's begin."""
        rows = np.flatnonzero(self.point_of_keypoint != NO_POINT)
        order = np.argsort(self.point_of_keypoint[rows], kind="stable")
        return self.image_of(rows)[order], np.concatenate([[0], np.cumsum(self.track_lengths)])

    def covariances_of(self, points: Int64[np.ndarray, "m"]) -> Float64[np.ndarray, "m 3 3"]:
        """What of some points' errors comes from the noise of their keypoints, m^2; 0 where nobody has looked."""
        if self.point_covariances is None:
            return np.zeros((len(points), 3, 3))
        return full_covariances(self.point_covariances[points])

    def depth_information_of(self, points: Int[np.ndarray, "m"]) -> Float64[np.ndarray, "m 3 3"]:
        """What depth says of some points, 1/m^2; 0 where it says nothing."""
        if self.depth_information is None:
            return np.zeros((len(points), 3, 3))
        return full_covariances(self.depth_information[points])

    def camera(self, image: int) -> Camera:
        """The camera of an image."""
        return self.cameras[self.camera_of_image[image]]

    def to_arrays(self) -> Arrays:
        """The stored form; cameras and names go as UTF-8 text."""
        return {
            "image_names": _encode(self.image_names),
            "cameras": _encode([camera_line(camera) for camera in self.cameras]),
            "camera_of_image": self.camera_of_image,
            "rotation": self.cam_from_world.rotation,
            "translation": self.cam_from_world.translation,
            "points": self.points,
            "point_errors": self.point_errors,
            "offsets": self.offsets,
            "point_of_keypoint": self.point_of_keypoint,
            **({} if self.colors is None else {"colors": self.colors}),
            **({} if self.point_covariances is None else {"point_covariances": self.point_covariances}),
            "pose_noise": self.pose_noise,
            **({} if self.depth_information is None else {"depth_information": self.depth_information}),
        }

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> SparseMap:
        """The inverse of `to_arrays`."""
        rest = dict(arrays)
        poses = Rigid(rest.pop("rotation"), rest.pop("translation"))
        cameras = tuple(parse_camera_line(line) for line in _decode(rest.pop("cameras")))
        return cls(_decode(rest.pop("image_names")), cameras, cam_from_world=poses, **rest)


def full_covariances(upper: Float32[np.ndarray, "p 6"]) -> Float64[np.ndarray, "p 3 3"]:
    """Symmetric matrices from their upper triangles, row by row."""
    return upper[:, [[0, 1, 2], [1, 3, 4], [2, 4, 5]]].astype(np.float64)


def upper_triangles(full: Float64[np.ndarray, "p 3 3"]) -> Float32[np.ndarray, "p 6"]:
    """The inverse of `full_covariances`; what float32 cannot hold becomes infinite."""
    with np.errstate(over="ignore"):
        return full[:, *np.triu_indices(3)].astype(np.float32)


def _encode(lines: Sequence[str]) -> np.ndarray:
    return np.frombuffer("\n".join(lines).encode(), np.uint8)


def _decode(text: np.ndarray) -> list[str]:
    return text.tobytes().decode().split("\n") if len(text) else []


def camera_line(camera: Camera) -> str:
    """The stored form of a camera; numbers read back exactly."""
    params = " ".join(repr(float(value)) for value in camera.params)  # numpy's own repr would name its type
    return f"{camera.model} {camera.width} {camera.height} {params}"


def parse_camera_line(line: str) -> Camera:
    """The inverse of `camera_line`."""
    model, width, height, *params = line.split()
    return Camera(model, int(width), int(height), tuple(map(float, params)))
