"""`vloc demo [FOLDER]`: the main job on a place that vloc draws itself, by the commands a user would type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ..errors import DataError
from .options import Switch
from .outputs import check_output
from .settings import parse_flags
from .steps import Steps


@dataclass(frozen=True, kw_only=True)
class DemoFlags:
    """Draw a synthetic gallery, map it, localize its queries, evaluate, and show it all on one page.

    A rerun goes on where the last one ended.
    """

    folder: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="[FOLDER]")] = Path("vloc-demo")
    """where everything goes"""
    num_images: int = 30
    """images to map"""
    num_queries: int = 8
    """images to localize"""
    seed: int = 0
    """of the gallery"""
    workers: int = 0
    """images or pairs worked on at a time; 0: one per core"""
    quiet: Switch = False
    """no progress"""


def run(arguments: Sequence[str]) -> int:
    """The demo, from nothing to a page."""
    from ..page import PAGE, is_page

    flags = parse_flags("demo", DemoFlags, arguments)
    try:
        flags.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{flags.folder}: cannot be made a folder: {error.strerror}") from None
    check_output(flags.folder / PAGE, is_page)
    places = {name: str(flags.folder / name) for name in ("gallery", "gallery.map", "poses.txt")}
    how = [f"--workers={flags.workers}", *(["--quiet"] if flags.quiet else [])]
    steps = Steps()
    steps.timed("gallery", lambda: make_gallery(flags))
    steps.command("map", f"{places['gallery']}/mapping", places["gallery.map"], *how)
    steps.command("localize", places["gallery.map"], f"{places['gallery']}/query", places["poses.txt"], *how)
    steps.command("evaluate", places["poses.txt"], f"{places['gallery']}/query_truth.txt")
    page = steps.timed("page", lambda: write_page(flags, steps))
    print(f"\ntotal: {sum(steps.seconds.values()):.0f} s\npage: {page}")
    return steps.status


def make_gallery(flags: DemoFlags) -> None:
    """The place, its map images and its queries; left alone where they are there already."""
    from ..datasets.synthetic_gallery import GalleryConfig, make

    config = GalleryConfig(
        num_images=flags.num_images, num_queries=flags.num_queries, image_size=(640, 480), seed=flags.seed
    )
    print(f"drawing a gallery of {flags.num_images} images and {flags.num_queries} queries", flush=True)
    make(flags.folder / "gallery", config)


def write_page(flags: DemoFlags, steps: Steps) -> Path:
    """The page of what the commands have left in the folder."""
    from .. import page
    from ..formats.access import read
    from ..formats.results import read_truth
    from ..map import Map
    from ..runtime import Runtime
    from .doctor import installed_versions
    from .estimates import read_estimates

    gallery = flags.folder / "gallery"
    truth = read_truth(str(gallery / "query_truth.txt"))
    times = {f"time of {name}": f"{seconds:.1f} s" for name, seconds in steps.seconds.items()}
    about = page.About("vloc demo: a synthetic gallery", steps.lines, {**times, **installed_versions()})
    run = page.Run(
        "vloc demo",
        Map.open(flags.folder / "gallery.map"),
        read(f"kapture:{gallery / 'query'}"),
        read_estimates(flags.folder / "poses.txt"),
        read(f"kapture:{gallery / 'mapping'}").files,
    )
    return page.write(flags.folder / page.PAGE, [run], truth, about=about, runtime=Runtime(workers=flags.workers))
