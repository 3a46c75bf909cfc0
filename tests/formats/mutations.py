"""Damaged samples of every format: each is read as it was, or refused by an error that names a file, in a moment.

`python tests/formats/mutations.py SEED FIRST COUNT FOLDER [SAMPLE ...]` damages in a process of its own, under limits
of time and memory, and prints a line of JSON for every finding and one at the end.
"""

from __future__ import annotations

import json
import os
import random
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import FrameType

TIME_LIMIT_S, MEMORY_LIMIT_BYTES = 5, 6 << 30
NUMBERS = tuple(
    "1e308 -1e308 1e-320 nan inf -1 0 1e99 99999999999999999999999 0.19,496 1_0 2147483648 4294967295 "
    "9223372036854775807 18446744073709551616 0x10 1.5 -0 \u0663".encode().split()
)
TEXTS = (
    b"../x", b"/etc/passwd", b"a" * 300, b"[" * 5000, b'"' * 9, b"x" * 70000, b"\xff\xfe", b"a/../b", b"null", b"{}",
    b"",
)  # fmt: skip
VALUES = (None, -1, 0, 2**62, 1e308, "text", "../x", b"", b"\xff" * 7, b"\xff" * 56, 3.5)
COUNTS = (b"\xff" * 4, b"\xff" * 8, (2**31).to_bytes(4, "little"), (2**40).to_bytes(8, "little"), b"\0" * 8)
TOKEN = re.compile(rb"[^\s,\"\[\]{}:]+")
Operator = Callable[[bytes, random.Random], bytes]


