"""The synthetic gallery as a whole: which rooms a camera sees, and the picture it takes of them."""

from __future__ import annotations

import math
from collections import OrderedDict
from threading import Lock

import numpy as np

from vloc.array_types import Float32, UInt8
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .gallery_plan import DOOR_HEIGHT, DOOR_WIDTH, RoomPlan, plan_room, room_at
from .gallery_render import SUPERSAMPLING, render_depth, render_quads
from .gallery_rooms import UP, passage_quads, room_quads
from .gallery_trace import Bounds, Quad, clip_polygon, frustum_planes, view_of

KEPT_ROOMS = 5  # in memory, each with up to about 100 MB of textures; a picture shows at most three in a row


class World:
    """A gallery of any number of rooms; only those seen last are in memory. May be shared by threads."""

    def __init__(self, seed: int, num_rooms: int) -> None:
        self.seed, self.num_rooms = seed, num_rooms
        self.columns = math.ceil(math.sqrt(num_rooms))
        self._rooms: OrderedDict[int, tuple[list[Quad], list[Quad]]] = OrderedDict()
        self._lock = Lock()

    def plan(self, index: int) -> RoomPlan:
        """The floor plan of one room."""
        return plan_room(self.seed, index, self.columns, self.num_rooms)

    def room(self, index: int) -> tuple[list[Quad], list[Quad]]:
        """The rectangles of a room, and those of the passage to the room after it."""
        with self._lock:
            if index not in self._rooms:
                plan = self.plan(index)
                passage = passage_quads(self.seed, plan, self.plan(index + 1)) if plan.door_out else []
                self._rooms[index] = room_quads(self.seed, plan), passage
            self._rooms.move_to_end(index)
            while len(self._rooms) > KEPT_ROOMS:
                self._rooms.popitem(last=False)
            return self._rooms[index]

    def visible_rooms(self, camera: Camera, cam_from_world: Rigid) -> list[int]:
        """The camera's own room, and the chains of rooms seen through door after door."""
        x, y, _ = cam_from_world.center
        own = room_at(float(x), float(y), self.columns, self.num_rooms)
        found, whole = [own], view_of(camera, cam_from_world, SUPERSAMPLING).bounds
        for step in (-1, 1):
            bounds: Bounds | None = whole
            index = own
            while bounds is not None and 0 <= index + step < self.num_rooms:
                bounds = self._through_door(index, step, cam_from_world, bounds)
                index += step
                found += [index] if bounds is not None else []
        return found

    def _through_door(self, index: int, step: int, cam_from_world: Rigid, bounds: Bounds) -> Bounds | None:
        """The part of a view, as bounds of x/z and y/z, that passes a door; None when there is none."""
        plan = self.plan(index)
        door = plan.door_out if step > 0 else plan.door_in
        if door is None:
            return None
        middle, outward = np.append(plan.center + door.middle, 0.0), np.append(door.outward, 0.0)
        if abs(outward @ (cam_from_world.center - middle)) < 0.1:
            return bounds  # in the doorway itself: the near plane would cut the opening away
        side = np.cross(outward, UP) * DOOR_WIDTH / 2
        opening = np.stack(
            [middle - side, middle + side, middle + side + UP * DOOR_HEIGHT, middle - side + UP * DOOR_HEIGHT]
        )
        seen = clip_polygon(cam_from_world.apply(opening), frustum_planes(bounds))
        if len(seen) == 0:
            return None
        plane = seen[:, :2] / seen[:, 2:]
        return tuple(float(v) for v in (*plane.min(0), *plane.max(0)))  # type: ignore[return-value]

    def visible_quads(self, camera: Camera, cam_from_world: Rigid) -> list[Quad]:
        """Every rectangle the camera may see, in an order that depends on nothing else."""
        rooms = sorted(self.visible_rooms(camera, cam_from_world))
        quads = [quad for index in rooms for quad in self.room(index)[0]]
        passages = sorted({index for room in rooms for index in (room - 1, room) if index >= 0})
        return quads + [quad for index in passages for quad in self.room(index)[1]]

    def picture(self, camera: Camera, cam_from_world: Rigid) -> UInt8[np.ndarray, "h w 3"]:
        """The picture, red first."""
        return render_quads(self.visible_quads(camera, cam_from_world), camera, cam_from_world)

    def depth(self, camera: Camera, cam_from_world: Rigid) -> Float32[np.ndarray, "h w"]:
        """Metres along the optical axis at every pixel's centre; 0 where there is nothing."""
        return render_depth(self.visible_quads(camera, cam_from_world), camera, cam_from_world)
