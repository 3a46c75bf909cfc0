"""Flags, dotted names and TOML files end in the same checked configs."""

from __future__ import annotations

from pathlib import Path

import pytest

from vloc.cli.localize import LocalizeFlags
from vloc.cli.map import MapFlags
from vloc.cli.settings import parse
from vloc.config import LocalizationConfig, MappingConfig
from vloc.errors import ConfigError, DataError
from vloc.matching.nearest_neighbour import NearestNeighbour


def config_of(*arguments: str) -> MappingConfig:
    return parse("map", MapFlags, MappingConfig, ["capture", "map", *arguments])[1]


def toml(folder: Path, text: str) -> str:
    (folder / "settings.toml").write_text(text, encoding="utf-8")
    return f"--config={folder / 'settings.toml'}"


def test_no_flags_give_the_defaults() -> None:
    assert config_of() == MappingConfig()


def test_positional_arguments_reach_the_flags() -> None:
    flags, _ = parse("map", MapFlags, MappingConfig, ["a b", "c"])
    assert (flags.capture, flags.map) == ("a b", Path("c"))


def test_a_plugin_is_written_with_its_settings() -> None:
    assert config_of("--features", "sift:max_keypoints=1500").extract.max_keypoints == 1500


def test_a_setting_of_the_default_plugin_has_a_dotted_name() -> None:
    assert config_of("--match.ratio", "0.75").match.ratio == 0.75


def test_a_dotted_name_goes_over_the_plugins_written_form() -> None:
    assert config_of("--matcher", "nn:ratio=0.9", "--match.ratio", "0.75").match.ratio == 0.75


@pytest.mark.parametrize("short", [["--num-pairs", "7"], ["--num-pairs=7"], ["--num_pairs=7"]])
def test_num_pairs_is_short_for_the_setting_of_the_pair_stage(short: list[str]) -> None:
    assert config_of(*short).pair.num_pairs == 7


@pytest.mark.parametrize("method", ["exhaustive", "retrieval", "covisibility", "distance", "sequence"])
def test_pairs_takes_the_name_of_a_method(method: str) -> None:
    flags, config = parse("map", MapFlags, MappingConfig, ["capture", "map", "--pairs", method])
    assert (config.pair.method, flags.pairs) == (method, None)


def test_pairs_takes_a_file() -> None:
    flags, config = parse("map", MapFlags, MappingConfig, ["capture", "map", "--pairs", "my/pairs.txt"])
    assert flags.pairs == Path("my/pairs.txt")
    assert config.pair == MappingConfig().pair


def test_help_names_a_setting_that_is_on_forwards(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        config_of("--help")
    told = capsys.readouterr().out
    assert "--match.mutual, --match.no-mutual" in told
    assert "--no-quiet" not in told
    assert not config_of("--match.no-mutual").match.mutual
    assert config_of("--match.mutual").match.mutual


def test_a_toml_table_holds_single_settings(tmp_path: Path) -> None:
    assert config_of(toml(tmp_path, "[match]\nratio = 0.75\n")).match.ratio == 0.75


def test_a_toml_line_holds_a_plugin(tmp_path: Path) -> None:
    assert config_of(toml(tmp_path, 'extract = "sift:max_keypoints=1500"\n')).extract.max_keypoints == 1500


def test_one_file_serves_map_and_localize_which_name_what_is_not_theirs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = toml(tmp_path, 'extract = "sift:max_keypoints=1500"\n[match]\nratio = 0.75\n[retrieve]\nnum_retrieved = 7\n')
    config = config_of(file)
    assert (config.extract.max_keypoints, config.match.ratio) == (1500, 0.75)
    assert "note: retrieve of --config: no settings of vloc map, not used" in capsys.readouterr().err
    _, localization = parse(
        "localize", LocalizeFlags, LocalizationConfig, ["map", "q", "r", file], {"match": "nn:ratio=0.9,mutual=False"}
    )
    assert (localization.retrieve.num_retrieved, localization.match) == (7, NearestNeighbour(ratio=0.75, mutual=False))
    assert "note: extract of --config: no settings of vloc localize, not used" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[retrieve]\nnum_retreived = 7\n", "[retreive]\nnum_retrieved = 7\n"])
def test_a_slip_in_settings_of_the_other_command_is_an_error_too(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="retreive"):
        config_of(toml(tmp_path, text))


def test_flags_go_over_the_file(tmp_path: Path) -> None:
    file = toml(tmp_path, "seed = 3\n[match]\nratio = 0.75\n")
    config = config_of(file, "--match.ratio", "0.6")
    assert (config.match.ratio, config.seed) == (0.6, 3)


def test_a_table_stays_where_the_flag_that_names_the_plugin_says_nothing(tmp_path: Path) -> None:
    file = toml(tmp_path, "[extract]\nmax_keypoints = 1500\n")
    assert config_of(file, "--features", "sift").extract.max_keypoints == 1500


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[match]\nratioo = 0.8\n", "ratioo"),
        ("[mach]\nratio = 0.8\n", "mach"),
        ('extract = "sift:max_keypoint=4"\n', "max_keypoint"),
        ('extract = "swift"\n', "swift"),
        ("[match]\nratio = -1\n", "ratio"),
        ("[match\n", "settings.toml"),
    ],
)
def test_what_a_file_gets_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        config_of(toml(tmp_path, text))


def test_a_missing_file_of_settings_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nothing\.toml"):
        config_of("--config", str(tmp_path / "nothing.toml"))


@pytest.mark.parametrize(
    "flags",
    [["--features", "swift"], ["--match.ratio", "-1"], ["--num-pairs", "0"], ["--features", "sift:max_keypoints=x"]],
)
def test_settings_out_of_range_are_refused(flags: list[str]) -> None:
    with pytest.raises((ConfigError, SystemExit)):
        config_of(*flags)


def test_several_descriptors_each_get_their_dotted_group() -> None:
    assert [type(d).plugin_name for d in config_of("--retrieval", "densevlad").describe] == ["densevlad"]


def test_two_types_of_imported_descriptors_have_a_dotted_group_each() -> None:
    flags = "--retrieval", "imported:type=a", "imported:type=b", "--describe.imported-2.dims", "7"
    assert [(made.type, made.dims) for made in config_of(*flags).describe] == [("a", 0), ("b", 7)]
