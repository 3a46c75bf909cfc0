"""What the page says of queries: order, words, and nothing unescaped."""

from __future__ import annotations

import numpy as np

from vloc.data.estimate import PoseEstimate
from vloc.geometry.rigid import Rigid
from vloc.page import template
from vloc.page.pictures import data_uri, fitted, spread
from vloc.page.rows import ordered
from vloc.stages.evaluate import evaluate


def at(x: float) -> Rigid:
    return Rigid(np.eye(3), np.array([x, 0.0, 0.0]))


def test_failures_come_first_then_the_largest_errors() -> None:
    truth = dict.fromkeys("abcd", at(0.0))
    estimates = [
        PoseEstimate("a", at(0.01), "pnp", 20, 30), PoseEstimate("b", None, "none", reason="3 inliers"),
        PoseEstimate("c", at(0.5), "pnp", 20, 30), PoseEstimate("d", at(0.1), "pnp", 20, 30),
    ]  # fmt: skip
    poses = {e.name: e.cam_from_world for e in estimates if e.cam_from_world is not None}
    rows = ordered(estimates, evaluate(poses, truth))
    assert [row.estimate.name for row in rows] == ["b", "c", "d", "a"]
    assert [row.label for row in rows] == ["1", "2", "3", "4"]
    assert "3 inliers" in rows[0].verdict
    assert rows[1].accuracy == "50.00 cm, 0.000°"


def test_a_pose_that_is_a_fallback_says_so() -> None:
    (row,) = ordered([PoseEstimate("a", at(0.0), "retrieval", 0, 3)], None)
    assert "by retrieval" in row.verdict
    assert "no truth" in row.verdict


def test_names_and_reasons_cannot_break_out_of_the_page() -> None:
    evil = '"><script>alert(1)</script>'
    parts = [
        template.card(evil, evil, failed=True, picture=None, strip=[("data:,", evil)]), template.commands([evil]),
        template.table([evil], [[evil]]), template.facts({evil: evil}), template.tiles([(evil, evil)]),
        template.section(evil), template.note(evil),
    ]  # fmt: skip
    assert "<script" not in template.page(evil, evil, parts)


def test_pictures_become_webp_inside_the_page() -> None:
    picture = fitted(np.zeros((40, 60, 3), np.uint8), 20)
    assert picture.shape == (20, 30, 3)
    assert data_uri(picture).startswith("data:image/webp;base64,UklGR")


def test_of_many_matches_some_are_drawn_from_first_to_last() -> None:
    assert spread(5, 3).tolist() == [0, 2, 4]
    assert spread(2, 3).tolist() == [0, 1]
    assert spread(0, 3).tolist() == []
