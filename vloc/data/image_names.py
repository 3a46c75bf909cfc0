"""The same image under two names: with more leading folders on one side."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ..errors import DataError


def matched(names: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Name -> the known name of the same image, where one is the end of the other after a `/`; others are absent.

    A name that is known as it is stands for nothing else. DataError where one fits several, or several fit one.
    """
    exact = {*names} & {*known}
    longer: dict[str, list[str]] = {}
    for name in known:
        for end in _ends(name):
            longer.setdefault(end, []).append(name)
    every = {*known}
    found = {name: name for name in exact}
    for name in names:
        if name not in exact:
            fits = [*longer.get(name, ()), *(end for end in _ends(name) if end in every)]
            if len(fits) > 1:
                raise DataError(f"'{name}' fits {len(fits)} images of the truth, such as '{fits[0]}' and '{fits[1]}'")
            if fits and fits[0] not in exact:
                found[name] = fits[0]
    _check_one_to_one(found)
    return found


def by_condition(names: Sequence[str]) -> dict[str, list[int]]:
    """Rows of all names under `all`, then of those in each of the first folders in which the names differ, if any do.

    Of `query/day/a.jpg` and `query/night/b.jpg` the conditions are `query/day` and `query/night`.
    """
    every = {"all": list(range(len(names)))}
    folders = [name.split("/")[:-1] for name in names]
    for depth in range(1, min(map(len, folders), default=0) + 1):
        rows: dict[str, list[int]] = {}
        for row, parts in enumerate(folders):
            rows.setdefault("/".join(parts[:depth]), []).append(row)
        if len(rows) > 1:
            return every | dict(sorted(rows.items()))
    return every


def _ends(name: str) -> Iterator[str]:
    """The name without its first folder, without its first two, and so on."""
    while "/" in name:
        name = name.partition("/")[2]
        yield name


def _check_one_to_one(found: dict[str, str]) -> None:
    first_of: dict[str, str] = {}
    for name, known in found.items():
        if (first := first_of.setdefault(known, name)) != name:
            raise DataError(f"'{first}' and '{name}' both fit '{known}' of the truth")
