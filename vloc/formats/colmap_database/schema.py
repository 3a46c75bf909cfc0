"""The tables of COLMAP's database before rigs (3.x) and with them (4.x), and how vloc opens one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from ...errors import DataError
from ...regular_file import is_regular, open_regular

SQLITE_MAGIC = b"SQLite format 3\0"
# A pair's id is first * MAX_IMAGE_ID + second, the smaller image id first.
MAX_IMAGE_ID = 2**31 - 1
CAMERA_SENSOR = 0
# Of SQLite's virtual machine, which needs some ten a row.
STEPS, STEPS_PER_BYTE = 1_000_000, 100
WGS84, CARTESIAN = 0, 1
# What COLMAP writes into `PRAGMA user_version`, by which it knows what to upgrade.
USER_VERSIONS = {3: 3600, 4: 4020100}
# COLMAP 4's numbers of descriptors: those of SIFT are bytes, the learned ones float32 in bytes.
SIFT, UNDEFINED = 0, -1
EXTRACTORS = {UNDEFINED: "undefined", SIFT: "SIFT", 1: "ALIKED_N16ROT", 2: "ALIKED_N32", 3: "LOMA_B", 4: "LOMA_B128"}

_OF_IMAGE = "FOREIGN KEY(image_id) REFERENCES images(image_id) ON DELETE CASCADE"
_IMAGE_ENDS = f"""CONSTRAINT image_id_check CHECK(image_id >= 0 and image_id < {MAX_IMAGE_ID}),
    FOREIGN KEY(camera_id) REFERENCES cameras(camera_id)"""
_IMAGE_STARTS = (
    "image_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL UNIQUE, camera_id INTEGER NOT NULL"
)
_BLOB = "rows INTEGER NOT NULL, cols INTEGER NOT NULL, data BLOB"
_GEOMETRY = f"pair_id INTEGER PRIMARY KEY NOT NULL, {_BLOB}, config INTEGER NOT NULL, F BLOB, E BLOB, H BLOB, qvec BLOB"
_COMMON = f"""
CREATE TABLE cameras (camera_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, model INTEGER NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, params BLOB, prior_focal_length INTEGER NOT NULL);
CREATE TABLE keypoints (image_id INTEGER PRIMARY KEY NOT NULL, {_BLOB}, {_OF_IMAGE});
CREATE TABLE matches (pair_id INTEGER PRIMARY KEY NOT NULL, {_BLOB});
"""
_PRIORS = ", ".join(f"prior_{name} REAL" for name in ("qw", "qx", "qy", "qz", "tx", "ty", "tz"))
SCHEMAS = {
    3: f"""{_COMMON}
CREATE TABLE images ({_IMAGE_STARTS}, {_PRIORS}, {_IMAGE_ENDS});
CREATE UNIQUE INDEX index_name ON images(name);
CREATE TABLE descriptors (image_id INTEGER PRIMARY KEY NOT NULL, {_BLOB}, {_OF_IMAGE});
CREATE TABLE two_view_geometries ({_GEOMETRY}, tvec BLOB);
""",
    4: f"""{_COMMON}
CREATE TABLE rigs (rig_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, ref_sensor_id INTEGER NOT NULL,
    ref_sensor_type INTEGER NOT NULL);
CREATE UNIQUE INDEX rig_ref_sensor_assignment ON rigs(ref_sensor_id, ref_sensor_type);
CREATE TABLE rig_sensors (rig_id INTEGER NOT NULL, sensor_id INTEGER NOT NULL, sensor_type INTEGER NOT NULL,
    sensor_from_rig BLOB, FOREIGN KEY(rig_id) REFERENCES rigs(rig_id) ON DELETE CASCADE);
CREATE UNIQUE INDEX rig_sensor_assignment ON rig_sensors(sensor_id, sensor_type);
CREATE TABLE frames (frame_id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, rig_id INTEGER NOT NULL,
    FOREIGN KEY(rig_id) REFERENCES rigs(rig_id) ON DELETE CASCADE);
