"""Writing an OpenSfM project: reconstruction.json, camera_models.json, tracks.csv and the images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...data.capture import Capture
from ...errors import DataError
from ..base import WriteOptions
from ..json_text import write_json
from ..kapture.write import transfer_files
from ..scene import Scene
from ..scene_export import common_losses, counted, first_type, posed_part, scene_of
from .camera import written_camera
from .features import VERSION


def write(capture: Capture, path: Path, options: WriteOptions) -> list[str]:
    """The posed images as shots; a feature's size, which a capture does not have, is written as one pixel."""
    scene, without_pose, dropped = posed_part(scene_of(capture, options))
    for name in scene.names:
        if "\t" in name or name != name.strip():
            raise DataError(f"image '{name}' cannot be written in tracks.csv: its blanks would not read back")
    sensors = dict.fromkeys(scene.sensor_of)
    cameras = {sensor: written_camera(sensor, scene.cameras[sensor]) for sensor in sensors}
    rgb = np.zeros((len(scene.points), 3), np.uint8) if scene.points.rgb is None else scene.points.rgb
    path.mkdir()
    points = {
        str(i): {"color": colour, "coordinates": xyz}
        for i, (xyz, colour) in enumerate(zip(scene.points.xyz.tolist(), rgb.astype(float).tolist(), strict=True))
    }
    shots = {name: _shot(scene, row) for row, name in enumerate(scene.names)}
    write_json(path / "reconstruction.json", [{"cameras": cameras, "shots": shots, "points": points}])
    write_json(path / "camera_models.json", cameras)
    _write_tracks(path / "tracks.csv", scene, rgb)
    losses = common_losses(capture, keypoints_type=first_type(capture, options.keypoints_type), keeps_points=True)
    losses |= {"images without a pose": without_pose, "observations in images without a pose": dropped}
    losses |= {"names of sensors": len(capture.sensors) - len(cameras)}
    losses["points without colour, written black"] = len(scene.points) if scene.points.rgb is None else 0
    return counted(losses) + transfer_files(capture.files, scene.names, path / "images", options.transfer)


def _shot(scene: Scene, row: int) -> dict[str, Any]:
    from scipy.spatial.transform import Rotation

    pose = scene.poses[row]
    rotation = Rotation.from_matrix(pose.rotation).as_rotvec().tolist()
    return {"rotation": rotation, "translation": pose.translation.tolist(), "camera": scene.sensor_of[row]}


def _write_tracks(path: Path, scene: Scene, rgb: np.ndarray) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(f"{VERSION}\n")
        for (point, image, number), (x, y) in zip(scene.track.tolist(), scene.pixels.tolist(), strict=True):
            camera = scene.cameras[scene.sensor_of[image]]
            longer = max(camera.width, camera.height)
            position = [(x - camera.width / 2) / longer, (y - camera.height / 2) / longer, 1 / longer]
            fields = [scene.names[image], point, number, *map(repr, position), *rgb[point].tolist()]
            file.write("\t".join(map(str, fields)) + "\n")
