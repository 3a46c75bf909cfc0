"""What a map has learned from its images, and how long that serves as the images change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from .errors import StoreError
from .run.workspace import read_manifest
from .stage import Context
from .versions import MANIFEST


@dataclass(frozen=True)
class LearnConfig:
    """How long a map keeps what it learned from its images: vocabularies, weights, pose errors, evidence's worth."""

    max_growth: Annotated[float, msgspec.Meta(ge=1)] = 1.5
    """times the images it was learned from; a map that has more learns it anew, as with --retrain"""


@dataclass(frozen=True)
class Learned:
    """What the map in a folder has learned: references to results, and from how many images each."""

    from_images: Mapping[str, int]
    settings: Mapping[str, Any]
    """of the map, without those that say how long it serves"""

    @classmethod
    def read(cls, folder: Path) -> Learned:
        """Nothing where there is no map; of a map of an earlier vloc the number of images is not known: 0."""
        try:
            form = msgspec.convert(read_manifest(folder / MANIFEST), _Form)
        except (StoreError, msgspec.ValidationError):
            return cls({}, {})
        counts = form.learned or dict.fromkeys(form.references.trained, 0)
        return cls(counts, _relevant(form.config))

    def serving(self, config: Mapping[str, Any], num_images: int) -> Learned:
        """What goes on serving a map of so many images; what was learned from matches does with the same settings."""
        same, max_growth = _relevant(config) == self.settings, config["learn"]["max_growth"]
        kept = {
            reference: count or num_images
            for reference, count in self.from_images.items()
            if num_images <= max_growth * (count or num_images) and (same or reference.startswith("train-"))
        }
        return Learned(kept, self.settings)

    @classmethod
    def before(cls, folder: Path, config: Mapping[str, Any], num_images: int, *, anew: bool) -> Learned:
        """What serves a map that is to be made in a folder, of what the one that is there has learned."""
        return cls({}, {}) if anew else cls.read(folder).serving(config, num_images)

    @property
    def references(self) -> Sequence[str]:
        """All of it."""
        return list(self.from_images)

    def after(self, *learned: Context | None, num_images: int) -> dict[str, int]:
        """From how many images each of these was learned: what is new, from those that there are."""
        references = [each.reference for each in learned if each is not None]
        return {reference: self.from_images.get(reference, num_images) for reference in references}


def learning_notes(before: Learned, after: Learned, num_images: int, max_growth: float) -> list[str]:
    """What an update kept of what the map had learned, what it learned anew, and why."""
    notes = []
    if counts := {n for ref, n in after.from_images.items() if ref in before.from_images and n != num_images}:
        kept = ", ".join(sorted({_stage_of(ref) for ref, n in after.from_images.items() if n in counts}))
        notes.append(
            f"kept what the map learned from {min(counts):,} images ({kept}), it has {num_images:,} now; it learns "
            f"anew past {max_growth * min(counts):,.0f} (--learn.max-growth {max_growth:g}), or with --retrain"
        )
    outgrown = [n for n in before.from_images.values() if n and num_images > max_growth * n]
    if outgrown:
        notes.append(
            f"learned anew: the map has grown from {max(outgrown):,} images to {num_images:,}, "
            f"past --learn.max-growth {max_growth:g}"
        )
    return notes


def _stage_of(reference: str) -> str:
    return reference.partition("/")[0].rpartition("-")[0]


class _References(msgspec.Struct):
    trained: list[str]


class _Form(msgspec.Struct):
    references: _References
    config: dict[str, Any]
    learned: dict[str, int] = {}


msgspec.json.Decoder(_Form)  # msgspec takes types apart here, in one thread: see `run/shard.py`


def _relevant(config: Mapping[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(config))  # tuples are lists in a file
    return {name: value for name, value in settings.items() if name != "learn"}
