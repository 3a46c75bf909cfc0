"""Sizes as people write them."""

import pytest

from vloc.cli.compress import bytes_of
from vloc.errors import ConfigError


@pytest.mark.parametrize("text", ["50MB", "50 mb", "0.05GB", "50000kB", "50000KB", "50000000"])
def test_sizes_are_of_a_thousand_in_either_case(text: str) -> None:
    assert bytes_of(text) == 50_000_000


@pytest.mark.parametrize("text", ["", "MB", "50TB", "-5MB", "5,0MB", "1e3"])
def test_what_is_no_size_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="expected a number with kB, MB or GB, such as 50MB"):
        bytes_of(text)
