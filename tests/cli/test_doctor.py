"""`vloc doctor` tells what is here."""

from __future__ import annotations

import json
import platform
from contextlib import redirect_stdout
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from vloc.cli import packages
from vloc.cli.doctor import copied_maps
from vloc.cli.main import main
from vloc.cli.packages import cuda_device, requirements, satisfies


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    """What `vloc doctor --json` prints; it imports torch and open3d to be sure."""
    with redirect_stdout(StringIO()) as told:
        assert main(["doctor", "--json"]) == 0
    found: dict[str, Any] = json.loads(told.getvalue())
    return found


def test_the_json_holds_machine_packages_and_codecs(report: dict[str, Any]) -> None:
    assert report["healthy"] is True
    assert report["machine"]["python"].startswith(platform.python_version())
    found = {package["name"]: package["version"] for package in report["required"]}
    assert found["numpy"] == version("numpy")
    assert {"jpg", "png"} <= set(report["codecs"]["opencv"]) & set(report["codecs"]["pillow"])


def test_what_is_missing_comes_with_the_way_to_get_it(report: dict[str, Any]) -> None:
    optional = report["optional"]
    used = {"cluster", "heic", "learned", "remote", "scan"}  # what nothing uses is not advised
    assert {package["extra"] for package in optional} == used
    assert all(package["remedy"] for package in optional if package["problem"])


def test_the_text_ends_with_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out.endswith("everything required works\n")


def test_requirements_come_from_the_packages_metadata() -> None:
    found = {name: (wanted, extra) for name, wanted, extra in requirements()}
    assert found["torch"][1] == "learned"
    assert found["numpy"] == (">=2.0", "")


def test_vloc_that_is_not_installed_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def requires(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(packages, "requires", requires)
    assert main(["doctor"]) == 3
    told = capsys.readouterr().out
    assert "imported but not installed, so what it needs is not known: pip install" in told
    assert told.endswith("a required part is broken\n")


def test_what_copies_of_remote_maps_take_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert copied_maps() == f"0.0 GB, copies of those at URLs, in {tmp_path}/vloc/maps"
    (tmp_path / "vloc" / "maps" / "one").mkdir(parents=True)
    with (tmp_path / "vloc" / "maps" / "one" / "1.h5").open("wb") as file:
        file.truncate(2_500_000_000)
    assert copied_maps() == f"2.5 GB, copies of those at URLs, in {tmp_path}/vloc/maps"


def test_a_torch_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so: wrong ELF class')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert cuda_device() == "torch failed when asked (OSError: libcudart.so: wrong ELF class)"


@pytest.mark.parametrize(
    ("found", "wanted", "expected"),
    [
        ("2.4.1", ">=2.0", True),
        ("1.26.4", ">=2.0", False),
        ("4.2.1", "<4.3,>=4.2", True),
        ("4.3.0", "<4.3,>=4.2", False),
        ("4.10", ">=4.9", True),
        ("2.0", ">=2.0.0", True),
        ("3.0rc1", "", True),
    ],
)
def test_versions_are_compared_number_by_number(found: str, wanted: str, expected: bool) -> None:
    assert satisfies(found, wanted) is expected
