"""CPU seconds that global descriptors take for an image: python tests/benchmarks/bench_describe.py PHOTO [NAME ...]

Networks get random weights, which cost what trained ones cost; each runs at its own image size on one thread. What
learns from a map learns from the photo itself; descriptors of local features take SIFT's, whose extraction is not
counted.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

from vloc.features import FEATURES
from vloc.networks.apgem import apgem
from vloc.networks.cosplace import cosplace
from vloc.networks.delg import delg
from vloc.networks.loading import ready
from vloc.networks.megaloc import MegaLoc
from vloc.networks.netvlad import netvlad
from vloc.retrieval import DESCRIPTORS
from vloc.retrieval.base import PhotoDescriptor
from vloc.retrieval.by_network import describer
from vloc.runtime import Runtime

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "apgem": apgem,
    "cosplace": lambda: cosplace("resnet50", 2048),
    "delg": delg,
    "eigenplaces": lambda: cosplace("resnet50", 2048),
    "eigenplaces:backbone=resnet18,dims=512": lambda: cosplace("resnet18", 512),
    "eigenplaces:backbone=vgg16,dims=512": lambda: cosplace("vgg16", 512),
    "megaloc": MegaLoc,
    "netvlad": lambda: netvlad((124.0, 117.0, 104.0)),
}


LEARNED = "densevlad", "vlad", "bow", "fisher"


def describing(spec: str, image: np.ndarray) -> tuple[Callable[[Any], object], Any]:
    """A describer, and what it is given of an image."""
    descriptor, runtime = DESCRIPTORS.parse(spec), Runtime(device="cpu", workers=1)
    if spec in NETWORKS:
        network = NETWORKS[spec]().eval().requires_grad_(False)
        return describer(ready(network, runtime), descriptor.image_size), image
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    given = grey if isinstance(descriptor, PhotoDescriptor) else FEATURES.parse("sift").load(runtime)(grey)
    return descriptor.load(runtime, descriptor.train(runtime, [given], 0)), given


def seconds(spec: str, image: np.ndarray, repeats: int = 3) -> float:
    """Median over some repeats, after one that counts not."""
    describe, given = describing(spec, image)
    taken = []
    for _ in range(repeats + 1):
        start = time.process_time()
        describe(given)
        taken.append(time.process_time() - start)
    return float(np.median(taken[1:]))


if __name__ == "__main__":
    photo = cv2.cvtColor(cv2.imread(sys.argv[1]), cv2.COLOR_BGR2RGB)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    print(f"{sys.argv[1]}: {photo.shape[1]} x {photo.shape[0]}")
    for name in sys.argv[2:] or [*LEARNED, *NETWORKS]:
        print(f"{name:<42} {seconds(name, photo):6.3f} s")
