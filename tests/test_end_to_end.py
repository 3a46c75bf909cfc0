"""The main job on the synthetic gallery, through the command line: right, resumable, repeatable, honest."""

import json
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

import vloc
from vloc.errors import ConfigError
from vloc.formats.results import read_poses
from vloc.page.painter import Painter
from vloc.page.rows import Row
from vloc.stages.images import LookConfig, Photo

from .jobs import FAST, content, map_and_kill, run


@pytest.fixture(scope="module")
def built(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished map of the gallery."""
    folder = tmp_path_factory.mktemp("built") / "gallery.map"
    assert run("map", gallery / "mapping", folder, *FAST, "--workers", "2") == 0
    return folder


def test_every_query_is_localized_to_millimetres(gallery: Path, built: Path, tmp_path: Path) -> None:
    assert run("localize", built, gallery / "query", tmp_path / "poses.txt", "--quiet") == 0
    assert run("evaluate", tmp_path / "poses.txt", gallery / "query_truth.txt", "--json", tmp_path / "f.json") == 0
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["num_localized"] == figures["num_queries"] == 4
    assert figures["median_translation_m"] < 0.0025 and figures["median_rotation_deg"] < 0.03
    assert figures["max_translation_m"] < 0.005 and figures["max_rotation_deg"] < 0.1
    rows = json.loads((tmp_path / "poses.txt.json").read_text())
    assert [row["status"] for row in rows] == ["localized"] * 4
    assert all(row["source"] == "pnp" and row["num_inliers"] >= 12 and row["seconds"] > 0 for row in rows)
    retrieval = ["--retrieval", "--map", built, "--ks", "5", "--json", tmp_path / "r.json"]
    assert run("evaluate", tmp_path / "poses.txt", gallery / "query_truth.txt", *retrieval) == 0
    found = json.loads((tmp_path / "r.json").read_text())["retrieval"]
    assert {row["condition"]: row["recall"]["5"] for row in found} == {"all": 100, "day": 100, "night": 100}


def test_weights_chosen_on_the_map_are_stored_and_used(
    gallery: Path, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(built, tmp_path / "m")
    several = ["--retrieval", "densevlad", "vlad", "--fusion-weights", "auto"]
    assert run("map", gallery / "mapping", folder, *FAST, *several) == 0
    map_ = vloc.Map.open(folder)
    assert map_.weighing is not None and map_.weighing.value.weights.shape == (2,)
    assert run("show", folder) == 0
    assert re.search(r"weights: densevlad [\d.]+, vlad [\d.]+\n", capsys.readouterr().out)
    (estimate, *_) = vloc.localize(map_, gallery / "query", tmp_path / "work", retrieve={"num_retrieved": 5})
    photo = gallery / "query" / "sensors" / "records_data" / estimate.name
    again = vloc.Localizer(map_, retrieve={"num_retrieved": 5}).localize(photo)
    assert estimate.is_localized and again.retrieved == estimate.retrieved


def test_retrieved_images_are_put_in_another_order_in_batches_and_in_memory_alike(
    gallery: Path, built: Path, tmp_path: Path
) -> None:
    chosen = ["alpha_qe:k=2", "diverse", "geometric:depth=6"]
    flags = ["--rerank", *chosen, "--reranking.alpha-qe.alpha", "2", "--num-retrieved", "4", "--quiet"]
    assert run("localize", built, gallery / "query", tmp_path / "poses.txt", *flags) == 0
    rows = json.loads((tmp_path / "poses.txt.json").read_text())
    assert run("localize", built, gallery / "query", tmp_path / "plain.txt", "--num-retrieved", "4", "--quiet") == 0
    plain = json.loads((tmp_path / "plain.txt.json").read_text())
    assert [len(row["retrieved"]) for row in rows] == [4] * 4
    assert [row["retrieved"] for row in rows] != [row["retrieved"] for row in plain]
    localizer = vloc.Localizer(
        built, retrieve={"num_retrieved": 4}, reranking=["alpha_qe:k=2,alpha=2", "diverse", "geometric:depth=6"]
    )
    camera = vloc.read(gallery / "query").camera(rows[0]["name"])
    photo = gallery / "query" / "sensors" / "records_data" / rows[0]["name"]
    assert list(localizer.localize(photo, camera).retrieved) == rows[0]["retrieved"]


def test_queries_get_only_the_images_that_they_may_be_given(gallery: Path, built: Path, tmp_path: Path) -> None:
    chosen = vloc.Map.open(built).taken.device_ids[0]
    flags = ["--filter.cameras", chosen, "--num-retrieved", "4", "--quiet"]
    assert run("localize", built, gallery / "query", tmp_path / "poses.txt", *flags) == 0
    rows = json.loads((tmp_path / "poses.txt.json").read_text())
    devices = {vloc.read(gallery / "mapping").device(image) for row in rows for image in row["retrieved"]}
    assert devices == {chosen}
    photo = gallery / "query" / "sensors" / "records_data" / rows[0]["name"]
    localizer = vloc.Localizer(built, filter={"cameras": chosen}, retrieve={"num_retrieved": 4})
    assert list(localizer.localize(photo).retrieved) == rows[0]["retrieved"]
    with pytest.raises(vloc.ConfigError, match="a single photo does not say"):
        vloc.Localizer(built, filter={"other_folders": 1})


def test_one_and_two_workers_give_the_same_bytes(gallery: Path, built: Path, tmp_path: Path) -> None:
    assert run("map", gallery / "mapping", tmp_path / "m", *FAST, "--workers", "1") == 0
    assert content(tmp_path / "m") == content(built)
    for workers in (1, 2):
        assert (
            run("localize", built, gallery / "query", tmp_path / f"{workers}.txt", "--quiet", "--workers", workers) == 0
        )
    assert (tmp_path / "1.txt").read_bytes() == (tmp_path / "2.txt").read_bytes()


@pytest.mark.parametrize("seed", range(5))
def test_a_killed_run_resumes_to_the_same_map(gallery: Path, built: Path, tmp_path: Path, seed: int) -> None:
    map_and_kill(gallery, tmp_path / "m", seed)
    assert run("map", gallery / "mapping", tmp_path / "m", *FAST) == 0
    assert content(tmp_path / "m") == content(built)


def test_a_changed_setting_never_reuses_old_results_and_the_dry_run_says_why(
    gallery: Path, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "m"
    shutil.copytree(built, folder)
    loud = [flag for flag in FAST if flag != "--quiet"]
    before = content(folder)
    assert run("map", gallery / "mapping", folder, *loud, "--match.ratio", "0.7", "--dry-run") == 0
    told = capsys.readouterr().err
    assert "ratio 0.8 -> 0.7" in told and "extract: 21 up to date" in told
    assert content(folder) == before
    assert run("map", gallery / "mapping", folder, *FAST, "--match.ratio", "0.7") == 0
    fresh = tmp_path / "fresh"
    assert run("map", gallery / "mapping", fresh, *FAST, "--match.ratio", "0.7") == 0
    manifests = [json.loads((map_ / "map.json").read_text()) for map_ in (built, fresh, folder)]
    assert [manifest.pop("version") for manifest in manifests] == [1, 1, 2]
    assert manifests[0] != manifests[1] == manifests[2]


def test_a_broken_image_is_named_and_the_others_go_on(
    gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(gallery / "mapping", tmp_path / "mapping")
    images = tmp_path / "mapping" / "sensors" / "records_data"
    whole = (images / "left" / "000001.jpg").read_bytes()
    (images / "left" / "000001.jpg").write_bytes(whole[: len(whole) // 2])
    (images / "front" / "000002.jpg").unlink()
    assert run("map", tmp_path / "mapping", tmp_path / "m", *FAST) == 3
    told = capsys.readouterr().err
    assert "left/000001.jpg" in told and "front/000002.jpg" in told and "2 failed" in told
    assert run("map", tmp_path / "mapping", tmp_path / "m", *FAST) == 3
    (images / "left" / "000001.jpg").write_bytes(whole)
    (images / "front" / "000002.jpg").write_bytes(
        (gallery / "mapping/sensors/records_data/front/000002.jpg").read_bytes()
    )
    assert run("map", tmp_path / "mapping", tmp_path / "m", *FAST) == 0


def test_a_map_without_points_localizes_nothing_and_says_so(
    gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    impossible = [*FAST, "--match.max-error-px", "1e-12"]
    assert run("map", gallery / "mapping", tmp_path / "m", *impossible) == 3
    assert run("localize", tmp_path / "m", gallery / "query", tmp_path / "poses.txt", "--quiet") == 3
    assert (tmp_path / "poses.txt").read_text() == ""
    rows = json.loads((tmp_path / "poses.txt.json").read_text())
    assert [(row["status"], row["source"]) for row in rows] == [("failed", "none")] * 4


def test_two_runs_on_one_map_do_not_mix(gallery: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "vloc.cli.main", "map", str(gallery / "mapping"), str(tmp_path / "m"), *FAST]
    process = subprocess.Popen(command)
    try:
        while not list((tmp_path / "m").glob("*.lock*")):
            assert process.poll() is None
            time.sleep(0.02)
        assert run(*command[3:]) == 5
        assert str(process.pid) in capsys.readouterr().err
    finally:
        process.kill()
        process.wait()


def test_the_localizer_in_memory_agrees_with_the_batch_run(gallery: Path, built: Path, tmp_path: Path) -> None:
    assert run("localize", built, gallery / "query", tmp_path / "poses.txt", "--quiet") == 0
    queries, rows = vloc.read(gallery / "query"), json.loads((tmp_path / "poses.txt.json").read_text())
    localizer, similar = vloc.Localizer(vloc.Map.open(built)), {row["name"]: row["similarities"] for row in rows}
    for name, pose in read_poses(tmp_path / "poses.txt").items():
        photo = gallery / "query" / "sensors" / "records_data" / name
        estimate = localizer.localize(photo, camera=queries.camera(name))
        assert estimate.cam_from_world is not None
        np.testing.assert_allclose(estimate.cam_from_world.translation, pose.translation, atol=1e-9)
        assert estimate.num_guided > estimate.num_inliers
        assert estimate.similarities == pytest.approx(similar[name], abs=1e-4)
        assert sorted(similar[name], reverse=True) == similar[name] and 0 < similar[name][0] <= 1


def test_descriptors_made_of_local_features_find_the_place_in_either_way(gallery: Path, tmp_path: Path) -> None:
    flags = ["--features", "sift:max_keypoints=600", "--retrieval", "vlad:num_words=16", "bow:num_words=64,of=sift"]
    assert run("map", f"kapture:{gallery / 'mapping'}", tmp_path / "map", "--quiet", *flags) == 0
    queries, map_, few = vloc.read(gallery / "query"), vloc.Map.open(tmp_path / "map"), {"num_retrieved": 3}
    localizer = vloc.Localizer(map_, retrieve=few)
    for estimate in vloc.localize(map_, queries, tmp_path / "poses", retrieve=few):
        photo = gallery / "query" / "sensors" / "records_data" / estimate.name
        assert localizer.localize(photo, queries.camera(estimate.name)).retrieved == estimate.retrieved
        assert estimate.cam_from_world is not None


def test_queries_localized_at_the_same_time_do_not_disturb_each_other(gallery: Path, built: Path) -> None:
    import vloc

    queries, localizer = vloc.read(gallery / "query"), vloc.Localizer(built)

    def localize(name: str) -> list[list[float]]:
        photo = gallery / "query" / "sensors" / "records_data" / name
        found = localizer.localize(photo, camera=queries.camera(name)).cam_from_world
        assert found is not None
        matrix: list[list[float]] = np.c_[found.rotation, found.translation].tolist()
        return matrix

    names = list(queries.images.names) * 2
    alone = [localize(name) for name in names]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(localize, names)) == alone


def test_pairs_of_a_file_leave_out_broken_images(gallery: Path, tmp_path: Path) -> None:
    shutil.copytree(gallery / "mapping", tmp_path / "mapping")
    (tmp_path / "mapping" / "sensors" / "records_data" / "left" / "000001.jpg").write_bytes(b"")
    names = [f"{side}/{i:06d}.jpg" for i in range(4) for side in ("front", "left", "right")]
    pairs = "\n".join(f"{a} {b}" for i, a in enumerate(names) for b in names[i + 1 :])
    (tmp_path / "pairs.txt").write_text(pairs + "\n")
    assert run("map", tmp_path / "mapping", tmp_path / "m", *FAST, "--pairs", tmp_path / "pairs.txt") == 3


@pytest.mark.wrong_shapes  # a checker would look at the broken value first
def test_a_flipped_bit_in_the_map_is_named_before_a_pose_is_given(
    gallery: Path, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(built, tmp_path / "m")
    for shard in (tmp_path / "m").glob("extract-*/*.h5"):
        data = bytearray(shard.read_bytes())
        data[len(data) // 2] ^= 1
        shard.write_bytes(data)
    assert run("localize", tmp_path / "m", gallery / "query", tmp_path / "poses.txt", "--quiet") == 2
    assert "broken shard" in capsys.readouterr().err
    assert not (tmp_path / "poses.txt").exists()


def test_queries_that_are_all_broken_are_listed(gallery: Path, built: Path, tmp_path: Path) -> None:
    shutil.copytree(gallery / "query", tmp_path / "query")
    for photo in (tmp_path / "query" / "sensors" / "records_data").rglob("*.jpg"):
        photo.write_bytes(b"")
    assert run("localize", built, tmp_path / "query", tmp_path / "poses.txt", "--quiet") == 3
    rows = json.loads((tmp_path / "poses.txt.json").read_text())
    assert len(rows) == 4 and all(row["status"] == "failed" and row["reason"] for row in rows)


@pytest.fixture(scope="module")
def spoilt(gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The queries, one of them blurred beyond use."""
    folder = tmp_path_factory.mktemp("spoilt") / "query"
    shutil.copytree(gallery / "query", folder)
    photo = folder / "sensors" / "records_data" / "day" / "000000.jpg"
    cv2.imwrite(str(photo), cv2.GaussianBlur(cv2.imread(str(photo)), (0, 0), 20))
    return folder


def test_a_query_that_fails_for_its_photo_names_the_cause(spoilt: Path, built: Path, tmp_path: Path) -> None:
    assert run("localize", built, spoilt, tmp_path / "poses.txt", "--quiet") == 0
    rows = json.loads((tmp_path / "poses.txt.json").read_text())
    blurred, *others = rows
    assert blurred["status"] == "failed" and "the image is blurred (sharpness 0.0" in blurred["reason"]
    assert blurred["quality"]["overall"] < 0.3
    assert [(row["status"], row["quality"]["overall"]) for row in others] == [("localized", 1)] * 3


def test_a_query_that_is_refused_for_its_photo_is_not_matched(
    spoilt: Path, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("localize", built, spoilt, tmp_path / "poses.txt", "--min-quality", "0.5") == 0
    assert "not localized: day/000000.jpg: refused: quality" in capsys.readouterr().out
    blurred, *others = json.loads((tmp_path / "poses.txt.json").read_text())
    assert (blurred["status"], blurred["num_matches"], blurred["retrieved"]) == ("failed", 0, [])
    assert [row["status"] for row in others] == ["localized"] * 3


def test_the_localizer_in_memory_refuses_the_same_photos(spoilt: Path, built: Path) -> None:
    queries = vloc.read(spoilt)
    localizer = vloc.Localizer(built, quality={"min_quality": 0.5})
    name = "day/000000.jpg"
    estimate = localizer.localize(spoilt / "sensors" / "records_data" / name, camera=queries.camera(name))
    assert estimate.reason.startswith("refused: quality") and estimate.quality is not None


def test_queries_are_matched_by_a_matcher_that_looks_at_positions(
    gallery: Path, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("kornia", reason="kornia is not installed (the 'learned' extra)")
    assert run("localize", built, gallery / "query", tmp_path / "p.txt", "--matcher", "adalam", "--quiet") == 0
    assert run("evaluate", tmp_path / "p.txt", gallery / "query_truth.txt", "--json", tmp_path / "f.json") == 0
    figures = json.loads((tmp_path / "f.json").read_text())
    assert figures["num_localized"] == 4 and figures["max_translation_m"] < 0.005


def on_its_side(query: Path, folder: Path, name: str) -> vloc.Capture:
    """One query, its pixels stored turned counterclockwise; its EXIF orientation says so."""
    from PIL import Image

    queries = vloc.read(query)
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = np.asarray(Image.open(query / "sensors" / "records_data" / name))
    folder.mkdir()
    Image.fromarray(np.ascontiguousarray(np.rot90(pixels))).save(folder / "turned.png", exif=exif)
    Image.fromarray(pixels).save(folder / "upright.png")
    f, _, cx, cy = queries.camera(name).params  # of a PINHOLE
    height, width = pixels.shape[:2]
    cameras = [f"{height} {width} {f} {f} {cy} {width - cx}", f"{width} {height} {f} {f} {cx} {cy}"]
    (folder / "list.txt").write_text(f"turned.png PINHOLE {cameras[0]}\nupright.png PINHOLE {cameras[1]}\n")
    return vloc.read(f"list:{folder / 'list.txt'}", images=folder)


def test_a_photo_stored_on_its_side_is_localized_like_the_upright_one(
    gallery: Path, built: Path, tmp_path: Path
) -> None:
    queries = on_its_side(gallery / "query", tmp_path / "photos", "day/000000.jpg")
    map_ = vloc.Map.open(built)
    turned, upright = vloc.localize(map_, queries, tmp_path / "poses")
    assert turned.cam_from_world is not None and upright.cam_from_world is not None
    turn = np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]])  # x of the stored photo is y of the upright one
    np.testing.assert_allclose(turned.cam_from_world.rotation, turn @ upright.cam_from_world.rotation, atol=1e-4)
    np.testing.assert_allclose(turned.cam_from_world.center, upright.cam_from_world.center, atol=1e-3)
    assert turned.num_matches == upright.num_matches and turned.retrieved == upright.retrieved
    in_memory = vloc.Localizer(map_).localize(tmp_path / "photos" / "turned.png", queries.camera("turned.png"))
    assert in_memory.retrieved == turned.retrieved
    np.testing.assert_allclose(in_memory.cam_from_world.center, turned.cam_from_world.center, atol=1e-9)
    looked_at = []

    def find(photo: Photo, camera: vloc.Camera, estimate: vloc.PoseEstimate) -> None:
        looked_at.append(photo)

    Painter(map_, queries, None, find).card(Row("1", turned, None, None))  # the page shows the same matches
    assert [photo.quarter_turns for photo in looked_at] == [1]


def test_a_single_photo_is_refused_by_a_map_whose_photos_were_turned_by_gravity(built: Path) -> None:
    map_ = vloc.Map.open(built)
    by_gravity = replace(map_, config=replace(map_.config, look=LookConfig("gravity")))
    with pytest.raises(ConfigError, match="by gravity, of which a single photo says nothing"):
        vloc.Localizer(by_gravity)
