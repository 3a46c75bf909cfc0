"""R2D2's dense features against those of the official code; strips and folding against the plain network."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.networks.loading import load_into, without_batch_norm  # noqa: E402
from vloc.networks.r2d2 import R2D2, Architecture  # noqa: E402

from . import golden  # noqa: E402

NETWORKS = {
    "r2d2": ("r2d2_WASF_N16.pt", Architecture()),
    "r2d2_n8big": ("r2d2_WASF_N8_big.pt", Architecture(width=48)),
    "r2d2_fast": ("faster2d2_WASF_N16.pt", Architecture(pool=2)),
}


def made(architecture: Architecture) -> R2D2:
    """A network of random weights with statistics that differ from layer to layer."""
    torch.manual_seed(0)
    network = R2D2(architecture).eval().requires_grad_(False)
    for layer in network.ops:
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.3, 0.6)
    return network


def image(height: int, width: int) -> torch.Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))


class TestGolden:
    pytestmark = golden.needs_golden

    @pytest.mark.parametrize("name", NETWORKS)
    def test_the_keys_are_those_of_the_checkpoints(self, name: str) -> None:
        official = [key.removeprefix("module.") for key in golden.keys(name)]
        assert list(R2D2(NETWORKS[name][1]).state_dict()) == official

    @pytest.mark.parametrize("tag", ["s1_240x320", "s3_237x313"])
    @pytest.mark.parametrize("name", NETWORKS)
    def test_dense_features_are_those_of_the_official_code(self, name: str, tag: str) -> None:
        file, architecture = NETWORKS[name]
        network = load_into(R2D2(architecture), golden.SHARED / "weights" / file)
        pixels = torch.from_numpy(np.array(golden.made().test_image(*golden.size(tag))))
        mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        dense = network(((pixels - mean[:, None, None]) / deviation[:, None, None])[None])
        expected = golden.outputs(name)
        for what, found in dense._asdict().items():
            assert found.shape == tuple(expected[f"{tag}/{what}.shape"])
            probe = expected[f"{tag}/{what}.probe"]
            difference = np.abs(golden.made().feature_probe(found.numpy()) - probe).max()
            assert difference < 1e-4 * np.abs(probe).max()


@pytest.mark.parametrize("architecture", [Architecture(), Architecture(pool=2)])
def test_folded_normalisation_changes_nothing(architecture: Architecture) -> None:
    plain, folded = made(architecture), made(architecture)
    folded.ops = without_batch_norm(folded.ops)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in folded.ops)
    for a, b in zip(plain(image(40, 60)), folded(image(40, 60)), strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_every_pixel_has_unit_descriptors_and_probabilities() -> None:
    dense = made(Architecture())(image(33, 47))
    assert dense.descriptors.shape == (1, 128, 33, 47)
    assert torch.allclose(dense.descriptors.norm(dim=1), torch.ones(1, 33, 47), atol=1e-5)
    for chance in dense[1:]:
        assert chance.shape == (1, 1, 33, 47) and chance.min() >= 0 and chance.max() <= 1


def test_the_fast_network_cuts_odd_rows_and_columns_off() -> None:
    assert made(Architecture(pool=2))(image(33, 47)).descriptors.shape == (1, 128, 32, 46)
