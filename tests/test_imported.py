"""Imported features through the command line: the same poses as of the same features extracted, and what is refused."""

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from vloc.datasets.synthetic_gallery import GalleryConfig, make

import vloc
from vloc.data.records import Trajectory
from vloc.errors import ConfigError
from vloc.formats.results import read_poses
from vloc.map import Map
from vloc.registry import to_text

from .extracted import FEATURE, extracted, with_features, write_with_features
from .jobs import run

TYPE = "sift"
QUICK = "--num-pairs", "4", "--quiet"
PLAIN = "--refine.radius-px", "0", "--quiet"
"""poses as registered: orientations, by which extracted features are refined, are not imported"""


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A smaller gallery than that of the other tests."""
    make(root := tmp_path_factory.mktemp("small"), GalleryConfig(num_images=10, num_queries=3, image_size=(320, 240)))
    return root


@pytest.fixture(scope="module")
def scene(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gallery with SIFT in mapping/ and query/ (packed) themselves, and beside them, of both, in sift/."""
    root = tmp_path_factory.mktemp("imported")
    write_with_features(gallery / "mapping", f"kapture:{root / 'mapping'}", with_matches=True)
    write_with_features(gallery / "query", f"kapture:{root / 'query'}", pack=True)
    write_with_features(gallery / "query", f"kapture:{root / 'loose'}")
    for kind in ("keypoints", "descriptors"):
        for part in ("mapping", "loose"):
            shutil.copytree(root / part / "reconstruction" / kind / TYPE, root / TYPE / kind, dirs_exist_ok=True)
    return root


def photos(gallery: Path, part: str) -> Path:
    return gallery / part / "sensors" / "records_data"


@pytest.fixture(scope="module")
def imported(gallery: Path, scene: Path) -> Path:
    """A map of the features of the capture; only its retrieval looks at photos."""
    flags = "--features", "imported", "--images", photos(gallery, "mapping"), *QUICK
    assert run("map", scene / "mapping", scene / "imported.map", *flags) == 0
    return scene / "imported.map"


@pytest.fixture(scope="module")
def poses(gallery: Path, scene: Path) -> str:
    """What the same features give that vloc extracts itself."""
    assert run("map", gallery / "mapping", scene / "own.map", "--features", FEATURE, *QUICK) == 0
    assert run("localize", scene / "own.map", gallery / "query", scene / "own.txt", *PLAIN) == 0
    assert len(read_poses(scene / "own.txt")) == 3
    return (scene / "own.txt").read_text()


def test_features_of_a_capture_loose_or_packed_give_the_poses_of_extracted_ones(
    gallery: Path, scene: Path, imported: Path, poses: str
) -> None:
    flags = "--images", photos(gallery, "query"), *PLAIN
    assert run("localize", imported, scene / "query", scene / "poses.txt", *flags) == 0
    assert (scene / "poses.txt").read_text() == poses


@pytest.fixture(scope="module")
def beside(gallery: Path, scene: Path) -> Path:
    """A map of the features beside map and queries."""
    with contextlib.chdir(scene):
        assert run("map", gallery / "mapping", "beside.map", "--features", f"imported:path={TYPE}", *QUICK) == 0
    return scene / "beside.map"


def test_features_beside_map_and_queries_give_them_too_from_wherever_the_command_is_run(
    gallery: Path, beside: Path, poses: str, tmp_path: Path
) -> None:
    assert run("localize", beside, gallery / "query", tmp_path / "poses.txt", *PLAIN) == 0
    assert (tmp_path / "poses.txt").read_text() == poses


