"""Published benchmarks in their own raw formats, tiny, made from the synthetic gallery, whose truth is exact."""

from __future__ import annotations

from pathlib import Path

import vloc
from vloc.data.merging import merge
from vloc.formats.results import read_poses


def under(location: Path, folder: str) -> vloc.Capture:
    """A capture with its images in a folder."""
    return merge([vloc.read(f"kapture:{location}")], [folder])


def put_images(capture: vloc.Capture, folder: Path) -> None:
    """The image files of a capture in a folder."""
    assert capture.files is not None
    for name in capture.images.names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(capture.files.read(name))


def intrinsics_line(capture: vloc.Capture, name: str) -> str:
    """A line `name MODEL w h params...`."""
    camera = capture.camera(name)
    return f"{name} {camera.model} {camera.width} {camera.height} {' '.join(map(repr, camera.params))}\n"


def truth_of(gallery: Path, folder: str) -> dict[str, vloc.Rigid]:
    """The true poses of the queries, whose images are in a folder."""
    return {f"{folder}/{name}": pose for name, pose in read_poses(gallery / "query_truth.txt").items()}


def aachen(root: Path, gallery: Path, version: str) -> None:
    """Aachen Day-Night: images_upright, the model as NVM (1.0) or COLMAP's (1.1), and lists of queries."""
    mapping, query = under(gallery / "mapping", "db"), under(gallery / "query", "query")
    for capture in (mapping, query):
        put_images(capture, root / "images_upright")
    (root / "images_upright" / "sequences").mkdir()
    (root / "queries").mkdir()
    for when in ("day", "night"):
        names = [name for name in query.images.names if f"/{when}/" in name]
        lines = "".join(intrinsics_line(query, name) for name in names)
        (root / "queries" / f"{when}_time_queries_with_intrinsics.txt").write_text(lines)
    if version == "1.1":
        (root / "3D-models").mkdir()
        vloc.write(mapping, f"colmap:{root / '3D-models' / 'aachen_v_1_1'}", transfer="skip")
    else:
        _nvm(root / "3D-models", mapping)


def _nvm(folder: Path, mapping: vloc.Capture) -> None:
    """Poses as VisualSFM has them (quaternion w first, then the centre), no points; intrinsics beside."""
    folder.mkdir()
    rows = []
    for name in mapping.images.names:
        pose = mapping.pose(name)
        assert pose is not None
        numbers = [mapping.camera(name).focal[0], *pose.quat_wxyz.tolist(), *pose.center.tolist(), 0.0, 0]
        rows.append(f"{name} {' '.join(map(repr, numbers))}\n")
    (folder / "aachen_cvpr2018_db.nvm").write_text(f"NVM_V3\n\n{len(rows)}\n{''.join(rows)}\n0\n")
    lines = "".join(intrinsics_line(mapping, name) for name in mapping.images.names)
    (folder / "database_intrinsics.txt").write_text(lines)
