"""Learned features against the forward passes of their bare networks, in turns, on one thread.

    VLOC_WEIGHTS=FOLDER python tests/benchmarks/bench_networks.py IMAGE

The bare network is the published module as it is loaded: its normalisation layers, torch's default memory layout. It is
given the tensors that the feature gives its own, all scales and strips. CPU seconds, medians of the rounds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from kornia.feature import ALIKED

from vloc.features.aliked import NOT_LEARNED, Aliked
from vloc.features.r2d2 import R2d2, _strips
from vloc.features.strongest import MEAN_AND_DEVIATION, as_tensor
from vloc.formats.images import decode
from vloc.networks.loading import load_into
from vloc.networks.r2d2 import R2D2, Architecture
from vloc.runtime import Runtime
from vloc.weights import find

ROUNDS = 3
Run = Callable[[], object]


def r2d2(image: np.ndarray) -> tuple[Run, Run]:
    """The feature, and the network on the image at all scales."""
    network = load_into(R2D2(Architecture()), find("r2d2_WASF_N16.pt"))
    levels = R2d2()._pyramid(as_tensor(image, network, MEAN_AND_DEVIATION))
    inputs = [strip.contiguous() for level, _, _ in levels for _, _, strip, _ in _strips(level)]
    extract = R2d2().load(Runtime())
    return lambda: extract(image), lambda: [network(given) for given in inputs]


def aliked(image: np.ndarray) -> tuple[Run, Run]:
    """The feature, and the network with its detection and descriptors."""
    network = load_into(ALIKED("aliked-n16"), find("aliked-n16.pth"), but=NOT_LEARNED)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    extract = Aliked().load(Runtime())
    return lambda: extract(image), lambda: network(pixels)


def seconds(run: Run) -> float:
    """CPU seconds of a call."""
    began = time.process_time()
    with torch.inference_mode():
        run()
    return time.process_time() - began


def main() -> None:
    """Print a line for each feature."""
    torch.set_num_threads(1)
    image = decode(Path(sys.argv[1]).read_bytes(), sys.argv[1], color=True)
    for make in (r2d2, aliked):
        both = make(image)
        taken = np.array([[seconds(run) for run in both] for _ in range(ROUNDS + 1)])[1:]
        (feature, bare), ratio = np.median(taken, axis=0), np.median(taken[:, 0] / taken[:, 1])
        print(f"{make.__name__}: {feature:.2f} s against {bare:.2f} s of its network alone ({ratio:.2f})", flush=True)


if __name__ == "__main__":
    main()
