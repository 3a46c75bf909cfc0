"""RESULTS and RESULTS.json: what localization said of every query, written and read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isnan, nan
from pathlib import Path
from typing import Any

import numpy as np

from .. import atomic
from ..data.estimate import PoseEstimate
from ..data.evidence import Evidence
from ..data.quality import ImageQuality
from ..data.view import ViewSimilarity
from ..errors import DataError
from ..formats.results import poses_text, read_poses
from ..geometry.camera import Camera
from ..geometry.rigid import Rigid
from .outputs import beside, read_json
from .sources import status


def write_results(results: Path, estimates: Sequence[PoseEstimate], seconds: Mapping[Any, float]) -> None:
    """The benchmark file and its JSON twin; the former is never there beside another run's twin."""
    results.parent.mkdir(parents=True, exist_ok=True)
    rows = [to_json(estimate, seconds.get(estimate.name)) for estimate in estimates]
    text = json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False)
    atomic.write_texts({beside(results, ".json"): text + "\n", results: poses_text(results, poses_of(estimates))})


def poses_of(estimates: Sequence[PoseEstimate]) -> dict[str, Rigid]:
    """`cam_from_world` of those that have a pose, by name."""
    return {estimate.name: estimate.cam_from_world for estimate in estimates if estimate.cam_from_world is not None}


def to_json(estimate: PoseEstimate, seconds: float | None) -> dict[str, Any]:
    """One row of RESULTS.json. `seconds` is null for a query that an earlier run had finished."""
    return {
        "name": estimate.name,
        "status": status(estimate),
        "source": estimate.source,
        "reason": estimate.reason,
        "num_inliers": estimate.num_inliers,
        "num_matches": estimate.num_matches,
        "num_guided": estimate.num_guided,
        "confidence": round(estimate.confidence, 4),
        "evidence": None if estimate.evidence is None else asdict(estimate.evidence),
        "retrieved": list(estimate.retrieved),
        "similarities": [None if isnan(each) else round(each, 4) for each in estimate.similarities],
        "seconds": seconds,
        "view": None if estimate.view is None else asdict(estimate.view),
        "quality": None if estimate.quality is None else estimate.quality.to_json(),
        "unit": estimate.unit,
        "covariance": None if estimate.covariance is None else estimate.covariance.tolist(),
        "camera": None if estimate.camera is None else _camera_to_json(estimate, estimate.camera),
    }


def _camera_to_json(estimate: PoseEstimate, camera: Camera) -> dict[str, Any]:
    """The intrinsics that a pose goes with; `focal_sigma_px` is 0 where they were taken as exact."""
    focal = {"focal_source": estimate.focal_source, "focal_sigma_px": estimate.focal_sigma_px}
    size = {"width": camera.width, "height": camera.height}
    return {"model": camera.model, **size, "params": list(camera.params), **focal}


def read_estimates(results: Path) -> list[PoseEstimate]:
    """What `write_results` wrote; DataError where the two files are not there or not of one run."""
    poses, details = read_poses(results), beside(results, ".json")
    try:
        rows = read_json(details)
        estimates = [_from_json(row, poses.get(row["name"])) for row in rows]
        num_localized = sum(row["status"] == "localized" for row in rows)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{details}: expected the rows that vloc localize writes ({error!r})") from None
    if len(poses) != num_localized:
        raise DataError(f"{details}: localized queries are not those of {results}; run vloc localize again")
    return estimates


def _from_json(row: Mapping[str, Any], cam_from_world: Rigid | None) -> PoseEstimate:
    covariance = None if row["covariance"] is None else np.array(row["covariance"])
    return PoseEstimate(
        row["name"],
        cam_from_world,
        row["source"],
        row["num_inliers"],
        row["num_matches"],
        covariance,
        tuple(row["retrieved"]),
        row["seconds"] or 0.0,
        row["reason"],
        num_guided=row["num_guided"],
        confidence=row["confidence"],
        evidence=None if row["evidence"] is None else Evidence(**row["evidence"]),
        **_camera_from_json(row["camera"]),
        unit=row.get("unit", "m"),
        view=None if row.get("view") is None else ViewSimilarity(**row["view"]),
        quality=None if row["quality"] is None else ImageQuality.from_json(row["quality"]),
        similarities=tuple(nan if each is None else each for each in row.get("similarities", ())),
    )


def _camera_from_json(used: Mapping[str, Any] | None) -> dict[str, Any]:
    if used is None:
        return {}
    camera = Camera(used["model"], used["width"], used["height"], tuple(used["params"]))
    return {"camera": camera, "focal_source": used["focal_source"], "focal_sigma_px": used["focal_sigma_px"]}
