"""Places of items in shards, against dictionaries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.atomic import write_bytes
from vloc.run.marks import digests, entries
from vloc.run.places import NOWHERE, Places, PlaceTable, ShardRows
from vloc.run.shard import Shard, pack

ITEMS = st.tuples(st.sampled_from("abcdef"), st.sampled_from("123"))


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[Shard]:
    """Three of six items each, of which the second of the second one failed."""
    folder, made = tmp_path_factory.mktemp("shards"), []
    for number, name in enumerate(("a.h5", "b.h5", "c.h5")):
        outcomes = [{"x": np.array([number])}] * 6
        some = [*outcomes[:1], "bad", *outcomes[2:]] if number == 1 else outcomes
        write_bytes(folder / name, *pack(list("uvwxyz"), ["1"] * 6, some))
        made.append(Shard(folder / name))
    return made


@given(st.lists(st.lists(ITEMS, min_size=1, max_size=6), max_size=3), st.lists(ITEMS, max_size=8))
def test_a_table_finds_what_a_dictionary_would(shards: list[Shard], held: list[list], wanted: list) -> None:
    table, expected = PlaceTable(), {}
    for shard, items in zip(shards, held, strict=False):
        table.add(shard, entries_of(items))
        for row, item in enumerate(items):
            expected.setdefault(item, (shard, row))
    found = table.find(entries_of(wanted))
    assert [found[item] for item in range(len(found))] == [expected.get(item) for item in wanted]
    assert found.is_there.tolist() == [item in expected for item in wanted]
    assert len(table) == sum(map(len, held))


def entries_of(items: list[tuple[str, str]]) -> np.ndarray:
    return entries([key for key, _ in items], digests(mark for _, mark in items))


PLACES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)))


def places_of(shards: list[Shard], places: list[tuple[int, int]]) -> Places:
    return Places(shards, np.array(places, np.int32).reshape(-1, 2))


@given(PLACES)
def test_runs_list_the_rows_in_order(shards: list[Shard], places: list[tuple[int, int]]) -> None:
    runs = places_of(shards, places).runs()
    listed = [(run.shard, row) for run in runs for row in range(run.first, run.first + run.count)]
    assert listed == [(shards[number].path.name, row) for number, row in places]
    again = Places.of_runs({shard.path.name: shard for shard in shards}, runs)
    assert [again[item] for item in range(len(again))] == [(shards[number], row) for number, row in places]


def test_successive_rows_of_a_shard_stand_together(shards: list[Shard]) -> None:
    places = [(0, 3), (0, 4), (0, 5), (1, 0), (1, 2), (1, 1)]
    assert places_of(shards, places).runs() == [
        ShardRows("a.h5", 3, 3), ShardRows("b.h5", 0, 1), ShardRows("b.h5", 2, 1), ShardRows("b.h5", 1, 1)
    ]  # fmt: skip


def test_failures_are_those_of_the_shards(shards: list[Shard]) -> None:
    places = places_of(shards, [(0, 1), (1, 1), (1, 0), (NOWHERE, NOWHERE)])
    assert places.failures() == {1: "bad"}
    assert places[3] is None and places.is_there.tolist() == [True, True, True, False]
