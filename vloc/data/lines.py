"""Many texts in two arrays, of which none is decoded before it is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import SupportsIndex, overload

import numpy as np

from ..array_types import Int32, Int64, UInt8


class Lines(Sequence[str]):
    """Texts in UTF-8, one after the other: text i is `text[starts[i]:starts[i + 1]]`."""

    def __init__(self, text: UInt8[np.ndarray, "bytes"], starts: Int64[np.ndarray, "i_plus_1"]) -> None:
        self.text, self.starts = text, starts

    @classmethod
    def of(cls, texts: Sequence[str]) -> Lines:
        """Texts that are there."""
        encoded = [text.encode() for text in texts]
        starts = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @overload
    def __getitem__(self, row: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: SupportsIndex | slice) -> str | list[str]:
        """One text, or several."""
        if isinstance(row, slice):
            return [self[each] for each in range(len(self))[row]]
        start, stop = self.starts[range(len(self))[row] :][:2]
        return self.text[start:stop].tobytes().decode()


def order_of(texts: Sequence[str]) -> Int32[np.ndarray, "i"]:
    """The rows of texts in alphabetical order."""
    return np.array(sorted(range(len(texts)), key=texts.__getitem__), np.int32)


class RowOf(Mapping[str, int]):
    """Text -> row, found by halves in the order of the texts: no table of all of them is made."""

    def __init__(self, texts: Sequence[str], order: Int32[np.ndarray, "i"]) -> None:
        self._texts, self._order = texts, order

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __getitem__(self, text: str) -> int:
        """The row; KeyError where no text is that one."""
        low, high = 0, len(self._order)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self._texts[int(self._order[middle])] < text else (low, middle)
        row = int(self._order[low]) if low < len(self._order) else -1
        if row < 0 or self._texts[row] != text:
            raise KeyError(text)
        return row
