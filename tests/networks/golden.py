"""Outputs of published networks on made images, kept outside the repository (`../shared/reference/golden`)."""

from __future__ import annotations

import importlib.util
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
FOLDER = SHARED / "reference" / "golden"
needs_golden = [
    pytest.mark.shared,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the golden files of ../shared are not here"),
]


def made() -> ModuleType:
    """What makes the images and stand-in weights."""
    spec = importlib.util.spec_from_file_location("seeded_weights", FOLDER / "seeded_weights.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def outputs(name: str) -> Any:
    """The stored arrays of a network, by `TAG/WHAT`."""
    return np.load(FOLDER / f"{name}.npz")


def keys(name: str) -> list[str]:
    """The keys of its official state dict, in order."""
    return [key for key, _, _ in json.loads((FOLDER / f"{name}.keys.json").read_text())["keys"]]


def size(tag: str) -> tuple[int, int, int]:
    """Seed, height and width of a tag such as `s3_237x313`."""
    seed, _, shape = tag.partition("_")
    height, _, width = shape.partition("x")
    return int(seed[1:]), int(height), int(width)


def stand_in(name: str) -> dict[str, np.ndarray]:
    """The weights that the outputs of a network were made with: random numbers from its keys and shapes."""
    spec = json.loads((FOLDER / f"{name}.keys.json").read_text())
    gains, seeded = spec["gains"], made().seeded
    with ThreadPoolExecutor(2) as pool:
        arrays = pool.map(lambda k: np.array(seeded(k[0], k[1], k[2], gains.get(k[0], 1.0))), spec["keys"])
        return {key: array for (key, _, _), array in zip(spec["keys"], arrays, strict=True)}


def tags(name: str) -> list[str]:
    """The made images that a network was run on; none where the golden files are absent."""
    if not FOLDER.is_dir():
        return []
    return sorted({key.partition("/")[0] for key in outputs(name).files if key[0] == "s"})


def deviation(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest absolute difference over the largest absolute value that is expected."""
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def probe_deviation(found: Any, name: str, tag: str, what: str) -> float:
    """The same of 64 values of a tensor inside the network, whatever its shape."""
    return deviation(made().feature_probe(np.asarray(found)), outputs(name)[f"{tag}/{what}.probe"])
