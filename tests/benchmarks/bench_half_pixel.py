"""What half a pixel at every scale is worth: the R2D2 keypoints of the tutorial as they are, and centred.

    python tests/benchmarks/bench_half_pixel.py DATA

The official code puts pixel x of an image reduced s times at x s, whose centre is at (x + 1/2) s - 1/2 in the same
convention. Both are imported, with the tutorial's AP-GeM, at the settings of docs/benchmarks.md.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

import vloc
from vloc.geometry.pose_error import pose_errors

KAPTURE = (
    {"match": "nn:ratio=1", "verify.max_error_px": 4.0, "pair.num_pairs": 5, "triangulate.keep_two_view_points": False},
    {
        "retrieve.num_retrieved": 5,
        "register.max_error_px": 12.0,
        "register.loss_scale_px": 1.0,
        "refine.radius_px": 0.0,
    },
)
"""settings of map and localization that do as kapture does"""


def centred(features: Path, folder: Path) -> Path:
    """A copy of R2D2's features with keypoints at the centres of their pixels; the third number is 32 s."""
    shutil.copytree(features, folder)
    for path in folder.rglob("*.kpt"):
        rows = np.fromfile(path, np.float32).reshape(-1, 3)
        rows[:, :2] += (rows[:, 2:] / 32 - 1) / 2
        rows.tofile(path)
    return folder


def nested(flat: dict[str, object]) -> dict[str, object]:
    """`{"a.b": 1}` as `{"a": {"b": 1}}`."""
    made: dict[str, object] = {}
    for name, value in flat.items():
        stage, _, setting = name.partition(".")
        made[stage] = {**made.get(stage, {}), setting: value} if setting else value  # type: ignore[dict-item]
    return made


def errors(tutorial: Path, features: Path, folder: Path, mapping: dict, localization: dict) -> tuple[float, ...]:
    """Median cm and degrees, worst cm."""
    described = f"imported:path={tutorial / 'global_features' / 'AP-GeM-LM18'}"
    captures = [vloc.read(f"kapture:{tutorial / part}", pixel_center=0) for part in ("mapping", "query")]
    made = {"extract": f"imported:path={features}", "describe": [described], **nested(mapping)}
    map_ = vloc.build_map(captures[0], folder / "map", **made)
    found = vloc.localize(map_, captures[1], folder / "poses", **nested(localization))
    away = [pose_errors(each.cam_from_world, captures[1].pose(each.name)) for each in found]
    metres, radians = np.array(away, float).T
    return 100 * np.median(metres), np.degrees(np.median(radians)), 100 * metres.max()


def main() -> None:
    """A line for each of both and both settings."""
    tutorial = Path(sys.argv[1]) / "virtual_gallery_tutorial"
    official = tutorial / "local_features" / "r2d2_500"
    with tempfile.TemporaryDirectory() as name:
        places = {"x s": official, "centred": centred(official, Path(name) / "centred")}
        for settings, (mapping, localization) in (("as kapture does", KAPTURE), ("defaults", ({}, {}))):
            for place, features in places.items():
                found = errors(tutorial, features, Path(name) / f"{settings} {place}", mapping, localization)
                print(f"{settings}, {place}: {found[0]:.2f} / {found[1]:.3f} / {found[2]:.2f}", flush=True)


if __name__ == "__main__":
    main()
