"""kapture's records of numbers: scans, positions and inertial readings."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vloc.errors import DataError
from vloc.formats.access import read, write

SENSORS = "# kapture format: 1.1\nw, , wifi\nb, , bluetooth\ng, , gnss, EPSG:4326\n"


def folder_with(tmp_path: Path, kind: str, *rows: str) -> Path:
    sensors = tmp_path / "capture" / "sensors"
    sensors.mkdir(parents=True, exist_ok=True)
    (sensors / "sensors.txt").write_text(SENSORS)
    (sensors / f"records_{kind}.txt").write_text("".join(f"{row}\n" for row in rows))
    return tmp_path / "capture"


@given(ssid=st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="#")).map(str.strip))
def test_every_comma_in_the_name_of_a_network_is_part_of_it(ssid, tmp_path_factory):
    capture = read(folder_with(tmp_path_factory.mktemp("s"), "wifi", f"5, w, aa:bb, 2417, -33.5, {ssid}, 0, 1"))
    columns = capture.readings["wifi"].columns
    assert columns["SSID"] == [ssid]
    assert (columns["RSSI"].tolist(), columns["scan_time_end"].tolist()) == ([-33.5], [1])
    assert bool(capture.notes) == ("," in ssid)


def test_rows_of_one_scan_stay_in_their_order(tmp_path):
    rows = ["9, b, zz, -1, phone, tablet", "5, b, yy, -2, ", "9, b, aa, -3, x"]
    readings = read(folder_with(tmp_path, "bluetooth", *rows)).readings["bluetooth"]
    assert readings.timestamps.tolist() == [5, 9, 9]
    assert readings.columns["address"] == ["yy", "zz", "aa"]
    assert readings.columns["name"] == ["", "phone, tablet", "x"]


@pytest.mark.parametrize(
    ("kind", "rows", "message"),
    [
        ("wifi", ["5, w, aa, 2417.0, -33, net, 0, 0"], r"records_wifi\.txt:1: frequency: not an integer"),
        ("wifi", ["5, w, aa, 2417, -33, net, 0"], r"records_wifi\.txt:1: 7 fields; expected 8"),
        ("wifi", ["5, w, aa, 1, -33, net, 0, 0", "5, w, aa, 1, -3, net, 0, 0"], r":2: timestamp 5 sees 'aa' twice"),
        ("wifi", ["5, g, aa, 2417, -33, net, 0, 0"], r"records_wifi\.txt:1: device 'g' is of type gnss"),
        ("gnss", ["5, g, 1, 2, nan, 0, 1"], r"records_gnss\.txt:1: z: not a number"),
        ("gnss", ["5, g, 1, 2, 3, 0.5, 1"], r"records_gnss\.txt:1: utc: not an integer"),
        ("gnss", ["5, g, 1, 2, 3, 0, 1", "5, g, 1, 2, 3, 0, 1"], r":2: timestamp 5 of 'g' is here twice"),
    ],
)
def test_broken_rows_are_refused_by_file_and_line(kind, rows, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read(folder_with(tmp_path, kind, *rows))


def test_comma_in_a_name_is_refused_at_write_time_as_kapture_could_not_read_it(tmp_path):
    capture = read(folder_with(tmp_path, "bluetooth", "5, b, yy, -2, phone, tablet"))
    with pytest.raises(DataError, match="'phone, tablet' cannot be written"):
        write(capture, f"kapture:{tmp_path / 'out'}")


def test_readings_of_absent_sensors_are_left_out_and_counted(tmp_path):
    capture = read(folder_with(tmp_path, "gnss", "5, g, 1, 2, 3, 0, 1", "6, gone, 1, 2, 3, 0, 1"))
    assert len(capture.readings["gnss"]) == 1
    assert capture.left_out == ("records_gnss.txt: 1 rows left out: no such device (first: gone)",)
