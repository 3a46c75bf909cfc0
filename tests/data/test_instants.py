"""Which images a rig took together."""

import numpy as np
import pytest

from vloc.data.capture import Capture, Sensor
from vloc.data.instants import instants_of
from vloc.data.records import Records
from vloc.data.rigs import RigMember
from vloc.geometry.rigid import Rigid


def shift(x: float) -> Rigid:
    return Rigid(np.eye(3), np.array([x, 0.0, 0.0]))


def capture(rows: list[tuple[int, str, str]], rigs: list[RigMember]) -> Capture:
    return Capture({device: Sensor("camera") for _, device, _ in rows}, Records.from_rows(rows), rigs=tuple(rigs))


PAIR = [RigMember("rig", "a", shift(1)), RigMember("rig", "b", shift(2))]
ROWS = [(0, "a", "a0"), (0, "b", "b0"), (10, "a", "a1"), (20, "a", "a2"), (21, "b", "b2")]


def names_of(capture: Capture, max_gap: int = 0) -> list[tuple[str, ...]]:
    return [instant.names for instant in instants_of(capture, capture.images.names, max_gap)]


def test_images_of_one_rig_and_time_are_one_instant() -> None:
    (found,) = instants_of(capture(ROWS, PAIR), ["b0", "a0", "a1", "a2", "b2"])
    assert (found.rig, found.timestamp, found.names, found.key) == ("rig", 0, ("a0", "b0"), "a0")
    assert [(name, mount.translation[0]) for name, mount in found.members] == [("a0", 1.0), ("b0", 2.0)]


@pytest.mark.parametrize(("max_gap", "expected"), [(0, [("a0", "b0")]), (1, [("a0", "b0"), ("a2", "b2")])])
def test_cameras_that_are_not_synchronised_belong_together_within_the_gap(max_gap: int, expected: list) -> None:
    assert names_of(capture(ROWS, PAIR), max_gap) == expected


def test_no_camera_is_twice_at_one_instant() -> None:
    rows = [(0, "a", "a0"), (1, "b", "b0"), (2, "a", "a1"), (3, "b", "b1")]
    assert names_of(capture(rows, PAIR), 10) == [("a0", "b0"), ("a1", "b1")]


def test_only_the_images_asked_for_count() -> None:
    assert instants_of(capture(ROWS, PAIR), ["a0", "a1"]) == []


def test_rigs_apart_and_cameras_without_known_geometry_are_not_together() -> None:
    apart = [RigMember("one", "a", shift(1)), RigMember("other", "b", shift(2))]
    unknown = [RigMember("rig", "a", shift(1)), RigMember("rig", "b", None)]
    assert names_of(capture(ROWS, apart)) == names_of(capture(ROWS, unknown)) == names_of(capture(ROWS, [])) == []


def test_nested_rigs_are_one_by_the_outermost() -> None:
    nested = [
        RigMember("left", "a", shift(1)),
        RigMember("car", "left", shift(10)),
        RigMember("car", "b", shift(2)),
    ]
    (found,) = instants_of(capture(ROWS, nested), ["a0", "b0"])
    assert found.rig == "car" and [mount.translation[0] for _, mount in found.members] == [11.0, 2.0]
