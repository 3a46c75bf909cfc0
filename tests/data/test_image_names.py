"""Images are found under names with more or fewer leading folders."""

import pytest

from vloc.data.image_names import by_condition, matched
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


def test_conditions_are_the_first_folders_in_which_names_differ() -> None:
    names = ["query/day/a/1.jpg", "query/night/a/2.jpg", "query/day/b/3.jpg"]
    assert by_condition(names) == {"all": [0, 1, 2], "query/day": [0, 2], "query/night": [1]}


@pytest.mark.parametrize("names", [[], ["a.jpg", "b.jpg"], ["x/a.jpg", "x/b.jpg"], ["x/a.jpg", "b.jpg"]])
def test_names_of_one_folder_or_of_none_are_one_condition(names: list[str]) -> None:
    assert by_condition(names) == {"all": list(range(len(names)))}
