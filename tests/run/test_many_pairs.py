"""What a table of many pairs holds in memory, against the sizes of the arrays that it has to have."""

import gc
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from squares import Table

from vloc.data.pairs import Pairs
from vloc.run.results import StoredResults
from vloc.run.store import open_results
from vloc.run.workspace import Workspace
from vloc.stage import EachStage

COUNT, IMAGES = 100_000, 5_000
ROWS, MARKS, PLACES, ENDS, LOOKUP = 8, 16, 8, 4, 12
"""bytes a pair: rows of two images; what it was made from; shard and row there; where its array ends; to find it"""
SLACK = 4
"""bytes a pair for names of images and for what each shard has once"""

STAGE = EachStage("nothing", 1, Table, lambda *_: lambda pairs: (Table(np.zeros((2, 2))) for _ in pairs), chunk=512)


def pairs() -> Pairs:
    first = np.repeat(np.arange(IMAGES), COUNT // IMAGES)
    second = (first + 1 + np.arange(COUNT) % (COUNT // IMAGES)) % IMAGES
    return Pairs([f"{n:04}" for n in range(IMAGES)], np.stack([first, second], axis=1).astype(np.int32))


def run(folder: Path, given: Pairs) -> StoredResults:
    with Workspace(folder) as work:
        return work.each(STAGE, given, None, each=[dict.fromkeys(given.names, 1.0)])


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("many")
    return folder, run(folder, pairs()).reference


def held(make: Callable[[], StoredResults]) -> tuple[float, float, StoredResults]:
    """Bytes a pair that stay, and that were there at most."""
    gc.collect()
    tracemalloc.start()
    results = make()
    gc.collect()
    now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return now / COUNT, most / COUNT, results


def test_opened_results_hold_their_arrays_and_no_more(stored: tuple[Path, str]) -> None:
    stay, most, results = held(lambda: open_results(*stored, Table))
    assert len(results) == COUNT and isinstance(results.succeeded, Pairs)
    assert stay < ROWS + MARKS + PLACES + ENDS + SLACK
    assert most < 3 * (ROWS + MARKS + PLACES + ENDS)


def test_a_rerun_holds_no_more_either(stored: tuple[Path, str]) -> None:
    given = pairs()
    stay, most, results = held(lambda: run(stored[0], given))
    assert results.reference == stored[1] and results.succeeded is given
    assert stay < MARKS + PLACES + ENDS + SLACK
    assert most < 4 * (ROWS + MARKS + PLACES + ENDS)


def test_looking_pairs_up_takes_one_more_array(stored: tuple[Path, str]) -> None:
    results = open_results(*stored, Table)
    stay, _, _ = held(lambda: (results["0000", "0001"], results)[1])
    assert stay < LOOKUP + SLACK
