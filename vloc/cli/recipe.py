"""From a downloaded benchmark to the file to submit, by the commands a user would type; a recipe has their flags."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..datasets.benchmark import CONDITIONS, MAPPING, QUERIES, Benchmark, check_layout, places, queries_of, unexpected
from ..errors import ConfigError, DataError, StageError, VlocError
from ..formats.access import read
from ..formats.text_lines import data_lines
from . import options
from .main import OK
from .recipe_plan import plan
from .recipe_results import Answer, evaluate, submit
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
    `make`: writes the benchmark's places as kapture folders. `by_queries`: more flags of `vloc localize`, for the
    queries in a folder of that name. `variants`: other rows of the paper's table, by name.
    """

    benchmark: Benchmark
    make: Callable[[Path, Path], None]
    features: Sequence[str]
    mapping: Sequence[str] = ()
    localization: Sequence[str] = ()
    by_queries: Mapping[str, Sequence[str]] = field(default_factory=dict)
    paper: Mapping[str, str] = field(default_factory=dict)
    variants: Mapping[str, Recipe] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RecipeFlags:
    """A published benchmark from its unpacked folder to the file to submit. The same command goes on after a stop."""

    data: Path
    """the unpacked benchmark"""
    out: Path
    """where its kapture folders, maps, results and pages go"""
    fast: options.Switch = False
    """SIFT and DenseVLAD instead of the paper's features: what it looks like, without weights or a GPU"""
    variant: str = ""
    """of a recipe that has variants, the name of one; its maps and results go into a folder of that name"""
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
    recipe = _variant(recipe, name, flags.variant)
    check_layout(recipe.benchmark, flags.data)
    print("\n".join([recipe.benchmark.title, f"licence: {recipe.benchmark.licence}", *_figures_of_paper(recipe)]))
    captures, steps = flags.out / CAPTURES, Steps()
    if not captures.is_dir():
        if flags.dry_run:
            features = FAST if flags.fast else recipe.features
            print("\n".join(plan(recipe.benchmark, flags.data, [*features, *recipe.mapping], recipe.localization)))
            print(f"would write {_submission(name, flags)}")
            return OK
        steps.timed("convert", lambda: _convert(recipe, flags.data, captures))
    chosen = [place for place in places(captures) if not flags.only or place.name in flags.only]
    if not chosen:
        raise DataError(f"--only {' '.join(flags.only)}: choose from {', '.join(p.name for p in places(captures))}")
    answers, failed = _run_places(recipe, flags, steps, chosen)
    if not flags.dry_run:
        submit(recipe.benchmark, answers, _submission(name, flags))
        evaluate(recipe.benchmark, answers, captures, results_of(flags), steps)
    if failed:
        raise StageError(f"{len(failed)} of {len(chosen)} places failed, the others are done; {'; '.join(failed)}")
    return steps.status


def _variant(recipe: Recipe, name: str, wanted: str) -> Recipe:
    """The recipe, or the one of its variants that is wanted."""
    if wanted and wanted not in recipe.variants:
        choice = f"choose from {', '.join(recipe.variants)}" if recipe.variants else f"{name} has none: leave it out"
        raise ConfigError(f"--variant {wanted}: {choice}")
    return recipe.variants[wanted] if wanted else recipe


def _convert(recipe: Recipe, source: Path, captures: Path) -> None:
    """The kapture folders, which appear when all of them are there."""
    unfinished = captures.with_name(f".{captures.name}.tmp")
    if unfinished.exists():
        print(f"removing {unfinished}, which a conversion that was stopped left")
        shutil.rmtree(unfinished)
    print(f"converting {source}", flush=True)
    recipe.make(unfinished, source)
    found = _counts(unfinished)
    for problem in unexpected(recipe.benchmark.counts, found):
        print(f"note: {problem}")
    unfinished.rename(captures)


def _counts(captures: Path) -> dict[str, int]:
    """Images of the maps, queries, by the name of their folder, and queries by condition."""
    counts = Counter(conditions_of(captures).values())
    for place in places(captures):
        for folder in (place / MAPPING, *queries_of(place)):
            counts[folder.name] += len(read(f"kapture:{folder}").images)
    return counts


def conditions_of(captures: Path) -> dict[str, str]:
    """The condition of every query, by name."""
    path = captures / CONDITIONS
    rows = [text.rpartition(" ") for _, text in data_lines(path)] if path.exists() else []
    return {name: condition for name, _, condition in rows}


def _run_places(
    recipe: Recipe, flags: RecipeFlags, steps: Steps, chosen: Sequence[Path]
) -> tuple[list[Answer], list[str]]:
    """What places were answered with, and why others failed: one of fifty does not stop those after it.

    Where all fail, the first one's error is raised.
    """
    answers, failed = list[Answer](), dict[str, VlocError]()
    for place in chosen:
        try:
            answers += _run_place(recipe, flags, steps, place)
        except (DataError, StageError) as error:
            failed[place.name] = error
            print(f"{place.name}: {error}", flush=True)
    if failed and not answers:
        raise next(iter(failed.values()))
    return answers, [f"{name}: {error}" for name, error in failed.items()]


def _run_place(recipe: Recipe, flags: RecipeFlags, steps: Steps, place: Path) -> list[Answer]:
    """The map of one place, and the poses of its queries with a page for each set of them."""
    folder = folder_of(flags, place)
    how = [
        f"--workers={flags.workers}",
        *(["--quiet"] if flags.quiet else []),
        *(["--dry-run"] if flags.dry_run else []),
    ]
    features = FAST if flags.fast else recipe.features
    steps.command("map", f"kapture:{place / 'mapping'}", str(folder / "map"), *features, *recipe.mapping, *how)
    answers = []
    for queries in queries_of(place):
        kind = queries.name.removeprefix(QUERIES)
        answers.append(Answer(queries, folder / f"poses{kind}.txt"))
        if flags.dry_run and not (folder / "map").is_dir():
            continue
        where = str(folder / "map"), f"kapture:{queries}", str(answers[-1].poses)
        steps.command("localize", *where, *recipe.localization, *recipe.by_queries.get(queries.name, ()), *how)
        if not flags.dry_run:
            title = " ".join([recipe.benchmark.title, *([place.name] if place.parent != flags.out else []), kind[1:]])
            page = "-o", str(folder / f"page{kind}.html"), "--title", title.strip(), f"--workers={flags.workers}"
            steps.command("report", str(answers[-1].poses), *page, *_truth(answers[-1]))
    return answers


def _truth(answer: Answer) -> list[str]:
    """The flag that says where true poses are, where they are public."""
    return ["--truth", str(answer.truth)] if answer.truth.exists() else []


def folder_of(flags: RecipeFlags, place: Path) -> Path:
    """Where the map and the results of a place go: of a benchmark of one place, straight into those of all."""
    return results_of(flags) if place.parent == flags.out else results_of(flags) / place.name


def results_of(flags: RecipeFlags) -> Path:
    """Where everything but the captures goes."""
    return flags.out / flags.variant


def _submission(name: str, flags: RecipeFlags) -> Path:
    variant = f"_{flags.variant}" if flags.variant else ""
    return results_of(flags) / f"{name}{variant}_eval_vloc{'_fast' if flags.fast else ''}.txt"


def _figures_of_paper(recipe: Recipe) -> list[str]:
    limits = " / ".join(f"({metres:g} m, {degrees:g} deg)" for metres, degrees in recipe.benchmark.thresholds)
    rows = [f"  {condition}: {figures}" for condition, figures in recipe.paper.items()]
    return [f"the paper's percent within {limits}:", *rows] if rows else []
