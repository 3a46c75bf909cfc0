"""vloc and PyPI kapture read the same from every folder; $VLOC_KAPTURE_PYTHON is a Python that has kapture."""

import json
import os
import subprocess
from pathlib import Path

import everything
import pytest

from vloc.formats.access import read, write

HERE = Path(__file__).parent
SAMPLES = HERE.parents[1].parent / "shared" / "data"
ROOTS = sorted(
    str(path.parents[1].relative_to(SAMPLES))
    for folder in ("format_samples", "strecha", "virtual_gallery_tutorial")
    for path in (SAMPLES / folder).rglob("sensors/sensors.txt")
)


def dump(roots: list[Path]) -> dict[str, dict]:
    """What kapture reads, by root."""
    python = os.environ.get("VLOC_KAPTURE_PYTHON")
    if not python:
        pytest.skip("VLOC_KAPTURE_PYTHON is not set to a Python with kapture 1.1.12")
    command = [python, str(HERE / "kapture_dump.py"), *map(str, roots)]
    output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    return {root: everything.of_kapture(view) for root, view in json.loads(output).items()}


def check_same(ours: dict, theirs: dict) -> None:
    """Equal, numbers to 1e-12: quaternions are normalised on our side and in the test by different formulas."""
    ours = {key: value for key, value in ours.items() if value or key in ("points", "sensors")}
    assert set(ours) == set(theirs)
    for key in ours:
        if key in ("rigs", "trajectories"):
            assert len(ours[key]) == len(theirs[key])
            for a, b in zip(ours[key], theirs[key], strict=True):
                assert a[:2] == b[:2]
                for x, y in zip(a[2:], b[2:], strict=True):
                    assert x == y or x == pytest.approx(y, rel=1e-12, abs=1e-12)
        else:
            assert ours[key] == theirs[key], key


@pytest.fixture(scope="module")
def read_by_kapture() -> dict[str, dict]:
    return dump([SAMPLES / root for root in ROOTS])


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Path]:
    """Every sample, and the capture of everything, written by vloc: as files, and packed."""
    folder = tmp_path_factory.mktemp("written")
    captures = {root: read(SAMPLES / root) for root in ROOTS} | {"everything": everything.everything()}
    places = {}
    for number, (name, capture) in enumerate(captures.items()):
        for pack in (False, True):
            path = folder / f"{number} {pack}"
            write(capture, f"kapture:{path}", transfer="skip", pack=pack)
            places[f"{name} packed" if pack else name] = path
    return places


@pytest.fixture(scope="module")
def written_read_by_kapture(written) -> dict[str, dict]:
    views = dump(list(written.values()))
    return {name: views[str(path)] for name, path in written.items()}


@pytest.mark.shared
@pytest.mark.parametrize("root", ROOTS)
def test_vloc_reads_what_kapture_reads_in_folders_of_others(root, read_by_kapture):
    check_same(everything.plain(read(SAMPLES / root)), read_by_kapture[str(SAMPLES / root)])


@pytest.mark.shared
@pytest.mark.parametrize("form", ["", " packed"])
@pytest.mark.parametrize("root", ROOTS)
def test_kapture_reads_from_what_vloc_wrote_what_it_read_from_the_source(
    root, form, written, written_read_by_kapture, read_by_kapture
):
    theirs = written_read_by_kapture[root + form]
    check_same(everything.plain(read(written[root + form])), theirs)
    source = read_by_kapture[str(SAMPLES / root)]
    check_same(everything.plain(read(SAMPLES / root)), source)
    assert {k: v for k, v in theirs.items() if k not in ("rigs", "trajectories")} == {
        k: v for k, v in source.items() if k not in ("rigs", "trajectories")
    }


@pytest.mark.parametrize("form", ["", " packed"])
def test_kapture_reads_one_of_everything_from_what_vloc_wrote(form, written, written_read_by_kapture):
    check_same(everything.plain(everything.everything()), written_read_by_kapture["everything" + form])


@pytest.mark.parametrize("pack", [False, True])
def test_one_of_everything_survives_a_round_trip_without_kapture(pack, tmp_path):
    capture = everything.everything()
    write(capture, f"kapture:{tmp_path / 'out'}", transfer="skip", pack=pack)
    check_same(everything.plain(read(tmp_path / "out")), everything.plain(capture))
