"""What matchers are set to, and which values they take."""

import pytest

from vloc.errors import ConfigError
from vloc.matching import MATCHERS

NEAREST = {"ratio": 0.8, "mutual": True, "max_distance": 2}
DEFAULTS = {
    "nn": NEAREST,
    "bands": {**NEAREST, "max_error_px": 2},
    "imported": {**NEAREST, "ratio": 0},
    "lightglue": {"threshold": 0.1, "max_keypoints": 2048},
    "adalam": {"area_ratio": 100, "search_expansion": 4, "min_inliers": 6, "min_confidence": 200},
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_documented_figures_were_measured_with_these_defaults(name: str) -> None:
    found = MATCHERS.parse(name)
    assert {setting: getattr(found, setting) for setting in DEFAULTS[name]} == DEFAULTS[name]


@pytest.mark.parametrize(
    ("name", "setting", "limit", "beyond"),
    [
        ("nn", "ratio", 1e-6, 0),
        ("nn", "ratio", 1, 1.001),
        ("nn", "max_distance", 0, -1e-6),
        ("nn", "max_distance", 2, 2.001),
        ("bands", "max_error_px", 1e-6, 0),
        ("imported", "ratio", 0, -1e-6),
        ("imported", "ratio", 1, 1.001),
        ("lightglue", "threshold", 0, -1e-6),
        ("lightglue", "threshold", 1, 1.001),
        ("lightglue", "max_keypoints", 1, 0),
        ("adalam", "area_ratio", 1e-6, 0),
        ("adalam", "search_expansion", 1, 0.999),
        ("adalam", "min_inliers", 3, 2),
        ("adalam", "min_confidence", 1.001, 1),
    ],
)
def test_a_setting_is_taken_up_to_its_limit_and_refused_beyond(
    name: str, setting: str, limit: float, beyond: float
) -> None:
    MATCHERS.parse(f"{name}:{setting}={limit}")
    with pytest.raises(ConfigError, match=setting):
        MATCHERS.parse(f"{name}:{setting}={beyond}")
