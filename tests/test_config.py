import pytest

from vloc.config import LocalizationConfig, MappingConfig, config_from_json, config_to_json, make_config
from vloc.errors import ConfigError
from vloc.features.sift import Sift


def test_a_config_survives_its_json() -> None:
    config = make_config(MappingConfig, extract="sift:max_keypoints=77", pair={"num_pairs": 3}, seed=5)
    assert config_from_json(config_to_json(config)) == config


def test_plugins_are_taken_by_name_or_made() -> None:
    by_name = make_config(MappingConfig, extract="sift:max_keypoints=77")
    assert by_name == make_config(MappingConfig, extract=Sift(max_keypoints=77))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"extract": "surf"}, "unknown feature 'surf': choose from .*sift"),
        ({"extract": "sift:max_keypoint=3"}, "unknown setting 'max_keypoint'"),
        ({"extract": "sift:max_keypoints=many"}, "max_keypoints"),
        ({"extract": Sift(max_keypoints=-1)}, "max_keypoints"),
        ({"match": "nn:ratio=1.5"}, "ratio"),
        ({"match": "nn:ratio"}, "expected key=value"),
        ({"pair": {"num_pairs": 0}}, "num_pairs"),
        ({"describe": []}, "at least one"),
        ({"describe": ["densevlad", "densevlad"]}, "each once"),
        ({"seed": -1}, "seed"),
        ({"steps": 3}, "unknown setting 'steps'"),
    ],
)
def test_a_setting_that_cannot_be_is_named(settings: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_config(MappingConfig, **settings)


def test_localization_takes_the_maps_matcher_unless_told() -> None:
    assert make_config(LocalizationConfig).match is None
    assert make_config(LocalizationConfig, match="nn:ratio=0.7").match is not None
