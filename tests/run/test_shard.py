"""Shards: what goes in comes out, any HDF5 tool reads them, no damage goes unseen."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vloc.errors import StageError, StoreError
from vloc.run.shard import Shard, pack, read_index, shard_name

KEYS = ["a.jpg", "b.jpg", "c.jpg"]
MARKS = ["1", "2", "3"]


def outcomes() -> list:
    rng = np.random.default_rng(0)
    return [
        {"points": rng.random((4, 2), np.float32), "codes": rng.integers(0, 255, (4, 8), np.uint8)},
        "b.jpg: truncated",
        {"points": rng.random((0, 2), np.float32), "codes": rng.integers(0, 255, (0, 8), np.uint8)},
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "shard.h5"
    path.write_bytes(b"".join(pack(KEYS, MARKS, outcomes())))
    return path


def test_a_shard_that_went_away_after_it_was_opened_is_named(path: Path) -> None:
    looked_at, untouched = Shard(path), Shard(path)
    looked_at.read(0)
    path.unlink()
    for shard in (looked_at, untouched):
        with pytest.raises(StoreError, match=r"shard\.h5: missing; run the command that made it again"):
            shard.read(0)


def test_every_item_comes_back_as_it_was(path: Path) -> None:
    shard = Shard(path)
    for row in (0, 2):
        for name, array in outcomes()[row].items():
            read = shard.read(row)[name]
            assert read.dtype == array.dtype
            np.testing.assert_array_equal(read, array)


def test_the_table_of_contents_tells_the_items_and_their_marks(path: Path) -> None:
    index = read_index(path)
    assert (index.keys, index.fingerprints) == (KEYS, MARKS)


def test_a_failure_is_kept_with_its_reason(path: Path) -> None:
    assert Shard(path).failures == {1: "b.jpg: truncated"}


def test_the_hdf5_library_reads_the_same_rows(path: Path) -> None:
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["arrays/points"][:], outcomes()[0]["points"])
        assert b'"a.jpg"' in file["index"][:].tobytes()


def test_the_same_outcomes_give_the_same_bytes() -> None:
    assert pack(KEYS, MARKS, outcomes()) == pack(KEYS, MARKS, outcomes())


def test_every_single_bit_flip_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "shard.h5"
    data = bytearray(b"".join(pack(["a"], ["1"], [{"x": np.arange(3.0)}])))
    for place in np.random.default_rng(0).choice(len(data) * 8, 500, replace=False):
        data[place // 8] ^= 1 << place % 8
        path.write_bytes(data)
        with pytest.raises(StoreError, match="broken shard"):
            Shard(path).read(0)
        data[place // 8] ^= 1 << place % 8


def test_a_truncated_shard_is_seen_at_any_length(path: Path) -> None:
    data = path.read_bytes()
    for size in [0, 1, 27, 28, 100, 2048, len(data) // 2, len(data) - 1]:
        path.write_bytes(data[:size])
        with pytest.raises(StoreError, match=r"shard\.h5: broken shard"):
            Shard(path).read(0)


@pytest.mark.parametrize("text", [b"", b"vloc", b"vloc and no more", b"no seal, though long enough to hold one"])
def test_a_file_without_a_seal_is_no_shard(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "shard.h5").write_bytes(text)
    with pytest.raises(StoreError, match="no seal at its end"):
        Shard(tmp_path / "shard.h5")


def test_a_shard_that_shrinks_after_it_was_checked_is_an_error_and_not_a_crash(path: Path) -> None:
    shard = Shard(path)
    shard.check()
    with path.open("r+b") as file:
        file.truncate(100)
    with pytest.raises(StoreError, match="ends early"):
        shard.read(0)


def test_rows_of_another_type_or_shape_name_the_item() -> None:
    with pytest.raises(StageError, match=r"b: 'x' has rows of float32\(\), the items before it of float64\(\)"):
        pack(["a", "b"], ["1", "2"], [{"x": np.zeros(3)}, {"x": np.zeros(3, np.float32)}])
    with pytest.raises(StageError, match=r"b - c: 'x' has rows of float64\(3,\), the items before it of float64\(2,\)"):
        pack(["a", ("b", "c")], ["1", "2"], [{"x": np.zeros((3, 2))}, {"x": np.zeros((3, 3))}])


def test_items_with_other_arrays_are_refused() -> None:
    with pytest.raises(StageError, match=r"b: expected the arrays \['x'\], got \['x', 'y'\]"):
        pack(["a", "b"], ["1", "2"], [{"x": np.zeros(3)}, {"x": np.zeros(3), "y": np.zeros(3)}])


@pytest.mark.parametrize("array", [np.array(1.0), np.array(["text"]), np.array([None])])
def test_arrays_without_rows_or_of_objects_are_refused(array: np.ndarray) -> None:
    with pytest.raises(StageError, match="must be an array of numbers with rows"):
        pack(["a"], ["1"], [{"x": array}])


def test_a_shard_of_failures_only_is_fine(tmp_path: Path) -> None:
    (tmp_path / "shard.h5").write_bytes(b"".join(pack(["a"], ["1"], ["a: broken"])))
    assert Shard(tmp_path / "shard.h5").failures == {0: "a: broken"}


def test_the_name_depends_on_keys_and_contents() -> None:
    names = [shard_name(["a", "b"], ["1", "2"]), shard_name(["a", "b"], ["1", "3"]), shard_name([("a", "b")], ["1"])]
    assert len(set(names)) == 3


@given(
    st.data(),
    st.sampled_from([np.uint8, np.int32, np.uint32, np.int64, np.float16, np.float32, np.float64, np.bool_]),
    st.lists(st.integers(0, 3), max_size=3),
)
def test_arrays_of_any_type_and_shape_come_back(tmp_path_factory, data, dtype, row) -> None:
    arrays = [data.draw(hnp.arrays(dtype, (data.draw(st.integers(0, 4)), *row))) for _ in range(3)]
    path = tmp_path_factory.mktemp("shards") / "shard.h5"
    path.write_bytes(b"".join(pack(KEYS, MARKS, [{"x": array} for array in arrays])))
    shard = Shard(path)
    for place, array in enumerate(arrays):
        np.testing.assert_array_equal(shard.read(place)["x"], array)


def test_items_after_failed_ones_come_back_as_they_were(tmp_path: Path) -> None:
    items = ["a: failed", {"rows": np.arange(3)}, "c: failed", {"rows": np.arange(10, 14)}]
    (tmp_path / "shard.h5").write_bytes(b"".join(pack(list("abcd"), list("1234"), items)))
    shard = Shard(tmp_path / "shard.h5")
    assert shard.read(1)["rows"].tolist() == [0, 1, 2] and shard.read(3)["rows"].tolist() == [10, 11, 12, 13]


FIRST_READS = """
import importlib, sys, threading
from pathlib import Path
from vloc.run import shard

sys.setswitchinterval(1e-6)
for _ in range(200):
    importlib.reload(shard)  # as in a new process: nothing has been read yet
    barrier = threading.Barrier(8)
    def read():
        barrier.wait()
        shard.Shard(Path(sys.argv[1]))
    threads = [threading.Thread(target=read) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
"""


def test_the_first_shards_of_a_process_may_be_read_by_several_threads(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_READS, str(path)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
