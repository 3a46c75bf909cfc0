"""Queries whose capture has an accelerometer and positions: poses that contradict them are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vloc
from vloc.config import LocalizationConfig, make_config
from vloc.data.estimate import PoseEstimate
from vloc.errors import ConfigError, DataError
from vloc.formats.results import read_poses
from vloc.geometry.pose_error import pose_errors
from vloc.geometry.rigid import Rigid
from vloc.priors import Sensed, sensed_by, with_priors
from vloc.solvers.pose_priors import PriorConfig

from .sensing import sensing

TRUTH = Rigid(np.eye(3), np.array([0.0, 0.0, -2.0]))  # at (0, 0, 2), looks along z
COVARIANCE = np.diag([1e-4] * 3 + [1e-2] * 3)


def estimate(pose: Rigid) -> PoseEstimate:
    return PoseEstimate("q", pose, "pnp", covariance=COVARIANCE, confidence=0.9)


def told(pose: Rigid, config: PriorConfig, up: tuple = (0, 0, 1), center: tuple = (0, 0, 2)) -> PoseEstimate:
    sensed = Sensed({"q": np.array(up, float)}, {"q": np.array(center, float)}, 3)
    return with_priors(config, sensed, [estimate(pose)])[0]


def test_a_pose_that_agrees_stays_and_one_that_does_not_is_refused_with_the_reason() -> None:
    agreed = told(TRUTH, PriorConfig(1.0, 1.0))
    assert agreed.is_localized and np.trace(agreed.covariance) < np.trace(COVARIANCE)
    tilted = told(TRUTH, PriorConfig(1.0, 1.0), up=(0, 1, 0))
    assert (tilted.source, tilted.confidence, tilted.covariance) == ("none", 0.9, None)
    assert "its up is 90.0 degrees off what the accelerometer felt" in tilted.reason
    elsewhere = told(TRUTH, PriorConfig(1.0, 1.0), center=(10, 0, 2))
    assert "it is 10 m from the position by satellite: 9." in elsewhere.reason


def test_which_axis_is_up_is_told() -> None:
    assert told(TRUTH, PriorConfig(1.0, 1.0, up="-y"), up=(0, -1, 0)).is_localized
    assert not told(TRUTH, PriorConfig(1.0, 1.0, up="-y")).is_localized


def test_a_query_of_which_nothing_was_sensed_stays_as_it_is() -> None:
    found = with_priors(PriorConfig(1.0, 1.0), Sensed({}, {}, 3), [estimate(TRUTH)])[0]
    assert found.cam_from_world is TRUTH


def test_captures_without_the_sensors_are_refused_before_any_work(gallery: Path, built: Path, tmp_path: Path) -> None:
    map_ = vloc.Map.open(built)
    for settings, said in (
        ({"gravity_deg": 1.0}, "no accelerometer readings .*leave out"),
        ({"gnss_m": 5.0}, "satellite"),
    ):
        with pytest.raises(DataError, match=said):
            vloc.localize(map_, gallery / "query", tmp_path / "work", priors=settings)
    assert not any((tmp_path / "work").glob("extract-*"))
    for settings in ({}, {"gravity_deg": 1.0, "paradigm": "approximation"}):
        paradigm = {"paradigm": settings.pop("paradigm", "map")}
        with pytest.raises(ConfigError, match=r"needs --priors\.gravity-deg and --paradigm map"):
            vloc.localize(map_, gallery / "query", tmp_path / "work", priors={"upright": True, **settings}, **paradigm)
    with pytest.raises(ConfigError, match="priors: a single photo"):
        vloc.Localizer(map_, priors={"gravity_deg": 1.0})


def test_positions_on_earth_need_a_map_that_knows_where_it_is(gallery: Path, built: Path) -> None:
    truth = read_poses(gallery / "query_truth.txt")
    anything = dict.fromkeys(truth, np.array([1.0, 0.0, 0.0]))
    queries = sensing(vloc.read(gallery / "query"), anything, anything)
    sensors = {key: replace(s, params=("EPSG:4326",)) if s.kind == "gnss" else s for key, s in queries.sensors.items()}
    with pytest.raises(ConfigError, match="does not know where on earth it is: `vloc align"):
        sensed_by(
            replace(queries, sensors=sensors),
            vloc.Map.open(built),
            make_config(LocalizationConfig, priors={"gnss_m": 5.0}),
        )


def test_queries_are_held_to_what_their_sensors_felt(gallery: Path, built: Path, tmp_path: Path) -> None:
    truth = read_poses(gallery / "query_truth.txt")
    first, second, *others = truth
    ups = {name: pose.rotation[:, 2] for name, pose in truth.items()}
    centers = {name: pose.center for name, pose in truth.items()}
    wrong = {first: np.roll(ups[first], 1)}, {second: centers[second] + 5.0}
    queries = sensing(vloc.read(gallery / "query"), {**ups, **wrong[0]}, {**centers, **wrong[1]})
    priors = {"gravity_deg": 1.0, "gnss_m": 0.5, "upright": True}
    found = {e.name: e for e in vloc.localize(vloc.Map.open(built), queries, tmp_path / "work", priors=priors)}
    assert [name for name, e in found.items() if not e.is_localized] == [first, second]
    assert "accelerometer" in found[first].reason and "8.66 m from the position" in found[second].reason
    assert all(pose_errors(found[name].cam_from_world, truth[name])[0] < 0.01 for name in others)
