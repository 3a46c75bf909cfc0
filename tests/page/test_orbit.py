"""The view in space: what its script is given, and that a browser draws it."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from vloc.data.sparse_map import SparseMap
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid
from vloc.page import template
from vloc.page.orbit import STEPS, orbit
from vloc.page.plan_view import plan_view

LOOKS_ALONG_Y = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])  # world z is up, camera y is down


def camera_at(*center: float) -> Rigid:
    return Rigid(LOOKS_ALONG_Y, -LOOKS_ALONG_Y @ np.array(center))


def place() -> SparseMap:
    points = np.vstack([[[-2.0, 4, 0], [2, 4, 1]] * 50, [[0, 1e6, 0]]])  # the last is no part of the place
    colors = np.vstack([[[10, 20, 30], [40, 50, 60]] * 50, [[0, 0, 0]]]).astype(np.uint8)
    poses = Rigid.stack([camera_at(-1, 0, 0), camera_at(1, 0, 0)])
    camera = Camera("SIMPLE_PINHOLE", 100, 80, (100.0, 50.0, 40.0))
    return SparseMap(
        ["a.jpg", "b.jpg"], (camera,), np.zeros(2, np.int32), poses, points, np.zeros(101, np.float32),
        np.array([0, 101, 202]), np.tile(np.arange(101, dtype=np.int32), 2), colors=colors,
    )  # fmt: skip


def scene_of(html: str) -> dict:
    return json.loads(re.search(r"const S = (\{.*?\}), bytes", html, re.DOTALL)[1])


def test_points_keep_their_places_and_colours_and_far_ones_stay_out() -> None:
    scene = scene_of(orbit(place(), {}, {}))
    points = np.frombuffer(base64.b64decode(scene["points"]), "<i2").reshape(-1, 3) / STEPS
    colors = np.frombuffer(base64.b64decode(scene["colors"]), np.uint8)
    assert len(points) == 100 and colors[:6].tolist() == [10, 20, 30, 40, 50, 60]
    apart = points[1] - points[0]  # 4 m to the right, 1 m up: axes right, ahead, up in one scale
    np.testing.assert_allclose(apart / apart[0], [1, 0, 0.25], atol=1e-3)
    assert (np.abs(points) <= 1).all()


def test_cameras_are_pyramids_at_their_centres_in_the_colour_of_their_kind() -> None:
    scene = scene_of(orbit(place(), {"1": camera_at(0, 1, 0)}, {"1": camera_at(0, 1.1, 0)}))
    assert [len(group["lines"]) for group in scene["cameras"]] == [2, 1, 1]
    left, right = (np.array(line)[2] for line in scene["cameras"][0]["lines"])
    true, estimated = (np.array(group["lines"][0])[2] for group in scene["cameras"][1:])
    np.testing.assert_allclose((left + right) / 2, estimated - [0, (right - left)[0] / 2, 0], atol=1e-3)
    assert true[1] > estimated[1]


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here to draw the page")
def test_a_city_takes_no_more_of_a_page_than_a_room() -> None:
    """100,000 points and 10,000 map images; 2,000 queries, of which the first hundred, the worst, have labels."""
    rng = np.random.default_rng(0)
    centers = rng.uniform(-900, 900, (12_000, 3))
    poses = Rigid(np.tile(LOOKS_ALONG_Y, (12_000, 1, 1)), -centers @ LOOKS_ALONG_Y.T)
    names, points = [f"{row}.jpg" for row in range(10_000)], rng.uniform(-1000, 1000, (100_000, 3))
    camera, none = Camera("SIMPLE_PINHOLE", 100, 80, (100.0, 50.0, 40.0)), np.zeros(0, np.int32)
    sparse = SparseMap(
        names, (camera,), np.zeros(10_000, np.int32), poses[:10_000], points, np.zeros(100_000, np.float32),
        np.zeros(10_001, np.int64), none,
    )  # fmt: skip
    found = {str(row): poses[10_000 + row] for row in range(2_000)}
    scene, plan = orbit(sparse, found, found), plan_view(sparse, found, found)
    assert [len(group["lines"]) for group in scene_of(scene)["cameras"]] == [1_000] * 3
    assert len(scene) + len(plan) < 2.2e6
    assert ">99<" in plan.replace("\n", "") and ">100<" not in plan.replace("\n", "")


def test_a_browser_draws_it(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(template.page("t", "l", [orbit(place(), {}, {})]), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--dump-dom"]
    command = ["chromium", *flags, f"--user-data-dir={tmp_path / 'user'}", f"file://{tmp_path / 'page.html'}"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert 'data-points="100"' in found
