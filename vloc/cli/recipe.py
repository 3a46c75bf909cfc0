"""From a downloaded benchmark to the file to submit, by the commands a user would type; a recipe has their flags."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..atomic import write_text
from ..datasets.benchmark import CONDITIONS, Benchmark, check_layout, places, unexpected
from ..errors import DataError
from ..formats.access import read
from ..formats.result_styles import STYLES, Entries, text_of, written
from ..formats.results import read_poses, write_poses
from ..formats.text_lines import data_lines
from ..geometry.rigid import Rigid
from . import options
from .main import OK
from .settings import parse_flags
from .steps import Steps

CAPTURES = "captures"
"""folder of the kapture folders"""
FAST = ("--features", "sift", "--retrieval", "densevlad")
"""instead of a recipe's features: no weights to get, and a laptop does"""


@dataclass(frozen=True)
class Recipe:
    """What a paper did on a benchmark, as flags of `vloc map` and `vloc localize`.

    `features`: those of `vloc map` that choose features, which `--fast` leaves out; `paper`: its figures by condition.
    `make`: writes the benchmark's places as kapture folders.
    """

    benchmark: Benchmark
    make: Callable[[Path, Path], None]
    features: Sequence[str]
    mapping: Sequence[str] = ()
    localization: Sequence[str] = ()
    paper: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RecipeFlags:
    """A published benchmark from its unpacked folder to the file to submit. The same command goes on after a stop."""

    data: Path
    """the unpacked benchmark"""
    out: Path
    """where its kapture folders, maps, results and pages go"""
    fast: options.Switch = False
    """SIFT and DenseVLAD instead of the paper's features: what it looks like, without weights or a GPU"""
    only: options.Words = ()
    """of a benchmark of several places, the names of those to run"""
    dry_run: options.Switch = False
    """say what would be done; do nothing"""
    workers: int = 0
    """images or pairs worked on at a time; 0: one per core"""
    quiet: options.Switch = False
    """no progress"""


def follow(recipe: Recipe, name: str, arguments: Sequence[str]) -> int:
    """Convert, map and localize each place; then one file to submit, and figures where the truth is public."""
    flags = parse_flags(f"run {name}", RecipeFlags, arguments)
    check_layout(recipe.benchmark, flags.data)
    print("\n".join([recipe.benchmark.title, f"licence: {recipe.benchmark.licence}", *_figures_of_paper(recipe)]))
    captures, steps = flags.out / CAPTURES, Steps()
    if not captures.is_dir():
        if flags.dry_run:
            print(
                f"would convert {flags.data} to {captures}, map, localize and write {_submission(recipe, name, flags)}"
            )
            return OK
        steps.timed("convert", lambda: _convert(recipe, flags.data, captures))
    chosen = [place for place in places(captures) if not flags.only or place.name in flags.only]
    if not chosen:
        raise DataError(f"--only {' '.join(flags.only)}: choose from {', '.join(p.name for p in places(captures))}")
    for place in chosen:
        _run_place(recipe, flags, steps, place)
    if not flags.dry_run:
        _submit(recipe, name, flags, chosen)
        _evaluate(recipe, flags, steps, chosen)
    return steps.status


def _convert(recipe: Recipe, source: Path, captures: Path) -> None:
    """The kapture folders, which appear when all of them are there."""
    unfinished = captures.with_name(f".{captures.name}.tmp")
    if unfinished.exists():
        raise DataError(f"{unfinished}: left by a conversion that was stopped: remove it")
    print(f"converting {source}", flush=True)
    recipe.make(unfinished, source)
    found = _counts(unfinished)
    for problem in unexpected(recipe.benchmark.counts, found):
        print(f"note: {problem}")
    unfinished.rename(captures)


def _counts(captures: Path) -> dict[str, int]:
    """Images of the maps, queries, and queries by condition."""
    conditions = list(conditions_of(captures).values())
    parts = {
        part: sum(len(read(f"kapture:{place / part}").images) for place in places(captures))
        for part in ("mapping", "query")
    }
    return {**parts, **{each: conditions.count(each) for each in {*conditions}}}


