"""`vloc run`: recipes and scenes by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from vloc.cli.main import main
from vloc.cli.run import runnables


def test_without_a_name_everything_is_listed_with_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run"]) == 0
    text = capsys.readouterr().out
    assert "gallery" in text
    assert "synthetic_gallery" in text
    assert "recipe:" in text
    assert "scene:" in text


def test_every_recipe_and_scene_says_what_it_is() -> None:
    found = runnables()
    assert {"gallery", "synthetic_gallery"} <= {runnable.name for runnable in found}
    assert all(runnable.about for runnable in found)


@pytest.mark.parametrize("name", [runnable.name for runnable in runnables()])
def test_everything_to_run_tells_its_settings(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", name, "--help"])
    assert ended.value.code == 0 and f"usage: vloc run {name}" in capsys.readouterr().out


def test_an_unknown_name_is_refused_with_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "galery"]) == 2
    assert "synthetic_gallery" in capsys.readouterr().err


def test_a_scene_is_made_with_the_flags_of_its_config(tmp_path: Path) -> None:
    arguments = ["--num-images", "3", "--num-queries", "1", "--image-size", "64", "48"]
    assert main(["run", "synthetic_gallery", str(tmp_path / "scene"), *arguments]) == 0
    assert len(list((tmp_path / "scene" / "mapping").rglob("*.jpg"))) == 3


def test_the_gallery_recipe_ends_with_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "gallery", str(tmp_path / "job"), "--num-images", "6", "--num-queries", "2"]) == 0
    assert "of 2 localized" in capsys.readouterr().out
