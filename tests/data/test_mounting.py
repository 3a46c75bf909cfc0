"""What ties images together in a map, on a capture worked by hand."""

import numpy as np

from vloc.data.capture import Capture, Sensor
from vloc.data.mounting import baselines, mounting_of
from vloc.data.records import Records
from vloc.data.rigs import RigMember
from vloc.geometry.rigid import Rigid


def at(x: float) -> Rigid:
    return Rigid(np.eye(3), np.array([-x, 0.0, 0.0]))


ROWS = [(0, "a", "a0"), (0, "b", "b0"), (10, "a", "a1"), (20, "a", "a2"), (20, "b", "b2"), (20, "phone", "p")]
RIG = (RigMember("rig", "a", at(0)), RigMember("rig", "b", at(0.5)))


def capture(rigs: tuple[RigMember, ...] = RIG) -> Capture:
    return Capture({device: Sensor("camera") for _, device, _ in ROWS}, Records.from_rows(ROWS), rigs=rigs)


def test_images_of_one_time_are_one_instant_and_a_camera_without_a_rig_is_one_itself() -> None:
    names = ["p", "b2", "a0", "b0", "a1", "a2"]
    found = mounting_of(capture(), names)
    assert found is not None
    together = {frozenset(names[row] for row in rows) for rows in found.images_together()}
    assert together == {frozenset(each) for each in (["p"], ["a0", "b0"], ["a1"], ["a2", "b2"])}
    rigs = found.rig_of_sensor[found.sensor_of_image]
    assert len({*rigs[1:]}) == 1 and rigs[0] != rigs[1]
    mounted = found.sensors_from_rig.center[found.sensor_of_image, 0]
    assert mounted.tolist() == [0.0, 0.5, 0.0, 0.5, 0.0, 0.0]


def test_baselines_are_those_of_images_together() -> None:
    names = ["a0", "b0", "a1", "a2", "b2"]
    found = mounting_of(capture(), names)
    assert found is not None
    centers = np.array([[0, 0, 0], [0, 1.0, 0], [5, 0, 0], [9, 0, 0], [9, 0, 1.1]])
    assert np.allclose(baselines(found, centers), [[0.5, 1.0], [0.5, 1.1]])


def test_where_nothing_was_taken_together_nothing_is_tied() -> None:
    assert mounting_of(capture(()), ["a0", "b0"]) is None
    assert mounting_of(capture(), ["a0", "a1", "p"]) is None