def conditions_of(captures: Path) -> dict[str, str]:
    """The condition of every query, by name."""
    path = captures / CONDITIONS
    rows = [text.rpartition(" ") for _, text in data_lines(path)] if path.exists() else []
    return {name: condition for name, _, condition in rows}


def _run_place(recipe: Recipe, flags: RecipeFlags, steps: Steps, place: Path) -> None:
    """The map of one place, the poses of its queries, and a page of them."""
    folder = folder_of(flags, place)
    how = [
        f"--workers={flags.workers}",
        *(["--quiet"] if flags.quiet else []),
        *(["--dry-run"] if flags.dry_run else []),
    ]
    features = FAST if flags.fast else recipe.features
    steps.command("map", f"kapture:{place / 'mapping'}", str(folder / "map"), *features, *recipe.mapping, *how)
    if flags.dry_run and not (folder / "map").is_dir():
        return
    page = [] if flags.dry_run else ["--report", str(folder / "page.html")]
    where = str(folder / "map"), f"kapture:{place / 'query'}", str(folder / "poses.txt")
    steps.command("localize", *where, *recipe.localization, *page, *how)


def folder_of(flags: RecipeFlags, place: Path) -> Path:
    """Where the map and the results of a place go: of a benchmark of one place, straight into the output."""
    return flags.out if place.parent == flags.out else flags.out / place.name


def _submission(recipe: Recipe, name: str, flags: RecipeFlags) -> Path:
    return flags.out / f"{name}_eval_vloc{'_fast' if flags.fast else ''}.txt"


def _submit(recipe: Recipe, name: str, flags: RecipeFlags, chosen: Sequence[Path]) -> None:
    """The poses of all places in the benchmark's style; DataError where two places call a query the same."""
    style, path = STYLES[recipe.benchmark.style], _submission(recipe, name, flags)
    entries: Entries = {}
    for place in chosen:
        own = written(style, read_poses(folder_of(flags, place) / "poses.txt"), read(f"kapture:{place / 'query'}"))
        if twice := entries.keys() & own.keys():
            raise DataError(
                f"{place}: query '{min(twice)}' is one of another place, too: the file would hold one of them"
            )
        entries |= own
    write_text(path, text_of(path, style, entries))
    print(f"\nto submit: {path} ({len(entries)} poses)")


def _evaluate(recipe: Recipe, flags: RecipeFlags, steps: Steps, chosen: Sequence[Path]) -> None:
    """The figures of all places together, where their truth is public, beside the paper's."""
    truths = [place / "query_truth.txt" for place in chosen]
    if not all(truth.exists() for truth in truths):
        print("its truth is not public: the benchmark's server evaluates the file")
        return
    every: dict[str, dict[str, Rigid]] = {"truth": {}, "poses": {}}
    for place, truth in zip(chosen, truths, strict=True):
        every["truth"] |= read_poses(truth)
        every["poses"] |= read_poses(folder_of(flags, place) / "poses.txt")
    for what, poses in every.items():
        write_poses(flags.out / f"all_{what}.txt", poses)
    limits = [f"{metres:g},{degrees:g}" for metres, degrees in recipe.benchmark.thresholds]
    conditions = flags.out / CAPTURES / CONDITIONS
    told = ["--conditions", str(conditions)] if conditions.exists() else []
    files = str(flags.out / "all_poses.txt"), str(flags.out / "all_truth.txt")
    outputs = ["--json", str(flags.out / "figures.json"), "--overwrite"]
    steps.command("evaluate", *files, "--thresholds", *limits, *told, *outputs)


def _figures_of_paper(recipe: Recipe) -> list[str]:
    limits = " / ".join(f"({metres:g} m, {degrees:g} deg)" for metres, degrees in recipe.benchmark.thresholds)
    rows = [f"  {condition}: {figures}" for condition, figures in recipe.paper.items()]
    return [f"the paper's percent within {limits}:", *rows] if rows else []
