"""The main job on real photos, through the command line, against their published truth."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import vloc
from vloc.cli.main import main
from vloc.map import Map
from vloc.retrieval import FUSIONS
from vloc.retrieval.search import search
from vloc.run.content import ContentHashes
from vloc.runtime import Runtime
from vloc.stages.images import Photos
from vloc.stages.imported import whole_items

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real photos of ../shared are not here"),
]


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def figures(tmp_path: Path, scene: Path, truth: Path, *flags: str) -> dict:
    assert run("map", f"kapture:{scene / 'mapping'}", tmp_path / "scene.map", "--quiet", *flags) == 0
    results = tmp_path / "poses.txt"
    assert run("localize", tmp_path / "scene.map", f"kapture:{scene / 'query'}", results, "--quiet", *flags) == 0
    assert run("evaluate", results, truth, "--json", tmp_path / "figures.json") == 0
    return json.loads((tmp_path / "figures.json").read_text())


def test_virtual_gallery_is_localized_within_2_millimetres_from_a_path_with_spaces_and_unicode(tmp_path: Path) -> None:
    scene = tmp_path / "la galerie virtuelle – 画廊"
    shutil.copytree(SHARED / "virtual_gallery_tutorial", scene)
    found = figures(tmp_path, scene, scene / "query", "--pixel-center", "0")
    assert (found["num_queries"], found["num_localized"]) == (4, 4)
    assert found["median_translation_m"] <= 0.0016
    assert found["median_rotation_deg"] <= 0.025


TUTORIAL = SHARED / "virtual_gallery_tutorial"
IMPORTED = (
    "--features", f"imported:path={TUTORIAL / 'local_features' / 'r2d2_500'}",
    "--retrieval", f"imported:path={TUTORIAL / 'global_features' / 'AP-GeM-LM18'}", "--pixel-center", "0",
)  # fmt: skip
AS_KAPTURE = {
    "map": ["--matcher", "nn:ratio=1", "--verify.max-error-px", "4", "--num-pairs", "5",
            "--triangulate.no-keep-two-view-points"],
    "localize": ["--num-retrieved", "5", "--register.max-error-px", "12", "--register.loss-scale-px", "1",
                 "--refine.radius-px", "0"],
}  # fmt: skip


@pytest.mark.parametrize("settings", [{"map": [], "localize": []}, AS_KAPTURE], ids=["defaults", "as kapture"])
def test_the_tutorials_features_give_poses_at_least_as_good_as_kaptures(tmp_path: Path, settings: dict) -> None:
    """0.97 cm and 0.145 deg are what kapture-localization 1.1 has with them."""
    mapping, query = (f"kapture:{TUTORIAL / part}" for part in ("mapping", "query"))
    assert run("map", mapping, tmp_path / "scene.map", "--quiet", *IMPORTED, *settings["map"]) == 0
    assert run("localize", tmp_path / "scene.map", query, tmp_path / "poses.txt", "--quiet", *settings["localize"]) == 0
    assert run("evaluate", tmp_path / "poses.txt", TUTORIAL / "query", "--json", tmp_path / "figures.json") == 0
    found = json.loads((tmp_path / "figures.json").read_text())
    assert found["num_localized"] == found["num_queries"] == 4
    assert found["median_translation_m"] <= 0.0097 and found["median_rotation_deg"] <= 0.145


def test_similarities_of_imported_global_features_are_kaptures(tmp_path: Path) -> None:
    assert run("map", f"kapture:{TUTORIAL / 'mapping'}", tmp_path / "scene.map", "--quiet", *IMPORTED) == 0
    map_ = Map.open(tmp_path / "scene.map")
    name = "testing/gallery_light1_occlusion1/frames/rgb/camera_0/rgb_00267.jpg"
    photos = Photos(vloc.read(f"kapture:{TUTORIAL / 'query'}"), ContentHashes(tmp_path).get)
    [descriptor] = map_.config.describe
    vector = descriptor.load(Runtime(), {})(whole_items(photos, [name], descriptor).load(0)).vector
    best = search([vector[None]], map_.vectors.value, FUSIONS.parse("mean"), 1)
    assert map_.sparse.image_names[best.of(0)[0]].endswith("camera_1/rgb_00223.jpg")
    assert best.scores[0] == pytest.approx(0.80717938, abs=1e-6)


def test_colmaps_keypoints_and_matches_give_its_points_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """COLMAP made 3,355 observations of these features, at a median of 0.25 px."""
    capture = SHARED / "format_samples" / "maupertuis" / "kapture"
    flags = "--features", "imported", "--matcher", "imported", "--json", "--quiet"
    assert run("map", f"kapture:{capture}", tmp_path / "scene.map", *flags) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["num_registered"] == 4 and summary["num_observations"] >= 3355
    assert summary["mean_reprojection_error_px"] < 0.3


@pytest.mark.parametrize(("scene", "median_m"), [("fountain-P11", 0.0025), ("Herz-Jesus-P8", 0.0060)])
def test_strecha_scenes_are_localized_within_millimetres_and_without_intrinsics_within_centimetres(
    tmp_path: Path, scene: str, median_m: float
) -> None:
    folder = SHARED / "strecha" / scene
    queries = {line.split()[0] for line in (folder / "queries_with_intrinsics.txt").read_text().splitlines()}
    truth = [line for line in (folder / "gt_poses.txt").read_text().splitlines() if line.split()[0] in queries]
    (tmp_path / "truth.txt").write_text("\n".join(truth) + "\n")
    found = figures(tmp_path, folder, tmp_path / "truth.txt")
    assert found["num_localized"] == found["num_queries"] == len(queries)
    assert found["median_translation_m"] <= median_m
    assert found["max_translation_m"] <= 0.025
    guessed, photos = tmp_path / "guessed.txt", folder / "query" / "sensors" / "records_data"
    assert run("localize", tmp_path / "scene.map", f"images:{photos}", guessed, "--quiet") == 0
    assert run("evaluate", guessed, tmp_path / "truth.txt", "--json", tmp_path / "guessed.json") == 0
    found = json.loads((tmp_path / "guessed.json").read_text())
    assert found["num_localized"] == len(queries) and found["max_translation_m"] <= 0.025


@pytest.mark.slow
def test_sceaux_castle_is_reconstructed_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("map", SHARED / "sceaux_castle", tmp_path / "castle.map", "--json", "--quiet") == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["num_registered"] == summary["num_images"] == 11
    assert np.isfinite(summary["mean_reprojection_error_px"]) and summary["mean_reprojection_error_px"] < 0.8
