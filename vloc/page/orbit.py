"""The place in space: points and cameras on a canvas that is turned by dragging, drawn by a few lines of script.

Libraries for this take 0.7 to 4.8 MB of every page; a cloud of points and lines needs none of what they do more.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from string import Template

import numpy as np

from ..array_types import Float64
from ..data.sparse_map import SparseMap
from ..geometry.rigid import Rigid
from .pictures import spread
from .plan_view import ESTIMATED, MAPPED, POINT, TRUE, ground_plane, limits

MAX_POINTS = 30_000
MAX_CAMERAS = 1_000
"""of each kind; a page of a large place stays small"""
STEPS = 32_000
"""of half the place's width, to which points are rounded"""

_SCENE = Template("""<div class="orbit"><canvas width="1040" height="560" tabindex="0"
 aria-label="map points and cameras; drag to turn, wheel to zoom, drag with shift to move"></canvas>
<p class="soft">Drag to turn, wheel to zoom, drag with shift to move. $legend</p></div>
<script>(() => {
const S = $scene, bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const at = new Int16Array(bytes(S.points).buffer), paint = bytes(S.colors), canvas = document.currentScript
  .previousElementSibling.querySelector("canvas"), pen = canvas.getContext("2d");
let yaw = -0.6, pitch = 0.6, zoom = 1, panX = 0, panY = 0, last = null;
function turned(x, y, z) {
  const c = Math.cos(yaw), s = Math.sin(yaw), d = Math.cos(pitch), e = Math.sin(pitch);
  const u = c * x - s * y, v = s * x + c * y, f = 3 + d * v - e * z;
  const k = 1.4 * canvas.height * zoom / Math.max(f, 0.05);
  return [canvas.width / 2 + panX + k * u, canvas.height / 2 + panY - k * (e * v + d * z), f];
}
function draw() {
  const w = canvas.width, h = canvas.height, image = pen.createImageData(w, h), depth = new Float32Array(w * h);
  image.data.fill(255); depth.fill(1e9);
  for (let i = 0; i < at.length; i += 3) {
    const [px, py, f] = turned(at[i] / S.steps, at[i + 1] / S.steps, at[i + 2] / S.steps);
    for (let j = 0; j < 4; j++) {
      const x = (px | 0) + (j & 1), y = (py | 0) + (j >> 1), k = y * w + x;
      if (x < 0 || y < 0 || x >= w || y >= h || f > depth[k] || f < 0.05) continue;
      depth[k] = f;
      for (let c = 0; c < 3; c++) image.data[4 * k + c] = paint[i + c];
    }
  }
  pen.putImageData(image, 0, 0);
  for (const group of S.cameras) {
    pen.strokeStyle = group.color; pen.lineWidth = group.width; pen.beginPath();
    for (const line of group.lines) line.forEach((p, n) => {
      const [x, y] = turned(...p); n ? pen.lineTo(x, y) : pen.moveTo(x, y);
    });
    pen.stroke();
  }
  canvas.dataset.points = at.length / 3;
}
canvas.onpointerdown = (e) => { last = [e.clientX, e.clientY]; canvas.setPointerCapture(e.pointerId); };
canvas.onpointerup = () => { last = null; };
canvas.onpointermove = (e) => {
  if (!last) return;
  const dx = e.clientX - last[0], dy = e.clientY - last[1]; last = [e.clientX, e.clientY];
  if (e.shiftKey) { panX += dx; panY += dy; } else {
    yaw += 0.007 * dx; pitch = Math.min(Math.max(pitch + 0.007 * dy, -1.57), 1.57);
  }
  draw();
};
canvas.addEventListener("wheel", (e) => { zoom *= Math.exp(-0.0015 * e.deltaY); e.preventDefault(); draw(); },
  { passive: false });
draw();
})();</script>""")


def orbit(sparse: SparseMap, estimated: Mapping[str, Rigid], truth: Mapping[str, Rigid]) -> str:
    """HTML of the map with the poses (`cam_from_world`) of its images and of queries, to be turned by hand."""
    plane = ground_plane(sparse.cam_from_world)
    axes = np.vstack([plane, np.cross(*plane)])  # right, ahead, up
    low, high = limits(sparse.points @ plane.T, sparse.cam_from_world.center @ plane.T)
    middle = np.append((low + high) / 2, np.median(sparse.cam_from_world.center @ axes[2]))
    half = float((high - low).max()) / 2
    points = (sparse.points @ axes.T - middle) / half
    inside = np.flatnonzero((np.abs(points) < 1).all(axis=1))
    some = inside[spread(len(inside), MAX_POINTS)]
    colors = np.full((len(some), 3), _rgb(POINT), np.uint8) if sparse.colors is None else sparse.colors[some]
    kinds = ((MAPPED, 1, sparse.cam_from_world), (TRUE, 1.5, _stack(truth)), (ESTIMATED, 1.5, _stack(estimated)))
    scene = {
        "steps": STEPS,
        "points": _text(np.rint(points[some] * STEPS).astype("<i2")),
        "colors": _text(colors.astype(np.uint8)),
        "cameras": [
            {"color": color, "width": width, "lines": _frusta(_some(poses), axes, middle, half).round(4).tolist()}
            for color, width, poses in kinds
            if poses is not None
        ],
    }
    legend = f"Blue: map images; red: queries, estimated; green: queries, true; at most {MAX_CAMERAS:,} of each."
    return _SCENE.substitute(scene=json.dumps(scene, separators=(",", ":")), legend=legend)


def _some(poses: Rigid) -> Rigid:
    return poses[spread(len(poses), MAX_CAMERAS)]


def _stack(poses: Mapping[str, Rigid]) -> Rigid | None:
    return Rigid.stack([*poses.values()]) if poses else None


def _frusta(
    poses: Rigid, axes: Float64[np.ndarray, "3 3"], middle: Float64[np.ndarray, "3"], half: float
) -> Float64[np.ndarray, "i 8 3"]:
    """A pyramid a camera, drawn in one line, in the axes of the view."""
    x, y, z = 0.018, 0.0135, 0.03
    corners = np.array([[-x, -y, z], [x, -y, z], [x, y, z], [-x, y, z]])
    line = np.stack([corners[0], corners[1], np.zeros(3), corners[2], corners[3], np.zeros(3), corners[0], corners[3]])
    in_world = np.einsum("kj,ijl->ikl", line * half, poses.rotation) + poses.center[:, None]
    placed: Float64[np.ndarray, "i 8 3"] = (in_world @ axes.T - middle) / half
    return placed


def _text(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def _rgb(color: str) -> list[int]:
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]
