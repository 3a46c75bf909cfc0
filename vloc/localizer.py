"""A localizer that stays in memory: a robot, a server, a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .config import LocalizationConfig, make_config, query_matcher
from .data.estimate import PoseEstimate
from .data.imported import Imported
from .errors import ConfigError, DataError
from .following import Follower
from .geometry.camera import Camera
from .geometry.rigid import Rigid
from .map import Map
from .matching.base import PhotoMatcher
from .placer import Held, Placer
from .points import check_has_points
from .query import Image
from .query_depth import check_query_depth
from .registry import to_text
from .retrieval.gnss import Gnss
from .retrieval.radio import Radio
from .run.remote import Location
from .runtime import Runtime, one_blas_thread


class Localizer:
    """Holds a map's descriptors, points and models, and localizes one image after another. Thread safe.

    `settings` are those of `LocalizationConfig`: `Localizer(map_, retrieve={"num_retrieved": 10})`. `scan`: the file of
    a mesh or cloud in the frame of the map, for `view={"use": "check"}`, which reads the map's photos as it needs them.

    Given a folder or packed file, it follows it: a new version is made ready beside the old one, on which calls go on,
    and then takes its place; `refresh` waits for that. One that cannot serve is refused, and `problem` says why. Given
    a `Map`, it stays with that version.
    """

    def __init__(
        self,
        map_: Map | str | Location,
        runtime: Runtime | None = None,
        *,
        scan: str | Path | None = None,
        **settings: Any,
    ) -> None:
        self.config = make_config(LocalizationConfig, **settings)
        place = None if scan is None else Path(scan)
        self._follower = Follower(map_, partial(_placer, runtime or Runtime(), self.config, place))

    @property
    def map(self) -> Map:
        """The version of the map that serves."""
        return self._follower.map

    @property
    def placer(self) -> Placer:
        """The steps from an image to its pose in the version that serves; one call has to take it once."""
        return self._follower.current()

    @property
    def problem(self) -> str:
        """Why the newest version of the map does not serve; empty where it does."""
        return self._follower.problem

    def refresh(self) -> None:
        """Wait until the newest version of the map serves; VlocError where it cannot, and the old one goes on."""
        self._follower.refresh()

    def localize(self, image: Image, camera: Camera | str | None = None, name: str = "query") -> PoseEstimate:
        """The pose of one image: a file, or uint8 pixels (h, w) grey or (h, w, 3) RGB, which are taken as upright.

        `camera`: the intrinsics, or `map:NAME` for those of an image of the map. Left out, they are what `camera_of`
        says of a file, and a guess for pixels. DataError for a broken file, or one of another size than the camera's.
        No pose is a result, with a reason.
        """
        place = self.placer
        with one_blas_thread:
            query = place.searched(place.look(image, camera, name))
            return place.told(query, place.place(query))

    def localize_rig(
        self,
        images: Sequence[Image],
        cameras: Sequence[Camera | str | None],
        cams_from_rig: Sequence[Rigid],
    ) -> list[PoseEstimate]:
        """The poses of images that the cameras of a rig took at one time, as one query: see `vloc.rigs`.

        Images and cameras as in `localize`; a camera whose intrinsics are rough stands for itself. DataError for
        fewer than two images.
        """
        counts = len(images), len(cameras), len(cams_from_rig)
        if len(set(counts)) > 1 or len(images) < 2:
            numbers = ", ".join(f"{n} {what}" for n, what in zip(counts, ("images", "cameras", "mounts"), strict=True))
            raise DataError(f"{numbers}: expected as many of each, and two at least")
        place = self.placer
        with one_blas_thread:
            looked = [place.look(*one, f"query {row}") for row, one in enumerate(zip(images, cameras, strict=True))]
            queries = [place.searched(query) for query in looked]
            alone = {query.name: place.place(query) for query in queries}
            placed = {**alone, **place.place_together(queries, cams_from_rig, alone)}
            return [place.told(query, placed[query.name]) for query in queries]


def _placer(runtime: Runtime, config: LocalizationConfig, scan: Path | None, map_: Map) -> Placer:
    """What places queries in a map; ConfigError where the settings are not for it."""
    _check(map_, config)
    return Placer(map_, runtime, config, _view_check(map_, config, scan))


def _view_check(map_: Map, config: LocalizationConfig, scan: Path | None) -> Held | None:
    """What holds poses against what they would see, where that is asked for; errors as of `check_view`."""
    if config.view.use == "none" and scan is None:
        return None
    from .view_check import ViewCheck, check_view

    check_view(map_, config, scan)
    assert scan is not None  # noqa: S101 - `check_view` sees to it
    return ViewCheck(map_, config, scan)


def _check(map_: Map, config: LocalizationConfig) -> None:
    """ConfigError for a map that says more of its images than a single one says of itself, or for sequences."""
    check_has_points(map_)
    if config.sequence.use != "none":
        raise ConfigError(
            f"sequence: use={config.sequence.use}: a single photo is none: `vloc localize` and `vloc.localize` place "
            "sequences, `vloc.Tracker` follows one frame by frame"
        )
    check_query_depth(map_, None, config)
    made = map_.config
    if brought := [to_text(m) for m in (made.extract, *made.describe) if isinstance(m, Imported | Radio | Gnss)]:
        raise ConfigError(
            f"{map_.folder}: its {', '.join(brought)} came with the capture, and no photo has them: localize "
            "captures that bring them by `vloc localize` or `vloc.localize`"
        )
    if made.look.upright == "gravity":
        raise ConfigError(
            f"{map_.folder}: its photos were turned upright by gravity, of which a single photo says nothing: "
            "localize captures with an accelerometer by `vloc localize` or `vloc.localize`"
        )
    if isinstance(matcher := query_matcher(config, made), PhotoMatcher):
        raise ConfigError(
            f"{map_.folder}: matcher '{matcher.plugin_name}' looks at the map's own photos, which are not held in "
            "memory: localize captures by `vloc localize` or `vloc.localize`"
        )
    if config.priors.gravity_deg or config.priors.gnss_m:
        raise ConfigError(
            "priors: a single photo does not say what sensors felt when it was taken: localize captures by "
            "`vloc localize` or `vloc.localize`"
        )
    if config.paradigm != "map":
        raise ConfigError(
            f"paradigm '{config.paradigm}': a localizer in memory places by the map's points: localize captures by "
            "`vloc localize` or `vloc.localize`"
        )
