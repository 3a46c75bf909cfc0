"""CosPlace and EigenPlaces against the outputs of the official code."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.networks.cosplace import Backbone, cosplace  # noqa: E402

from . import golden  # noqa: E402

pytestmark = golden.needs_golden
NETWORKS: dict[str, tuple[Backbone, int]] = {
    "eigenplaces_resnet18_512": ("resnet18", 512),
    "eigenplaces_vgg16_512": ("vgg16", 512),
    "eigenplaces_resnet50_2048": ("resnet50", 2048),
    "cosplace_resnet50_2048": ("resnet50", 2048),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_keys_are_those_of_the_checkpoints(name: str) -> None:
    assert list(cosplace(*NETWORKS[name]).state_dict()) == golden.keys(name)


@pytest.mark.parametrize("name", NETWORKS)
def test_maps_and_descriptors_are_those_of_the_official_code(name: str) -> None:
    network = cosplace(*NETWORKS[name]).eval().requires_grad_(False)
    network.load_state_dict({key: torch.from_numpy(value) for key, value in golden.stand_in(name).items()})
    for tag in golden.tags(name):
        pixels = torch.from_numpy(golden.made().test_image(*golden.size(tag)))[None]
        features = network.backbone(network.pixels(pixels))
        assert golden.probe_deviation(features, name, tag, "backbone") < 1e-4
        assert golden.probe_deviation(network.aggregation[:2](features), name, tag, "gem") < 1e-4
        descriptor = np.asarray(network(pixels)[0])
        assert golden.deviation(descriptor, golden.outputs(name)[f"{tag}/descriptor"]) < 1e-4
