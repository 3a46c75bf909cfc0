"""The Workspace: what is computed, kept, found again and redone."""

import errno
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import pytest
from squares import POWERS, SQUARES, SUMS, Numbers, Power, Table, add_up, run_all, tree_hash

from vloc.data.pairs import Pairs
from vloc.errors import DataError, ResourceError, StoreError
from vloc.run.fingerprint import bytes_fingerprint, fingerprint
from vloc.run.identity import identify
from vloc.run.results import NamedArtifact
from vloc.run.shard import pack, shard_name
from vloc.run.store import open_artifact, open_results
from vloc.run.workspace import Workspace, read_manifest
from vloc.runtime import Runtime
from vloc.stage import EachStage, OnceStage


def powers(folder: Path, items: Numbers, settings: Power = SQUARES, stage: EachStage = POWERS):
    with Workspace(folder, Runtime(workers=2)) as work:
        return work.each(stage, items, settings)


def test_results_are_those_of_the_stage_in_the_order_of_the_items(tmp_path: Path) -> None:
    results = powers(tmp_path, Numbers(["a3", "a1", "a2"]))
    assert list(results) == ["a3", "a1", "a2"]
    np.testing.assert_array_equal(results["a3"].rows, [[0], [1], [4]])


@dataclass
class NumbersOfPairs(Numbers):
    def load(self, index: int) -> np.ndarray:
        if self.keys[index] in self.broken:
            raise DataError("broken")
        return np.arange(float(index))


PAIRS = [("a", "b"), ("c", "a"), ("b", "c")]


@pytest.mark.parametrize("pairs", [PAIRS, Pairs.of(PAIRS)])
@pytest.mark.parametrize("broken", [[], PAIRS[1:2]])
def test_keys_may_be_pairs(tmp_path: Path, pairs: list | Pairs, broken: list) -> None:
    results = powers(tmp_path, NumbersOfPairs(pairs, broken=frozenset(broken)))
    left = [pair for pair in PAIRS if pair not in broken]
    again = open_results(tmp_path, results.reference, Table)
    for found in (results, again):
        assert list(found) == left == found.succeeded and len(found) == len(left)
        assert found.failures == dict.fromkeys(broken, "broken")
        assert all(pair in found for pair in left) and not any(pair in found for pair in [*broken, ("b", "a"), "a"])
        counts = [PAIRS.index(pair) for pair in left]
        assert [len(found[pair].rows) for pair in left] == counts
        assert [len(rows) for rows in found.column("rows", found)] == counts
        assert [len(rows) for rows in found.column("rows", left[::-1])] == counts[::-1]
        with pytest.raises(KeyError):
            found["b", "a"]
    assert isinstance(again.succeeded, Pairs) and isinstance(results.succeeded, Pairs) == isinstance(pairs, Pairs)


def test_two_pairs_of_the_same_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="c - a: is there twice among the items of stage 'powers'"):
        powers(tmp_path, NumbersOfPairs(Pairs.of([*PAIRS, PAIRS[1]])))


def test_an_unchanged_run_computes_nothing(tmp_path: Path) -> None:
    powers(tmp_path, Numbers.first(10))
    again = Numbers.first(10)
    powers(tmp_path, again)
    assert again.loaded == []


def test_a_changed_item_redoes_only_itself(tmp_path: Path) -> None:
    before = powers(tmp_path, Numbers.first(10))
    changed = Numbers.first(10, marks={"a7": "edited"})
    after = powers(tmp_path, changed)
    assert changed.loaded == ["a7"]
    assert after.fingerprint != before.fingerprint
    assert after.fingerprint_of("a7") != before.fingerprint_of("a7")
    assert after.fingerprint_of("a6") == before.fingerprint_of("a6")


def test_added_items_redo_only_themselves_wherever_they_stand(tmp_path: Path) -> None:
    powers(tmp_path, Numbers.first(10))
    more = Numbers(["a11", *Numbers.first(10).keys, "a12"])
    results = powers(tmp_path, more)
    assert sorted(more.loaded) == ["a11", "a12"]
    assert list(results) == list(more.keys)


def test_removed_items_are_not_among_the_results(tmp_path: Path) -> None:
    powers(tmp_path, Numbers.first(10))
    assert list(powers(tmp_path, Numbers(["a1"]))) == ["a1"]


