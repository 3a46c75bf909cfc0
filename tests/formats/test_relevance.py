import json
from pathlib import Path

import pytest

from vloc.data.relevance import Relevance
from vloc.errors import DataError
from vloc.formats.relevance import read_relevance

GND = {
    "imlist": ["all_souls_000013", "all_souls_000026", "oxford_002985"],
    "qimlist": ["all_souls_000051.jpg"],
    "gnd": [{"bbx": [136.5, 34.1, 648.5, 955.7], "easy": [0], "hard": [1], "junk": [2]}],
}


def written(folder: Path, content: object) -> Path:
    (folder / "gnd.json").write_text(json.dumps(content))
    return folder / "gnd.json"


def test_the_content_of_the_official_file_is_read(tmp_path: Path) -> None:
    assert read_relevance(written(tmp_path, GND)) == {
        "all_souls_000051": Relevance(
            frozenset(["all_souls_000013"]), frozenset(["all_souls_000026"]), frozenset(["oxford_002985"])
        )
    }


def test_rows_that_are_none_are_refused_by_query(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gnd\.json: all_souls_000051.jpg: image 3, expected a row of imlist, 0 to 2"):
        read_relevance(written(tmp_path, {**GND, "gnd": [{"easy": [3]}]}))
    with pytest.raises(DataError, match="0 entries, expected one for each of 1 queries"):
        read_relevance(written(tmp_path, {**GND, "gnd": []}))


def test_other_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gnd\.json: "):
        read_relevance(written(tmp_path, [1, 2]))
