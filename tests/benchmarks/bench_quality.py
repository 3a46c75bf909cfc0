"""Which cause is named when a photo is spoilt until it is not localized; and what scoring a photo costs.

    python -m tests.benchmarks.bench_quality FOLDER SEED...

Each query of galleries of these seeds (30 + 10 images of 640 x 480, half of them at night) is spoilt by one operator at
a time, ever more, until its pose is missing or more than 0.5 m or 5 deg off. The thresholds were chosen on seeds 101
and 102; report other ones.
"""

import sys
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from vloc.datasets.synthetic_gallery import GalleryConfig, make

import vloc
from tests.stages import degradations as by
from vloc.formats.results import read_poses
from vloc.geometry.camera import Camera
from vloc.geometry.pose_error import pose_errors
from vloc.stages.quality import image_quality

STEPS = 14
LADDERS = {  # operator, weakest, strongest, the right complaint
    "defocus": (by.defocused, 1, 60, "is blurred"),
    "motion": (by.shaken, 3, 200, "is blurred"),
    "darkness": (by.underexposed, 2, 100, "is dark"),
    "light": (by.overexposed, 1.5, 150, "is blown out"),
    "noise": (by.noisy, 5, 400, "is noisy"),
    "few pixels": (by.shrunk, 1.5, 40, "has too few pixels"),
    "a wall": (by.walled, 0.3, 1.0, "nearly no texture"),
    "fog": (by.fogged, 0.5, 0.01, "nearly no texture"),
}
ANGLED = {"motion": by.shaken}


def resized(camera: Camera, width: int, height: int) -> Camera:
    """A gallery phone's camera for another size of its pictures."""
    x, y = width / camera.width, height / camera.height
    scales = (x, y, x, y) if camera.model == "PINHOLE" else (x, x, y, 1.0)
    return Camera(camera.model, width, height, tuple(np.multiply(camera.params, scales).tolist()))


def is_right(estimate: vloc.PoseEstimate, truth: vloc.Rigid) -> bool:
    """Whether there is a pose within 0.5 m and 5 deg."""
    if estimate.cam_from_world is None:
        return False
    metres, radians = pose_errors(estimate.cam_from_world, truth)
    return metres < 0.5 and np.rad2deg(radians) < 5


def localizer_of(folder: Path, seed: int) -> vloc.Localizer:
    """The gallery of a seed, made and mapped unless it is there."""
    root = folder / f"gallery-{seed}"
    make(root, GalleryConfig(30, 10, seed=seed))
    capture = vloc.read(root / "mapping")
    map_ = vloc.build_map(capture, folder / f"{seed}.map", features="sift:max_keypoints=2000", pair={"num_pairs": 8})
    return vloc.Localizer(map_, retrieve={"num_retrieved": 10})


def first_failure(
    localizer: vloc.Localizer, photo: np.ndarray, camera: Camera, truth: vloc.Rigid, name: str, angle: float
) -> vloc.PoseEstimate | None:
    """The estimate at the weakest degradation that loses the query; None where the strongest does not."""
    operator, weakest, strongest, _ = LADDERS[name]
    for strength in np.geomspace(weakest, strongest, STEPS):
        spoilt = operator(photo, strength, *([angle] if name in ANGLED else []))
        estimate = localizer.localize(spoilt, resized(camera, spoilt.shape[1], spoilt.shape[0]))
        if not is_right(estimate, truth):
            return estimate
    return None


def main(folder: Path, seeds: list[int]) -> None:
    """Print one line an operator."""
    rng = np.random.default_rng(0)
    failed, named, blamed = Counter(), Counter(), []
    good = {"day": [], "night": []}
    for seed in seeds:
        localizer = localizer_of(folder, seed)
        root = folder / f"gallery-{seed}"
        queries, truth = vloc.read(root / "query"), read_poses(root / "query_truth.txt")
        for image in queries.images.names:
            photo = cv2.imread(str(root / "query/sensors/records_data" / image))[..., ::-1].copy()
            quality = localizer.localize(photo, queries.camera(image)).quality
            good[image.split("/")[0]].append(quality.complaint == "")
            for name, (*_, complaint) in LADDERS.items():
                angle = rng.uniform(0, np.pi)
                estimate = first_failure(localizer, photo, queries.camera(image), truth[image], name, angle)
                if estimate is not None:
                    failed[name] += 1
                    named[name] += complaint in estimate.quality.complaint
                    blamed += [] if complaint in estimate.quality.complaint else [(name, image, estimate.quality)]
    for name in LADDERS:
        print(f"{name:11s} {named[name]} of {failed[name]} name the cause")
    print(f"all         {named.total()} of {failed.total()}: {named.total() / failed.total():.1%}")
    print(*(f"{kind}: {sum(rows)} of {len(rows)} are good as they are" for kind, rows in good.items()), sep="\n")
    print(*(f"wrong: {name} {image} {quality}" for name, image, quality in blamed), sep="\n")
    grey = cv2.resize(photo[..., 1], (1024, 768))
    began = time.process_time()
    for _ in range(50):
        image_quality(grey)
    print(f"scoring 1024 x 768: {20 * (time.process_time() - began):.1f} ms of CPU")


if __name__ == "__main__":
    cv2.setNumThreads(1)
    main(Path(sys.argv[1]), [int(seed) for seed in sys.argv[2:]])
