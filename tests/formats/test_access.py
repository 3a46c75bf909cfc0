"""Reading and writing by location."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from vloc.errors import ConfigError, DataError, ResourceError
from vloc.formats.access import MODULES, find_format, formats, new_output, read, write


def test_prefix_names_the_format_and_a_bare_path_is_recognised(folder):
    assert len(read(f"kapture:{folder}").images) == len(read(folder).images) == len(read(str(folder)).images) == 3


def test_every_format_of_ours_is_found_by_its_name_alone():
    """In a process that has not seen the others."""
    code = "import sys; from vloc.formats.access import find_format; print(find_format(sys.argv[1] + ':x')[0].name)"
    ours = [form.name for form in formats() if (form.read or form.write).__module__.startswith("vloc.formats.")]
    assert sorted(MODULES) == ours
    for name in ("colmap-db3", "images"):
        found = subprocess.run([sys.executable, "-c", code, name], check=True, capture_output=True, text=True)
        assert found.stdout.strip() == name


def test_colon_without_a_known_format_is_part_of_the_path(folder, tmp_path):
    odd = tmp_path / "12:30 walk"
    folder.rename(odd)
    assert len(read(str(odd)).images) == 3
    assert find_format(f"kapture:{odd}")[1] == odd


def test_paths_that_no_format_or_several_recognise_list_the_choices(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no format recognises it; say which: .*kapture:empty"):
        read(tmp_path / "empty")
    for name in ("cameras.txt", "images.txt", "points3D.txt"):
        (folder / name).write_text("")
    with pytest.raises(
        DataError, match="looks like colmap and like kapture; say which: colmap:capture, kapture:capture"
    ):
        read(folder)


def test_folder_of_images_is_told_from_a_capture_that_holds_images(folder, tmp_path):
    images = folder / "sensors" / "records_data" / "a"
    images.mkdir(parents=True)
    Image.new("L", (4, 4)).save(images / "0.jpg")
    assert find_format(folder)[0].name == "kapture"
    assert find_format(images)[0].name == "images"


def test_missing_paths_and_unknown_options_are_refused(folder, tmp_path):
    for location in ("nowhere", f"kapture:{tmp_path / 'nowhere'}"):
        with pytest.raises(DataError, match="no such file or folder"):
            read(location)
    with pytest.raises(ConfigError, match="unknown option 'pixel_centre': choose from pixel_center"):
        read(folder, pixel_centre=0)
    for value in (2, -0.5, float("nan")):
        with pytest.raises(ConfigError, match=r"pixel_center: expected 0 or 0\.5"):
            read(folder, pixel_center=value)


def test_formats_that_cannot_write_or_were_not_named_are_refused(folder, tmp_path):
    with pytest.raises(DataError, match="say which format to write"):
        write(read(folder), tmp_path / "out")
    with pytest.raises(DataError, match="reads images and does not write it"):
        write(read(folder), f"images:{tmp_path / 'out'}")


def test_output_that_exists_is_never_overwritten(folder, tmp_path):
    capture, out = read(folder), tmp_path / "out"
    out.mkdir()
    write(capture, f"kapture:{out}", transfer="skip")
    with pytest.raises(DataError, match="exists already"):
        write(capture, f"kapture:{out}")


def test_output_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), new_output(tmp_path / "out") as temporary:
        temporary.mkdir()
        (temporary / "half").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with new_output(tmp_path / "out") as temporary:
        temporary.mkdir()
        (temporary / "whole").write_text("whole")
        assert not (tmp_path / "out").exists()
    assert (tmp_path / "out" / "whole").read_text() == "whole"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_full_disk_is_told_and_leaves_nothing(tmp_path):
    with pytest.raises(ResourceError, match="no space left"), new_output(tmp_path / "out") as temporary:
        temporary.write_text("x")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_every_format_says_what_it_keeps(tmp_path: Path):
    for form in formats():
        assert form.read or form.write
        assert ";" in form.about
        assert form.recognises(tmp_path / "nowhere") is False


def test_nothing_that_is_there_is_replaced_but_an_empty_folder(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("empty")
    for name in ("pipe", "dangling", "link"):
        with pytest.raises(DataError, match=f"{name}: exists already"), new_output(tmp_path / name):
            pass
    with new_output(tmp_path / "empty") as path:
        path.write_text("content")
    assert (tmp_path / "empty").read_text() == "content"
