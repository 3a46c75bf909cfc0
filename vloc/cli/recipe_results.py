"""What comes of a recipe: files to submit, and figures where the truth is public."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..atomic import write_text
from ..datasets.benchmark import CONDITIONS, MAPPING, Benchmark, pairs_of
from ..datasets.importing import truth_of
from ..errors import DataError
from ..formats.access import read
from ..formats.reference_pairs import read_reference_pairs, relative_text
from ..formats.result_styles import PAIRS, STYLES, Entries, Style, text_of, written
from ..formats.results import posed_images, read_poses, write_poses
from ..geometry.rigid import Rigid
from .steps import Steps


@dataclass(frozen=True)
class Answer:
    """Queries of a place (a kapture folder) and the file of their poses."""

    queries: Path
    poses: Path

    @property
    def truth(self) -> Path:
        """The file of their true poses, which is there where they are public."""
        return truth_of(self.queries)

    @property
    def pairs(self) -> Path:
        """The file of pairs of a frame of the map and a query, where the benchmark wants relative poses."""
        return pairs_of(self.queries)

    @property
    def name(self) -> str:
        """Place and queries, in the name of a file."""
        return f"{self.queries.parent.name}_{self.queries.name}"

    def entries(self, style: Style) -> Entries:
        """The poses as a benchmark has them."""
        return written(style, read_poses(self.poses), read(f"kapture:{self.queries}"))


def to_submit(answers: Sequence[Answer]) -> Sequence[Answer]:
    """Those whose truth is not public; all, where all of it is."""
    return [answer for answer in answers if not answer.truth.exists()] or answers


def submit(benchmark: Benchmark, answers: Sequence[Answer], path: Path) -> None:
    """The poses in the benchmark's style, in one file, or one for each set of queries beside it."""
    if benchmark.style == PAIRS:
        _submit_pairs(answers, path)
        return
    what = "poses" if all(answer.truth.exists() for answer in answers) else "to submit"
    for file, entries in _by_file(benchmark, to_submit(answers), path).items():
        write_text(file, text_of(file, STYLES[benchmark.style], entries))
        print(f"\n{what}: {file} ({len(entries)} poses)")


def _by_file(benchmark: Benchmark, answers: Sequence[Answer], path: Path) -> dict[Path, Entries]:
    """The poses of each file; DataError where two places call a query of one file the same."""
    files: dict[Path, Entries] = {}
    for answer in answers:
        entries = files.setdefault(path if benchmark.in_one_file else path.with_name(f"{answer.name}.txt"), {})
        own = answer.entries(STYLES[benchmark.style])
        if twice := entries.keys() & own.keys():
            place = answer.queries.parent
            raise DataError(
                f"{place}: query '{min(twice)}' is one of another place, too: the file would hold one of them"
            )
        entries |= own
    return files


def _submit_pairs(answers: Sequence[Answer], path: Path) -> None:
    """Poses relative to frames of the map, a file for each list of pairs."""
    for answer in answers:
        if not answer.pairs.exists():
            continue
        references = posed_images(read(f"kapture:{answer.queries.with_name(MAPPING)}"))
        pairs, file = read_reference_pairs(answer.pairs), path.with_name(f"{answer.name}.txt")
        text, missing = relative_text(pairs, read_poses(answer.poses), references)
        write_text(file, text)
        print(f"\nto submit: {file} ({len(pairs) - len(missing)} of {len(pairs)} pairs)")


def evaluate(benchmark: Benchmark, answers: Sequence[Answer], captures: Path, out: Path, steps: Steps) -> None:
    """The figures of all queries whose truth is public, in the folder `out`."""
    known = [answer for answer in answers if answer.truth.exists()]
    if len(known) < len(answers):
        print("its truth is not public: the benchmark's server evaluates the file")
    if not known:
        return
    every: dict[str, dict[str, Rigid]] = {"truth": {}, "poses": {}}
    for answer in known:
        every["truth"] |= read_poses(answer.truth)
        every["poses"] |= read_poses(answer.poses)
    for what, poses in every.items():
        write_poses(out / f"all_{what}.txt", poses)
    limits = [f"{metres:g},{degrees:g}" for metres, degrees in benchmark.thresholds]
    told = ["--conditions", str(captures / CONDITIONS)] if (captures / CONDITIONS).exists() else []
    files = str(out / "all_poses.txt"), str(out / "all_truth.txt")
    outputs = ["--json", str(out / "figures.json"), "--overwrite"]
    steps.command("evaluate", *files, "--thresholds", *limits, *told, *outputs)