def _cut_out(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + data[place + rng.choice((1, 1, 1, 4, 8, 50)) :]


def _double(data: bytes, rng: random.Random) -> bytes:
    place, size = rng.randrange(len(data)), rng.choice((1, 1, 4, 8, 50))
    return data[: place + size] + data[place:]


def _break_off(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _replace(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    new = rng.choice(b"\n#, 0-eX\xff\x00\r.\"'[]{}:/\t") if rng.random() < 0.5 else rng.randrange(256)
    return data[:place] + bytes([new]) + data[place + 1 :]


def _flip(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << rng.randrange(8))]) + data[place + 1 :]


def _lines(data: bytes, rng: random.Random) -> bytes:
    """A line left out, doubled, or two swapped."""
    lines = data.split(b"\n")
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(3)
    if kind == 0:
        del lines[a]
    elif kind == 1:
        lines.insert(b, lines[a])
    else:
        lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def _token(data: bytes, rng: random.Random) -> bytes:
    """A word replaced by an odd number or text, or by another word of the file."""
    found = list(TOKEN.finditer(data[:200_000]))
    if not found:
        return _replace(data, rng)
    token = rng.choice(found)
    new = rng.choice(NUMBERS) if rng.random() < 0.5 else rng.choice((*TEXTS, rng.choice(found)[0]))
    return data[: token.start()] + new + data[token.end() :]


def _count(data: bytes, rng: random.Random) -> bytes:
    """Huge or zero bytes over some that may be a count or a size."""
    new = rng.choice(COUNTS)
    place = rng.randrange(0, max(len(data) - len(new), 1))
    place -= place % 4 if rng.random() < 0.5 else 0
    return data[:place] + new + data[place + len(new) :]


def _empty(data: bytes, rng: random.Random) -> bytes:
    return rng.choice((b"", b"\n", b"\0" * 100, b"[" * 100_000, b"\xef\xbb\xbf" + data, data.replace(b"\n", b"\r\n")))


OPERATORS: tuple[Operator, ...] = (
    _cut_out, _double, _break_off, _replace, _replace, _flip, _flip, _lines, _token, _token, _token, _count, _empty,
)  # fmt: skip


def _values(path: Path, rng: random.Random) -> str:
    """A value of a database replaced by an odd one, or a table by a view of it."""
    with closing(sqlite3.connect(path)) as database, database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        table = rng.choice([name for name in sorted(tables) if not name.startswith("sqlite_")])
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        kind = rng.randrange(12)
        database.execute("PRAGMA ignore_check_constraints = ON")
        if kind == 0:
            database.executescript(f"ALTER TABLE {table} RENAME TO t; CREATE VIEW {table} AS SELECT * FROM t")
        elif kind == 1:
            database.executescript(f"CREATE TABLE t AS SELECT * FROM {table}; DROP TABLE {table}")
            database.execute(f"ALTER TABLE t RENAME TO {table}")
            database.execute(f"UPDATE {table} SET {rng.choice(columns)} = ?", (rng.choice(VALUES),))
        elif kind == 2:
            database.execute(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
        else:
            column, value = rng.choice(columns), rng.choice(VALUES)
            where = "" if rng.random() < 0.3 else f" WHERE rowid = (SELECT max(rowid) FROM {table})"
            database.execute(f"UPDATE OR IGNORE {table} SET {column} = ?{where}", (value,))
    return f"_values of {table}"


def damage(path: Path, files: list[Path], rng: random.Random) -> str:
    """Damage a file in place; gives what was done."""
    if rng.random() < 0.03:
        return _strange(path, files, rng)
    if rng.random() < 0.7 and path.read_bytes()[:6] == b"SQLite":
        with suppress(sqlite3.IntegrityError):
            return _values(path, rng)
    data, done = path.read_bytes(), []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        operator = rng.choice(OPERATORS)
        data = operator(data, rng) if data else data
        done.append(operator.__name__)
    path.write_bytes(data)
    return " ".join(done)


def _strange(path: Path, files: list[Path], rng: random.Random) -> str:
    """Something else in the place of a file."""
    kind = rng.choice(("gone", "folder", "pipe", "itself", "other"))
    content = rng.choice(files).read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "itself":
        path.symlink_to(path.name)
    elif kind == "other":
        path.write_bytes(content)
    return kind


def restore(path: Path, data: bytes) -> None:
    """The file as it was."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.write_bytes(data)


class TooLong(BaseException):  # so that no reader catches it
    """A reader that took longer than it may."""


def _alarm(_: int, __: FrameType | None) -> None:
    raise TooLong


def complaint(load: Callable[[], dict[str, int]], names: list[str], whole: dict[str, int]) -> tuple[str, bool]:
    """What is wrong with how a damaged sample is read (nothing, as it should be), and whether it was read at all."""
    from vloc.errors import VlocError

    signal.setitimer(signal.ITIMER_REAL, TIME_LIMIT_S)
    try:
        found = load()
    except VlocError as error:
        named = any(name in str(error) for name in names)
        return "" if named else f"names no file: {error}", False
    except TooLong:
        return f"more than {TIME_LIMIT_S} s", False
    except Exception as error:
        import traceback

        return "".join(traceback.format_exception(error)[-4:]), False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    more = {kind: count for kind, count in found.items() if count > 10 * whole[kind] + 10}
    return f"more than there was: {more}" if more else "", True


def findings(seed: int, first: int, count: int, root: Path, chosen: list[str]) -> Iterator[dict[str, object]]:
    """Every finding of some mutations, numbered from `first`; mutation i is the same in every process."""
    from samples import make_map, make_samples

    samples = make_samples(root / "samples")
    samples["map"] = make_map(root / "samples")
    samples = {name: sample for name, sample in samples.items() if not chosen or name in chosen}
    whole = {name: sample.load() for name, sample in samples.items()}
    files = {name: sorted(p for p in sample.folder.rglob("*") if p.is_file()) for name, sample in samples.items()}
    content = {path: path.read_bytes() for own in files.values() for path in own}
    for number in range(first, first + count):
        rng = random.Random(f"{seed} {number}")
        name = rng.choice(sorted(samples))
        path = rng.choice(files[name])
        done = damage(path, files[name], rng)
        names = [str(samples[name].folder), *(file.name for file in files[name])]
        what, was_read = complaint(samples[name].load, names, whole[name])
        yield {"read": was_read, "sample": name}
        if what:
            kept = root / f"found-{seed}-{number}-{name}-{path.name}"
            kept.write_bytes(path.read_bytes() if path.is_file() else b"")
            yield {"number": number, "sample": name, "file": path.name, "done": done, "what": what}
        restore(path, content[path])


def run(seed: int, first: int, count: int, root: Path, chosen: list[str]) -> None:
    """The child's side: print what was found."""
    sys.path.insert(0, str(Path(__file__).parent))
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    signal.signal(signal.SIGALRM, _alarm)
    outcomes: Counter[str] = Counter()
    for finding in findings(seed, first, count, root, chosen):
        if "what" in finding:
            print(json.dumps(finding), flush=True)
        else:
            outcomes[f"{finding['sample']} {'read' if finding['read'] else 'refused'}"] += 1
    print(json.dumps({"done": count, "outcomes": outcomes}), flush=True)


def in_a_child(
    seed: int, first: int, count: int, root: Path, chosen: tuple[str, ...] = (), timeout_s: float = 600
) -> list[dict[str, object]]:
    """The findings of a process of its own; its death or standstill is one of them."""
    command = [sys.executable, __file__, str(seed), str(first), str(count), str(root), *chosen]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return [{"what": f"no end after {timeout_s} s"}]
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not any(row.get("done") == count for row in rows):
        rows.append({"what": f"the process ended with {done.returncode}: {done.stderr[-2000:]}"})
    return [row for row in rows if "what" in row]


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), sys.argv[5:])
