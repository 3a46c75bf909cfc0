"""Damaged kapture folders: every record is there, or an error or a remark says why not, as a slow reader tells."""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from vloc.errors import DataError
from vloc.formats.access import read

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "format_samples"
FILES = ("sensors", "rigs", "trajectories", "records_camera", "records_depth", "records_wifi", "records_gnss")


def slow_rows(text: bytes) -> list[list[str]]:
    """Rows as any reader of the format's grammar must see them, one line after the other."""
    lines = text.decode(errors="replace").removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    return [[field.strip() for field in line.split(",")] for line in lines if line.strip() and line.strip()[0] != "#"]


def counts(folder: Path) -> tuple[Counter, tuple[str, ...]]:
    """How many rows of each file vloc used, and its remarks."""
    capture = read(f"kapture:{folder}")
    found = Counter(sensors=len(capture.sensors), rigs=len(capture.rigs), trajectories=len(capture.trajectory))
    found["records_camera"] = len(capture.images)
    for kind, rows in {**capture.others, **capture.readings}.items():
        found[f"records_{kind}"] = len(rows)
    return found, (*capture.notes, *capture.left_out)


def values(folder: Path) -> dict[str, list]:
    """What vloc read from the two files with values of their own, in the slow reader's terms."""
    capture = read(f"kapture:{folder}")
    track, images = capture.trajectory, capture.images
    poses = zip(track.timestamps.tolist(), track.devices, np.hstack([track.quat_wxyz, track.translation]), strict=True)
    records = zip(images.timestamps.tolist(), images.devices, images.names, strict=True)
    return {
        "trajectories": sorted((t, track.device_ids[d], rounded(v)) for t, d, v in poses),
        "records_camera": sorted((t, images.device_ids[d], name) for t, d, name in records),
    }


def rounded(numbers: list[float] | np.ndarray) -> tuple[str, ...]:
    """Numbers to 13 digits: the two sides normalise quaternions by different sums."""
    return tuple(f"{number:.13g}" for number in numbers)


def slow_values(sensors: Path) -> dict[str, list]:
    """The same from the slow reader."""
    found: dict[str, list] = {"trajectories": [], "records_camera": []}
    for name, rows in found.items():
        path = sensors / f"{name}.txt"
        for time, device, *rest in slow_rows(path.read_bytes()) if path.exists() else []:
            if name == "records_camera":
                rows.append((int(time), device, rest[0]))
            else:
                numbers = np.array([float(x) if x else np.nan for x in rest])
                norm = np.linalg.norm(numbers[:4])
                unit = numbers[:4] if abs(norm - 1) <= 1e-15 else numbers[:4] / norm
                rows.append((int(time), device, rounded([*unit, *numbers[4:]])))
    return {name: sorted(rows) for name, rows in found.items()}


def mutate(data: bytes, rng: random.Random) -> bytes:
    """One damaged byte: replaced, removed, doubled, or the file cut there.

    A file cut just after a line end is a shorter whole file: the format has no counts, so nobody can tell.
    """
    place = rng.randrange(len(data))
    kind = rng.randrange(5)
    if kind == 0:
        return data[:place] + data[place + 1 :]
    if kind == 1:
        return data[:place] + data[place : place + 1] + data[place:]
    if kind == 2 and not data[:place].endswith(b"\n") and place:
        return data[:place]
    new = rng.choice(b"\n#, 0-eX\xff\x00\r.") if kind == 3 else rng.randrange(256)
    return data[:place] + bytes([new]) + data[place + 1 :]


def silent_losses(root: Path, folder: Path, rounds: int, seed: int) -> tuple[list[str], int]:
    """Mutations after which records are missing, or differ from the slow reader's, without a word; and the refused."""
    rng, sensors, silent, refused = random.Random(seed), folder / "sensors", [], 0
    sensors.mkdir(parents=True)
    originals = {name: (root / "sensors" / f"{name}.txt") for name in FILES}
    texts = {name: path.read_bytes() for name, path in originals.items() if path.exists()}
    for name, text in texts.items():
        (sensors / f"{name}.txt").write_bytes(text)
    whole, notes = counts(folder)
    for _ in range(rounds):
        name = rng.choice(sorted(texts))
        damaged = mutate(texts[name], rng)
        (sensors / f"{name}.txt").write_bytes(damaged)
        try:
            found, new_notes = counts(folder)
            lost = any(found[key] < count for key, count in whole.items()) and new_notes == notes
            differ = new_notes == notes == () and values(folder) != slow_values(sensors)
            if lost or differ:
                silent.append(f"{name}: {damaged!r}")
        except DataError as error:
            refused += 1
            if name not in str(error) and "trajectories" not in str(error) and "records" not in str(error):
                silent.append(f"{name}: error without its file: {error}")
        (sensors / f"{name}.txt").write_bytes(texts[name])
    return silent, refused


@pytest.mark.shared
@pytest.mark.parametrize("root", ["m1x", "7scenes/kapture/stairs/mapping", "virtual_gallery/kapture/reduced"])
def test_no_damaged_byte_loses_a_record_in_silence(root, tmp_path):
    if not SAMPLES.exists():
        pytest.skip(f"{SAMPLES} is not there")
    silent, refused = silent_losses(SAMPLES / root, tmp_path / "damaged", 250, seed=1)
    assert silent == []
    assert refused > 50


@pytest.mark.shared
@pytest.mark.slow
def test_no_damaged_byte_of_ten_thousand_loses_a_record_in_silence(tmp_path):
    if not SAMPLES.exists():
        pytest.skip(f"{SAMPLES} is not there")
    roots = sorted(path.parents[1] for path in SAMPLES.rglob("sensors/sensors.txt"))
    for number, root in enumerate(roots):
        silent, _ = silent_losses(root, tmp_path / str(number), 10_000 // len(roots) + 1, seed=number)
        assert silent == []
