"""Relevance lists as JSON, of the content of the revisited Oxford and Paris `gnd_*.pkl`, which are pickles."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import msgspec

from ..data.relevance import Relevance
from ..errors import DataError
from .json_text import read_json
from .photo_files import is_photo


class _Lists(msgspec.Struct):
    easy: list[int] = []
    hard: list[int] = []
    junk: list[int] = []


class _Truth(msgspec.Struct):
    imlist: list[str]
    qimlist: list[str]
    gnd: list[_Lists]


def read_relevance(path: Path) -> dict[str, Relevance]:
    """The lists of every query, by names without the suffixes of photos.

    The file holds `imlist` and `qimlist`, names, and `gnd`, for every query rows of `imlist`. DataError where it does
    not, or a row is none.
    """
    truth = read_json(path, _Truth)
    if len(truth.gnd) != len(truth.qimlist):
        raise DataError(f"{path}: gnd: {len(truth.gnd)} entries, expected one for each of {len(truth.qimlist)} queries")
    names = [bare(name) for name in truth.imlist]
    return {
        bare(query): Relevance(*(_named(names, rows, f"{path}: {query}") for rows in (at.easy, at.hard, at.junk)))
        for query, at in zip(truth.qimlist, truth.gnd, strict=True)
    }


def _named(names: list[str], rows: list[int], where: str) -> frozenset[str]:
    if wrong := [row for row in rows if not 0 <= row < len(names)]:
        raise DataError(f"{where}: image {wrong[0]}, expected a row of imlist, 0 to {len(names) - 1}")
    return frozenset(names[row] for row in rows)


def bare(name: str) -> str:
    """`folder/photo.jpg` as `folder/photo`: the lists of Oxford and Paris name no formats."""
    return str(PurePosixPath(name).with_suffix("")) if is_photo(name) else name
