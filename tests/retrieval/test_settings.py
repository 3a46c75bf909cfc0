"""What descriptors, fusions and re-rankings are set to, and which values they take."""

import pytest

from vloc.errors import ConfigError
from vloc.registry import Registry
from vloc.retrieval import DESCRIPTORS, FUSIONS
from vloc.retrieval.reranking import RERANKINGS

POOLED = {"image_size": 480, "dims": 128}
DEFAULTS: dict[str, dict[str, float]] = {
    "densevlad": {"image_size": 480, "step": 8, "num_words": 128, "dims": 256},
    "vlad": {"num_words": 128, "dims": 256, "num_assigned": 1, "power": 1},
    "fisher": {"num_words": 64, "components": 64, "dims": 256},
    "bow": {"num_words": 1024},
    "gnss": {"scale": 25, "num_frequencies": 2048},
    **dict.fromkeys(("mac", "rmac", "spoc", "crow"), POOLED),
    "gem": {**POOLED, "power": 3},
    # the sizes and lengths that their authors report on, or near them
    "apgem": {"power": 0.25, "dims": 2048, "image_size": 1024, "scale_power": 3},
    "cosplace": {"dims": 2048, "image_size": 640},
    "eigenplaces": {"dims": 2048, "image_size": 640},
    "delg": {"image_size": 1024},
    "megaloc": {"image_size": 322},
    "netvlad": {"image_size": 1024},
    "geometric": {"depth": 50, "max_keypoints": 512, "max_error": 4},
    "diverse": {"depth": 100, "max_distance": 0.5, "max_angle_deg": 20},
    "alpha_qe": {"k": 5, "alpha": 3},
    "dba": {"k": 3, "alpha": 3},
    "diffusion": {"depth": 100, "k": 20, "k_query": 5, "gamma": 3, "alpha": 0.99},
    "k_reciprocal": {"depth": 100, "k1": 20, "k2": 6, "share": 0.3},
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_documented_figures_were_measured_with_these_defaults(name: str) -> None:
    found = registry_of(name).parse(name)
    assert {setting: getattr(found, setting) for setting in DEFAULTS[name]} == DEFAULTS[name]


AT_LEAST = [
    *[(name, "image_size", 64) for name, values in DEFAULTS.items() if "image_size" in values and name != "megaloc"],
    ("megaloc", "image_size", 126),
    *[(name, "num_words", 1) for name in ("densevlad", "vlad", "bow", "fisher")],
    *[(name, "dims", 1) for name in ("densevlad", "vlad", "fisher", "gem")],
    ("apgem:whitening=landmarks_clean", "dims", 1),
    ("densevlad", "step", 1),
    ("gnss", "scale", 0.01),
    ("gnss", "num_frequencies", 1),
    ("fisher", "components", 1),
    ("gem", "power", 1),
    ("vlad", "num_assigned", 1),
    ("vlad", "power", 1e-6),
    ("apgem", "power", 0),
    ("apgem", "scale_power", 1),
    *[(name, "gamma", 0) for name in ("mean_and_power", "mean_and_min", "min_and_max")],
    ("villena_roman", "alpha", 0),
    ("gharm", "gamma", 1e-6),
    ("imported", "dims", 0),
    *[(name, "depth", 1) for name in ("geometric", "diverse", "k_reciprocal", "diffusion")],
    ("geometric", "max_keypoints", 8),
    ("geometric", "max_error", 1e-6),
    ("diverse", "max_distance", 0),
    ("diverse", "max_angle_deg", 0),
    *[(name, setting, least) for name in ("alpha_qe", "dba") for setting, least in (("k", 1), ("alpha", 0))],
    *[("diffusion", setting, least) for setting, least in (("k", 1), ("k_query", 1), ("gamma", 0), ("alpha", 0))],
    ("k_reciprocal", "k1", 2),
    ("k_reciprocal", "k2", 1),
    ("k_reciprocal", "share", 0),
]
AT_MOST = [
    ("gem", "power", 100),
    ("vlad", "power", 1),
    ("apgem", "power", 1),
    ("apgem", "scale_power", 100),
    ("apgem", "dims", 2048),
    *[(name, "gamma", 1) for name in ("mean_and_power", "mean_and_min", "min_and_max")],
    ("villena_roman", "alpha", 1),
    ("diverse", "max_angle_deg", 180),
    ("alpha_qe", "alpha", 100),
    ("dba", "alpha", 100),
    ("diffusion", "gamma", 100),
    ("diffusion", "alpha", 0.999),
    ("k_reciprocal", "share", 1),
]


def registry_of(name: str) -> Registry:
    kind = name.partition(":")[0]
    return next(registry for registry in (FUSIONS, RERANKINGS, DESCRIPTORS) if kind in registry.names())


@pytest.mark.parametrize(
    ("name", "setting", "limit", "beyond"),
    [(*row, row[2] - 1) for row in AT_LEAST] + [(*row, row[2] + 1) for row in AT_MOST],
)
def test_a_setting_is_taken_up_to_its_limit_and_refused_beyond(
    name: str, setting: str, limit: float, beyond: float
) -> None:
    written = f"{name}{',' if ':' in name else ':'}{setting}="
    registry_of(name).parse(f"{written}{limit}")
    with pytest.raises(ConfigError, match=setting):
        registry_of(name).parse(f"{written}{beyond}")


@pytest.mark.parametrize(("name", "dims"), [("cosplace:backbone=resnet18", 32), ("eigenplaces:backbone=resnet18", 256)])
def test_a_length_is_one_of_those_published(name: str, dims: int) -> None:
    assert DESCRIPTORS.parse(f"{name},dims={dims}").dims == dims
    with pytest.raises(ConfigError, match="dims"):
        DESCRIPTORS.parse(f"{name},dims=0")
