"""Choices among images."""

import pytest

from vloc.data.selection import evenly


@pytest.mark.parametrize(("count", "drawn"), [(0, ""), (1, "a"), (2, "ae"), (3, "ace"), (5, "abcde"), (9, "abcde")])
def test_a_sample_of_names_is_evenly_spread(count: int, drawn: str) -> None:
    assert evenly("abcde", count) == [*drawn]
