"""What `import vloc` promises: the names it lists, and that it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import vloc


def modules_after(code: str) -> set[str]:
    """Top-level modules that are loaded in a fresh interpreter after some code."""
    script = f"import sys; before = set(sys.modules)\n{code}\nprint(*sorted(set(sys.modules) - before), sep='\\n')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_all_is_sorted_and_without_repetition() -> None:
    assert list(vloc.__all__) == sorted(set(vloc.__all__))


@pytest.mark.parametrize("name", vloc.__all__)
def test_every_public_name_resolves_to_something_documented(name: str) -> None:
    assert getattr(vloc, name).__doc__


def test_dir_lists_what_all_lists() -> None:
    assert set(vloc.__all__) <= set(dir(vloc))


def test_the_type_checker_sees_the_names_that_python_sees() -> None:
    import ast
    from pathlib import Path

    tree = ast.parse(Path(vloc.__file__).read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    names = [alias.name for node in guarded.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(names) == list(vloc.__all__)


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lokalize'"):
        _ = vloc.lokalize


def test_importing_vloc_imports_nothing_heavy() -> None:
    loaded = modules_after("import vloc")
    assert (
        loaded & {"numpy", "scipy", "cv2", "torch", "open3d", "pycolmap", "kornia", "matplotlib", "tyro", "h5py"}
        == set()
    )


def test_the_whole_public_api_imports_no_optional_or_slow_package() -> None:
    loaded = modules_after("import vloc\nfor name in vloc.__all__: getattr(vloc, name)")
    assert loaded & {"cv2", "torch", "open3d", "pycolmap", "kornia", "matplotlib", "tyro", "rich"} == set()


def test_the_overview_of_commands_imports_nothing_heavy() -> None:
    loaded = modules_after("from vloc.cli.main import main\nmain(['--version'])")
    assert loaded & {"numpy", "scipy", "cv2", "torch", "open3d", "pycolmap", "matplotlib", "tyro", "rich"} == set()
