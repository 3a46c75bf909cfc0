"""Benchmarks are run by hand: what they import from vloc has to be there when they are."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

SCRIPTS = sorted(Path(__file__).parent.glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_what_a_benchmark_imports_from_vloc_is_there(script: Path) -> None:
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vloc":
            module = module_of(str(node.module))
            for alias in node.names:
                assert hasattr(module, alias.name) or module_of(f"{node.module}.{alias.name}")


def module_of(name: str) -> object:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("vloc"):
            raise
        pytest.skip(f"{error.name} is not installed")
