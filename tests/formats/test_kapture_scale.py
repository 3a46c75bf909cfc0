"""The bar for opening large captures: 1,000,000 image records with poses, strictly checked, on a quiet machine."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPT = """
import json, resource, sys, time
from vloc.formats.access import read
start = time.perf_counter()
capture = read(sys.argv[1])
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(json.dumps([len(capture.images), len(capture.trajectory), seconds, peak]))
"""
COUNT = 1_000_000


def write_capture(root: Path) -> None:
    """Four cameras, nanosecond timestamps, numbers of 17 digits: 228 MB of text."""
    rng = np.random.default_rng(0)
    quats = rng.normal(size=(COUNT, 4))
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    poses = np.hstack([quats, rng.normal(size=(COUNT, 3)) * 100]).tolist()
    (root / "sensors").mkdir()
    camera = "camera, PINHOLE, 1920, 1080, 1371.0, 1371.0, 960.0, 540.0"
    sensors = "".join(f"cam{i}, , {camera}\n" for i in range(4))
    (root / "sensors/sensors.txt").write_text(f"# kapture format: 1.1\n{sensors}")
    times = [1555399760151000 + row // 4 * 50000 for row in range(COUNT)]
    folder = root / "sensors"
    with (folder / "trajectories.txt").open("w") as poses_file, (folder / "records_camera.txt").open("w") as records:
        for row, (time, pose) in enumerate(zip(times, poses, strict=True)):
            poses_file.write(f"{time}, cam{row % 4}, {', '.join(map(repr, pose))}\n")
            records.write(f"{time}, cam{row % 4}, sequence_{row // 100000:02d}/cam{row % 4}/{time}.jpg\n")


@pytest.mark.slow
def test_million_image_records_with_poses_open_in_3_s_and_600_mb(tmp_path):
    write_capture(tmp_path)
    command = [sys.executable, "-c", SCRIPT, f"kapture:{tmp_path}"]
    images, poses, seconds, gigabytes = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert (images, poses) == (COUNT, COUNT)
    assert seconds < 3
    assert gigabytes < 0.6
