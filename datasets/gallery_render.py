"""Pictures and depth maps of textured rectangles: every pixel the mean of 2 x 2 exact samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vloc.array_types import Float32, UInt8
from vloc.geometry.camera import Camera
from vloc.geometry.rigid import Rigid

from .gallery_texture import sample
from .gallery_trace import Hits, Quad, View, trace, view_of

SUPERSAMPLING = 2  # samples a pixel, each way


def depth_of(hits: Hits) -> Float32[np.ndarray, "h w"]:
    """Metres along the optical axis, 0 where there is nothing."""
    seen = hits.inverse_depth > 0
    return np.asarray(np.divide(1, hits.inverse_depth, out=np.zeros_like(hits.inverse_depth), where=seen))


def shade(quads: Sequence[Quad], view: View, hits: Hits) -> UInt8[np.ndarray, "h w 3"]:
    """The textures, lit, where the rays meet them; black elsewhere."""
    import cv2

    image = np.zeros((*hits.nearest.shape, 3), np.uint8)
    for index, (box, plane) in hits.searched.items():
        mask = (hits.nearest[box[2] : box[3], box[0] : box[1]] == index).view(np.uint8)
        x, y, columns, rows = cv2.boundingRect(mask)
        if columns == 0:
            continue
        part = np.s_[box[2] + y : box[2] + y + rows, box[0] + x : box[0] + x + columns]
        mask = mask[y : y + rows, x : x + columns]
        quad = quads[index]
        colours = sample(quad.texture(), cv2.transform(view.rays[part], plane), _texels(quad, plane, view))
        if quad.light != 1:
            colours = cv2.multiply(colours, (quad.light, quad.light, quad.light, 0))
        cv2.copyTo(colours, mask, image[part])
    return image


def _texels(quad: Quad, plane: Float32[np.ndarray, "3 3"], view: View) -> float:
    """The texture area, px^2, that a sample covers where 1/z is 1: the Jacobian of a homography goes with (1/z)^-3."""
    width, height = quad.texture().size
    return float(
        abs(np.linalg.det(plane.astype(np.float64))) * width * height / (view.matrix[0, 0] * view.matrix[1, 1])
    )


def render_quads(quads: Sequence[Quad], camera: Camera, cam_from_world: Rigid) -> UInt8[np.ndarray, "h w 3"]:
    """The picture a camera takes of rectangles, each pixel the mean of 2 x 2 samples."""
    import cv2

    view = view_of(camera, cam_from_world, SUPERSAMPLING)
    fine = shade(quads, view, trace(quads, view))
    return np.asarray(cv2.resize(fine, (camera.width, camera.height), interpolation=cv2.INTER_AREA))


def render_depth(quads: Sequence[Quad], camera: Camera, cam_from_world: Rigid) -> Float32[np.ndarray, "h w"]:
    """Metres along the optical axis at every pixel's centre, 0 where there is nothing."""
    return depth_of(trace(quads, view_of(camera, cam_from_world)))
