"""A small kapture folder as other programs write it, and the real data; makes `everything` importable."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

SENSORS = """# kapture format: 1.1
# sensor_id, name, sensor_type, [sensor_params]+
cam0, left, camera, PINHOLE, 640, 480, 500.0, 501.0, 320.0, 240.0
cam1, , camera, SIMPLE_RADIAL, 320, 240, 250, 160, 120, 0.01
lidar, , lidar
"""
RIGS = """# kapture format: 1.1
# rig_id, sensor_id, qw, qx, qy, qz, tx, ty, tz
rig, cam0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
rig, cam1, 0.0, 0.0, 1.0, 0.0, 0.5, 0.0, 0.0
"""
TRAJECTORIES = """# kapture format: 1.1
# timestamp, device_id, qw, qx, qy, qz, tx, ty, tz
      10, rig, 1.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0
      20, cam0, 0.6, 0.8, 0.0, 0.0, -1.0, 0.0, 0.25
"""
RECORDS = """# kapture format: 1.1
# timestamp, device_id, image_path
10, cam0, a/0.jpg
10, cam1, b/0.jpg
20, cam0, a/1.jpg
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A kapture folder: two cameras on a rig, three images, two poses."""
    sensors = tmp_path / "capture" / "sensors"
    sensors.mkdir(parents=True)
    parts = {"sensors": SENSORS, "rigs": RIGS, "trajectories": TRAJECTORIES, "records_camera": RECORDS}
    for name, text in parts.items():
        (sensors / f"{name}.txt").write_text(text)
    return tmp_path / "capture"


@pytest.fixture
def data() -> Path:
    """The real data beside the repository."""
    path = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path
