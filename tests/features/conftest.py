"""Made weights for networks whose published ones are not at hand."""

from importlib.util import find_spec
from pathlib import Path

import pytest

WITHOUT_WEIGHTS = ("dedode", "disk", "keynet", "superpoint", "xfeat")
"""features with made weights, which find something in blank images too"""


@pytest.fixture(scope="session")
def made_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights for all of them; empty where torch or kornia are missing."""
    folder = tmp_path_factory.mktemp("made")
    if find_spec("torch") and find_spec("kornia"):
        from .made import MADE

        assert MADE.keys() == set(WITHOUT_WEIGHTS)
        for make in MADE.values():
            make(folder)
    return folder
