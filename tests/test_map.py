"""Manifests of maps that were damaged or written by others: refused by name, wherever they are opened."""

import json

import pytest

from vloc.cli.main import main
from vloc.errors import VlocError
from vloc.map import Map

REFERENCE = "sparse-0123456789abcdef/0123456789abcdef0123456789abcdef"
SINGLE = dict.fromkeys(("sparse", "features", "reconstruction", "colors"), REFERENCE)
REFERENCES = {**SINGLE, "descriptors": [REFERENCE], "trained": [REFERENCE]}


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("references", 5, r"map\.json: Expected `object`, got `int` - at `\$\.references`"),
        ("references", {**REFERENCES, "sparse": 5}, r"Expected `str`, got `int` - at `\$\.references\.sparse`"),
        ("references", {**REFERENCES, "trained": [5]}, r"at `\$\.references\.trained\[0\]`"),
        ("references", {**REFERENCES, "sparse": "../../x"}, r"'\.\./\.\./x': expected a reference"),
        ("config", [], r"map\.json: Expected `object`, got `array` - at `\$\.config`"),
        ("config", {"extract": 5}, r"map\.json: config: extract: expected a name of .*sift.*, got 5"),
        ("config", {"describe": 5}, r"map\.json: config: describe: expected global descriptors, got 5"),
        ("config", {"pair": "x"}, r"map\.json: config: pair: "),
        ("config", {"nothing": 1}, r"map\.json: config: unknown setting 'nothing'"),
        ("capture", {"location": 5}, r"Expected `str`, got `int` - at `\$\.capture\.location`"),
        ("capture", {"location": "x", "pixel_center": "a"}, r"Expected `float`, got `str`"),
        ("frame", 5, r"Expected `object`, got `int` - at `\$\.frame`"),
    ],
)
def test_a_manifest_with_numbers_for_texts_is_refused_by_its_place(part, value, message, tmp_path, capsys):
    whole = {"format": 2, "config": {}, "references": REFERENCES, "frame": {}, "capture": {"location": "x"}}
    (tmp_path / "map.json").write_text(json.dumps({**whole, part: value}))
    with pytest.raises(VlocError, match=message):
        Map.open(tmp_path)
    assert main(["check", str(tmp_path)]) == 3
    assert main(["show", str(tmp_path)]) == 2
    capsys.readouterr()
