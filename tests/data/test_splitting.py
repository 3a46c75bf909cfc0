"""Choosing images of a capture, and what goes with them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vloc.data import splitting
from vloc.data.capture import Capture, Sensor
from vloc.data.reconstruction import Features, InMemory, MatchedPairs, Observations, Points, Reconstruction
from vloc.data.records import Readings, Records, Trajectory
from vloc.data.rigs import RigMember
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

NAMES = ["l/0.jpg", "r/0.jpg", "l/1.jpg", "r/1.jpg", "l/2.jpg", "r/2.jpg"]


def at(x: float) -> Rigid:
    """A pose whose centre is at (x, 0, 0)."""
    return Rigid(np.eye(3), np.array([-float(x), 0.0, 0.0]))


def capture() -> Capture:
    """A rig of two cameras at x = 0, 10 and 20 m, the right one 1 m further; five points, the last unseen."""
    camera = Sensor("camera", camera=Camera("PINHOLE", 64, 48, (50.0, 50.0, 32.0, 24.0)))
    keypoints = {name: np.full((2, 2), float(i), np.float32) for i, name in enumerate(NAMES)}
    pairs = {(NAMES[0], NAMES[1]): np.array([[0.0, 1, 1]]), (NAMES[0], NAMES[2]): np.array([[1.0, 1, 1]])}
    observations = Observations(*(np.array(c, np.int32) for c in ([0, 0, 1, 2, 3], [0, 2, 1, 4, 5], [0, 0, 1, 0, 1])))
    return Capture(
        {"left": camera, "right": camera, "gps": Sensor("gnss"), "ground": Sensor("lidar")},
        Records.from_rows([(10 * (i // 2), ("left", "right")[i % 2], name) for i, name in enumerate(NAMES)]),
        Trajectory.from_rows([(10 * i, "rig", at(10.0 * i)) for i in range(3)]),
        (RigMember("rig", "left", Rigid.identity()), RigMember("rig", "right", at(1.0))),
        {"lidar": Records.from_rows([(4, "ground", "a.pcd"), (6, "ground", "b.pcd"), (99, "ground", "c.pcd")])},
        {
            "gnss": Readings(
                np.array([0, 12]), np.zeros(2, np.int32), ("gps",), {"x": np.array([1.0, 2]), "t": ["a", "b"]}
            )
        },
        Reconstruction(
            Points(np.arange(15.0).reshape(5, 3), np.arange(15, dtype=np.uint8).reshape(5, 3)),
            {"k": observations},
            {"k": Features("k", np.dtype(np.float32), 2, NAMES, InMemory(keypoints))},
            matches={"k": MatchedPairs(list(pairs), InMemory(pairs))},
        ),
    )


def names(part: Capture) -> list[str]:
    return list(part.images.names)


def chosen(rows: np.ndarray) -> list[str]:
    return [name for name, is_chosen in zip(NAMES, rows, strict=True) if is_chosen]


def test_every_nth_keeps_the_images_of_one_time_together() -> None:
    assert chosen(splitting.every_nth(capture(), 2)) == ["l/0.jpg", "r/0.jpg", "l/2.jpg", "r/2.jpg"]


def test_a_folder_is_a_whole_name() -> None:
    assert chosen(splitting.in_folder(capture(), "l/")) == ["l/0.jpg", "l/1.jpg", "l/2.jpg"]
    assert chosen(splitting.in_folder(capture(), "l/0")) == []


def test_names_and_times_choose_their_images() -> None:
    assert chosen(splitting.named(capture(), ["r/1.jpg", "absent"])) == ["r/1.jpg"]
    assert chosen(splitting.in_time(capture(), 10, 20)) == NAMES[2:]


def test_an_area_holds_camera_centres_resolved_through_the_rig() -> None:
    # left cameras at x = 0, 10, 20; right ones at 1, 11, 21
    assert chosen(splitting.in_area(capture(), (1.0, -1.0, -1.0), (10.0, 1.0, 1.0))) == ["r/0.jpg", "l/1.jpg"]


def test_an_image_without_a_pose_is_in_no_area() -> None:
    blind = Capture(capture().sensors, capture().images)
    assert not splitting.in_area(blind, (-1e9,) * 3, (1e9,) * 3).any()


def test_poses_go_with_the_images_of_their_time() -> None:
    part = splitting.part_of(capture(), splitting.in_time(capture(), 10, 10))
    assert part.trajectory.timestamps.tolist() == [10]
    assert part.has_pose.all()
    assert np.allclose(part.pose("r/1.jpg").center, [11, 0, 0])


def test_other_records_go_with_the_image_nearest_in_time() -> None:
    first = splitting.in_time(capture(), 0, 0)
    part, rest = splitting.part_of(capture(), first), splitting.part_of(capture(), ~first)
    assert list(part.others["lidar"].names) == ["a.pcd"]
    assert list(rest.others["lidar"].names) == ["b.pcd", "c.pcd"]
    assert part.readings["gnss"].columns["t"] == ["a"]
    assert rest.readings["gnss"].columns["x"].tolist() == [2.0]


def test_observations_are_renumbered_and_points_that_lost_all_images_leave() -> None:
    rows = splitting.in_time(capture(), 10, 20)
    work = splitting.part_of(capture(), rows).reconstruction
    # Left: point 0 in image 2, 2 in 4, 3 in 5; point 1 was seen by r/0 alone; 4 was never seen and stays.
    assert work.points.xyz[:, 0].tolist() == [0, 6, 9, 12]
    seen = work.observations["k"]
    assert (seen.points.tolist(), seen.images.tolist(), seen.keypoints.tolist()) == ([0, 1, 2], [0, 2, 3], [0, 0, 1])
    assert work.keypoints["k"].images == NAMES[2:]


def test_matches_stay_where_both_images_do() -> None:
    work = splitting.part_of(capture(), splitting.in_time(capture(), 0, 0)).reconstruction
    assert work.matches["k"].pairs == [("l/0.jpg", "r/0.jpg")]


@given(st.lists(st.booleans(), min_size=len(NAMES), max_size=len(NAMES)))
def test_any_two_parts_hold_every_image_observation_and_record(choice: list[bool]) -> None:
    whole, rows = capture(), np.array(choice)
    parts = splitting.part_of(whole, rows), splitting.part_of(whole, ~rows)
    assert sorted(names(parts[0]) + names(parts[1])) == sorted(NAMES)
    assert sum(len(part.reconstruction.observations["k"]) for part in parts) == 5
    assert {*parts[0].others["lidar"].names, *parts[1].others["lidar"].names} == {"a.pcd", "b.pcd", "c.pcd"}
    for part in parts:
        assert part.has_pose.all()
        seen = part.reconstruction.observations["k"]
        for point, image in zip(seen.points, seen.images, strict=True):
            before = {
                tuple(whole.reconstruction.points.xyz[p]): i for p, i in pairs(whole) if NAMES[i] == names(part)[image]
            }
            assert tuple(part.reconstruction.points.xyz[point]) in before


def pairs(whole: Capture) -> list[tuple[int, int]]:
    seen = whole.reconstruction.observations["k"]
    return list(zip(seen.points.tolist(), seen.images.tolist(), strict=True))


def test_what_has_no_image_of_its_own_goes_with_the_image_nearest_in_time() -> None:
    # images at 0, 10 and 20; clouds at 4, 6 and 99, positions at 0 and 12
    parts = [
        splitting.part_of(capture(), np.array([time == t for time in (0, 0, 10, 10, 20, 20)])) for t in (0, 10, 20)
    ]
    assert [list(part.others["lidar"].names) for part in parts] == [["a.pcd"], ["b.pcd"], ["c.pcd"]]
    assert [part.readings["gnss"].columns["t"] for part in parts] == [["a"], ["b"], []]
