"""Imported matches as items: either order, content as fingerprint, rows of keypoints that are there."""

import re
from collections import UserDict
from types import MappingProxyType

import numpy as np
import pytest

from vloc.data.capture import Capture, Sensor
from vloc.data.features import LocalFeatures
from vloc.data.reconstruction import InMemory, MatchedPairs
from vloc.data.records import Records
from vloc.errors import DataError
from vloc.geometry.camera import Camera
from vloc.matching.imported import ImportedMatcher
from vloc.run.content import ContentHashes
from vloc.stage import Key, Results
from vloc.stages.import_matches import Found, ImportedPairs, matched_type_of, matches

ROWS = np.array([[0, 2, 0.5], [1, 0, 0.25]])


class Table(UserDict, Results[LocalFeatures]):
    """Results that are in memory."""

    reference = fingerprint = ""
    failures = MappingProxyType({})

    def fingerprint_of(self, key: Key) -> str:
        return str(key)


def features(count: int) -> LocalFeatures:
    ones = np.ones(count, np.float32)
    return LocalFeatures(np.ones((count, 2), np.float32), np.ones((count, 4), np.float16), ones, ones)


def items(tmp_path, keys: list, rows: np.ndarray = ROWS, counts: tuple[int, int] = (2, 3)) -> ImportedPairs:
    found = MatchedPairs([("a", "b")], InMemory({("a", "b"): rows}))
    table = Table(a=features(counts[0]), b=features(counts[1]), c=features(1))
    return ImportedPairs(keys, ContentHashes(tmp_path).get, "sift", found, table)


def test_columns_follow_the_order_in_which_a_pair_is_asked_for(tmp_path) -> None:
    both = items(tmp_path, [("a", "b"), ("b", "a")])
    assert np.array_equal(both.load(0).rows, ROWS) and both.load(0).counts == (2, 3)
    assert np.array_equal(both.load(1).rows, ROWS[:, [1, 0, 2]]) and both.load(1).counts == (3, 2)


def test_a_pair_without_matches_fails_alone_and_by_name(tmp_path) -> None:
    some = items(tmp_path, [("a", "c"), ("a", "b")])
    assert some.fingerprint(0) == "missing" and some.load(1)
    with pytest.raises(DataError, match="a c: no imported matches; 1 pairs have them"):
        some.load(0)


class Stamped:
    """Matches in files that have not changed since they were read, by pair."""

    def stamp(self, key: tuple[str, str]) -> str:
        return "as it was"

    def load(self, key: tuple[str, str]) -> np.ndarray:
        return np.array([[0, ord(key[0]) - ord("a"), 0.5]])


def test_pairs_that_share_an_image_have_fingerprints_of_their_own(tmp_path) -> None:
    pairs = [("a", "b"), ("c", "b"), ("a", "c")]
    hashes, table = ContentHashes(tmp_path), Table(a=features(9), b=features(9), c=features(9))
    some = ImportedPairs(pairs, hashes.get, "sift", MatchedPairs(pairs, Stamped()), table)
    marks = [some.fingerprint(row).split()[0] for row in range(3)]
    assert marks[0] == marks[2] != marks[1]  # by the content alone
    assert len({some.fingerprint(row) for row in range(3)}) == 3


def test_what_has_no_matches_is_named(tmp_path) -> None:
    sensor = Sensor("camera", camera=Camera("SIMPLE_PINHOLE", 64, 48, (50.0, 32.0, 24.0)))
    bare = Capture({"cam": sensor}, Records.from_rows([(0, "cam", "a")]))
    with pytest.raises(DataError, match=r"^the capture: brings no matches"):
        matched_type_of(bare, ImportedMatcher())
    (tmp_path / "matches").mkdir()
    with pytest.raises(DataError, match=f"^{re.escape(str(tmp_path))}: "):
        matched_type_of(bare, ImportedMatcher(path=str(tmp_path)))


def test_the_fingerprint_changes_with_the_matches(tmp_path) -> None:
    first, second = items(tmp_path, [("a", "b")]), items(tmp_path, [("a", "b")], ROWS * [1, 1, 2])
    assert first.fingerprint(0) == items(tmp_path, [("a", "b")]).fingerprint(0) != second.fingerprint(0)


@pytest.mark.parametrize(("rows", "counts"), [(ROWS, (1, 3)), (ROWS, (2, 2)), (ROWS - [1, 0, 0], (2, 3))])
def test_rows_of_keypoints_that_are_not_there_are_refused(tmp_path, rows: np.ndarray, counts: tuple[int, int]) -> None:
    with pytest.raises(DataError, match=r"a b: imported matches of keypoints up to \[[01]\. 2\.\], there are"):
        items(tmp_path, [("a", "b")], rows, counts).load(0)


def test_matches_are_sorted_once_each_and_turned_round_with_their_keypoints() -> None:
    """Of 2 and 3 keypoints, the last is row 0 once they are turned round."""
    found = Found(np.array([[1, 0, 0.25], [0, 2, 0.5], [1, 0, 0.25]]), (2, 3))
    straight, turned = matches(found, weakest_first=False), matches(found, weakest_first=True)
    assert straight.indices.tolist() == [[0, 2], [1, 0]] and straight.scores.tolist() == [0.5, 0.25]
    assert turned.indices.tolist() == [[0, 2], [1, 0]] and turned.scores.tolist() == [0.25, 0.5]


def test_no_matches_are_none() -> None:
    assert len(matches(Found(np.zeros((0, 3)), (2, 3)), weakest_first=True)) == 0
