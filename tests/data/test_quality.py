from pathlib import Path

import numpy as np
import pytest

from vloc.data.estimate import PoseEstimate
from vloc.data.quality import LIMITS, ImageQuality, Limit
from vloc.geometry.rigid import Rigid

GOOD = {"megapixels": 0.3, "brightness": 0.7, "blown_out": 0.0, "noise": 0.01, "sharpness": 0.5, "texture": 0.9}


def test_goodness_is_the_logarithm_between_useless_and_good() -> None:
    more, less = Limit(0.05, 0.2, "", ""), Limit(0.4, 0.1, "", "")
    np.testing.assert_allclose([more.goodness(v) for v in (0.05, 0.1, 0.2)], [0, 0.5, 1], atol=1e-12)
    np.testing.assert_allclose([less.goodness(v) for v in (0.4, 0.2, 0.1)], [0, 0.5, 1], atol=1e-12)
    assert more.goodness(0.0) < 0 and less.goodness(0.0) > 1


def test_a_good_photo_has_nothing_to_complain_of() -> None:
    assert (ImageQuality(**GOOD).complaint, ImageQuality(**GOOD).overall) == ("", 1.0)


@pytest.mark.parametrize("score", LIMITS)
def test_each_score_alone_can_spoil_a_photo_and_is_named_with_value_and_limit(score: str) -> None:
    limit = LIMITS[score]
    quality = ImageQuality(**(GOOD | {score: limit.useless}))
    assert quality.overall == 0
    assert ImageQuality(**(GOOD | {score: limit.good})).complaint == ""
    assert limit.complaint in quality.complaint
    assert f"{limit.useless:g}, good photos have" in quality.complaint and f" {limit.good:g})" in quality.complaint


def test_the_side_of_the_limit_is_said() -> None:
    assert ImageQuality(**(GOOD | {"noise": 0.2})).complaint.endswith("(noise 0.2, good photos have under 0.1)")
    assert ImageQuality(**(GOOD | {"texture": 0.1})).complaint.endswith("0.1, good photos have over 0.2)")


def test_the_worst_of_several_is_named() -> None:
    quality = ImageQuality(**(GOOD | {"brightness": 0.12, "sharpness": 0.05}))
    assert "blurred" in quality.complaint


def test_missing_texture_is_blamed_only_where_nothing_else_explains_it() -> None:
    assert "dark" in ImageQuality(**(GOOD | {"brightness": 0.1, "texture": 0.01})).complaint
    assert "texture" in ImageQuality(**(GOOD | {"texture": 0.01})).complaint


def test_scores_survive_storing_and_json() -> None:
    quality = ImageQuality(**GOOD)
    assert ImageQuality.from_arrays(quality.to_arrays()) == quality
    assert ImageQuality.from_json(quality.to_json()) == quality


@pytest.mark.parametrize("quality", [None, ImageQuality(**GOOD)])
def test_an_estimate_keeps_its_quality_when_stored(quality: ImageQuality | None) -> None:
    estimate = PoseEstimate("q.jpg", Rigid.identity(), "pnp", 20, 30, np.eye(6), ("a.jpg",), quality=quality)
    assert PoseEstimate.from_arrays(estimate.to_arrays()).quality == quality


def test_the_limits_are_those_of_the_documentation() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "quality.md"
    rows = [line.split("|")[1:-1] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    documented = {row[0].strip(" `"): (float(row[2]), float(row[3])) for row in rows}
    assert documented == {name: (limit.useless, limit.good) for name, limit in LIMITS.items()}
