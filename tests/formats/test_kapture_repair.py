"""Repairing quaternions: what a row says stays the same, and so does every byte besides."""

from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vloc.formats.access import read
from vloc.formats.kapture.repair import normalise_quaternions

NUMBER = st.floats(-50, 50, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-3)
QUATERNION = st.tuples(NUMBER, NUMBER, NUMBER, NUMBER).filter(lambda q: np.linalg.norm(q) > 1e-2)
HEADER = "# kapture format: 1.1\n# timestamp, device_id, qw, qx, qy, qz, tx, ty, tz\n"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(quats=st.lists(QUATERNION, min_size=1, max_size=5))
def test_a_repaired_row_is_the_same_rotation_and_needs_no_remark(folder: Path, quats: list) -> None:
    path = folder / "sensors" / "trajectories.txt"
    rows = [f"{time}, cam0, {', '.join(map(repr, quat))}, 1, 2, 3\n" for time, quat in enumerate(quats)]
    path.write_text(HEADER + "".join(rows))
    before = read(folder).trajectory
    normalise_quaternions(folder)
    after = read(folder)
    assert np.allclose(after.trajectory.quat_wxyz, before.quat_wxyz, atol=1e-15)
    assert not any("normalised" in note for note in after.notes)


def test_rows_without_rotation_comments_and_line_ends_stay(folder: Path) -> None:
    path = folder / "sensors" / "trajectories.txt"
    text = HEADER.encode() + b"1, cam0, , , , , 1, 2, 3\r\n# 2, cam0, 3, 0, 0, 0, 1, 2, 3\n\n"
    path.write_bytes(text + b"3, cam0, 2, 0, 0, 0, 1, 2, 3")
    assert normalise_quaternions(folder) == [f"{path}:6: quaternion normalised"]
    assert path.read_bytes() == text + b"3, cam0, 1.0, 0.0, 0.0, 0.0, 1, 2, 3"


def test_rigs_are_repaired_too(folder: Path) -> None:
    path = folder / "sensors" / "rigs.txt"
    path.write_text(path.read_text().replace("0.0, 0.0, 1.0, 0.0, 0.5", "0.0, 0.0, 3.4, 0.0, 0.5"))
    assert normalise_quaternions(folder) == [f"{path}:4: quaternion normalised"]
    assert np.allclose(read(folder).rigs[1].sensor_from_rig.quat_wxyz, [0, 0, 1, 0])
