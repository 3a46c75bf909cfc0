"""One file of named arrays: what is read is what was written, and what is not is refused by name."""

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.full_disks import files_of_at_most
from vloc.errors import DataError, ResourceError, StoreError
from vloc.run import packed
from vloc.run.packed import PackedFile, is_packed, write_packed

ARRAYS = {
    "points": np.arange(12, dtype=np.float64).reshape(4, 3),
    "descriptors": np.arange(200, dtype=np.uint8).reshape(50, 4),
    "none": np.zeros((0, 2), np.float32),
}


def written(path: Path, arrays=ARRAYS, about=None) -> PackedFile:
    write_packed(path, ((name, [array]) for name, array in arrays.items()), about or {"what": ["é", 1]})
    return PackedFile(path)


def test_arrays_come_back_in_place_aligned_and_read_only(tmp_path):
    file = written(tmp_path / "map.vloc")
    assert file.about == {"what": ["é", 1]}
    for name, array in ARRAYS.items():
        assert (file[name].dtype, file[name].tolist()) == (array.dtype, array.tolist())
        assert file.forms[name].offset % 64 == 0
        assert not file[name].flags.writeable
    assert list(file.problems()) == []
    assert "descriptors" in file
    assert "others" not in file
    with pytest.raises(StoreError, match=r"map\.vloc: .* no array 'others'"):
        file["others"]


@given(st.lists(st.integers(0, 40), min_size=1, max_size=6), st.integers(1, 64))
def test_an_array_in_parts_is_the_array_whatever_the_blocks(lengths, block):
    path = Path(f"/tmp/packed-{os.getpid()}.vloc")
    parts = [np.arange(n, dtype=np.int16) for n in lengths]
    before, packed.BLOCK = packed.BLOCK, block
    try:
        write_packed(path, [("a", iter(parts))], {})
        file = PackedFile(path)
        assert file["a"].tolist() == np.concatenate(parts).tolist()
        assert len(file.forms["a"].checksums) == -(-2 * sum(lengths) // block)
        assert list(file.problems()) == []
    finally:
        packed.BLOCK = before
        path.unlink()


def test_the_same_arrays_give_the_same_bytes(tmp_path):
    written(tmp_path / "a")
    written(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_every_changed_byte_is_found_and_none_crashes(tmp_path):
    path = tmp_path / "map.vloc"
    size = written(path).num_bytes
    whole = path.read_bytes()
    gaps = 0
    for at in range(size):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            file = PackedFile(path)
        except StoreError as error:
            assert str(path) in str(error)
            assert "pack" in str(error)
            continue
        found = list(file.problems())
        gaps += not found
        for name in file.forms if found else ():
            if f"'{name}'" in found[0]:
                with pytest.raises(StoreError, match="are not those that were written"):
                    file[name]
    assert gaps < 4 * 64  # zeros between arrays, which nothing reads


def test_a_file_that_was_cut_anywhere_is_refused(tmp_path):
    path = tmp_path / "map.vloc"
    written(path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(StoreError, match=r"map\.vloc: .*pack the map again"):
            PackedFile(path)


@pytest.mark.parametrize("content", [b"", b"vloc", b"x" * 200, b"vlocpack" + b"\0" * 200])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "map.vloc"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"map\.vloc"):
        PackedFile(path)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(StoreError, match="missing"):
        PackedFile(tmp_path / "none")
    with pytest.raises(StoreError, match="directory"):
        PackedFile(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StoreError, match="named pipe"):
        PackedFile(tmp_path / "pipe")
    assert not is_packed(tmp_path / "pipe")
    assert not is_packed(tmp_path / "none")
    assert not is_packed(tmp_path)


def test_a_file_of_a_later_version_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "VERSION", 9)
    write_packed(tmp_path / "map.vloc", [], {})
    monkeypatch.undo()
    with pytest.raises(StoreError, match="of version 9, this vloc reads 1"):
        PackedFile(tmp_path / "map.vloc")


def test_parts_of_other_types_are_refused_and_leave_nothing(tmp_path):
    parts = [np.zeros(2, np.float32), np.zeros(2, np.float64)]
    with pytest.raises(StoreError, match="a part of float64"):
        write_packed(tmp_path / "map.vloc", [("a", parts)], {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit", [8, 100, 400, 700])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, limit):
    path = tmp_path / "map.vloc"
    written(path)
    before = path.read_bytes()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with files_of_at_most(limit), pytest.raises(ResourceError, match=r"map\.vloc: .* bytes needed"):
        written(path, about={"new": 1})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["map.vloc"]


@pytest.mark.parametrize("call", range(4))
def test_a_kill_at_any_moment_leaves_the_old_file_or_the_new_one(tmp_path, call):
    path = tmp_path / "map.vloc"
    written(path)
    before = path.read_bytes()
    code = f"""
        import os, signal, numpy as np
        from vloc.run.packed import write_packed
        left = {call}
        def struck(*real):
            global left
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        def parts():
            for part in range(3):
                struck()
                yield np.full(1000, part)
        fsync = os.fsync
        os.fsync = lambda handle: (struck(), fsync(handle))
        write_packed(__import__("pathlib").Path({str(path)!r}), [("a", parts())], {{}})
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    write_packed(tmp_path / "other.vloc", [], {})
    assert len(list(tmp_path.glob(".map.vloc.*.tmp"))) == 1
    written(path)
    assert {file.name for file in tmp_path.iterdir()} == {"map.vloc", "other.vloc"}


def test_two_runs_that_write_one_file_at_once_leave_each_other_alone(tmp_path):
    path = tmp_path / "map.vloc"

    def parts():
        yield np.arange(3)
        written(path)

    write_packed(path, [("a", parts())], {"which": "outer"})
    assert PackedFile(path).about == {"which": "outer"} and [*tmp_path.iterdir()] == [path]


def test_a_file_that_another_run_took_for_left_behind_before_it_was_locked_is_made_again(tmp_path, monkeypatch):
    made, mkstemp = [], tempfile.mkstemp

    def taken_away(**where):
        made.append(mkstemp(**where))
        if len(made) == 1:
            Path(made[0][1]).unlink()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkstemp", taken_away)
    written(tmp_path / "map.vloc")
    assert len(made) == 2 and is_packed(tmp_path / "map.vloc")


def test_a_folder_that_is_not_there_is_made_and_a_place_that_cannot_be_is_told(tmp_path):
    write_packed(tmp_path / "new" / "folder" / "map.vloc", [("a", [np.arange(3)])], {})
    assert PackedFile(tmp_path / "new" / "folder" / "map.vloc")["a"].tolist() == [0, 1, 2]
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file/map\.vloc: cannot be written: "):
        write_packed(tmp_path / "file" / "map.vloc", [("a", [np.arange(3)])], {})
