"""Texts in two arrays, and rows found in their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.data.lines import Lines, RowOf, order_of

TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=30)


@given(TEXTS)
def test_texts_come_back_one_by_one_and_by_slices(texts):
    lines = Lines.of(texts)
    assert list(lines) == texts
    assert lines[1:3] == texts[1:3]
    assert [lines[-1]] == texts[-1:] if texts else not len(lines)
    with pytest.raises(IndexError):
        lines[len(texts)]


@given(TEXTS.map(lambda texts: list(dict.fromkeys(texts))), st.text(max_size=5))
def test_rows_are_those_of_a_table(texts, other):
    row_of, table = RowOf(Lines.of(texts), order_of(texts)), {text: row for row, text in enumerate(texts)}
    assert dict(row_of) == table
    assert (other in row_of) == (other in table)
    assert row_of.get(other) == table.get(other)
