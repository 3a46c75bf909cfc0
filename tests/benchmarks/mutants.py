"""How many one-token changes the default tests notice: python tests/benchmarks/mutants.py COUNT SEED [--list].

A place is an operator (comparison, arithmetic, and/or) or a number of the layers below. They are changed in copies of
the repository, one at a time: a comparison gets or loses its equality, plus becomes minus, a whole number one more. A
change is noticed when a test of its layer fails that passes without it, one of the settings, or the end-to-end test.
Prints what nobody noticed, and on stderr who noticed the others; `--list` only says what would be changed.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import cache
from importlib import import_module
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("geometry", "solvers", "stages", "matching", "retrieval", "run", "data")
OTHER: dict[type, type] = {ast.Lt: ast.LtE, ast.Gt: ast.GtE, ast.Eq: ast.NotEq, ast.Add: ast.Sub, ast.Mult: ast.Div}
OTHER |= {ast.And: ast.Or} | {second: first for first, second in (*OTHER.items(), (ast.And, ast.Or))}
WHOLE = ["tests/test_config.py", "tests/test_end_to_end.py"]
"""asked of every change that no test of its folder has noticed"""
SLOWEST_S = 600
"""a change that makes tests run longer than this is noticed"""
LIBRARIES = (
    "scipy.optimize scipy.spatial cv2 pycolmap poselib h5py hypothesis.extra.numpy beartype jaxtyping torch kornia"
)
"""imported once: tests run in forks, which have them already"""
COPIES = get_context("fork").SimpleQueue()


def is_place(node: ast.AST) -> bool:
    """Whether the node is something to change."""
    if isinstance(node, ast.Compare):
        return type(node.ops[0]) in OTHER
    if isinstance(node, ast.BinOp | ast.BoolOp):
        return type(node.op) in OTHER
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def places(root: Path) -> Iterator[tuple[Path, int]]:
    """(file in the repository, number of the node in the order of `ast.walk`) of all that may be changed."""
    for layer in LAYERS:
        for file in sorted((root / "vloc" / layer).glob("*.py")):
            nodes = enumerate(ast.walk(ast.parse(file.read_text())))
            yield from ((file.relative_to(root), number) for number, node in nodes if is_place(node))


def changed(text: str, number: int) -> tuple[str, str]:
    """The text of a module with one node changed, and what was changed."""
    tree = ast.parse(text)
    node: Any = list(ast.walk(tree))[number]
    before = f"{node.lineno}: {ast.unparse(node)}"
    if isinstance(node, ast.Compare):
        node.ops[0] = OTHER[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp | ast.BoolOp):
        node.op = OTHER[type(node.op)]()
    else:
        node.value = node.value + 1 if isinstance(node.value, int) else node.value * 1.5 + 0.1
    return ast.unparse(tree), f"{before} -> {ast.unparse(node)}"


def failure(root: Path, tests: Sequence[str]) -> str:
    """Which test of the copy fails, which holds no `../shared`; empty where none does or none is there."""
    with tempfile.NamedTemporaryFile() as told:
        code = _in_fork(root, ["-xq", "-p", "no:cacheprovider", "--tb=no", "--assert=plain", *tests], told.fileno())
        lines = Path(told.name).read_text(errors="replace").splitlines()
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return (failed or [f"exit status {code}"])[0] if code not in (0, 5) else ""


@cache
def passes(root: Path, test: str) -> bool:
    """Whether a test passes without any change; one that does not, or only sometimes, notices nothing."""
    return not failure(root, [test])


def _in_fork(root: Path, arguments: list[str], output: int) -> int:
    """The exit status of pytest on a copy, in a process group of its own; 124 where it takes too long."""
    child = os.fork()
    if not child:
        os.setsid()
        os.chdir(root)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.path.insert(0, str(root))
        os.environ.update(PYTHONPATH=str(root), PYTHONDONTWRITEBYTECODE="1")
        try:
            code = int(pytest.main(arguments))
            sys.stdout.flush()
            os._exit(code)
        except BaseException:
            traceback.print_exc()
            os._exit(98)
    end = time.monotonic() + SLOWEST_S
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 124


def importers(folder: Path, modules: Iterable[str]) -> list[Path]:
    """Files of a folder that import one of the modules of these names."""
    imports = re.compile(rf"^\s*(from|import) .*\b({'|'.join(modules)})\b", re.MULTILINE)
    return [file for file in sorted(folder.glob("*.py")) if imports.search(file.read_text())]


def steps(root: Path, file: Path) -> list[list[str]]:
    """Tests to ask, those first that will know: of the module, of its importers, of all that depends on it, of all."""
    folder, known = root / "tests" / file.parent.name, {file.stem}
    while more := {user.stem for user in importers(file.parent, known)} - known:
        known |= more
    everything = sorted(folder.glob("test_*.py"))
    asked: list[list[Path]] = [[folder / f"test_{file.name}"], importers(folder, [file.stem]), importers(folder, known)]
    found: list[list[str]] = []
    for tests in (*asked, everything):
        found.append([str(test) for test in everything if test in tests and str(test) not in chain(*found)])
    return [*filter(None, found), WHOLE]


def who_notices(root: Path, file: Path, number: int) -> str:
    """The first test that fails with a change and passes without it; empty where none does."""
    for tests in steps(root, file):
        found = failure_with(root, file, number, tests)
        if found and all(passes(root, test) for test in named(found, tests)):
            return found
    return ""


def failure_with(root: Path, file: Path, number: int, tests: Sequence[str]) -> str:
    """Which test fails with a change, which is undone afterwards."""
    text = file.read_text()
    try:
        file.write_text(changed(text, number)[0])
        return failure(root, tests)
    finally:
        file.write_text(text)


def named(failed: str, tests: Sequence[str]) -> list[str]:
    """The test that a line of pytest's summary names; all that were asked where it died before."""
    kind, _, rest = failed.partition(" ")
    return [rest.split(" - ")[0]] if kind in ("FAILED", "ERROR") else list(tests)


