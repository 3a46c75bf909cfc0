"""`vloc COMMAND ...`: finds the command, and turns errors into one line and an exit status."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from .. import __version__
from ..errors import ResourceError, VlocError

COMMANDS = {
    "demo": "make a synthetic gallery, map it, localize its queries, show what came out",
    "map": "photos in, map out",
    "localize": "queries in, poses out",
    "align": "give a map a frame and metres: by poses, satellite or one distance",
    "pack": "a map as one file with just what localization needs",
    "restore": "make an earlier version of a map the current one again",
    "compress": "a smaller map as one file, and what that costs",
    "rig": "where cameras are mounted on a rig, from poses of their images",
    "evaluate": "poses against true poses",
    "report": "a page of one run, or of several beside each other",
    "results": "poses as a benchmark wants them, and what it would stumble over",
    "convert": "from one format to another",
    "render": "a scan as depth maps of a capture's images",
    "merge": "several captures of one place as one",
    "split": "one capture as two: by list, folder, number, time or area",
    "show": "what a map or a capture holds, and what made it",
    "check": "find what is broken in a map or a capture",
    "clean": "what no version of a map and no results need any more, and its removal",
    "run": "a recipe, or a scene of ours, by name",
    "weights": "trained networks: which there are, where they are, and how to get them",
    "doctor": "versions, devices, optional parts and how to install them",
}
OK, BAD_INPUT, WITH_FAILURES, INTERRUPTED = 0, 2, 3, 130
"""exit statuses beside those of the errors; a bug leaves Python with its traceback and status 1"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Gives the exit status; only bugs escape as exceptions.

    Without `arguments` the process is taken to be this command's own.
    """
    if arguments is None:
        own_process()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return OK if arguments else BAD_INPUT
    if arguments[0] == "--version":
        print(f"vloc {__version__}")
        return OK
    if arguments[0] not in COMMANDS:
        return _fail(f"unknown command '{arguments[0]}': choose from {', '.join(COMMANDS)}", BAD_INPUT)
    return _guarded(arguments[0], arguments[1:])


def own_process() -> None:
    """Make Python and BLAS start and end faster in a process that runs one command; before numpy is imported."""
    # Imports leave no garbage, and a process that ends gives back everything: looking for it takes 0.2 s of a command.
    gc.set_threshold(10_000)
    atexit.register(gc.freeze)
    # Workers run side by side, each on one thread of BLAS; others would be started with numpy, and spin.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _guarded(command: str, arguments: Sequence[str]) -> int:
    try:
        status: int = import_module(f".{command}", __package__).run(arguments)
    except VlocError as error:
        return _fail(str(error), error.exit_status)
    except KeyboardInterrupt:
        return _fail("interrupted; what was finished is kept, the same command goes on from there", INTERRUPTED)
    except MemoryError as error:
        return _fail(f"out of memory: {error}", ResourceError.exit_status)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read our output has gone
        return OK
    except OSError as error:
        return _system_error(error)
    return status


def _system_error(error: OSError) -> int:
    """A full disk, or a place where none may write, is not vloc's fault; any other error of the system is a bug."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _fail(f"disk full: {error}", ResourceError.exit_status)
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return _fail(f"{error.filename}: {error.strerror}", BAD_INPUT)
    raise error


def _fail(message: str, status: int) -> int:
    print(f"vloc: {message}", file=sys.stderr)
    return status


def overview() -> str:
    """The commands, a line each."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in COMMANDS.items()]
    head = ["usage: vloc COMMAND ...", "", "Where was this photo taken, to the centimetre.", ""]
    tail = ["", "vloc COMMAND --help tells every setting of a command, with units and defaults."]
    return "\n".join([*head, *lines, *tail])


if __name__ == "__main__":
    sys.exit(main())