def test_a_map_keeps_which_type_it_was_made_of_and_says_what_matched_it(
    gallery: Path, scene: Path, imported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Map.open(imported).config
    assert to_text(config.extract) == "imported:type=sift,dims=128,dtype=uint8"
    flags = "--features", "imported", "--images", photos(gallery, "mapping"), "--num-pairs", "4"
    assert run("map", scene / "mapping", imported, *flags) == 0
    said = capsys.readouterr()
    assert "note: local features imported: 'sift' (128 uint8), matched by bands\n" in said.out
    assert "extract: 10 up to date" in said.err


def test_with_global_features_too_no_photo_is_needed_anywhere(
    scene: Path, poses: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = "--features", "imported", "--retrieval", "imported:type=mean", "--num-pairs", "4"
    assert run("map", scene / "mapping", tmp_path / "m", *flags) == 0
    assert "note: global descriptors imported: 'mean' (128 float32)\n" in capsys.readouterr().out
    assert (
        run("localize", tmp_path / "m", scene / "query", tmp_path / "poses.txt", "--quiet", "--num-retrieved", "10")
        == 0
    )
    found, expected = read_poses(tmp_path / "poses.txt"), read_poses(scene / "own.txt")
    assert all(np.linalg.norm(found[name].translation - expected[name].translation) < 0.01 for name in expected)


def test_queries_without_a_global_feature_fail_by_name_and_the_others_go_on(
    gallery: Path, scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = "--features", "imported", "--retrieval", "imported", "--quiet", "--num-pairs", "4"
    assert run("map", scene / "mapping", tmp_path / "m", *flags) == 0
    capture = vloc.read(gallery / "query")
    some = with_features(capture, extracted(capture))
    lacking = some.images.names[0]
    whole = some.reconstruction.global_features["mean"]
    kept = replace(whole, images=[name for name in whole.images if name != lacking])
    work = replace(some.reconstruction, global_features={"mean": kept})
    vloc.write(replace(some, reconstruction=work), f"kapture:{tmp_path / 'query'}", transfer="skip")
    assert run("localize", tmp_path / "m", tmp_path / "query", tmp_path / "poses.txt", "--quiet") == 3
    assert f"{lacking}: no imported global features of type 'mean'; 2 images have them" in capsys.readouterr().err
    assert len(read_poses(tmp_path / "poses.txt")) == 2


def test_matches_of_the_capture_give_the_poses_of_the_same_matches_made_here(
    gallery: Path, scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    features = "--features", "imported", "--retrieval", "imported"
    made, read = tmp_path / "made.map", tmp_path / "read.map"
    assert run("map", scene / "mapping", made, *features, "--matcher", "nn", "--pairs", "exhaustive", "--quiet") == 0
    assert run("map", scene / "mapping", read, *features, "--matcher", "imported") == 0
    said = capsys.readouterr()
    assert "note: matches imported: of 'sift'\n" in said.out and "import: 45 of 45 to do" in said.err
    assert to_text(Map.open(read).config.match) == "imported:ratio=0.8,type=sift"
    for name in ("made", "read"):
        poses = tmp_path / f"{name}.txt"
        assert run("localize", tmp_path / f"{name}.map", scene / "query", poses, "--quiet") == 0
    poses_read, poses_made = (read_poses(tmp_path / f"{name}.txt") for name in ("read", "made"))
    assert len(poses_read) == 3
    for name, pose in poses_made.items():  # pairs are named in another order, which rounds otherwise
        assert np.abs(poses_read[name].translation - pose.translation).max() < 1e-7


def test_hlocs_files_are_taken_without_being_asked_for(
    gallery: Path, scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = replace(vloc.read(scene / "mapping"), trajectory=Trajectory.empty())
    vloc.write(mapping, f"hloc:{tmp_path / 'mapping'}", transfer="skip")
    vloc.write(vloc.read(scene / "query"), f"hloc:{tmp_path / 'query'}", transfer="skip")
    assert run("map", f"hloc:{tmp_path / 'mapping'}", tmp_path / "hloc.map") == 0
    said = capsys.readouterr().out
    assert "local features imported: 'features' (128 uint8)\n" in said
    assert "matches imported: of 'features'\n" in said
    assert "global descriptors imported: 'global_features' (128 float32)\n" in said
    assert run("localize", tmp_path / "hloc.map", tmp_path / "query", tmp_path / "poses.txt", "--quiet") == 0
    assert len(read_poses(tmp_path / "poses.txt")) == 3
    map_ = vloc.build_map(f"hloc:{tmp_path / 'mapping'}", tmp_path / "python.map")
    assert map_.config == Map.open(tmp_path / "hloc.map").config


def test_imported_matches_need_imported_keypoints(
    gallery: Path, scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, "map", scene / "mapping", tmp_path / "m", "--matcher", "imported", "--quiet")
    assert "matcher 'imported': its matches count imported keypoints: say --features imported, too" in said
    flags = "--features", "imported", "--matcher", "imported", "--quiet"
    said = refused(capsys, "map", scene / "query", tmp_path / "m", *flags)
    assert "the capture: brings no matches of type 'sift', nor any other" in said


def planned(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert run("map", *arguments, "--num-pairs", "4", "--dry-run") == 0
    return capsys.readouterr().err


def test_changed_content_redoes_its_image_and_another_pixel_center_all(
    gallery: Path, scene: Path, beside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = gallery / "mapping", beside, "--features", f"imported:path={scene / TYPE}"
    assert "extract: 10 up to date" in planned(capsys, *command)
    assert "extract: 10 of 10 to do" in planned(capsys, *command, "--pixel-center", "0")
    name = vloc.read(gallery / "mapping").images.names[3]
    changed = scene / TYPE / "descriptors" / f"{name}.desc"
    before = changed.read_bytes()
    changed.write_bytes(before[::-1])
    assert "extract: 1 of 10 to do" in planned(capsys, *command)
    changed.write_bytes(before)
    assert "extract: 10 up to date" in planned(capsys, *command)


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command says that does no work."""
    assert run(*arguments) == 2
    return capsys.readouterr().err


def test_wrong_types_dims_and_places_are_named_before_any_work(
    gallery: Path, scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(source: Path, features: str) -> str:
        return refused(capsys, "map", source, tmp_path / "m", "--features", features, "--quiet")

    assert "the capture: brings no local features of type 'orb'; there are sift" in said(
        scene / "mapping", "imported:type=orb"
    )
    assert "the capture: brings no local features, nor any other; imported:path=" in said(
        gallery / "mapping", "imported"
    )
    expected = "descriptors of type 'sift': 128 uint8 each, expected 64 uint8: map and queries need"
    assert expected in said(scene / "mapping", "imported:dims=64")
    assert "128 uint8 each, expected 128 float32" in said(scene / "mapping", "imported:dtype=float32")
    said_of = refused(capsys, "map", scene / "mapping", tmp_path / "m", "--retrieval", "imported:type=gem", "--quiet")
    assert "the capture: brings no global features of type 'gem'; there are mean" in said_of
    assert "no such file or folder of features" in said(scene / "mapping", "imported:path=nowhere")
    assert "no features here, expected keypoints/" in said(gallery / "mapping", f"imported:path={scene}")
    assert f"take one of those below: {TYPE}" in said(gallery / "mapping", f"imported:path={scene}")
    assert not (tmp_path / "m").exists()


def test_queries_without_the_maps_type_are_refused(
    gallery: Path, imported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, "localize", imported, gallery / "query", tmp_path / "p.txt", "--quiet")
    assert "the capture: brings no local features of type 'sift', nor any other" in said


def test_queries_of_another_dimension_are_refused(
    gallery: Path, imported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = vloc.read(gallery / "query")
    short = {name: replace(own, descriptors=own.descriptors[:, :64]) for name, own in extracted(capture).items()}
    vloc.write(with_features(capture, short), f"kapture:{tmp_path / 'query'}", transfer="skip")
    said = refused(capsys, "localize", imported, tmp_path / "query", tmp_path / "p.txt", "--quiet")
    assert "descriptors of type 'sift': 64 uint8 each, expected 128 uint8" in said


def test_a_localizer_in_memory_says_that_nothing_extracts_what_was_imported(imported: Path) -> None:
    with pytest.raises(ConfigError, match=r"its imported:type=sift.* came with the capture.*vloc localize"):
        vloc.Localizer(imported)
