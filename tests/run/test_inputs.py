from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from vloc.run.inputs import Groups
from vloc.run.workspace import Workspace
from vloc.stage import EachStage, Key

from .squares import POWERS, Numbers, Power, Table


def start_sum(settings: None, runtime: object, left: Mapping[Key, Table], right: Mapping[Key, float], offset: float):
    def total(key: Key) -> float:
        images = key if isinstance(key, tuple) else (key,)
        return sum(left[name].rows.sum() for name in images) + right[key] + offset

    return lambda keys: (Table(np.array([[total(key)]])) for key in keys)


SUM = EachStage("sum", 1, Table, start_sum, chunk=4)


def redone(folder: Path, keys: list[Key], right: dict[Key, float], marks: dict[str, str], offset: float = 0.0) -> int:
    """How many of the items were computed again."""
    with Workspace(folder) as work:
        left = work.each(POWERS, Numbers.first(4, marks=marks), Power())
        work.each(SUM, keys, None, each=[left, right], shared=[offset])
    return work.plan[1].todo


IMAGES: list[Key] = ["a1", "a2", "a3"]
PAIRS: list[Key] = [("a1", "a2"), ("a1", "a3"), ("a2", "a3")]


@pytest.mark.parametrize("keys", [IMAGES, PAIRS])
def test_an_item_depends_on_its_own_entries_and_on_what_all_share(tmp_path: Path, keys: list[Key]) -> None:
    values = dict.fromkeys(keys, 1.0)
    assert redone(tmp_path, keys, values, {}) == 3
    assert redone(tmp_path, keys, values, {}) == 0
    assert redone(tmp_path, keys, {**values, keys[1]: 2.0}, {}) == 1
    assert redone(tmp_path, keys, values, {}, offset=1.0) == 3


def test_a_pair_depends_on_both_its_images(tmp_path: Path) -> None:
    values = dict.fromkeys(PAIRS, 1.0)
    redone(tmp_path, PAIRS, values, {})
    assert redone(tmp_path, PAIRS, values, {"a1": "changed"}) == 2
    assert redone(tmp_path, PAIRS, values, {"a3": "changed"}) == 2
    assert redone(tmp_path, PAIRS, values, {"a0": "changed"}) == 0


def test_the_stage_is_given_its_tables_before_what_all_share(tmp_path: Path) -> None:
    with Workspace(tmp_path) as work:
        left = work.each(POWERS, Numbers.first(4), Power())
        sums = work.each(SUM, PAIRS[:1], None, each=[left, {PAIRS[0]: 0.5}], shared=[10.0])
    assert sums[PAIRS[0]].rows.item() == (0) + (0 + 1) + 0.5 + 10


def start_group_sum(settings: None, runtime: object, left: Mapping[Key, Table]):
    def total(group: str) -> Table:
        return Table(np.array([[sum(left[name].rows.sum() for name in group.split("+"))]]))

    return lambda groups: map(total, groups)


GROUP_SUM = EachStage("group-sum", 1, Table, start_group_sum, chunk=4)


def groups_redone(folder: Path, groups: list[str], marks: dict[str, str]) -> int:
    with Workspace(folder) as work:
        left = work.each(POWERS, Numbers.first(4, marks=marks), Power())
        items = Groups({group: group.split("+") for group in groups}, [left])
        assert work.each(GROUP_SUM, items, None, each=[left])["a1+a2"].rows.item() == 0 + (0 + 1)
    return work.plan[1].todo


def test_a_group_depends_on_all_its_members(tmp_path: Path) -> None:
    groups = ["a1+a2", "a2+a3"]
    assert groups_redone(tmp_path, groups, {}) == 2
    assert groups_redone(tmp_path, groups, {}) == 0
    assert groups_redone(tmp_path, groups, {"a3": "changed"}) == 1
    assert groups_redone(tmp_path, groups, {"a2": "changed"}) == 2
    assert groups_redone(tmp_path, groups, {"a0": "changed"}) == 0


def test_a_group_with_another_member_is_another_one() -> None:
    values = dict.fromkeys(["a", "b", "c"], 1.0)
    marks = [Groups({"group": names}, [values]).fingerprint(0) for names in (["a", "b"], ["a", "c"], ["a", "b", "c"])]
    assert len(set(marks)) == 3
