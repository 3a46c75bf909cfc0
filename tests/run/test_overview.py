"""What `vloc show` and `vloc check` learn from a folder."""

from pathlib import Path

from squares import Numbers, run_all

from vloc.run.overview import describe, verify


def test_every_store_is_described(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(10, broken=frozenset({"a2"})))
    powers, sums = describe(tmp_path)
    assert (powers.identity.stage, powers.items, powers.failed, powers.shards) == ("powers", 10, 1, 3)
    assert powers.identity.settings == {"exponent": 2.0, "pause": 0.0}
    assert powers.num_bytes == sum(path.stat().st_size for path in powers.folder.glob("*.h5"))
    assert sums.identity.context[0][0] == "powers"


def test_a_whole_folder_verifies(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(10))
    assert list(verify(tmp_path)) == []


def test_broken_files_are_named_with_what_is_wrong(tmp_path: Path) -> None:
    run_all(tmp_path, Numbers.first(10))
    shard = sorted(tmp_path.glob("powers-*/*.h5"))[1]
    data = bytearray(shard.read_bytes())
    data[2500] ^= 4
    shard.write_bytes(data)
    about = next(tmp_path.glob("sums-*/store.json"))
    about.write_text("{")
    found = dict(verify(tmp_path))
    assert sorted(found) == sorted([shard, about])
    assert "checksum" in found[shard]
    assert "broken" in found[about]
