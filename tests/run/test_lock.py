"""One run at a time: the second one ends at once, and a dead one holds nobody up."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from squares import spawn

from vloc.errors import LockedError
from vloc.run.workspace import Workspace


def wait_for_the_owner(folder: Path, run: subprocess.Popen[str]) -> None:
    while not (folder / ".lock-owner.json").exists():
        assert run.poll() is None, "the run ended before it said who it is"
        time.sleep(0.01)


def test_a_second_run_is_refused_at_once_naming_process_and_host(tmp_path: Path) -> None:
    with spawn("run", tmp_path, 50, 0.1) as other:
        wait_for_the_owner(tmp_path, other)
        began = time.perf_counter()
        with pytest.raises(LockedError) as caught, Workspace(tmp_path):
            pass
        assert time.perf_counter() - began < 1.0
        other.kill()
    assert f"(process {other.pid} on {socket.gethostname()}, since " in str(caught.value)
    assert caught.value.exit_status == 5


def test_the_lock_of_a_killed_run_does_not_hold(tmp_path: Path) -> None:
    with spawn("run", tmp_path, 50, 0.1) as other:
        wait_for_the_owner(tmp_path, other)
        os.kill(other.pid, signal.SIGKILL)
    with Workspace(tmp_path):
        pass


def test_a_dry_run_needs_no_lock(tmp_path: Path) -> None:
    with Workspace(tmp_path), Workspace(tmp_path, dry_run=True):
        pass


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="oops"), Workspace(tmp_path):
        raise ValueError("oops")
    with Workspace(tmp_path):
        pass
