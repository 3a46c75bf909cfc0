"""Settings that have a name: those of COLMAP in Table 1 of Humenberger et al. 2020, as far as vloc has such settings.

Settings that they leave out are vloc's own. docs/presets.md has the whole table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .errors import ConfigError

PresetName = Literal["config1", "config2", "config3"]
Settings = Mapping[str, Mapping[str, Any]]
"""stage -> settings"""
MAPPING: Settings = {"sfm": {"refine_intrinsics": False}}
"""kapture maps with config1 whatever it localizes with"""
STRICT = {"max_error_px": 12.0, "min_inliers": 30, "max_iterations": 2194, "refine": "none"}
LOOSE = {"max_error_px": 20.0, "min_inliers": 4, "max_iterations": 10_000, "refine": "none"}
"""iterations: three times as many as find three right matches with a probability of 99.999 % if a quarter (strict) or a
twentieth of all is right, and 10,000 at most: COLMAP's bound"""
LACKING = "min_num_matches, init_min_num_inliers, ba_local_max_num_iterations and filter_max_reproj_error"
STILL_JUDGED = "poses that are not believed are refused, which COLMAP does not do (--register.min-confidence 0)"


@dataclass(frozen=True)
class Preset:
    """What a name stands for when queries are localized, and what there is to say of it."""

    localization: Settings
    note: str


PRESETS: Mapping[str, Preset] = {
    "config1": Preset({"register": STRICT}, STILL_JUDGED),
    "config2": Preset({"register": LOOSE}, f"COLMAP's {LACKING} have no counterpart here; {STILL_JUDGED}"),
    "config3": Preset(
        {"register": {**LOOSE, "refine": "focal"}}, f"COLMAP's {LACKING} have no counterpart here; {STILL_JUDGED}"
    ),
}


def with_preset(settings: Mapping[str, Any], *, of_map: bool) -> dict[str, Any]:
    """The settings over those of the preset that they name, setting by setting; ConfigError for no preset."""
    given = dict(settings)
    name = given.pop("preset", None)
    if name is None:
        return given
    if name not in PRESETS:
        raise ConfigError(f"preset {name!r}: choose from {', '.join(PRESETS)}")
    for stage, table in (MAPPING if of_map else PRESETS[name].localization).items():
        own = given.get(stage, {})
        given[stage] = {**table, **own} if isinstance(own, Mapping) else own
    return given


def notes(name: PresetName | None) -> list[str]:
    """What there is to say of localizing by a preset."""
    return [] if name is None else [f"preset {name}: {PRESETS[name].note}"]
