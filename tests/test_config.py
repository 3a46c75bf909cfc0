from operator import attrgetter

import pytest

from vloc.config import LocalizationConfig, MappingConfig, config_from_json, config_to_json, make_config
from vloc.errors import ConfigError
from vloc.features import FEATURES
from vloc.features.sift import Sift
from vloc.matching import MATCHERS


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


DEFAULTS: list[tuple[type, str, dict[str, float]]] = [
    (MappingConfig, "pair", {"num_pairs": 20, "max_distance": 25, "max_angle_deg": 45}),
    (MappingConfig, "verify", {"max_error_px": 2}),
    (MappingConfig, "verify.ransac", {"max_error": 3, "min_inliers": 15, "confidence": 0.9999, "max_iterations": 5000}),
    (MappingConfig, "triangulate", {"max_reproj_error": 4, "min_tri_angle_deg": 1.5}),
    (MappingConfig, "sfm", {"max_reproj_error": 4, "min_inliers": 15, "min_model_size": 3}),
    (MappingConfig, "calibrate", {"num_images": 16, "num_retrieved": 5, "max_keypoints": 1024}),
    (LocalizationConfig, "retrieve", {"num_retrieved": 20}),
    (LocalizationConfig, "filter", {"max_distance": 0, "min_time_apart": 0, "other_folders": 0}),
    (LocalizationConfig, "correspond", {"strongest": 1024, "images": 5, "sure_inliers": 100, "sure_share": 0.5}),
    (LocalizationConfig, "register", {"max_error_px": 8, "min_inliers": 12, "min_confidence": 0.5}),
    (LocalizationConfig, "register", {"max_iterations": 10_000, "min_iterations": 100, "success_probability": 0.9999}),
    (LocalizationConfig, "register", {"loss_scale_px": 0.5, "focal_error": 0.05, "max_focal_error": 0.06}),
    (LocalizationConfig, "refine", {"radius_px": 6, "near_px": 2.5, "images": 16, "ratio": 0.85, "noise_px": 0.5}),
]


@pytest.mark.parametrize(("config", "part", "values"), DEFAULTS)
def test_the_documented_figures_were_measured_with_these_defaults(config: type, part: str, values: dict) -> None:
    """Whoever changes one changes everybody's results: figures are then measured anew, and CHANGELOG says so."""
    found = attrgetter(part)(config())
    assert {name: getattr(found, name) for name in values} == values


COUNTS = [1, 0]
POSITIVE = [1e-6, 0.0]
SHARE = [0.0, -1e-6, 1.0, 1 + 1e-6]
RATIO = [1e-6, 0.0, 1.0, 1 + 1e-6]
PROBABILITY = [1e-6, 0.0, 1 - 1e-6, 1.0]
LIMITS: list[tuple[type, str, list[float]]] = [
    (MappingConfig, "pair.num_pairs", COUNTS),
    (MappingConfig, "pair.max_distance", POSITIVE),
    (MappingConfig, "pair.max_angle_deg", [1e-6, 0.0, 180.0, 180.1]),
    (MappingConfig, "verify.max_error_px", POSITIVE),
    (MappingConfig, "verify.ransac.max_error", POSITIVE),
    (MappingConfig, "verify.ransac.min_inliers", [8, 7]),
    (MappingConfig, "verify.ransac.confidence", PROBABILITY),
    (MappingConfig, "verify.ransac.max_iterations", COUNTS),
    (MappingConfig, "triangulate.max_reproj_error", POSITIVE),
    (MappingConfig, "triangulate.min_tri_angle_deg", [0.0, -1e-6, 179.9, 180.0]),
    (MappingConfig, "sfm.max_reproj_error", POSITIVE),
    (MappingConfig, "sfm.min_inliers", [6, 5]),
    (MappingConfig, "sfm.min_model_size", [2, 1]),
    (MappingConfig, "calibrate.num_images", [0, -1]),
    (MappingConfig, "calibrate.num_retrieved", COUNTS),
    (MappingConfig, "calibrate.max_keypoints", COUNTS),
    (LocalizationConfig, "quality.min_quality", SHARE),
    (LocalizationConfig, "retrieve.num_retrieved", COUNTS),
    (LocalizationConfig, "filter.max_distance", [0.0, -1e-6]),
    (LocalizationConfig, "filter.min_time_apart", [0, -1]),
    (LocalizationConfig, "filter.other_folders", [0, -1]),
    (LocalizationConfig, "correspond.strongest", [0, -1]),
    (LocalizationConfig, "correspond.images", COUNTS),
    (LocalizationConfig, "correspond.sure_inliers", [4, 3]),
    (LocalizationConfig, "correspond.sure_share", SHARE),
    (LocalizationConfig, "register.max_error_px", POSITIVE),
    (LocalizationConfig, "register.min_inliers", [4, 3]),
    (LocalizationConfig, "register.min_confidence", SHARE),
    (LocalizationConfig, "register.success_probability", PROBABILITY),
    (LocalizationConfig, "register.max_iterations", COUNTS),
    (LocalizationConfig, "register.min_iterations", COUNTS),
    (LocalizationConfig, "register.loss_scale_px", POSITIVE),
    (LocalizationConfig, "register.focal_error", POSITIVE),
    (LocalizationConfig, "register.max_focal_error", POSITIVE),
    (LocalizationConfig, "refine.radius_px", [0.0, -1e-6]),
    (LocalizationConfig, "refine.ratio", RATIO),
    (LocalizationConfig, "refine.near_px", [0.0, -1e-6]),
    (LocalizationConfig, "refine.noise_px", POSITIVE),
]


