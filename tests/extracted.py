"""Captures with features of another program, which is vloc's own SIFT here: what is imported must give the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from vloc.data.capture import Capture
from vloc.data.features import LocalFeatures
from vloc.data.reconstruction import Features, InMemory, Reconstruction
from vloc.features.sift import Sift
from vloc.formats.access import read, write
from vloc.formats.images import decode
from vloc.runtime import Runtime

FEATURE = "sift:max_keypoints=1500"


def extracted(capture: Capture) -> dict[str, LocalFeatures]:
    """The SIFT of every image."""
    extract, files = Sift(max_keypoints=1500).load(Runtime()), capture.files
    assert files is not None
    return {name: extract(decode(files.read(name), name, color=False)) for name in capture.images.names}


def in_memory(arrays: dict[str, np.ndarray], keypoints_type: str = "") -> Features:
    first = next(iter(arrays.values()))
    return Features("x", first.dtype, first.shape[1], sorted(arrays), InMemory(arrays), keypoints_type, "L2")


def with_features(capture: Capture, found: dict[str, LocalFeatures], kind: str = "sift") -> Capture:
    """The capture with that type of keypoints and descriptors, and their mean as global feature `mean`."""
    keypoints = in_memory({name: own.keypoints for name, own in found.items()})
    descriptors = in_memory({name: own.descriptors for name, own in found.items()}, kind)
    means = in_memory(
        {name: own.descriptors.mean(axis=0, keepdims=True, dtype=np.float32) for name, own in found.items()}
    )
    return replace(
        capture, reconstruction=Reconstruction(None, {}, {kind: keypoints}, {kind: descriptors}, {"mean": means})
    )


def write_with_features(source: Path, target: str, *, pack: bool = False) -> None:
    """A capture written again with its features and without its photos."""
    capture = read(source)
    write(with_features(capture, extracted(capture)), target, transfer="skip", pack=pack)