def test_changed_setting_never_reuses_old_results(tmp_path: Path) -> None:
    powers(tmp_path, Numbers.first(5))
    again = Numbers.first(5)
    results = powers(tmp_path, again, Power(exponent=3.0))
    assert len(again.loaded) == 5
    np.testing.assert_array_equal(results["a3"].rows, [[0], [1], [8]])


def test_raised_stage_version_never_reuses_old_results(tmp_path: Path) -> None:
    powers(tmp_path, Numbers.first(5))
    again = Numbers.first(5)
    powers(tmp_path, again, stage=EachStage("powers", 2, Table, POWERS.start, 4))
    assert len(again.loaded) == 5


def test_changed_context_never_reuses_old_results(tmp_path: Path) -> None:
    stage = EachStage("scaled", 1, Table, lambda settings, runtime, by: lambda items: (Table(i * by) for i in items))
    with Workspace(tmp_path) as work:
        once = work.each(stage, Numbers.first(3), None, shared=[2.0])
        twice = work.each(stage, Numbers.first(3), None, shared=[3.0])
    assert once.fingerprint != twice.fingerprint
    np.testing.assert_array_equal(once["a2"].rows, [0, 2])
    np.testing.assert_array_equal(twice["a2"].rows, [0, 3])


def test_one_and_two_workers_leave_the_same_bytes(tmp_path: Path) -> None:
    run_all(tmp_path / "one", Numbers.first(30), workers=1)
    run_all(tmp_path / "two", Numbers.first(30), workers=2)
    assert tree_hash(tmp_path / "one") == tree_hash(tmp_path / "two")
    assert len(tree_hash(tmp_path / "one")) > 10


def test_a_second_run_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(10))
    before = tree_hash(tmp_path)
    run_all(tmp_path, Numbers.first(10))
    assert tree_hash(tmp_path) == before


def test_once_is_computed_once_and_read_when_looked_at(tmp_path: Path) -> None:
    def run():
        with Workspace(tmp_path) as work:
            return work.once(SUMS, None, work.each(POWERS, Numbers.first(4), Power())), work.plan

    first, _ = run()
    assert first.value.rows.item() == 0 + 0 + 1 + (1 + 4)
    second, plan = run()
    assert (second.fingerprint, plan[1].todo) == (first.fingerprint, 0)


def test_an_earlier_result_serves_where_only_the_named_input_differs(tmp_path: Path) -> None:
    def run(count: int, despite: str, earlier: list[str], sums: OnceStage = SUMS) -> tuple[NamedArtifact, list[str]]:
        with Workspace(tmp_path) as work:
            powers = work.each(POWERS, Numbers.first(count), Power())
            made = work.once(sums, None, powers, earlier=earlier, despite=[despite])
            return made, work.kept

    first, kept = run(4, "powers", [])
    assert kept == []
    again, kept = run(4, "powers", [first.reference])
    assert (again.reference, kept) == (first.reference, [])
    later, kept = run(5, "powers", ["sums-0123456789abcdef/gone", first.reference])
    assert (later.reference, later.value.rows.item(), kept) == (first.reference, 6, ["sums"])
    assert run(5, "weights", [first.reference])[0].value.rows.item() == 20
    other, kept = run(6, "powers", [first.reference], OnceStage("sums", 2, Table, add_up))
    assert (other.value.rows.item(), kept) == (50, [])


def test_an_earlier_result_that_is_broken_is_made_anew(tmp_path: Path) -> None:
    def run(count: int, earlier: list[str]) -> NamedArtifact:
        with Workspace(tmp_path) as work:
            powers = work.each(POWERS, Numbers.first(count), Power())
            return work.once(SUMS, None, powers, earlier=earlier, despite=["powers"])

    first = run(4, [])
    next((tmp_path / first.reference.partition("/")[0]).glob("*.h5")).write_bytes(b"broken")
    assert run(5, [first.reference]).value.rows.item() == 20


def test_results_and_artifacts_open_again_by_reference(tmp_path: Path) -> None:
    results = run_all(tmp_path, Numbers.first(10, broken=frozenset({"a4"})))
    manifest = read_manifest(tmp_path / "manifest.json")
    again = open_results(tmp_path, manifest["powers"], Table)
    assert list(again) == list(results)
    assert (again.fingerprint, again.failures) == (results.fingerprint, results.failures)
    assert again.fingerprint_of("a3") == results.fingerprint_of("a3")
    np.testing.assert_array_equal(again["a9"].rows, results["a9"].rows)
    assert open_artifact(tmp_path, manifest["sums"], Table).value.rows.shape == (1, 1)


