"""HDF5 files in pieces, read back by the HDF5 library."""

import io

import h5py
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vloc.run.hdf5_file import Hdf5File

KINDS = st.sampled_from(["u1", "<i4", "<f4", "<f8", ">f4", "?", "S5"])
COLUMNS = st.lists(
    st.tuples(KINDS, st.integers(0, 3), st.lists(st.integers(0, 400), min_size=1, max_size=5)), max_size=6
)


def arrays_of(kind: str, width: int, lengths: list[int]) -> list[np.ndarray]:
    """Arrays of rows of some bytes that depend on nothing but what is asked for."""
    shapes = [(length, width) if width else (length,) for length in lengths]
    rng = np.random.default_rng(sum(lengths))
    return [rng.integers(0, 2 if kind == "?" else 100, shape).astype(kind) for shape in shapes]


@given(COLUMNS)
def test_the_library_reads_what_was_added_and_it_is_where_it_was_said(columns: list) -> None:
    made, file = [arrays_of(*column) for column in columns], Hdf5File()
    offsets = [file.add(f"arrays/{name}", parts) for name, parts in enumerate(made)]
    data = b"".join(file.parts())
    with h5py.File(io.BytesIO(data)) as found:
        for name, (offset, parts) in enumerate(zip(offsets, made, strict=True)):
            stored, written = found[f"arrays/{name}"], b"".join(part.tobytes() for part in parts)
            assert stored.dtype == parts[0].dtype and np.array_equal(stored[:], np.concatenate(parts))
            assert data[offset : offset + len(written)] == written


def test_arrays_are_not_copied() -> None:
    file, whole = Hdf5File(), np.arange(100_000)
    file.add("numbers", [whole[:60_000], whole[60_000:]])
    pieces = [np.frombuffer(piece, np.uint8) for piece in file.parts()]
    assert [len(piece) for piece in pieces if np.shares_memory(piece, whole)] == [480_000, 320_000]
    assert sum(len(piece) for piece in pieces if not np.shares_memory(piece, whole)) < 10_000