CREATE TABLE frame_data (frame_id INTEGER NOT NULL, data_id INTEGER NOT NULL, sensor_id INTEGER NOT NULL,
    sensor_type INTEGER NOT NULL, FOREIGN KEY(frame_id) REFERENCES frames(frame_id) ON DELETE CASCADE);
CREATE UNIQUE INDEX frame_sensor_assignment ON frame_data(data_id, sensor_type);
CREATE TABLE images ({_IMAGE_STARTS}, {_IMAGE_ENDS});
CREATE UNIQUE INDEX index_name ON images(name);
CREATE TABLE pose_priors (pose_prior_id INTEGER PRIMARY KEY NOT NULL, corr_data_id INTEGER NOT NULL,
    corr_sensor_id INTEGER NOT NULL, corr_sensor_type INTEGER NOT NULL, position BLOB, position_covariance BLOB,
    gravity BLOB, coordinate_system INTEGER NOT NULL);
CREATE UNIQUE INDEX pose_prior_data_assignment ON pose_priors(corr_data_id, corr_sensor_id, corr_sensor_type);
CREATE TABLE descriptors (image_id INTEGER PRIMARY KEY NOT NULL, type INTEGER NOT NULL, {_BLOB}, {_OF_IMAGE});
CREATE TABLE two_view_geometries ({_GEOMETRY}, tvec BLOB, camera1 BLOB, camera2 BLOB);
""",
}


def is_database(path: Path) -> bool:
    """Whether a file begins as SQLite's do."""
    if not is_regular(path):
        return False
    with open_regular(path) as file:
        return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A database for reading only; nothing is ever created or changed. DataError names a file that is none.

    SQLite would make files beside a database in WAL mode; that is needed only where one is being written.
    """
    if not is_database(path):
        raise DataError(f"{path}: not an SQLite database")
    wal = path.with_name(f"{path.name}-wal")
    in_wal = wal.stat().st_size if is_regular(wal) else 0
    mode = "mode=ro" if in_wal else "immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)) as connection:
            _bound_work(connection, path.stat().st_size + in_wal)
            yield connection
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: broken database: {error}") from None


def _bound_work(database: sqlite3.Connection, num_bytes: int) -> None:
    """Interrupt a database that has SQLite do more than its bytes could ask for: one that generates its own rows."""
    left = STEPS + STEPS_PER_BYTE * num_bytes

    def count() -> bool:
        nonlocal left
        left -= STEPS
        return left < 0

    database.set_progress_handler(count, STEPS)


def columns_of(database: sqlite3.Connection, table: str) -> set[str]:
    """The stored columns of a table with rows of its own; none where there is no such table, or it is a view."""
    # Views and virtual tables have no page, and their rows come from anywhere, without end.
    stored = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND name = ?"
    if database.execute(stored, (table,)).fetchone() is None:
        return set()
    return {name for (name,) in database.execute("SELECT name FROM pragma_table_info(?)", (table,))}


def rows_of(database: sqlite3.Connection, path: Path, table: str, types: dict[str, type]) -> list[tuple[Any, ...]]:
    """All rows of some columns, in the order of the first; DataError for a value of another type.

    NULL is None where blobs and floats are wanted, else another type.
    """
    if missing := [name for name in types if name not in columns_of(database, table)]:
        raise DataError(f"{path}: table {table}: no column {', '.join(missing)}")
    names = ", ".join(types)
    rows = database.execute(f"SELECT {names} FROM {table} ORDER BY {next(iter(types))}").fetchall()  # noqa: S608 - names from this package
    for row in rows:
        for (name, of), value in zip(types.items(), row, strict=True):
            is_absent = value is None and of in (bytes, float)
            if not is_absent and not isinstance(value, of) and not (of is float and isinstance(value, int)):
                raise DataError(f"{path}: table {table}, row {row[0]}: {name} is {value!r:.40}, expected {of.__name__}")
    return rows
