"""`vloc weights list | get FILE | path FILE`: trained networks, and what they may be used for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

import tyro

from ..errors import ConfigError
from ..weights import WEIGHTS, find, folders, get
from . import options
from .main import OK
from .settings import parse_flags


@dataclass(frozen=True, kw_only=True)
class WeightsFlags:
    """List all published weights that vloc knows, download one, or say where it is.

    They are looked for in the folders of $VLOC_WEIGHTS and in the user's cache, and checked by their SHA-256
    where it is known.
    """

    action: Annotated[Literal["list", "get", "path"], tyro.conf.Positional]
    """list all, get one into the user's cache, or print its path"""
    file: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="[FILE]")] = ""
    """its name, as the list has it"""
    json: options.Switch = False
    """print the list as JSON"""


def run(arguments: Sequence[str]) -> int:
    """List, get or find."""
    flags = parse_flags("weights", WeightsFlags, arguments)
    if flags.action == "list":
        (as_json if flags.json else as_text)()
        return OK
    if flags.file not in WEIGHTS:
        raise ConfigError(f"unknown weights '{flags.file}': choose from {', '.join(WEIGHTS)}")
    print((get if flags.action == "get" else find)(flags.file))
    return OK


def rows() -> list[dict[str, object]]:
    """What is known of each file, and whether it is here."""
    here = {file: next((str(f / file) for f in folders() if (f / file).is_file()), None) for file in WEIGHTS}
    return [{**asdict(weights), "path": here[file]} for file, weights in WEIGHTS.items()]


def as_json() -> None:
    """The list, and the folders, for programs."""
    options.print_json({"folders": list(map(str, folders())), "weights": rows()})


def as_text() -> None:
    """The list for people."""
    print("looked for in", ", ".join(map(str, folders())))
    for row, weights in zip(rows(), WEIGHTS.values(), strict=True):
        place = row["path"] or "not here"
        unchecked = "" if weights.sha256 else ", SHA-256 unknown"
        print(f"{weights.file:<30} {weights.megabytes:>12}  {weights.terms}{unchecked}  {place}")
