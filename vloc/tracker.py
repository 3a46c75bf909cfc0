"""Frames one after another, as a robot or a phone takes them: each is looked for near where the last ones lead."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from .data.estimate import PoseEstimate
from .errors import ConfigError, DataError
from .geometry.camera import Camera
from .geometry.motion import between
from .geometry.rigid import Rigid
from .localizer import Localizer
from .placer import Placer
from .query import Image, Query
from .registry import configure
from .runtime import one_blas_thread
from .stages.expected import NearConfig
from .stages.guide import images_showing

log = logging.getLogger(__name__)

FoundBy = Literal["tracking", "retrieval", "nothing"]


@dataclass(frozen=True, eq=False)
class Tracked:
    """The pose of one frame and what found it: its expected place or, where that failed, retrieval in the map."""

    estimate: PoseEstimate
    by: FoundBy


@dataclass(frozen=True, eq=False)
class _Seen:
    """Where a frame was: the rig's pose in the world and in its odometry, when, and the map images of each camera."""

    rig_from_world: Rigid
    rig_from_odometry: Rigid | None
    seconds: float | None
    images: tuple[Sequence[int], ...]


class Tracker:
    """Localizes frames in their order with a localizer; one tracker for one camera or rig.

    The last poses, or odometry, say where a frame is expected, the last frame's points which map images show the place.
    What is found there has to be believed as everything else; where it is not, the frame is localized by retrieval as
    any photo is, and the next ones are expected near there. Nothing is placed by motion alone. Where the localizer has
    a new version of its map, the next frame is the first one in that.
    """

    def __init__(self, localizer: Localizer, **settings: Any) -> None:
        self.config: NearConfig = configure(NearConfig, settings, "tracking")
        self._localizer = localizer
        self._refused: Placer | None = None
        self._take(localizer.placer)
        self._count = 0

    def _take(self, placer: Placer) -> None:
        """Begin in a version of the map: its images have other rows than those of others, and maybe another frame."""
        self._extract = placer.extractor(self.config.max_keypoints, self.config.strongest)
        self._place, self._last = placer, list[_Seen]()

    def _follow(self, placer: Placer) -> None:
        """Go on in the version that serves now, unless the settings are not for it."""
        if placer is self._place or placer is self._refused:
            return
        try:
            self._take(placer)
        except ConfigError as error:
            self._refused = placer
            log.warning("%s: version %d goes on: %s", placer.map.folder, self._place.map.version, error)

    def track(
        self,
        image: Image,
        camera: Camera | str | None = None,
        *,
        timestamp: float | None = None,
        cam_from_odometry: Rigid | None = None,
    ) -> Tracked:
        """The pose of the next frame; image and camera as in `Localizer.localize`.

        `timestamp`: seconds. `cam_from_odometry`: its pose in an odometry's own frame, which may drift.
        """
        return self.track_rig(
            [image], [camera], [Rigid.identity()], timestamp=timestamp, rig_from_odometry=cam_from_odometry
        )[0]

    def track_rig(
        self,
        images: Sequence[Image],
        cameras: Sequence[Camera | str | None],
        cams_from_rig: Sequence[Rigid],
        *,
        timestamp: float | None = None,
        rig_from_odometry: Rigid | None = None,
    ) -> list[Tracked]:
        """The poses of the next frame's images, which the cameras of a rig took together, in the order of their mounts.

        DataError for a frame without images, or one that is not later than the last.
        """
        counts = len(images), len(cameras), len(cams_from_rig)
        if len(set(counts)) > 1 or not len(images):
            numbers = ", ".join(f"{n} {what}" for n, what in zip(counts, ("images", "cameras", "mounts"), strict=True))
            raise DataError(f"a frame of {numbers}: expected as many of each, and one at least")
        last = self._last[-1].seconds if self._last else None
        if timestamp is not None and last is not None and timestamp <= last:
            raise DataError(f"timestamp: expected one later than the last frame's, {last} s, got {timestamp} s")
        self._count += 1
        self._follow(self._localizer.placer)
        with one_blas_thread:
            queries = self._looked(images, cameras)
            near = self._near(queries, cams_from_rig, timestamp, rig_from_odometry)
            by: FoundBy = "tracking"
            found = self._placed(near, cams_from_rig)
            if not self._is_sure(found):
                near = [self._place.searched(query) for query in queries]
                by, found = "retrieval", self._placed(near, cams_from_rig)
            self._remember(near, cams_from_rig, found, timestamp, rig_from_odometry)
            told = [self._place.told(query, estimate) for query, estimate in zip(near, found, strict=True)]
            return [Tracked(estimate, by if estimate.is_localized else "nothing") for estimate in told]

    def _looked(self, images: Sequence[Image], cameras: Sequence[Camera | str | None]) -> list[Query]:
        """What is known of the images before their features."""
        names = [f"frame {self._count}" + f" camera {row}" * (len(images) > 1) for row in range(len(images))]
        return [self._place.look(*one) for one in zip(images, cameras, names, strict=True)]

    def _near(
        self, queries: Sequence[Query], mounts: Sequence[Rigid], seconds: float | None, odometry: Rigid | None
    ) -> list[Query]:
        """The queries with features and matches near where they are expected; without any where nothing is."""
        if not self._last or len(self._last[-1].images) != len(queries):
            return list(queries)
        rig_from_world = expected(self._last, seconds, odometry)
        matched = partial(self._place.matched_near, extractor=self._extract, config=self.config)
        return [
            query if query.refusal else matched(query, cam_from_world=mount @ rig_from_world, rows=rows)
            for query, mount, rows in zip(queries, mounts, self._last[-1].images, strict=True)
        ]

    def _placed(self, queries: Sequence[Query], mounts: Sequence[Rigid]) -> list[PoseEstimate]:
        """Each by its own matches, or by those of all of them together."""
        alone = {query.name: self._place.place(query) for query in queries}
        placed = {**alone, **self._place.place_together(queries, mounts, alone)}
        return [placed[query.name] for query in queries]

    def _is_sure(self, found: Sequence[PoseEstimate]) -> bool:
        """Whether so many matches agree as end the search of a photo; few lie on one thing, seen from elsewhere too."""
        config, placed = self._place.config.correspond, [estimate for estimate in found if estimate.is_localized]
        together = [estimate for estimate in placed if estimate.source == "rig"]
        groups = [[estimate] for estimate in placed if estimate.source != "rig"] + ([together] if together else [])
        counts = [
            (sum(each.num_inliers for each in group), sum(each.num_matches for each in group)) for group in groups
        ]
        return bool(counts) and all(k >= max(config.sure_inliers, config.sure_share * n) for k, n in counts)

    def _remember(
        self,
        queries: Sequence[Query],
        mounts: Sequence[Rigid],
        found: Sequence[PoseEstimate],
        seconds: float | None,
        odometry: Rigid | None,
    ) -> None:
        """What the next frame is expected from; where this one has no pose, only odometry leads on."""
        rows = [row for row, estimate in enumerate(found) if estimate.is_localized]
        if not rows:
            self._last = [] if odometry is None else self._last[-1:]
            return
        best = max(rows, key=lambda row: found[row].confidence)
        pose = found[best].cam_from_world
        assert pose is not None  # noqa: S101 - it is localized
        points = [query.matches.points for query in queries]
        anywhere = np.concatenate(points)  # a camera that saw nothing may see what the others did
        shown = partial(images_showing, self._place.map.sparse, count=self.config.searched)
        images = tuple(shown(points=own if len(own) else anywhere) for own in points)
        self._last = [*self._last[-1:], _Seen(mounts[best].inverse() @ pose, odometry, seconds, images)]


def expected(seen: Sequence[_Seen], seconds: float | None, rig_from_odometry: Rigid | None) -> Rigid:
    """Where a rig is next: as its odometry says, else as it moved last, else where it was.

    `seen`: the last one or two frames, in order.
    """
    last = seen[-1]
    if rig_from_odometry is not None and last.rig_from_odometry is not None:
        return rig_from_odometry @ last.rig_from_odometry.inverse() @ last.rig_from_world
    if len(seen) < 2:
        return last.rig_from_world
    share = 1.0
    if seconds is not None and last.seconds is not None and seen[0].seconds is not None:
        share = (seconds - last.seconds) / (last.seconds - seen[0].seconds)
    return between(seen[0].rig_from_world, last.rig_from_world, 1 + share)
