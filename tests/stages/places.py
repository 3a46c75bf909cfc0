"""A map of two places far apart, worked out from exact projections, and what its images look like to a matcher."""

import numpy as np

from vloc.data.features import LocalFeatures
from vloc.data.sparse_map import SparseMap
from vloc.geometry.rigid import Rigid

from ..solvers.world import walk

COUNT = 6
"""images of each place"""


def two_places(noise: float = 0.2, repeated: bool = False) -> tuple[SparseMap, dict[str, LocalFeatures]]:
    """Rows 0 to 5 see one place and 6 to 11 another, 100 m on; with `repeated` the two look the same."""
    rng = np.random.default_rng(0)
    worlds = [walk(COUNT, 300, noise, seed=seed) for seed in ((1, 1) if repeated else (1, 2))]
    shift = np.array([[0.0, 0.0, 0.0], [100.0, 0.0, 0.0]])
    looks = [random_descriptors(rng, 300) for _ in range(2)]
    looks = [looks[0], looks[0]] if repeated else looks
    names = [f"{place}{row}.jpg" for place in "ab" for row in range(COUNT)]
    poses, keypoints, point_of, features = [], [], [], {}
    for place, world in enumerate(worlds):
        for row in range(COUNT):
            pose = world.images.cam_from_world[row]
            poses.append(Rigid(pose.rotation, pose.translation - pose.rotation @ shift[place]))
            keypoints.append(world.keypoints[row])
            point_of.append(world.point_of[row] + 300 * place)
            n = len(keypoints[-1])
            features[names[len(poses) - 1]] = LocalFeatures(
                keypoints[-1], looks[place][world.point_of[row]], np.ones(n, np.float32), np.ones(n, np.float32)
            )
    offsets = np.concatenate([[0], np.cumsum([len(k) for k in keypoints])]).astype(np.int64)
    points = np.concatenate([world.points + shift[place] for place, world in enumerate(worlds)])
    cameras, camera_of_image = worlds[0].images.cameras, np.tile(worlds[0].images.camera_of_image, 2)
    sparse = SparseMap(
        names,
        cameras,
        camera_of_image,
        Rigid.stack(poses),
        points,
        np.zeros(len(points), np.float32),
        offsets,
        np.concatenate(point_of).astype(np.int32),
    )
    return sparse, features


def random_descriptors(rng: np.random.Generator, count: int) -> np.ndarray:
    """Unit vectors in bytes, as SIFT's are stored."""
    vectors = rng.exponential(size=(count, 128))
    return np.rint(512 * vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).clip(0, 255).astype(np.uint8)


def vectors_of_places() -> list[np.ndarray]:
    """A global descriptor that knows the two places, and within a place which images are near."""
    angles = np.concatenate([np.linspace(0, 0.4, COUNT), np.linspace(1.0, 1.4, COUNT)])
    return [np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)]
