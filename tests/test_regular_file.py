"""Only regular files are opened, and nothing is ever waited for."""

import os
import socket
from pathlib import Path

import pytest

from vloc.errors import DataError, shortened
from vloc.regular_file import is_regular, open_regular, read_regular


@pytest.mark.timeout(10)
def test_a_named_pipe_that_nobody_writes_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="a named pipe, expected a regular file"):
        open_regular(tmp_path / "pipe")
    assert not is_regular(tmp_path / "pipe")


@pytest.mark.timeout(10)
def test_an_endless_device_and_a_folder_are_refused_by_what_they_are(tmp_path):
    with pytest.raises(OSError, match="a device, expected a regular file"):
        read_regular(Path("/dev/zero"))
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)


def test_no_file_can_have_these_names(tmp_path, monkeypatch):
    (tmp_path / "itself").symlink_to("itself")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    names = ["itself", "a\0b", "a" * 300, "socket", "absent"]
    assert [is_regular(tmp_path / name) for name in names] == [False] * 5


def test_regular_files_are_read_whole_through_links(tmp_path):
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link") == b"content" and is_regular(tmp_path / "link")


def test_a_message_of_megabytes_keeps_its_begin_and_end():
    message = str(DataError(f"list.txt:3: '{'a' * 10_000_000}' is here twice"))
    assert message.startswith("list.txt:3: 'aaa") and message.endswith("' is here twice") and len(message) < 2100
    assert shortened("abcdef", 4) == "ab ... (2 characters) ... ef" and shortened("abcd", 4) == "abcd"
