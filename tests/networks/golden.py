"""Outputs of published networks on made images, kept outside the repository (`../shared/reference/golden`)."""

from __future__ import annotations

import importlib.util
import json
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
