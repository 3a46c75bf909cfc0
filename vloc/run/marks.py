"""What items were made from: a text each for those who tell it, 16 bytes each in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from typing import TypeVar

import msgspec
import numpy as np

from ..array_types import UInt8
from ..stage import Key
from .fingerprint import NUM_BYTES

T = TypeVar("T")

NO_MARK = ""
"""of an item that nothing tells from another: the only one of an artifact"""
BLOCK = 4096
"""items whose marks are texts at a time"""

_encode = msgspec.json.Encoder().encode


def digest(mark: str) -> bytes:
    """What a mark is held as: the bytes that its 32 hex digits say, zeros for `NO_MARK`, the hash of any other text."""
    if mark == NO_MARK:
        return bytes(NUM_BYTES)
    try:
        found = bytes.fromhex(mark) if len(mark) == 2 * NUM_BYTES else b""
    except ValueError:
        found = b""
    return found if found.hex() == mark else blake2b(mark.encode(), digest_size=NUM_BYTES).digest()


def digests(marks: Iterable[str]) -> UInt8[np.ndarray, "n 16"]:
    """Those of some items, a row each."""
    return _rows(map(digest, marks))


def texts(marks: UInt8[np.ndarray, "n 16"]) -> Iterator[str]:
    """The marks as they are written: 32 hex digits each, or `NO_MARK`."""
    step, none = 2 * NUM_BYTES, "0" * 2 * NUM_BYTES
    for start in range(0, len(marks), BLOCK):
        digits = marks[start : start + BLOCK].tobytes().hex()
        for at in range(0, len(digits), step):
            mark = digits[at : at + step]
            yield NO_MARK if mark == none else mark


def entries(keys: Iterable[Key], marks: UInt8[np.ndarray, "n 16"]) -> UInt8[np.ndarray, "n 16"]:
    """What stands for each item and its mark together: by it a store finds results."""
    held = (mark.tobytes() for mark in marks)
    joined = (blake2b(mark + _encode(key), digest_size=NUM_BYTES) for key, mark in zip(keys, held, strict=True))
    return _rows(each.digest() for each in joined)


def set_fingerprint(key: str, keys: Iterable[Key], marks: Iterable[str]) -> str:
    """Stands for the results of one store for these items: the hash of `[key,[keys],[marks]]` as JSON."""
    state = blake2b(b"[" + _encode(key), digest_size=NUM_BYTES)
    for values in (keys, marks):
        state.update(b",[")
        for number, block in enumerate(blocks(values)):
            state.update(b"," * (number > 0) + _encode(block)[1:-1])
        state.update(b"]")
    state.update(b"]")
    return state.hexdigest()


def blocks(values: Iterable[T]) -> Iterator[Sequence[T]]:
    """Some values at a time, so that what is made of them is never there of all at once."""
    left = iter(values)
    while block := list(islice(left, BLOCK)):
        yield block


def from_bytes(data: bytearray) -> UInt8[np.ndarray, "n 16"]:
    """Digests that stand one after the other, a row each."""
    return np.frombuffer(data, np.uint8).reshape(-1, NUM_BYTES)


def _rows(made: Iterable[bytes]) -> UInt8[np.ndarray, "n 16"]:
    data = bytearray()
    for each in made:
        data += each
    return from_bytes(data)
