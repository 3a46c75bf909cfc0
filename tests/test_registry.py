import subprocess
import sys
from dataclasses import dataclass
from typing import Annotated, ClassVar

import msgspec
import pytest

from vloc.errors import ConfigError
from vloc.registry import Registry, configure, to_text, validated
from vloc.stages.sequences import SequenceConfig


@dataclass(frozen=True)
class Inner:
    factor: Annotated[float, msgspec.Meta(gt=0)] = 1.0


@dataclass(frozen=True)
class Outer:
    plugin_name: ClassVar[str]
    count: int = 3
    is_on: bool = True
    ratio: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    inner: Inner = Inner()


THINGS: Registry[Outer] = Registry("thing")
THINGS.register("outer")(Outer)


@pytest.mark.parametrize("text", ["outer", "outer:count=7", "outer:count=7,is_on=False,ratio=0.25"])
def test_the_written_form_reads_back(text: str) -> None:
    assert to_text(THINGS.parse(text)) == text


def test_a_value_out_of_range_is_told_with_its_setting_and_value() -> None:
    with pytest.raises(ConfigError, match=r"outer\.ratio: .*<= 1.*got '1.5'"):
        THINGS.parse("outer:ratio=1.5")


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 1e12])
def test_numbers_that_are_no_settings_are_refused(value: float) -> None:
    with pytest.raises(ConfigError, match=r"inner\.factor"):
        validated(Outer(inner=Inner(factor=value)), "outer")


def test_settings_within_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match=r"outer\.inner\.factor"):
        validated(Outer(inner=Inner(factor=-1.0)), "outer")


def test_flags_go_over_defaults_of_a_file() -> None:
    assert THINGS.parse("outer:count=7", {"count": 1, "is_on": False}) == Outer(count=7, is_on=False)


def test_an_unknown_name_lists_the_choices() -> None:
    with pytest.raises(ConfigError, match="unknown thing 'other': choose from outer"):
        THINGS.parse("other")


def test_an_unknown_key_lists_the_settings() -> None:
    with pytest.raises(ConfigError, match="unknown setting 'cuont': choose from count, is_on, ratio, inner"):
        configure(Outer, {"cuont": 1}, "outer")


def test_a_name_is_taken_once() -> None:
    with pytest.raises(ConfigError, match="registered twice"):
        THINGS.register("outer")(Inner)


def test_our_own_plugins_are_imported_when_they_are_asked_for() -> None:
    code = """
import sys, vloc.config
from vloc.retrieval import DESCRIPTORS
assert "netvlad" in DESCRIPTORS.names() and "vloc.retrieval.netvlad" not in sys.modules
assert DESCRIPTORS.get("netvlad").__module__ == "vloc.retrieval.netvlad"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_times_may_be_as_large_as_nanoseconds_make_them() -> None:
    assert configure(SequenceConfig, {"max_gap": "60000000000"}, "sequence").max_gap == 60_000_000_000
    with pytest.raises(ConfigError, match=r"sequence.max_step_m: expected a number of at most 1e\+09"):
        configure(SequenceConfig, {"max_step_m": 1e10}, "sequence")
