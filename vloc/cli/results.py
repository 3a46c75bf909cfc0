"""`vloc results write RESULTS OUT --style STYLE --queries Q` and `vloc results check FILE --queries Q`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from ..atomic import write_text
from ..data.capture import Capture
from ..errors import ConfigError, DataError
from ..formats.reference_pairs import read_reference_pairs, relative_text
from ..formats.result_styles import PAIRS, STYLES, Entries, keys_of, read_back, read_lines, style_of, text_of, written
from ..formats.results import read_poses
from ..geometry.rigid import Rigid
from . import options
from .evaluate_retrieval import placed
from .main import OK, WITH_FAILURES
from .messages import read_capture
from .outputs import POSES, check_output, source_data
from .settings import parse_flags

SHOWN = 5
"""names of each kind in a note"""


@dataclass(frozen=True, kw_only=True)
class ResultsFlags(options.ReadFlags):
    """Write results as a benchmark wants them, or find what it would stumble over. Status 3 where anything is found."""

    action: Annotated[Literal["write", "check"], tyro.conf.Positional]
    """another file of the same poses, or a check of one"""
    results: options.folder("RESULTS")  # type: ignore[valid-type]
    """write: what `vloc localize` wrote; check: a file in any style"""
    out: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="[OUT]")] = ""
    """file to write"""
    queries: str
    """the capture that was localized: its names, timestamps and rigs"""
    style: str = "plain"
    """plain, aachen, inloc, cmu, silda, robotcar, naver, eth-ms, rio10, lamar, or 4seasons:LIST"""
    map: str | None = None
    """map, or capture with poses: check whether poses lie in its frame; 4seasons: the reference recording"""
    overwrite: options.Switch = False
    """replace OUT"""


def run(arguments: Sequence[str]) -> int:
    """Write or check."""
    flags = parse_flags("results", ResultsFlags, arguments)
    if (flags.action == "write") != bool(flags.out):
        raise ConfigError("expected vloc results write RESULTS OUT, or vloc results check RESULTS")
    queries = read_capture(flags.queries, quiet=True, **flags.read_options)
    if flags.action == "write":
        out = Path(flags.out)
        _check(out, flags)
        text, notes = styled(flags.style, out, read_poses(flags.results), queries, flags.map)
        write_text(out, text)
        print("\n".join([*(f"note: {note}" for note in notes), f"{flags.style}: {flags.out}"]))
        return OK
    problems = list(problems_of(flags.results, flags.style, queries, flags.map))
    print(
        "\n".join(
            [*problems, f"{flags.results}: {f'problems found: {len(problems)}' if problems else 'nothing is wrong'}"]
        )
    )
    return WITH_FAILURES if problems else OK


def _check(out: Path, flags: ResultsFlags) -> None:
    """DataError for a file that must not be replaced; one of poses alone may be where that is asked for."""
    if out.is_file() and not flags.overwrite:
        raise DataError(f"{out}: is there: choose another name, or --overwrite")
    check_output(out, lambda path: source_data(path) == POSES, [flags.results], overwrite=flags.overwrite)


def check_style(name: str, queries: Capture) -> None:
    """ConfigError or DataError, before any work, for a style that there is not, or that cannot hold the queries."""
    kind, _, pairs = name.partition(":")
    if kind == PAIRS and pairs:
        read_reference_pairs(Path(pairs))
    else:
        keys_of(style_of(name), queries)


def write_styled(results: Path, name: str, poses: Mapping[str, Rigid], queries: Capture, map_: str) -> None:
    """What `results` holds in another style: beside poses.txt, poses.STYLE.txt."""
    path = results.with_suffix(f".{name.partition(':')[0]}.txt")
    write_text(path, styled(name, path, poses, queries, map_)[0])


def styled(
    name: str, path: Path, poses: Mapping[str, Rigid], queries: Capture, map_: str | None
) -> tuple[str, list[str]]:
    """The content of a file in a style, and notes on what is not in it."""
    kind, _, pairs = name.partition(":")
    if kind == PAIRS:
        if not pairs or map_ is None:
            raise ConfigError(
                f"--style {name}: expected {PAIRS}:LIST, and --map with the poses of the reference frames"
            )
        text, missing = relative_text(read_reference_pairs(Path(pairs)), poses, placed(map_))
        return text, [f"{len(missing)} pairs have a query without a pose: left out"] if missing else []
    style = style_of(name)
    entries, keys = written(style, poses, queries), keys_of(style, queries)
    without = [key for key in keys if key not in entries]
    return text_of(path, style, entries), [_some(without, "have no pose: left out")] if without else []


def problems_of(path: Path, name: str, queries: Capture, map_: str | None) -> Iterator[str]:
    """What is wrong with a file: lines, names, and the frame of the poses where a map is given."""
    if name.partition(":")[0] == PAIRS:
        raise ConfigError(f"--style {name}: pairs cannot be checked: choose from {', '.join(STYLES)}")
    style = style_of(name)
    entries, broken = read_lines(path, style)
    yield from broken
    try:
        keys = keys_of(style, queries)
    except DataError as error:
        yield str(error)
        return
    if unknown := sorted(entries.keys() - {*keys}):
        yield f"{_some(unknown, 'are none of the queries')}; these have names like '{keys[0]}'"
    known: Entries = {key: pose for key, pose in entries.items() if key in {*keys}}
    if map_ is not None and known:
        from ..stages.check_results import frame_problem

        poses = Rigid.stack([*read_back(style, known, queries).values()])
        if problem := frame_problem(poses, Rigid.stack([*placed(map_).values()])):
            yield problem


def _some(names: Sequence[str], what: str) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
    return f"{len(names)} {what}: {shown}"
