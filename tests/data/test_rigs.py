"""Poses of images through rigs, against compositions worked by hand."""

import itertools
import time

import numpy as np
import pytest

from vloc.data.records import Records, Trajectory
from vloc.data.rigs import MAX_RIGS, RigMember, compose_rigs, rig_chains
from vloc.errors import DataError
from vloc.geometry.rigid import Rigid


def shift(x, y=0.0, z=0.0):
    return Rigid(np.eye(3), np.array([x, y, z], float))


QUARTER_TURN = Rigid(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.zeros(3))


def poses(rows, trajectory, members):
    return compose_rigs(Records.from_rows(rows), Trajectory.from_rows(trajectory), members)


def test_a_camera_with_its_own_pose_needs_no_rig():
    found, known = poses([(1, "cam", "a.jpg")], [(1, "cam", shift(1, 2, 3))], [])
    assert known.all() and np.array_equal(found.translation, [[1, 2, 3]])


def test_a_camera_on_a_rig_gets_sensor_from_rig_times_rig_from_world():
    members = [RigMember("rig", "cam", QUARTER_TURN)]
    found, known = poses([(1, "cam", "a.jpg")], [(1, "rig", shift(1))], members)
    # By hand: x_cam = turn(x_world + (1, 0, 0)), so the world's origin is at (0, 1, 0).
    assert known.all() and np.allclose(found[0].apply(np.zeros((1, 3))), [[0, 1, 0]])


def test_nested_rigs_compose_from_the_sensor_upwards():
    members = [RigMember("inner", "cam", QUARTER_TURN), RigMember("outer", "inner", shift(2))]
    found, _ = poses([(1, "cam", "a.jpg")], [(1, "outer", shift(0, 3))], members)
    # By hand: (0, 0, 0) -> (0, 3, 0) -> (2, 3, 0) -> turned (-3, 2, 0).
    assert np.allclose(found[0].apply(np.zeros((1, 3))), [[-3, 2, 0]])


def test_the_own_pose_wins_over_the_rig_and_the_nearer_rig_over_the_farther():
    members = [
        RigMember("near", "cam", shift(0)),
        RigMember("far", "near", shift(0)),
        RigMember("second", "cam", shift(0)),
    ]
    assert [rig for rig, _ in rig_chains(members)["cam"]] == ["near", "second", "far"]
    one, two, three = shift(1), shift(2), shift(3)
    trajectory = [(1, "cam", one), (1, "near", two), (2, "near", two), (2, "far", three), (3, "far", three)]
    found, known = poses([(t, "cam", f"{t}.jpg") for t in (1, 2, 3)], trajectory, members)
    assert known.all() and found.translation[:, 0].tolist() == [1, 2, 3]


def test_times_must_be_equal_not_near():
    found, known = poses([(5, "cam", "a.jpg"), (7, "cam", "b.jpg")], [(4, "cam", shift(1)), (7, "cam", shift(2))], [])
    assert known.tolist() == [False, True] and np.array_equal(found.translation[0], [0, 0, 0])


def test_a_pose_that_lacks_its_translation_gives_no_pose():
    _, known = poses([(1, "cam", "a.jpg")], [(1, "cam", Rigid(np.eye(3), np.full(3, np.nan)))], [])
    assert not known.any()


def test_a_member_of_unknown_geometry_gives_no_pose():
    _, known = poses([(1, "cam", "a.jpg")], [(1, "rig", shift(1))], [RigMember("rig", "cam", None)])
    assert not known.any()


def test_rigs_in_a_circle_are_refused_by_name():
    members = [RigMember("a", "b", shift(0)), RigMember("b", "a", shift(0))]
    with pytest.raises(DataError, match="circle: a -> b -> a"):
        rig_chains(members)


def test_19_digit_timestamps_are_told_apart():
    late = 1_600_000_000_000_000_001
    _, known = poses([(late, "cam", "a.jpg")], [(late - 1, "cam", shift(1))], [])
    assert not known.any()


def test_a_camera_per_image_takes_time_linear_in_their_number():
    count = 20_000
    names = [f"cam{i:05}" for i in range(count)]
    records = Records(np.arange(count), np.arange(count, dtype=np.int32), tuple(names), names)
    trajectory = Trajectory(
        np.arange(count),
        np.arange(count, dtype=np.int32),
        tuple(names),
        np.tile([1.0, 0, 0, 0], (count, 1)),
        np.stack([np.arange(count), np.zeros(count), np.zeros(count)], axis=1).astype(float),
    )
    found, known = compose_rigs(records, trajectory, [])
    assert known.all() and np.array_equal(found.translation[:, 0], np.arange(count))


def test_rigs_900_deep_compose_in_well_under_a_second():
    members = [RigMember("r0", "cam", shift(1))] + [RigMember(f"r{i + 1}", f"r{i}", shift(1)) for i in range(899)]
    start = time.process_time()
    found, known = poses([(1, "cam", "a.jpg")], [(1, "r899", shift(0, 5))], members[::-1])
    assert time.process_time() - start < 0.5
    # By hand: 900 steps of 1 along x.
    assert known.all() and np.allclose(found.translation, [[900, 5, 0]])


def test_rigs_that_fan_out_over_25_layers_are_walked_once_each():
    # 2 ** 25 ways lead from the sensor to the outermost rigs.
    layers = [["cam"], *([f"a{i}", f"b{i}"] for i in range(25))]
    members = [
        RigMember(rig, device, shift(1))
        for below, layer in itertools.pairwise(layers)
        for rig in layer
        for device in below
    ]
    start = time.process_time()
    found, known = poses([(1, "cam", "a.jpg")], [(1, "b24", shift(0))], members)
    assert time.process_time() - start < 0.5
    assert known.all() and np.allclose(found.translation, [[25, 0, 0]])


def test_of_two_ways_to_a_rig_the_shorter_counts():
    members = [
        RigMember("near", "cam", shift(1)),
        RigMember("far", "near", shift(1)),
        RigMember("far", "cam", shift(7)),
    ]
    found, _ = poses([(1, "cam", "a.jpg")], [(1, "far", shift(0))], members)
    assert found.translation.tolist() == [[7, 0, 0]]


def test_a_sensor_on_thousands_of_rigs_is_refused_by_name():
    members = [RigMember(f"r{i}", "cam", shift(1)) for i in range(1001)]
    with pytest.raises(DataError, match="'cam' hangs on more than 1000 rigs"):
        rig_chains(members)


def test_as_many_rigs_above_a_sensor_as_are_allowed_and_not_one_more():
    def chain(count):
        rigs = ["cam", *(f"rig{i}" for i in range(count))]
        return [RigMember(above, below, shift(1)) for below, above in itertools.pairwise(rigs)]

    found = dict(rig_chains(chain(MAX_RIGS))["cam"])
    assert len(found) == MAX_RIGS and found[f"rig{MAX_RIGS - 1}"].translation[0] == MAX_RIGS
    with pytest.raises(DataError, match="more than 1000 rigs"):
        rig_chains(chain(MAX_RIGS + 1))