@pytest.mark.parametrize(("config", "setting", "limits"), LIMITS, ids=[setting for _, setting, _ in LIMITS])
def test_a_setting_is_taken_up_to_its_limits_and_refused_beyond(
    config: type, setting: str, limits: list[float]
) -> None:
    """`limits`: the last value that makes sense and the first that does not, downwards, then upwards."""
    for value, makes_sense in zip(limits, [True, False] * 2, strict=False):
        nested: object = value
        for name in reversed(setting.split(".")):
            nested = {name: nested}
        if makes_sense:
            make_config(config, **nested)
            continue
        with pytest.raises(ConfigError, match=setting.rpartition(".")[2]):
            make_config(config, **nested)


@pytest.mark.parametrize("setting", ["max_error_px=1e-6", "ratio=1e-6", "ratio=1"])
def test_a_matcher_is_taken_up_to_its_limits(setting: str) -> None:
    make_config(MappingConfig, match=f"bands:{setting}")


def test_two_types_of_imported_descriptors_are_two_descriptors() -> None:
    config = make_config(MappingConfig, describe=["imported:type=a", "imported:type=b"])
    assert [descriptor.type for descriptor in config.describe] == ["a", "b"]
    with pytest.raises(ConfigError, match="each once"):
        make_config(MappingConfig, describe=["imported:type=a", "imported:type=a"])


def test_a_local_feature_brings_the_matcher_that_its_descriptors_are_made_for():
    assert make_config(MappingConfig, extract="r2d2").match == MATCHERS.parse("bands:ratio=1")
    assert make_config(MappingConfig, extract="sift").match == MappingConfig().match
    assert make_config(MappingConfig, extract="r2d2", match="nn").match == MATCHERS.parse("nn")


@pytest.mark.parametrize("name", FEATURES.names())
def test_the_matcher_of_every_feature_exists(name):
    assert MATCHERS.parse(FEATURES.parse(name).matcher)


def test_fusion_weights_that_do_not_fit_the_descriptors_are_refused_before_any_work() -> None:
    assert make_config(MappingConfig, describe=["densevlad", "vlad"], fuse="gharm:weights=2/1").fuse.weights == "2/1"
    with pytest.raises(ConfigError, match="fusion weights '2/1': expected 1 positive number"):
        make_config(MappingConfig, fuse="gharm:weights=2/1")


def test_re_rankings_are_several_plugins_or_none() -> None:
    config = make_config(LocalizationConfig, reranking=["dba", "alpha_qe:k=2"])
    assert [made.plugin_name for made in config.reranking] == ["dba", "alpha_qe"]
    assert make_config(LocalizationConfig, reranking="diverse").reranking[0].plugin_name == "diverse"
    assert make_config(LocalizationConfig, reranking=[]).reranking == ()


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (["alpha_qe", "dba"], "'dba' stands first"),
        (["alpha_qe", "alpha_qe"], "each once"),
        (["alpha-qe"], "unknown re-ranking 'alpha-qe': choose from alpha_qe"),
        (["alpha_qe:k=0"], "k: "),
    ],
)
def test_re_rankings_that_cannot_be_are_named(chosen: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_config(LocalizationConfig, reranking=chosen)
