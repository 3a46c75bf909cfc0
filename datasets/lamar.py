"""LaMAR (Sarlin et al., ECCV 2022): three places mapped by AR devices, photos of phones and HoloLenses, as kapture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vloc.array_types import Bool
from vloc.data.capture import Capture
from vloc.data.records import Records, Trajectory
from vloc.data.rigs import rig_chains
from vloc.formats.access import read
from vloc.formats.base import Transfer
from vloc.formats.lamar import read_trajectory
from vloc.formats.remarks import Remarks
from vloc.formats.text_fields import parse_integer, refusal
from vloc.formats.text_lines import data_lines

from .benchmark import Benchmark, check_layout, named_from, write_conditions
from .importing import required, write_place

MAP, QUERIES = "sessions/map", "sessions/query_*"
LIST, TRUTH = "queries.txt", "proc/alignment_trajectories.txt"
BENCHMARK = Benchmark(
    "LaMAR",
    "https://lamar.ethz.ch/lamar/",
    "CC BY-SA 4.0",
    {
        f"*/{MAP}/images.txt": "the session to map",
        f"*/sessions/query_phone/{LIST}": "which images of phones are asked for",
        f"*/sessions/query_hololens/{LIST}": "which instants of HoloLenses are asked for",
    },
    "lamar",
    thresholds=((0.1, 1.0), (1.0, 5.0)),
    in_one_file=False,
)


@dataclass(frozen=True)
class LamarConfig:
    """Which places to import."""

    source: Path
    """folder with CAB, HGE and LIN, or some of them, each with sessions/map and sessions/query_phone ..."""
    transfer: Transfer = "link"
    """how images get into the output: copied, as one link to their folder, or not at all"""


def make(root: Path, config: LamarConfig) -> None:
    """Write a place for each scene: `mapping`, and `query_phone` and so on of what is asked for.

    Poses are public of the map and of validation. Names are paths from the source; depth and point clouds are left out.
    """
    check_layout(BENCHMARK, config.source)
    condition_of: dict[str, str] = {}
    for folder in sorted(path for path in config.source.iterdir() if (path / MAP).is_dir()):
        queries = {path.name: asked(config.source, path) for path in sorted(folder.glob(QUERIES))}
        write_place(root / folder.name, _session(config.source, folder / MAP), queries, config.transfer)
        for name, capture in queries.items():
            condition = f"{folder.name}_{name.removeprefix('query_')}"
            condition_of |= dict.fromkeys(capture.images.names, condition)
    write_conditions(root, condition_of)


def asked(source: Path, folder: Path) -> Capture:
    """The images of a session that its list asks for, with their true poses where they are public.

    What the devices' own tracking said is left out: it has a frame of its own.
    """
    session = _session(source, folder)
    rows = _asked_rows(folder / LIST, session)
    images, ids = session.images, session.images.device_ids
    chosen = [
        (int(images.timestamps[row]), ids[images.devices[row]], images.names[row])
        for row in np.flatnonzero(rows).tolist()
    ]
    track, truth = Trajectory.empty(), folder / TRUTH
    if truth.is_file():
        known = {*session.sensors, *(member.rig_id for member in session.rigs)}
        track = read_trajectory(truth, known, Remarks())
    return replace(session, images=Records.from_rows(chosen), trajectory=track)


def _session(source: Path, folder: Path) -> Capture:
    session = replace(read(f"lamar:{folder}"), others={})
    return named_from(source, folder / "raw_data", session)


def _asked_rows(path: Path, session: Capture) -> Bool[np.ndarray, "i"]:
    """Which images were taken at the times of a list, by the device beside the time or by a camera on it."""
    taken, rows = _taken(session), np.zeros(len(session.images), bool)
    for line, text in data_lines(required(path)):
        time, _, device = (field.strip() for field in text.partition(","))
        try:
            found = taken.get((parse_integer(time), device), [])
        except ValueError as error:
            raise refusal(path, line, f"time: {error}", "timestamp, device", text) from None
        if not found:
            raise refusal(path, line, f"'{device}' took no image at {time}", "timestamp, device of images.txt", text)
        rows[found] = True
    return rows


def _taken(session: Capture) -> Mapping[tuple[int, str], list[int]]:
    """Rows of the images that a device, or a rig, took at a time."""
    chains = rig_chains(session.rigs)
    taken: dict[tuple[int, str], list[int]] = {}
    for row, (time, place) in enumerate(
        zip(session.images.timestamps.tolist(), session.images.devices.tolist(), strict=True)
    ):
        camera = session.images.device_ids[place]
        for device in (camera, *(rig for rig, _ in chains.get(camera, []))):
            taken.setdefault((time, device), []).append(row)
    return taken
