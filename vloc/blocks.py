"""Points of images with poses, block by block: what changes somewhere leaves the other blocks as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .data.features import LocalFeatures, Matches
from .data.sparse_map import SparseMap
from .data.track_blocks import TrackBlocks
from .errors import StageError
from .run.fingerprint import fingerprint
from .run.workspace import Workspace
from .solvers.posed_images import PosedImages
from .solvers.track_blocks import Block, block_of
from .solvers.track_points import TriangulationConfig
from .stage import Artifact, Results
from .stages.rows import posed_images
from .stages.track_blocks import TRACKS
from .stages.triangulate import JOIN, POSE_NOISE, SETTLE, TRIANGULATE, PoseNoise
from .stages.verify import View


@dataclass(frozen=True, eq=False)
class Blocks(Mapping[str, Block]):
    """The blocks of a map by name; the pixels of their keypoints are read when a block is looked at."""

    images: PosedImages
    features: Results[LocalFeatures]
    stored: Artifact[TrackBlocks]

    @property
    def tracks(self) -> TrackBlocks:
        """All of them."""
        return self.stored.value

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.tracks.names)}

    def __len__(self) -> int:
        return len(self.tracks.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.tracks.names)

    def __getitem__(self, name: str) -> Block:
        rows = self.tracks.rows_of(self._row_of[name])
        there, starts = np.unique(self.tracks.images[rows], return_index=True)
        keypoints = np.split(self.tracks.keypoints[rows], starts[1:])
        columns = self.features.column("keypoints", [self.images.names[row] for row in there.tolist()])
        pixels = [pixels[own] for pixels, own in zip(columns, keypoints, strict=True)]
        return block_of(self.tracks, self._row_of[name], self.images, np.concatenate(pixels).astype(np.float64))

    def fingerprint_of(self, name: str) -> str:
        """Changes when its tracks do, or their images, their poses or their features."""
        rows = self.tracks.rows_of(self._row_of[name])
        there, local = np.unique(self.tracks.images[rows], return_inverse=True)
        images = self.images[there]
        marks = [self.features.fingerprint_of(image) for image in images.names]
        columns = self.tracks.keypoints[rows], self.tracks.tracks[rows], self.tracks.partners[rows]
        return fingerprint(images, marks, local, columns)


def triangulated(
    work: Workspace,
    views: Mapping[str, View],
    features: Results[LocalFeatures],
    matches: Results[Matches],
    config: TriangulationConfig,
    learned: Sequence[str] = (),
) -> tuple[Artifact[SparseMap], Artifact[PoseNoise]]:
    """The images of `views`, all of them posed, with the points that their matches show; and how far the poses are off.

    That stays if it is among `learned` (references to results), or all blocks would change with any image.
    """
    images = posed_images(list(views), views)
    tracks = work.once(TRACKS, None, images, features, matches)
    blocks = Blocks(images, features, tracks)
    made = whole(work.each(TRIANGULATE, list(blocks), config, each=[blocks]))
    asked = Artifact[Blocks](blocks, tracks.fingerprint)
    noise = work.once(POSE_NOISE, config, asked, made, earlier=learned, despite=["blocks", "made"])
    settled = whole(work.each(SETTLE, list(blocks), config, each=[blocks, made], shared=[noise]))
    return work.once(JOIN, None, images, tracks, settled, noise), noise


def whole(blocks: Results[SparseMap]) -> Results[SparseMap]:
    """The blocks; StageError where one of them failed: a map with a hole would look like one without."""
    for name, reason in blocks.failures.items():
        raise StageError(f"block {name}: {reason}")
    return blocks
