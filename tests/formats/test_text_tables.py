"""The grammar of comma-separated text, against plain Python on the same text."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.errors import DataError
from vloc.formats import text_blocks
from vloc.formats.remarks import Remarks
from vloc.formats.text_fields import LARGEST
from vloc.formats.text_tables import read_lines, read_tables

COLUMNS = ("time", "name", "x", "y")
FINITE = st.floats(-LARGEST, LARGEST)
NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters=",#"), min_size=1).map(str.strip)


def tables(path: Path, text: str | bytes, remarks: Remarks | None = None):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(read_tables(path, COLUMNS, remarks or Remarks()))


def only(path: Path, text: str | bytes, remarks: Remarks | None = None):
    (table,) = tables(path, text, remarks)
    return table


@given(rows=st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), NAMES, FINITE, FINITE), min_size=1))
def test_every_integer_name_and_float_reads_back_exactly(rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("t") / "t.txt"
    table = only(path, "".join(f"{t}, {n}, {x!r}, {y!r}\n" for t, n, x, y in rows))
    assert table.integers(0).tolist() == [row[0] for row in rows]
    assert table.text(1) == [row[1] for row in rows]
    assert table.numbers(2, 4).tolist() == [[row[2], row[3]] for row in rows]


@pytest.mark.parametrize("text", [".5", "5.", "+5", "007", "1E3", "-0", "1e-400", "0.1e+1", "123456789012345678901234"])
def test_rare_spellings_of_numbers_mean_what_python_says(text, tmp_path):
    assert only(tmp_path / "t", f"1,a,{text},2\n").numbers(2, 3)[0, 0] == float(text)


@pytest.mark.parametrize("text", ["nan", "inf", "1_0", "0x1p3", "1 2", "", "1e400", "--1", "٣", '"1"', "null"])
def test_what_is_no_finite_decimal_number_is_refused_with_its_line(text, tmp_path):
    table = only(tmp_path / "t.txt", f"# header\n1,a,1,2\n2,b,{text},4\n")
    with pytest.raises(DataError, match=r"t\.txt:3: x: "):
        table.numbers(2, 4)


@pytest.mark.parametrize("text", ["1.5", "1e3", "1_000", "", "x", "9223372036854775808", "9" * 60])
def test_what_is_no_64_bit_integer_is_refused_with_its_line(text, tmp_path):
    with pytest.raises(DataError, match=r"t\.txt:1: time: "):
        only(tmp_path / "t.txt", f"{text},a,1,2\n").integers(0)


def test_byte_order_mark_windows_line_ends_blank_lines_and_comments_change_nothing(tmp_path):
    text = b"\xef\xbb\xbf# header\r\n\r\n1, a, 1, 2\r\n   # a comment after blanks\r\n \t \r\n2, b, 3, 4\r\n"
    table = only(tmp_path / "t", text)
    assert table.text(1) == ["a", "b"]
    assert table.lines.tolist() == [3, 6]


def test_last_row_without_line_end_is_used_and_remarked(tmp_path):
    remarks = Remarks()
    (first, second) = tables(tmp_path / "t.txt", "1,a,1,2\n2,b,3,4", remarks)
    assert [first.text(1), second.text(1)] == [["a"], ["b"]]
    assert remarks.lines() == ("t.txt: 1 last rows without line end: was the file cut? (first: line 2)",)


@pytest.mark.parametrize("row", ["2,b,3", "2,b,3,4,5", "2", "2,b,3,"])
def test_row_of_another_length_is_refused_by_file_and_line(row, tmp_path):
    with pytest.raises(DataError, match=r"t\.txt:4: .*"):
        for table in tables(tmp_path / "t.txt", f"# h\n1,a,1,2\n\n{row}\n3,c,5,6\n"):
            table.numbers(2, 4)


def test_two_rows_whose_errors_cancel_are_still_refused(tmp_path):
    with pytest.raises(DataError, match=r":1: 3 fields; expected 4: time, name, x, y; found '1,a,1'"):
        tables(tmp_path / "t", "1,a,1\n2,b,3,4,5\n")


@pytest.mark.parametrize(("text", "line"), [(b"1,a,1,2\n2,\xff,3,4\n", 2), (b"1,a\x00,1,2\n", 1), (b"1,a\rb,1,2\n", 1)])
def test_bytes_that_are_no_text_are_refused_with_their_line(text, line, tmp_path):
    with pytest.raises(DataError, match=rf"t\.txt:{line}: "):
        only(tmp_path / "t.txt", text).text(1)


def test_empty_fields_become_nan_only_where_that_is_allowed(tmp_path):
    table = only(tmp_path / "t", "1,a, ,2\n")
    assert math.isnan(table.numbers(2, 4, may_be_empty=True)[0, 0])
    with pytest.raises(DataError, match="x: not a number; found 'nothing'"):
        table.numbers(2, 4)


def test_rows_do_not_depend_on_where_the_file_is_cut_into_chunks(tmp_path, monkeypatch):
    text = "".join(f"{i}, näme {i}, {i / 7!r}, -1\n" for i in range(40)) + "# end\n"
    whole = only(tmp_path / "t", text)
    for size in (30, 31, 64, 257):
        monkeypatch.setattr(text_blocks, "CHUNK_BYTES", size)
        parts = tables(tmp_path / "t", text)
        assert len(parts) > 1
        assert [name for part in parts for name in part.text(1)] == whole.text(1)
        assert np.array_equal(np.concatenate([part.numbers(2, 4) for part in parts]), whole.numbers(2, 4))
        assert np.concatenate([part.lines for part in parts]).tolist() == list(range(1, 41))


def test_rows_of_varying_length_come_with_their_lines(tmp_path):
    (tmp_path / "t").write_text("# h\na, b\n\nc\n d , , e\n")
    assert list(read_lines(tmp_path / "t", COLUMNS, Remarks())) == [(2, ["a", "b"]), (4, ["c"]), (5, ["d", "", "e"])]