def copy_to(folder: Path) -> Path:
    """A copy of the repository that is imported from where it stands."""
    root = Path(shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".git", ".venv", "*cache*")))
    for name in ("datasets", "pipelines"):
        (root / "vloc" / name).symlink_to(root / name)
    return root


def ask(place: tuple[Path, int]) -> tuple[str, str]:
    """What is changed, and who notices; in a copy that nobody else uses meanwhile."""
    root, (file, number) = COPIES.get(), place
    try:
        what = f"{file}:{changed((root / file).read_text(), number)[1]}"
        return what, who_notices(root, root / file, number)
    finally:
        COPIES.put(root)


def copies(folder: Path, count: int) -> None:
    """As many copies as are asked at a time, with their bytecode, which is as it was without a change."""
    root = copy_to(folder / "0")
    with Path(os.devnull).open("w") as nowhere:
        _in_fork(root, ["-p", "no:cacheprovider", "--assert=plain", "--collect-only", "tests"], nowhere.fileno())
    sys.dont_write_bytecode = True
    for number in range(count):
        COPIES.put(root if not number else shutil.copytree(root, folder / str(number), symlinks=True))


def main() -> None:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background tests would inherit that it is ignored
    chosen = random.Random(options.seed).sample(list(places(ROOT)), options.count)
    if options.list:
        print(*(f"{file}:{changed((ROOT / file).read_text(), number)[1]}" for file, number in chosen), sep="\n")
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    for library in LIBRARIES.split():
        with suppress(ImportError):
            import_module(library)
    with tempfile.TemporaryDirectory() as folder:
        copies(Path(folder), options.workers)
        with ProcessPoolExecutor(options.workers, get_context("fork")) as pool:
            found = [_told(*answer) for answer in pool.map(ask, chosen)]
    print(f"{sum(found)} of {options.count} noticed, seed {options.seed}")


def _told(what: str, noticed_by: str) -> bool:
    print(f"{what}  # {noticed_by}" if noticed_by else what, file=sys.stderr if noticed_by else sys.stdout, flush=True)
    return bool(noticed_by)


if __name__ == "__main__":
    main()
