"""`vloc rig`: mounts from poses, as a shell sees it, on the synthetic gallery's own rig."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vloc
from vloc.formats.kapture.write import write_rigs
from vloc.formats.results import write_poses
from vloc.geometry.pose_error import pose_errors

from ..jobs import run


@pytest.fixture
def poses(gallery, tmp_path: Path) -> Path:
    """The true poses of the mapping images, by name."""
    capture = vloc.read(gallery.mapping)
    write_poses(tmp_path / "poses.txt", {name: capture.pose(name) for name in capture.images.names})
    return tmp_path / "poses.txt"


def test_estimated_mounts_are_those_of_the_rig(gallery, poses: Path, tmp_path: Path) -> None:
    out = tmp_path / "rigs.txt"
    assert run("rig", "estimate", gallery.mapping, out, "--poses", poses, "--reference", "front") == 0
    known = {member.sensor_id: member.sensor_from_rig for member in vloc.read(gallery.mapping).rigs}
    rows = [line.split(", ") for line in out.read_text().splitlines() if not line.startswith("#")]
    for _, camera, *numbers in rows:
        values = np.array(numbers, float)
        found = vloc.Rigid.from_quat_wxyz(values[:4], values[4:])
        assert max(pose_errors(found, known[camera] @ known["front"].inverse())) < 1e-6
    assert {row[1] for row in rows} == {"left", "front", "right"}


def test_a_check_tells_how_far_the_mounts_are_off(gallery, poses: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rig", "check", gallery.mapping, "--poses", poses, "--json") == 0
    mounts = json.loads(capsys.readouterr().out)["mounts"]
    assert len(mounts) == 3 and all(mount["off_m"] < 1e-6 and mount["off_deg"] < 1e-4 for mount in mounts)
    assert run("rig", "check", gallery.mapping, "--poses", poses) == 0
    assert "front: 4 of 4 instants agree, median 0.0000 deg, 0.00000 m, rigs.txt is 0.0000 deg and" in (
        capsys.readouterr().out
    )


def test_a_file_that_is_there_is_not_replaced_unless_told(
    gallery, poses: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "rigs.txt"
    write_rigs(out, vloc.read(gallery.mapping).rigs)
    assert run("rig", "estimate", gallery.mapping, out, "--poses", poses) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert run("rig", "estimate", gallery.mapping, out, "--poses", poses, "--overwrite") == 0


@pytest.mark.parametrize("arguments", [["estimate"], ["check", "rigs.txt"]])
def test_a_wrong_number_of_places_is_a_usage_error(
    arguments: list[str], gallery, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("rig", arguments[0], gallery.mapping, *arguments[1:]) == 2
    assert "expected vloc rig estimate CAPTURE RIGS, or vloc rig check CAPTURE" in capsys.readouterr().err


def test_queries_without_poses_are_named(gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("rig", "estimate", gallery.queries, tmp_path / "rigs.txt") == 2
    assert "query: no image has a pose (--poses names a file of them)" in capsys.readouterr().err
