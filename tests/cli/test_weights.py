"""`vloc weights` lists what there is, and says where a file is or how to get it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vloc.cli.main import main
from vloc.weights import WEIGHTS

FILE = "aliked-t16.pth"


@pytest.fixture(autouse=True)
def _nothing_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("VLOC_WEIGHTS", "")


def test_the_list_names_every_file_with_its_licence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()[1:]}
    assert lines.keys() == WEIGHTS.keys()
    assert "BSD-3-Clause (any use)  not here" in lines[FILE]
    assert "CC BY-NC-SA 3.0 (no commercial use)" in lines["r2d2_WASF_N16.pt"]
    assert "no terms stated (ask its authors), SHA-256 unknown" in lines["VGG16_512_eigenplaces.pth"]


def test_the_json_tells_the_same_and_where_files_are(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / FILE).touch()
    monkeypatch.setenv("VLOC_WEIGHTS", str(tmp_path))
    assert main(["weights", "list", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["folders"] == [str(tmp_path), str(tmp_path / "vloc" / "weights")]
    found = {row["file"]: row["path"] for row in told["weights"]}
    assert found == {file: str(tmp_path / FILE) if file == FILE else None for file in WEIGHTS}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["path", FILE], f"{FILE} is in none of"),
        (["get", "nothing.pt"], f"unknown weights 'nothing.pt': choose from {', '.join(WEIGHTS)}"),
        (["path"], "unknown weights '': choose from"),
    ],
)
def test_what_cannot_be_found_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["weights", *arguments]) == 2
    told = capsys.readouterr().err
    assert message in told and told.count("\n") == 1
