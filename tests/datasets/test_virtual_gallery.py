"""Virtual Gallery's release against the kapture folders that its authors made of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from vloc.datasets import virtual_gallery
from vloc.datasets.virtual_gallery import VirtualGalleryConfig, make

import vloc
from vloc.errors import DataError
from vloc.formats.results import read_poses

SAMPLES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "format_samples" / "virtual_gallery"
pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not SAMPLES.exists():
        pytest.skip(f"{SAMPLES} is not there")
    root = tmp_path_factory.mktemp("gallery") / "out"
    make(root, VirtualGalleryConfig(SAMPLES / "1.0.0"))
    return root


def test_training_is_what_its_authors_made_of_it(made: Path) -> None:
    ours = vloc.read(made / "mapping", pixel_center=0.0)
    theirs = vloc.read(SAMPLES / "kapture" / "training", pixel_center=0.0)
    assert ours.sensors == theirs.sensors
    assert list(ours.images.names) == list(theirs.images.names)
    assert ours.images.timestamps.tolist() == theirs.images.timestamps.tolist()
    assert np.allclose(ours.cam_from_world.rotation, theirs.cam_from_world.rotation, atol=1e-12)
    assert np.array_equal(ours.cam_from_world.translation, theirs.cam_from_world.translation)
    assert [(m.rig_id, m.sensor_id) for m in ours.rigs] == [(m.rig_id, m.sensor_id) for m in theirs.rigs]
    for own, other in zip(ours.rigs, theirs.rigs, strict=True):
        assert np.allclose(own.sensor_from_rig.rotation, other.sensor_from_rig.rotation, atol=1e-12)
        assert np.allclose(own.sensor_from_rig.translation, other.sensor_from_rig.translation, atol=1e-12)


def test_testing_is_what_its_authors_made_of_it(made: Path) -> None:
    ours = vloc.read(made / "query", pixel_center=0.0)
    theirs = vloc.read(SAMPLES / "kapture" / "testing", pixel_center=0.0)
    truth = read_poses(made / "query_truth.txt")
    assert list(ours.images.names) == list(theirs.images.names)
    assert ours.sensors == theirs.sensors
    assert not ours.has_pose.any()
    for name in theirs.images.names:
        assert np.allclose(truth[name].rotation, theirs.pose(name).rotation, atol=1e-12)
        assert np.array_equal(truth[name].translation, theirs.pose(name).translation)


def test_the_rig_explains_the_poses_of_its_cameras(made: Path) -> None:
    # Each camera gives a pose of the rig; they must be one pose, to the seven digits of the release.
    ours = vloc.read(made / "mapping", pixel_center=0.0)
    first = [ours.pose(name) for name in ours.images.names[:6]]
    rigs = [pose.inverse() for pose in virtual_gallery.rig().values()]
    centers = [(rig_from_sensor @ pose).center for rig_from_sensor, pose in zip(rigs, first, strict=True)]
    assert np.ptp(centers, axis=0).max() < 1e-5


def test_lights_loops_and_occlusions_choose_sequences(tmp_path: Path, made: Path) -> None:
    make(tmp_path / "out", VirtualGalleryConfig(SAMPLES / "1.0.0", lights=(4,), occlusions=(3,)))
    mapping, query = (vloc.read(tmp_path / "out" / part) for part in ("mapping", "query"))
    assert {name.split("/")[1] for name in mapping.images.names} == {"gallery_light4_loop1"}
    assert {name.split("/")[1] for name in query.images.names} == {"gallery_light4_occlusion3"}
    with pytest.raises(DataError, match="0 training and 0 testing images are chosen"):
        make(tmp_path / "none", VirtualGalleryConfig(SAMPLES / "1.0.0", lights=(9,)))


def test_a_frame_without_intrinsics_is_named_by_line(tmp_path: Path, made: Path) -> None:
    copy = shutil.copytree(SAMPLES / "1.0.0", tmp_path / "copy", copy_function=shutil.copyfile)
    path = copy / "testing" / "gallery_light1_occlusion2" / "intrinsic.txt"
    path.parent.chmod(0o755)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(DataError, match=r"extrinsic\.txt:11: frame 9 of camera 0 is not in intrinsic\.txt"):
        make(tmp_path / "out", VirtualGalleryConfig(copy))