def written_by_0_1(folder: Path, items: Numbers) -> str:
    """Squares as earlier versions stored them, with marks of any length, by which sets are called; the reference."""
    identity = identify(POWERS, SQUARES, [])
    keys, marks = list(items.keys), [items.fingerprint(row) for row in range(len(items.keys))]
    outcomes = ["failed then" if key == "a3" else {"rows": np.arange(int(key[1:]))[:, None] ** 2.0} for key in keys]
    store = folder / identity.folder
    store.mkdir(parents=True)
    (store / "store.json").write_bytes(msgspec.json.encode(identity))
    shard, listed = shard_name(keys, marks), msgspec.json.encode((identity.key, keys, marks))
    (store / shard).write_bytes(b"".join(pack(keys, marks, outcomes)))
    (store / f"set-{bytes_fingerprint(listed)}.json").write_text(json.dumps([[shard, 0, len(keys)]]))
    return f"{identity.folder}/{bytes_fingerprint(listed)}"


PAIR_MARK = f"{fingerprint('one image')} {fingerprint('another')}"


@pytest.mark.parametrize("mark", ["", fingerprint("an image"), PAIR_MARK, "missing"])
def test_results_of_earlier_versions_open_and_serve_whatever_their_marks(tmp_path: Path, mark: str) -> None:
    items = Numbers.first(7, marks={"a2": mark, "a3": mark})
    reference = written_by_0_1(tmp_path, items)
    before = open_results(tmp_path, reference, Table)
    assert before.reference == reference and before.failures == {"a3": "failed then"}
    after = powers(tmp_path, items)
    assert items.loaded == [] and dict(after.failures) == dict(before.failures)
    again = open_results(tmp_path, after.reference, Table)
    for results in (before, after, again):
        assert list(results) == ["a0", "a1", "a2", "a4", "a5", "a6"]
        np.testing.assert_array_equal(results["a2"].rows, [[0], [1]])
    assert again.fingerprint_of("a2") == after.fingerprint_of("a2") == before.fingerprint_of("a2")


def test_references_of_results_with_fingerprints_as_marks_stay_the_same(tmp_path: Path) -> None:
    items = Numbers.first(7, marks={f"a{n}": fingerprint(n) for n in range(7)})
    assert written_by_0_1(tmp_path, items) == powers(tmp_path / "new", items).reference


def test_a_reference_still_means_the_same_items_after_more_were_added(tmp_path: Path) -> None:
    before = powers(tmp_path, Numbers.first(5))
    powers(tmp_path, Numbers.first(9, marks={"a3": "edited"}))
    again = open_results(tmp_path, before.reference, Table)
    assert (list(again), again.fingerprint) == (list(before), before.fingerprint)


@pytest.mark.parametrize(
    "reference", ["../secret", "powers-0123456789abcdef/../../x", "", "powers-0123456789abcdef/" + "0" * 32]
)
def test_a_reference_that_leads_nowhere_or_out_is_refused(tmp_path: Path, reference: str) -> None:
    with pytest.raises(StoreError):
        open_results(tmp_path, reference, Table)


def test_the_stage_is_not_started_when_nothing_is_to_do(tmp_path: Path) -> None:
    powers(tmp_path, Numbers.first(3))

    def start(*_: object):
        raise AssertionError("started")

    powers(tmp_path, Numbers.first(3), stage=EachStage("powers", 1, Table, start, 4))


def test_two_items_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a2: is there twice among the items of stage 'powers'"):
        powers(tmp_path, Numbers(["a1", "a2", "a2"]))


def test_no_items_give_no_results(tmp_path: Path) -> None:
    results = powers(tmp_path, Numbers([]))
    assert len(results) == 0
    assert len(open_results(tmp_path, results.reference, Table)) == 0


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-50], lambda data: data[:3000] + b"?" + data[3001:], lambda data: b""]
)
def test_a_broken_shard_is_redone_with_a_note_and_the_folder_is_whole_again(tmp_path: Path, damage) -> None:
    powers(tmp_path, Numbers.first(12))
    whole = tree_hash(tmp_path)
    shard = sorted(tmp_path.glob("*/*.h5"))[0]
    shard.write_bytes(damage(shard.read_bytes()))
    again = Numbers.first(12)
    notes = []
    with Workspace(tmp_path) as work:
        work.reporter.note = notes.append
        work.each(POWERS, again, Power())
    assert len(again.loaded) == 4
    assert notes == [f"{shard}: broken, its items are redone"]
    assert tree_hash(tmp_path) == whole


