"""Images are found under names with more or fewer leading folders."""

import pytest

from vloc.data.image_names import matched
from vloc.errors import DataError


@pytest.mark.parametrize(
    ("names", "known", "expected"),
    [
        (["a.jpg"], ["a.jpg", "x/a.jpg"], {"a.jpg": "a.jpg"}),
        (["a.jpg"], ["x/y/a.jpg"], {"a.jpg": "x/y/a.jpg"}),
        (["x/y/a.jpg"], ["a.jpg"], {"x/y/a.jpg": "a.jpg"}),
        (["x/y/a.jpg"], ["y/a.jpg", "z/a.jpg"], {"x/y/a.jpg": "y/a.jpg"}),
        (["ba.jpg", "x/ca.jpg"], ["a.jpg"], {}),
        (["x/a.jpg", "a.jpg"], ["a.jpg"], {"a.jpg": "a.jpg"}),
        ([], ["a.jpg"], {}),
    ],
)
def test_one_name_is_the_end_of_the_other_after_a_slash(names, known, expected):
    assert matched(names, known) == expected


@pytest.mark.parametrize(
    ("names", "known", "message"),
    [
        (["1.jpg"], ["left/1.jpg", "rear/1.jpg"], r"'1\.jpg' fits 2 images .* 'left/1\.jpg' and 'rear/1\.jpg'"),
        (["x/y/1.jpg"], ["1.jpg", "y/1.jpg"], r"'x/y/1\.jpg' fits 2 images"),
        (["day/1.jpg", "night/1.jpg"], ["1.jpg"], r"'day/1\.jpg' and 'night/1\.jpg' both fit '1\.jpg'"),
    ],
)
def test_what_fits_twice_is_refused(names, known, message):
    with pytest.raises(DataError, match=message):
        matched(names, known)
