"""Every setting that can change a result, one dataclass a story; flags, help and manifests are made from these."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from .data.view import ViewConfig
from .errors import ConfigError
from .features import FEATURES
from .features.base import LocalFeature
from .features.matched import Matched
from .features.sift import Sift
from .learned import LearnConfig
from .matching import MATCHERS
from .matching.base import AnyMatcher, PhotoMatcher, suited
from .matching.epipolar_bands import EpipolarBands
from .presets import with_preset
from .registry import Registry, configure, to_text, validated
from .retrieval import DESCRIPTORS
from .retrieval.base import GlobalFeature
from .retrieval.densevlad import DenseVlad
from .retrieval.filters import FilterConfig
from .retrieval.fusion import FUSIONS, Fusion, GeneralizedHarmonicMean
from .retrieval.reranking import RERANKINGS, Reranking, check_order
from .solvers.pnp import PnpConfig
from .solvers.pose_approximation import ApproximationConfig
from .solvers.pose_priors import PriorConfig
from .solvers.sfm import SfmConfig
from .solvers.track_points import TriangulationConfig
from .stages.calibrate import CalibrateConfig
from .stages.correspond import CorrespondConfig
from .stages.images import LookConfig
from .stages.lift import PointsConfig
from .stages.local_sfm import LocalSfmConfig
from .stages.pair import PairConfig
from .stages.quality import QualityConfig
from .stages.query_depth import QueryDepthConfig
from .stages.refine import RefineConfig
from .stages.retrieve import RetrieveConfig
from .stages.rigs import RigConfig
from .stages.sequences import SequenceConfig
from .stages.verify import VerifyConfig

C = TypeVar("C")
Paradigm = Literal["map", "local-sfm", "approximation"]


@dataclass(frozen=True)
class MappingConfig:
    """Settings of a map, stage by stage. Localization extracts, describes and fuses with the same."""

    look: LookConfig = field(default_factory=LookConfig)
    """how photos are looked at"""
    extract: LocalFeature = field(default_factory=Sift)
    """local feature"""
    describe: tuple[GlobalFeature, ...] = field(default_factory=lambda: (DenseVlad(),))
    """global descriptors for retrieval"""
    fuse: Fusion = field(default_factory=GeneralizedHarmonicMean)
    """late fusion of the descriptors' similarities"""
    pair: PairConfig = field(default_factory=PairConfig)
    """which map images to match"""
    match: AnyMatcher = field(default_factory=EpipolarBands)
    """matcher; the one that the local feature is made for, unless told"""
    verify: VerifyConfig = field(default_factory=VerifyConfig)
    """geometric verification"""
    points: PointsConfig = field(default_factory=PointsConfig)
    """where points come from"""
    triangulate: TriangulationConfig = field(default_factory=TriangulationConfig)
    """points from known poses"""
    sfm: SfmConfig = field(default_factory=SfmConfig)
    """points and poses, where no poses are known"""
    calibrate: CalibrateConfig = field(default_factory=CalibrateConfig)
    """what agreement is worth in this map"""
    learn: LearnConfig = field(default_factory=LearnConfig)
    """how long what was learned from its images stays"""
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    """of every random choice"""


@dataclass(frozen=True)
class LocalizationConfig:
    """Settings of localization beyond the map's own."""

    paradigm: Paradigm = "map"
    """what a query is placed by: the map's points; points of its retrieved images alone; their poses alone"""
    quality: QualityConfig = field(default_factory=QualityConfig)
    """which photos are taken"""
    retrieve: RetrieveConfig = field(default_factory=RetrieveConfig)
    """which map images"""
    filter: FilterConfig = field(default_factory=FilterConfig)
    """which of them a query may be given"""
    reranking: tuple[Reranking, ...] = ()
    """what puts them in another order, one after the other"""
    match: AnyMatcher | None = None
    """matcher; None: the map's"""
    correspond: CorrespondConfig = field(default_factory=CorrespondConfig)
    """how much of a query is matched before its pose is sure"""
    register: PnpConfig = field(default_factory=PnpConfig)
    """absolute pose"""
    approximate: ApproximationConfig = field(default_factory=ApproximationConfig)
    """poses by those of retrieved images alone"""
    local: LocalSfmConfig = field(default_factory=LocalSfmConfig)
    """points of the retrieved images alone"""
    refine: RefineConfig = field(default_factory=RefineConfig)
    """further matches, found with the pose"""
    priors: PriorConfig = field(default_factory=PriorConfig)
    """what accelerometers and satellites say"""
    depth: QueryDepthConfig = field(default_factory=QueryDepthConfig)
    """depth maps of queries"""
    view: ViewConfig = field(default_factory=ViewConfig)
    """what poses would see of a scan"""
    rig: RigConfig = field(default_factory=RigConfig)
    """images taken together by a rig"""
    sequence: SequenceConfig = field(default_factory=SequenceConfig)
    """images taken one after the other"""
    seed: Annotated[int, msgspec.Meta(ge=0)] = 0
    """of every random choice"""


