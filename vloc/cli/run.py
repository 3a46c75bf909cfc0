"""`vloc run NAME ...`: recipes of `vloc.pipelines` and scenes of `vloc.datasets`, by name."""

from __future__ import annotations

import ast
import dataclasses
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import tyro

from ..errors import ConfigError
from . import options
from .main import OK
from .settings import parse_flags


@dataclass(frozen=True)
class Runnable:
    """A module that can be run: a recipe has `run(arguments) -> status`, a scene has `make(root, config)`."""

    name: str
    module: str
    kind: str
    about: str


def run(arguments: Sequence[str]) -> int:
    """Run a recipe or make a scene; without a name, list them."""
    found = {runnable.name: runnable for runnable in runnables()}
    if not arguments or arguments[0] in ("-h", "--help"):
        print(listing(list(found.values())))
        return OK
    name, rest = arguments[0], arguments[1:]
    if name not in found:
        raise ConfigError(f"nothing to run is called '{name}': choose from {', '.join(found)}")
    module = import_module(found[name].module)
    return int(module.run(rest)) if found[name].kind == "recipe" else make_scene(name, module.make, rest)


def runnables() -> list[Runnable]:
    """Every recipe and scene, by name; found by reading their text, so that none of them is imported."""
    found = [*_in_package("vloc.pipelines", "run", "recipe"), *_in_package("vloc.datasets", "make", "scene")]
    return sorted(found, key=lambda runnable: runnable.name)


def _in_package(package: str, function: str, kind: str) -> Iterator[Runnable]:
    for place in import_module(package).__path__:
        for module in pkgutil.iter_modules([place]):
            tree = ast.parse((Path(place) / f"{module.name}.py").read_text(encoding="utf-8"))
            if any(isinstance(node, ast.FunctionDef) and node.name == function for node in tree.body):
                about = (ast.get_docstring(tree) or "").partition("\n")[0]
                yield Runnable(module.name, f"{package}.{module.name}", kind, about)


def listing(found: Sequence[Runnable]) -> str:
    """The names with what they do."""
    width = max((len(runnable.name) for runnable in found), default=0)
    rows = [f"  {runnable.name:<{width}}  {runnable.kind}: {runnable.about}" for runnable in found]
    return "\n".join(["usage: vloc run NAME ...", "", *rows, "", "vloc run NAME --help tells its settings."])


def make_scene(name: str, make: Callable[[Path, Any], object], arguments: Sequence[str]) -> int:
    """Make a scene in a folder; its flags are the fields of its config."""
    config = get_type_hints(make, include_extras=True)["config"]
    root = ("root", Annotated[options.folder("FOLDER"), tyro.conf.arg(help="where the scene goes")])
    own = dataclasses.make_dataclass("SceneFlags", [root], frozen=True, kw_only=True, bases=(config,))
    own.__doc__ = config.__doc__
    flags: Any = parse_flags(f"run {name}", own, arguments)
    make(flags.root, config(**{f.name: getattr(flags, f.name) for f in dataclasses.fields(config)}))
    print(f"{name}: {flags.root}")
    return OK
