"""Estimates -> estimates that agree with what accelerometers and satellites said when the queries were taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .array_types import Float64
from .config import LocalizationConfig
from .data.capture import Capture
from .data.estimate import PoseEstimate
from .data.gravity import Gravity
from .errors import ConfigError, DataError
from .formats.gps import LOCAL
from .geometry.geodesy import enu_from_wgs84
from .geometry.rigid import Rigid
from .map import Map
from .solvers.pose_priors import Measured, PriorConfig, Upright, drawn, of_center, of_up, sigmas_apart
from .stages.places import check_reading
from .stages.positions import image_readings

Vectors = Mapping[str, Float64[np.ndarray, "3"]]
"""of queries, by name"""
INSTEAD = "leave out --priors.gravity-deg"


@dataclass(frozen=True, eq=False)
class Sensed:
    """Which way is up in the axes of the queries' cameras, and where these are in the map, of as many as is known.

    `num_axes`: of a position, those that count: a satellite's height does not.
    """

    ups: Vectors
    centers: Vectors
    num_axes: int


def sensed_by(queries: Capture, map_: Map, config: LocalizationConfig) -> Sensed:
    """What there is of what priors ask for; DataError, before any work, where there is none of it."""
    priors = config.priors
    if priors.upright and not (priors.gravity_deg and config.paradigm == "map"):
        raise ConfigError(
            "--priors.upright samples matches with the map under the up that an accelerometer felt: it needs "
            "--priors.gravity-deg and --paradigm map"
        )
    ups = _ups(queries) if priors.gravity_deg else {}
    centers, num_axes = _centers(queries, map_) if priors.gnss_m else ({}, 0)
    return Sensed(ups, centers, num_axes)


def uprights(config: PriorConfig, sensed: Sensed) -> dict[str, Upright]:
    """The ups under which poses are looked for; none unless that is asked for."""
    if not config.upright:
        return {}
    sigma = float(np.radians(config.gravity_deg))
    return {name: Upright(up, config.up_in_world, sigma) for name, up in sensed.ups.items()}


def _ups(queries: Capture) -> dict[str, Float64[np.ndarray, "3"]]:
    gravity, found, reason = Gravity(queries, INSTEAD), {}, ""
    for name in queries.images.names:
        try:
            found[name] = gravity.up(name)
        except DataError as error:
            reason = str(error)
    if not found and reason:
        raise DataError(reason)
    return found


def _centers(queries: Capture, map_: Map) -> tuple[dict[str, Float64[np.ndarray, "3"]], int]:
    """Places in the map, and how many of their coordinates count."""
    readings, system = image_readings(queries)
    found = {name: readings[name] for name in queries.images.names if name in readings}
    if not found and len(queries.images):
        raise DataError("no query has a position by satellite (EXIF, sensors/records_gnss.txt): no --priors.gnss-m")
    for name, reading in found.items():
        check_reading(name, reading, system)
    if system == LOCAL:
        return found, 3
    if (origin := map_.frame.origin) is None:
        raise ConfigError(
            f"--priors.gnss-m: {map_.folder} does not know where on earth it is: `vloc align {map_.folder} --to gnss`"
        )
    places = np.array([reading[[1, 0, 2]] for reading in found.values()])
    return dict(zip(found, enu_from_wgs84(places, np.array(origin)), strict=True)), 2


def with_priors(config: PriorConfig, sensed: Sensed, estimates: Sequence[PoseEstimate]) -> list[PoseEstimate]:
    """Every pose drawn to what was sensed, none where that contradicts it."""
    return [_with_priors(config, sensed, estimate) for estimate in estimates]


def _with_priors(config: PriorConfig, sensed: Sensed, estimate: PoseEstimate) -> PoseEstimate:
    pose, covariance = estimate.cam_from_world, estimate.covariance
    if pose is None or covariance is None:
        return estimate
    told = _measured(config, sensed, estimate.name, pose)
    for what, measured in told.items():
        if (apart := sigmas_apart(measured, covariance)) > config.max_sigmas:
            return _refused(estimate, what, measured, apart, config)
    for what in told:
        pose, covariance = drawn(pose, covariance, _measured(config, sensed, estimate.name, pose)[what])
    return replace(estimate, cam_from_world=pose, covariance=covariance)


def _measured(config: PriorConfig, sensed: Sensed, name: str, pose: Rigid) -> dict[str, Measured]:
    """What sensors say of a query's pose, by what it is about."""
    told = {}
    if name in sensed.ups:
        told["up"] = of_up(pose, config.up_in_world, sensed.ups[name], float(np.radians(config.gravity_deg)))
    if name in sensed.centers:
        told["place"] = of_center(pose, sensed.centers[name], sensed.num_axes, config.gnss_m)
    return told


def _refused(estimate: PoseEstimate, what: str, measured: Measured, apart: float, config: PriorConfig) -> PoseEstimate:
    """The estimate without its pose; its evidence and confidence stay."""
    size = float(np.linalg.norm(measured.residual))
    off = {
        "up": f"its up is {np.degrees(size):.1f} degrees off what the accelerometer felt",
        "place": f"it is {size:.3g} {estimate.unit} from the position by satellite",
    }[what]
    reason = f"a pose was found, but {off}: {apart:.1f} standard deviations, expected {config.max_sigmas:g}"
    return replace(estimate, cam_from_world=None, source="none", covariance=None, reason=reason)
