"""The structure of `sfm_data.json`, as OpenMVG's serialiser (cereal) lays it out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from ..json_text import Number

# Marks the first occurrence of a shared pointer or of a type's name.
FIRST = 1 << 31
NO_ID = 2**32 - 1

V = TypeVar("V")
Vec3 = tuple[Number, Number, Number]


class Entry(msgspec.Struct, Generic[V]):
    """A pair of a map."""

    key: int
    value: V


class View(msgspec.Struct):
    """An image."""

    filename: str
    width: int
    height: int
    id_view: int
    id_intrinsic: int
    id_pose: int
    local_path: str = ""


class ViewData(msgspec.Struct):
    """A view, or one with priors (`view_priors`), which wraps it."""

    value0: View | None = None
    filename: str = ""
    width: int = 0
    height: int = 0
    id_view: int = NO_ID
    id_intrinsic: int = NO_ID
    id_pose: int = NO_ID
    local_path: str = ""

    @property
    def view(self) -> View:
        """The plain view."""
        if self.value0 is not None:
            return self.value0
        ids = self.id_view, self.id_intrinsic, self.id_pose
        return View(self.filename, self.width, self.height, *ids, self.local_path)


class Wrapper(msgspec.Struct, Generic[V]):
    """A shared pointer."""

    data: V


class Polymorphic(msgspec.Struct, Generic[V]):
    """A pointer to a base class: the type's name where the type first occurs, its number everywhere."""

    ptr_wrapper: Wrapper[V]
    polymorphic_id: int = 1 << 30
    polymorphic_name: str | None = None


class Pose(msgspec.Struct):
    """Rotation world to camera, and the centre in the world."""

    rotation: tuple[Vec3, Vec3, Vec3]
    center: Vec3


class Observation(msgspec.Struct):
    """A feature at a position, px."""

    id_feat: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    x: tuple[Number, Number]


class Landmark(msgspec.Struct):
    """A point with what observes it, by view."""

    X: Vec3
    observations: list[Entry[Observation]]


class SfmData(msgspec.Struct):
    """The file."""

    sfm_data_version: str
    views: list[Entry[Polymorphic[ViewData]]]
    intrinsics: list[Entry[Polymorphic[dict[str, Any]]]] = []
    extrinsics: list[Entry[Pose]] = []
    structure: list[Entry[Landmark]] = []
    control_points: list[Any] = []


def entries(values: Iterable[Any]) -> list[dict[str, Any]]:
    """A map whose keys count from 0."""
    return [{"key": key, "value": value} for key, value in enumerate(values)]


def wrapped(number: int, data: dict[str, Any]) -> dict[str, Any]:
    """A shared pointer that occurs here for the first time; numbers count from 1."""
    return {"id": FIRST + number + 1, "data": data}
