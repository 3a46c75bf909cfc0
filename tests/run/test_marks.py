"""Marks of items: texts and the bytes that stand for them."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.run.fingerprint import bytes_fingerprint, fingerprint
from vloc.run.marks import BLOCK, NO_MARK, digest, digests, entries, set_fingerprint, texts

DIGITS = fingerprint("content of a photo")


@given(st.lists(st.binary(min_size=16, max_size=16).filter(any)))
def test_fingerprints_are_held_as_what_their_digits_say(values: list[bytes]) -> None:
    marks = [value.hex() for value in values]
    assert list(texts(digests(marks))) == marks
    assert digests(marks).tobytes() == b"".join(values)


def test_no_mark_stays_none() -> None:
    assert list(texts(digests([NO_MARK, DIGITS]))) == [NO_MARK, DIGITS]


@pytest.mark.parametrize(
    "text", ["usual", DIGITS.upper(), f"{DIGITS} {DIGITS}", DIGITS[1:], "ü" * 32, "00 " * 10 + "00"]
)
def test_any_other_text_stands_for_itself_by_its_hash(text: str) -> None:
    assert digest(text) == bytes.fromhex(bytes_fingerprint(text.encode()))
    assert list(texts(digests([text]))) == [bytes_fingerprint(text.encode())]


@given(st.lists(st.tuples(st.text() | st.tuples(st.text(), st.text()), st.text()), max_size=5))
def test_a_set_has_the_fingerprint_of_its_json(items: list) -> None:
    keys, marks = [key for key, _ in items], [mark for _, mark in items]
    expected = bytes_fingerprint(msgspec.json.encode(("ab12", keys, marks)))
    assert set_fingerprint("ab12", iter(keys), iter(marks)) == expected


def test_a_set_of_more_than_are_texts_at_a_time_has_too() -> None:
    keys = [(f"a{n}", "b") for n in range(BLOCK + 3)]
    marks = [fingerprint(n) for n in range(len(keys))]
    assert list(texts(digests(marks))) == marks
    assert set_fingerprint("k", keys, marks) == bytes_fingerprint(msgspec.json.encode(("k", keys, marks)))


def test_items_stand_apart_by_key_and_by_mark() -> None:
    keys = ["a", "a", "b", ("a", "b"), ("ab", ""), ("", "ab"), '["a","b"]']
    marks = digests(["1", "2", *["1"] * 5])
    assert len(np.unique(entries(keys, marks), axis=0)) == len(keys)
    assert (entries(keys, marks) == entries(keys, marks)).all()
