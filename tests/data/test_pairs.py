"""Pairs as arrays against the list of tuples that they stand for."""

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vloc.data.pairs import BLOCK, Pair, Pairs, PairsByImage

NAMES = st.sampled_from(["a", "b", "c/ü.jpg", "d", ""])
LISTS = st.lists(st.tuples(NAMES, NAMES), max_size=12)
PAIR = ("a", "b")


@given(LISTS)
def test_they_are_a_sequence_of_the_same_tuples(expected: list[Pair]) -> None:
    pairs = Pairs.of(iter(expected))
    assert list(pairs) == expected == [pairs[place] for place in range(len(pairs))]
    assert pairs == expected and expected == pairs and (pairs != [*expected, PAIR])
    assert len(pairs) == len(expected) and list(reversed(pairs)) == expected[::-1]
    assert all(type(name) is str for pair in pairs for name in pair)


@given(LISTS, st.tuples(NAMES, NAMES))
def test_a_pair_is_found_at_its_first_place(expected: list[Pair], wanted: Pair) -> None:
    pairs = Pairs.of(expected)
    assert (wanted in pairs) == (wanted in expected)
    assert pairs.place_of(wanted) == (expected.index(wanted) if wanted in expected else None)


@given(LISTS)
def test_a_pair_that_is_there_twice_is_told(expected: list[Pair]) -> None:
    twice = Pairs.of(expected).repeated()
    assert (twice is None) == (len(set(expected)) == len(expected))
    assert twice is None or expected.count(twice) > 1


@given(LISTS)
def test_each_once_is_each_at_its_first_place(expected: list[Pair]) -> None:
    assert Pairs.of(expected).once() == list(dict.fromkeys(expected))


@given(LISTS, st.lists(NAMES, unique=True))
def test_every_image_has_the_pairs_that_it_is_one_of(expected: list[Pair], images: list[str]) -> None:
    by_image = PairsByImage(Pairs.of(expected), images)
    assert list(by_image) == images and len(by_image) == len(images)
    for image in images:
        assert by_image[image] == [pair for pair in expected for name in pair if name == image]
    assert "no such image" not in by_image


@given(LISTS, st.sets(NAMES))
def test_those_among_some_images_have_both_there(expected: list[Pair], names: set[str]) -> None:
    assert Pairs.of(expected).among(names) == [pair for pair in expected if names.issuperset(pair)]


@given(LISTS, st.slices(12))
def test_slices_and_choices_are_those_of_a_list(expected: list[Pair], part: slice) -> None:
    pairs = Pairs.of(expected)
    places = np.arange(len(expected))[part]
    assert pairs[part] == expected[part] == pairs.at(places)


@given(LISTS)
def test_they_travel_as_arrays(expected: list[Pair]) -> None:
    pairs = Pairs.of(expected)
    pairs.place_of(PAIR)
    travelled = pickle.loads(pickle.dumps(pairs))
    assert travelled == expected and vars(travelled).keys() == {"names", "rows"}


def test_what_is_no_pair_of_them_is_not_there() -> None:
    pairs = Pairs.of([("a", "b"), ("b", "c")])
    assert all(
        what not in pairs for what in ("ab", "a", None, ("a",), ("a", "b", "c"), ("a", 1), ("b", "a"), ("a", "x"))
    )


def test_pairs_are_taken_as_they_are() -> None:
    pairs = Pairs.of([PAIR])
    assert Pairs.of(pairs) is pairs


def test_one_goes_through_more_than_are_tuples_at_a_time() -> None:
    rows = np.stack([np.arange(2 * BLOCK + 5) % 7, np.arange(2 * BLOCK + 5) % 5], axis=1).astype(np.int32)
    pairs = Pairs([f"{n}" for n in range(7)], rows)
    assert list(pairs) == [(str(a), str(b)) for a, b in rows]
