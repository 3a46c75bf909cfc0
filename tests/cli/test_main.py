"""Exit statuses and help, as a shell sees them."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vloc.cli.main import COMMANDS, _system_error, main
from vloc.run.workspace import Workspace

PYTHON = [sys.executable, "-c"]
RUN = "import sys; from vloc.cli.main import main; sys.exit(main(sys.argv[1:]))"


def test_help_lists_every_command_and_succeeds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)


def test_no_command_is_a_usage_error_that_shows_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "vloc COMMAND --help" in capsys.readouterr().out


def test_an_unknown_command_is_named_with_the_choices(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mapp"]) == 2
    message = capsys.readouterr().err
    assert "'mapp'" in message
    assert "localize" in message


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "run"])
def test_every_command_has_help_with_its_defaults(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert f"vloc {command}" in text
    assert "default" in text


def test_help_of_settings_tells_units(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["map", "--help"])
    text = capsys.readouterr().out
    assert "--extract.max-keypoints" in text
    assert "px" in text


def test_an_unknown_flag_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["map", str(tmp_path), str(tmp_path / "map"), "--ratio", "0.8"])
    assert ended.value.code == 2


def test_a_missing_capture_is_bad_input_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", str(tmp_path / "nothing"), str(tmp_path / "map"), "--quiet"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert str(tmp_path / "nothing") in message
    assert not (tmp_path / "map").exists()


def test_an_output_in_use_ends_with_status_5(gallery, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Workspace(tmp_path / "map"):
        assert main(["map", str(gallery.mapping), str(tmp_path / "map"), "--quiet"]) == 5
    assert str(os.getpid()) in capsys.readouterr().err


def test_a_disk_that_takes_no_more_ends_with_status_4(gallery, tmp_path: Path) -> None:
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); "
    command = [*PYTHON, full + RUN, "map", str(gallery.mapping), str(tmp_path / "map")]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # else compiled modules are cut short, for all to come
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 4, done.stderr
    assert "bytes needed" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS])
def test_a_place_where_none_may_write_is_named(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert _system_error(OSError(number, os.strerror(number), "/dvd/poses.txt")) == 2
    assert capsys.readouterr().err == f"vloc: /dvd/poses.txt: {os.strerror(number)}\n"


def test_an_interrupted_run_says_so_and_goes_on_later(gallery, tmp_path: Path) -> None:
    command = [*PYTHON, RUN, "map", str(gallery.mapping), str(tmp_path / "map")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert process.stderr is not None
    assert "as kapture" in process.stderr.readline()
    assert "extract" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    message = process.stderr.read()
    process.stderr.close()
    assert process.wait(60) == 130, message
    assert "interrupted" in message
    assert "Traceback" not in message
    assert main(["map", str(gallery.mapping), str(tmp_path / "map"), "--quiet"]) == 0


def test_a_bug_leaves_with_its_traceback_and_status_1(tmp_path: Path) -> None:
    broken = "import vloc.cli.evaluate as command; del command.read_poses; " + RUN
    done = subprocess.run([*PYTHON, broken, "evaluate", "a", "b"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
