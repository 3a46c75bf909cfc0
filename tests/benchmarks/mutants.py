"""How many one-token changes the default tests notice: python tests/benchmarks/mutants.py COUNT SEED [--list].

A place is an operator (comparison, arithmetic, and/or) or a number of the layers below. They are changed in a copy of
the repository, one at a time: a comparison gets or loses its equality, plus becomes minus, a whole number one more. A
change is noticed when tests of its folder fail (its own module's are asked first), of the settings, or end to end.
Prints what nobody noticed; `--list` only says what would be changed.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LAYERS = ("geometry", "solvers", "stages", "matching", "retrieval", "run", "data")
OTHER: dict[type, type] = {ast.Lt: ast.LtE, ast.Gt: ast.GtE, ast.Eq: ast.NotEq, ast.Add: ast.Sub, ast.Mult: ast.Div}
OTHER |= {ast.And: ast.Or} | {second: first for first, second in (*OTHER.items(), (ast.And, ast.Or))}
WHOLE = ["tests/test_config.py", "tests/test_end_to_end.py", "tests/cli/test_demo.py"]
"""asked of every change that the tests of its folder have not noticed"""
SLOWEST_S = 600
"""a change that makes tests run longer than this is noticed"""


def is_place(node: ast.AST) -> bool:
    """Whether the node is something to change."""
    if isinstance(node, ast.Compare):
        return type(node.ops[0]) in OTHER
    if isinstance(node, ast.BinOp | ast.BoolOp):
        return type(node.op) in OTHER
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def places(root: Path) -> Iterator[tuple[Path, int]]:
    """(file, number of the node in the order of `ast.walk`) of all that may be changed."""
    for layer in LAYERS:
        for file in sorted((root / "vloc" / layer).glob("*.py")):
            nodes = enumerate(ast.walk(ast.parse(file.read_text())))
            yield from ((file, number) for number, node in nodes if is_place(node))


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


def failure(root: Path, *tests: str) -> str:
    """Which test of the copy fails, which holds no `../shared`; empty where none does or none is there."""
    command = [sys.executable, "-m", "pytest", "-xq", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, check=False, cwd=root, env=environment, capture_output=True, timeout=SLOWEST_S)
    except subprocess.TimeoutExpired:
        return "too slow"
    lines = done.stdout.decode(errors="replace").splitlines()
    told = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return (told or [f"exit status {done.returncode}"])[0] if done.returncode not in (0, 5) else ""


def check(root: Path) -> None:
    """SystemExit: tests fail though nothing is changed, so that they would notice everything."""
    for tests in (*([f"tests/{layer}"] for layer in LAYERS), WHOLE):
        if found := failure(root, *tests):
            raise SystemExit(f"{found}: without any change, so nothing can be said")


def is_noticed(root: Path, file: Path, number: int) -> bool:
    """Whether any test notices the change, which is undone afterwards."""
    text, folder = file.read_text(), f"tests/{file.parent.name}"
    own = f"{folder}/test_{file.name}"
    steps = [[own]] if (root / own).exists() else []
    steps += [[folder], WHOLE]
    try:
        file.write_text(changed(text, number)[0])
        return any(failure(root, *step) for step in steps)
    finally:
        file.write_text(text)


def copy_to(folder: Path) -> Path:
    """A copy of the repository that is imported from where it stands."""
    root = Path(shutil.copytree(ROOT, folder / "repository", ignore=shutil.ignore_patterns(".git", ".venv", "*cache*")))
    for name in ("datasets", "pipelines"):
        (root / "vloc" / name).symlink_to(root / name)
    return root


def main() -> None:
    """Read the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background tests would inherit that it is ignored
    with tempfile.TemporaryDirectory() as folder:
        root = copy_to(Path(folder))
        if not options.list:
            check(root)
        chosen = random.Random(options.seed).sample(list(places(root)), options.count)
        noticed = 0
        for file, number in chosen:
            is_dead = not options.list and is_noticed(root, file, number)
            noticed += is_dead
            if not is_dead:
                print(f"{file.relative_to(root)}:{changed(file.read_text(), number)[1]}", flush=True)
    if not options.list:
        print(f"{noticed} of {options.count} noticed, seed {options.seed}")


if __name__ == "__main__":
    main()
