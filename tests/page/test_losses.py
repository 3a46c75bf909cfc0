"""Where queries were lost, counted by hand."""

import numpy as np

from vloc.data.estimate import PoseEstimate
from vloc.data.evidence import Evidence
from vloc.geometry.rigid import Rigid
from vloc.page.losses import funnel, histograms

SEEN = Evidence(-3.0, 0.5, 0.2, 0.9, 0.01)
BROKEN = PoseEstimate("broken.jpg", None, "none", reason="not an image")
DARK = PoseEstimate("dark.jpg", None, "none", 3, 8, retrieved=("a",))
WALL = PoseEstimate("wall.jpg", None, "none", 5, 80, retrieved=("a",))
DOUBTED = PoseEstimate("doubted.jpg", None, "none", 30, 80, retrieved=("a",), evidence=SEEN, confidence=0.2)
RIGHT = PoseEstimate("right.jpg", Rigid.identity(), "pnp", 60, 80, retrieved=("a",), evidence=SEEN, confidence=0.9)
GIVEN = PoseEstimate("given.jpg", Rigid.identity(), "sequence")


def test_every_query_is_counted_up_to_where_it_was_lost() -> None:
    rows = funnel([BROKEN, DARK, WALL, DOUBTED, RIGHT, GIVEN], min_matches=12)
    assert [count for _, count, _ in rows] == [6, 5, 4, 3, 2]
    assert [remark.partition(":")[0] for *_, remark in rows] == [
        "",
        "1 lost to the photo",
        "1 lost to matching",
        "1 lost to geometry",
        "1 lost to evidence",
    ]


def test_nothing_lost_is_not_remarked_upon() -> None:
    assert [(count, remark) for _, count, remark in funnel([RIGHT, RIGHT], 12)] == [(2, "")] * 5


def test_histograms_are_drawn_of_whatever_there_is() -> None:
    for estimates, errors in (([DARK, RIGHT], np.array([0.1, 3.0])), ([BROKEN], np.zeros(0)), ([], np.zeros(0))):
        drawn = histograms(estimates, errors)
        assert drawn.startswith("<svg") and "reprojection error, px" in drawn