def query_matcher(config: LocalizationConfig, mapping: MappingConfig) -> AnyMatcher:
    """What queries are matched by, against a map made with `mapping`."""
    return suited(config.match or mapping.match, mapping.extract)


REGISTRIES: dict[str, Registry[Any]] = {
    "extract": FEATURES,
    "describe": DESCRIPTORS,
    "fuse": FUSIONS,
    "match": MATCHERS,
    "reranking": RERANKINGS,
}
SEVERAL = ("describe", "reranking")
"""stages that have several plugins"""


def plugin(stage: str, value: object) -> Any:
    """A plugin from its written form, or itself, checked."""
    if isinstance(value, str):
        return REGISTRIES[stage].parse(value)
    if not hasattr(value, "plugin_name"):
        raise ConfigError(f"{stage}: expected a name of {', '.join(REGISTRIES[stage].names())}, got {value!r}")
    return validated(value, stage)


def make_config(cls: type[C], **settings: Any) -> C:
    """A story's config from plugins or their written forms, and dataclasses or dicts of settings.

    `preset` names settings that the others go over.
    """
    settings = with_preset(settings, of_map=cls is MappingConfig)
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    made = {}
    for name, value in settings.items():
        if name not in fields:
            raise ConfigError(f"unknown setting '{name}': choose from {', '.join(fields)}")
        made[name] = _checked(cls, name, value)
    if "extract" in made and "match" not in made:
        made["match"] = plugin("match", made["extract"].matcher)
    if "extract" not in made and "extract" in fields and isinstance(made.get("match"), PhotoMatcher):
        made["extract"] = Matched()
    config = cls(**made)
    if isinstance(config, LocalizationConfig):
        check_order(config.reranking)
    if isinstance(config, MappingConfig):  # before any work
        if not config.fuse.is_open:
            config.fuse.shares(len(config.describe))
        config = dataclasses.replace(config, match=suited(config.match, config.extract))
    return config


def _checked(cls: type, name: str, value: Any) -> Any:
    if name in SEVERAL:
        return _plugins(name, [value] if isinstance(value, str) else value)
    default = getattr(cls(), name)
    if isinstance(value, Mapping):
        if not dataclasses.is_dataclass(default):
            raise ConfigError(f"{name}: expected one value, got a table of settings")
        return configure(type(default), value, name)
    if name in REGISTRIES:
        return None if value is None else plugin(name, value)
    return validated(value, name) if dataclasses.is_dataclass(value) else _bounded(cls, name, value)


def _plugins(stage: str, values: Any) -> tuple[Any, ...]:
    what = "global descriptors" if stage == "describe" else "re-rankings"
    if not isinstance(values, Sequence):
        raise ConfigError(f"{stage}: expected {what}, got {values!r}")
    made = tuple(plugin(stage, value) for value in values)
    if (stage == "describe" and not made) or len({to_text(item) for item in made}) < len(made):
        least = "at least one, and " if stage == "describe" else ""
        raise ConfigError(f"{what} {list(values)}: expected {least}each once")
    return made


def _bounded(cls: type, name: str, value: Any) -> Any:
    """A plain number, checked like a dataclass of its own."""
    try:
        return msgspec.convert(value, _annotations(cls)[name], strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}: {error}") from None


def _annotations(cls: type) -> dict[str, Any]:
    from typing import get_type_hints

    return get_type_hints(cls, include_extras=True)


def config_to_json(config: object) -> dict[str, Any]:
    """A config as plain values; plugins in their written form."""
    values = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}  # type: ignore[arg-type]
    return {name: _to_json(value) for name, value in values.items()}


def _to_json(value: Any) -> Any:
    if hasattr(value, "plugin_name"):
        return to_text(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_to_json(item) for item in value]
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]


def config_from_json(values: Mapping[str, Any]) -> MappingConfig:
    """The inverse of `config_to_json` for maps; the first of them turned no photo."""
    return make_config(MappingConfig, **{"look": {"upright": "none"}, **values})
