"""The folder list is the layer list: what a module of vloc may import, read from its text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "vloc"
MODULES = sorted(PACKAGE.rglob("*.py"))

LAYERS = {
    **dict.fromkeys(
        ("errors", "registry", "runtime", "stage", "atomic", "regular_file", "array_types", "weights", "user_cache"), 0
    ),
    "geometry": 1,
    "data": 2,
    **dict.fromkeys(("formats", "networks", "features", "retrieval", "matching", "solvers"), 3),
    **dict.fromkeys(("stages", "run"), 4),
    **dict.fromkeys(
        ("config", "map", "map_source", "photo_matching", "framing", "known_cameras", "imports", "describing"), 5
    ),
    **dict.fromkeys(("mapping", "localization", "looking", "placing", "placed", "paradigms", "api"), 5),
    **dict.fromkeys(("localizer", "placer", "query", "tracker", "rigs", "packing", "packed_map"), 5),
    **dict.fromkeys(("versions", "publishing", "following", "learned"), 5),
    **dict.fromkeys(("blocks", "sequences", "sharing", "tracks", "odometry", "points", "presets", "priors"), 5),
    **dict.fromkeys(("rendering", "query_depth", "view_check"), 5),
    **dict.fromkeys(("compressing", "compressed_map", "held_out"), 5),
    **dict.fromkeys(("cli", "page"), 6),
}
HEAVY = {"torch", "kornia", "open3d", "pycolmap", "cv2", "matplotlib", "rich", "h5py", "poselib"}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of everything a module imports, wherever in it; of `from a import b`, `a.b`."""
    package = ("vloc", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = [*start, *(node.module.split(".") if node.module else [])]
            yield from ((node.lineno, ".".join([*base, alias.name])) for alias in node.names)


def parts_imported(path: Path) -> list[tuple[int, str]]:
    names = [(line, name.split(".")) for line, name in imports_of(path)]
    return [(line, name[1]) for line, name in names if name[0] == "vloc" and len(name) > 1 and name[1] in LAYERS]


def imported_at_once(path: Path) -> Iterator[tuple[int, str]]:
    """Foreign top-level packages that importing the module imports: outside functions and TYPE_CHECKING."""
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.lineno, node.module.split(".")[0]
        waiting += ast.iter_child_nodes(node)


def test_every_module_has_a_layer() -> None:
    assert {part_of(path) for path in MODULES} - {"__init__"} <= set(LAYERS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_imports_a_higher_layer(path: Path) -> None:
    if path == PACKAGE / "__init__.py":
        return  # the public face looks at everything, lazily
    own = LAYERS[part_of(path)]
    assert [f"line {line}: {part}" for line, part in parts_imported(path) if LAYERS[part] > own] == []


@pytest.mark.parametrize("path", sorted((PACKAGE / "run").glob("*.py")), ids=lambda path: path.name)
def test_run_knows_no_stage_and_no_model(path: Path) -> None:
    allowed = {"run"} | {part for part, layer in LAYERS.items() if layer in (0, 2)}
    assert [f"line {line}: {part}" for line, part in parts_imported(path) if part not in allowed] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_where_they_are_used(path: Path) -> None:
    here = HEAVY - ({"torch"} if part_of(path) == "networks" else set())  # which features import where they need them
    assert [f"line {line}: {name}" for line, name in imported_at_once(path) if name in here] == []


@pytest.mark.parametrize("path", sorted((PACKAGE / "page").glob("*.py")), ids=lambda path: path.name)
def test_the_page_does_not_need_the_command_line(path: Path) -> None:
    assert "cli" not in [part for _, part in parts_imported(path)]


def test_one_file_knows_the_engine_of_clusters() -> None:
    engines = {"dask", "distributed"}
    knowing = {path for path in MODULES for _, name in imports_of(path) if name.split(".")[0] in engines}
    assert knowing == {PACKAGE / "run" / "dask.py"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_has_more_than_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_shapes_of_arrays_are_texts(path: Path) -> None:
    """jaxtyping checks `Float64[np.ndarray, "3"]`, and says nothing of `Float64[np.ndarray, 3]`."""
    assert re.findall(r"np\.ndarray, \d.*", path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted((ROOT / "pipelines").glob("*.py")), ids=lambda path: path.name)
def test_recipes_hold_choices_and_no_algorithms(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    loops = (ast.For, ast.While, ast.If)
    assert [node.lineno for node in ast.walk(ast.parse(text)) if isinstance(node, loops)] == []
    assert len(text.splitlines()) <= 60