def test_a_broken_shard_that_is_cut_anew_leaves_the_reference_good(tmp_path: Path) -> None:
    powers(tmp_path, Numbers.first(6))
    results = powers(tmp_path, Numbers(["a7", *Numbers.first(6).keys]))
    for shard in tmp_path.glob("*/*.h5"):
        shard.write_bytes(b"")
    powers(tmp_path, Numbers(["a7", *Numbers.first(6).keys]))
    assert len(open_results(tmp_path, results.reference, Table)["a5"].rows) == 5


def test_a_shard_that_the_disk_does_not_give_now_is_not_taken_for_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_all(tmp_path, Numbers.first(3))
    before, open_ = tree_hash(tmp_path), os.open

    def failing(path: object, *rest: object, **named: object) -> int:
        if str(path).endswith(".h5"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return open_(path, *rest, **named)

    with monkeypatch.context() as disk:
        disk.setattr(os, "open", failing)
        with pytest.raises(ResourceError, match=r"\.h5: cannot be read \(Input/output error\)"):
            run_all(tmp_path, Numbers.first(3))
    assert tree_hash(tmp_path) == before


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    results = powers(tmp_path, Numbers.first(3))
    next(tmp_path.glob("*/*.h5")).unlink()
    with pytest.raises(StoreError, match=r"\.h5: missing"):
        open_results(tmp_path, results.reference, Table)


def test_a_folder_that_is_a_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "map").write_text("")
    with pytest.raises(DataError, match=r"map: not a folder that can be written"), Workspace(tmp_path / "map"):
        pass


def test_paths_with_spaces_and_unicode_are_fine(tmp_path: Path) -> None:
    run_all(tmp_path / "carte n° 1 – été", Numbers.first(3))


def test_a_manifest_that_may_not_be_read_is_not_to_be_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(path: object, *rest: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(StoreError, match=r"map\.json: cannot be read \(Permission denied\); run .* again when it can"):
        read_manifest(tmp_path / "map.json")


def test_a_manifest_that_is_missing_or_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"map\.json: missing"):
        read_manifest(tmp_path / "map.json")
    (tmp_path / "map.json").write_text("{")
    with pytest.raises(StoreError, match=r"map\.json: broken"):
        read_manifest(tmp_path / "map.json")


def test_a_store_says_in_plain_text_what_made_it(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(3))
    about = json.loads(next(tmp_path.glob("powers-*/store.json")).read_text())
    assert (about["stage"], about["version"], about["settings"]) == ("powers", 1, {"exponent": 2.0, "pause": 0.0})


def test_what_made_a_store_is_written_again_where_it_is_broken(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(3))
    before = tree_hash(tmp_path)
    next(tmp_path.glob("powers-*/store.json")).write_text("{")
    powers = run_all(tmp_path, Numbers.first(3))
    assert len(open_results(tmp_path, powers.reference, Table)) == 3
    assert tree_hash(tmp_path) == before


def test_content_is_read_again_only_when_its_stamp_changes(tmp_path: Path) -> None:
    reads = []

    def mark(stamp: tuple[int, int], content: bytes) -> str:
        with Workspace(tmp_path) as work:
            work.each(POWERS, Numbers([]), Power())
            found = work.content_hash("a.jpg", stamp, lambda: reads.append(1) or content)
            work.each(POWERS, Numbers([]), Power())
        return found

    first = mark((3, 100), b"abc")
    assert (mark((3, 100), b"abc"), len(reads)) == (first, 1)
    assert (mark((3, 200), b"abc"), len(reads)) == (first, 2)
    assert mark((3, 300), b"abd") != first


def test_ten_thousand_items_open_again_in_a_moment(tmp_path: Path) -> None:
    stage = EachStage("constant", 1, Table, lambda *_: lambda items: (Table(np.ones((2, 2))) for _ in items), 128)
    items = Numbers([f"a{n}" for n in range(1, 10_001)])
    items.load = lambda index: None
    powers(tmp_path, items, stage=stage)
    began = time.perf_counter()
    powers(tmp_path, items, stage=stage)
    assert time.perf_counter() - began < 1.0  # 0.1 s on a quiet machine; docs/benchmarks.md has the bar
