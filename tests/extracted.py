"""Captures with features of another program, which is vloc's own SIFT here: what is imported must give the same."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from vloc.data.capture import Capture
from vloc.data.features import LocalFeatures
from vloc.data.reconstruction import Features, InMemory, MatchedPairs, Reconstruction
from vloc.features.sift import Sift
from vloc.formats.access import read, write
from vloc.formats.images import decode
from vloc.matching import MATCHERS
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


def matched(found: dict[str, LocalFeatures]) -> MatchedPairs:
    """Nearest neighbours of all pairs of images."""
    matcher = MATCHERS.parse("nn").load(Runtime())
    prepared = {name: matcher.prepare(own, (1, 1)) for name, own in found.items()}
    arrays = {}
    for pair in combinations(found, 2):
        matches = matcher.match(*(prepared[name] for name in pair))
        arrays[pair] = np.column_stack([matches.indices, matches.scores]).astype(np.float64)
    return MatchedPairs(list(arrays), InMemory(arrays))


def write_with_features(source: Path, target: str, *, pack: bool = False, with_matches: bool = False) -> None:
    """A capture written again with its features, or matches too, and without its photos."""
    capture = read(source)
    made = with_features(capture, found := extracted(capture))
    if with_matches and made.reconstruction is not None:
        made = replace(made, reconstruction=replace(made.reconstruction, matches={"sift": matched(found)}))
    write(made, target, transfer="skip", pack=pack)
