"""`vloc split` and `vloc merge` on folders, as a shell sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

import vloc
from vloc.cli.main import main


def test_a_capture_splits_and_merges_back(gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen, rest, again = (str(tmp_path / name) for name in ("chosen", "rest", "again"))
    assert main(["split", str(gallery.mapping), chosen, rest, "--every-nth", "2"]) == 0
    assert main(["merge", chosen, f"kapture:{rest}", again]) == 0
    assert "12 images, 12 poses" in capsys.readouterr().out
    before, after = vloc.read(gallery.mapping), vloc.read(again)
    assert list(after.images.names) == list(before.images.names)
    for name in before.images.names:
        assert after.files.read(name) == before.files.read(name)
        assert (after.pose(name).translation == before.pose(name).translation).all()


def test_names_of_a_list_are_chosen_and_an_unknown_one_is_refused_by_line(
    gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = list(vloc.read(gallery.mapping).images.names)
    (tmp_path / "list.txt").write_text(f"# queries\n{names[3]}\n{names[7]}\n")
    arguments = ["split", str(gallery.mapping), str(tmp_path / "a"), str(tmp_path / "b"), "--transfer", "skip"]
    assert main([*arguments, "--list", str(tmp_path / "list.txt")]) == 0
    assert sorted(vloc.read(tmp_path / "a").images.names) == sorted([names[3], names[7]])
    (tmp_path / "bad.txt").write_text("\nghost.jpg\n")
    arguments[2:4] = [str(tmp_path / "c"), str(tmp_path / "d")]
    assert main([*arguments, "--list", str(tmp_path / "bad.txt")]) == 2
    assert "bad.txt:2: no such image in the capture" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ([], "expected one of --list"),
        (["--folder", "x", "--every-nth", "2"], "expected one of --list"),
        (["--folder", "nowhere"], "none of the 12 images are chosen"),
        (["--every-nth", "0"], "expected 1 or more"),
        (["--area", "-1e6", "-1e6", "-1e6", "1e6", "1e6", "1e6"], "all of the 12 images are chosen"),
    ],
)
def test_a_split_that_is_none_is_refused_and_writes_nothing(
    gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str], rule: list[str], message: str
) -> None:
    assert main(["split", str(gallery.mapping), str(tmp_path / "a"), str(tmp_path / "b"), *rule]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_captures_that_share_names_need_prefixes(gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = [str(gallery.mapping), str(gallery.mapping), str(tmp_path / "out")]
    assert main(["merge", *both]) == 2
    assert "give a prefix for each capture" in capsys.readouterr().err
    assert main(["merge", *both, "--prefix", "a", "b", "--transfer", "skip"]) == 0
    assert len(vloc.read(tmp_path / "out").images) == 24


def test_an_output_that_exists_is_refused_before_anything_is_written(gallery, tmp_path: Path) -> None:
    (tmp_path / "b").write_text("mine")
    arguments = ["split", str(gallery.mapping), str(tmp_path / "a"), str(tmp_path / "b"), "--every-nth", "2"]
    assert main(arguments) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
