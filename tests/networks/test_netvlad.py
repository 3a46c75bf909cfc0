"""NetVLAD against the outputs of hloc's code, and its weights as MATLAB keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.errors import DataError  # noqa: E402
from vloc.networks.netvlad import Vlad, load, netvlad  # noqa: E402

from . import golden  # noqa: E402

MEAN = (123.68, 116.779, 103.939)


def cell(*arrays: np.ndarray) -> np.ndarray:
    """A cell array of MATLAB."""
    made = np.empty(len(arrays), object)
    made[:] = arrays
    return made


def as_matlab(state: dict[str, np.ndarray]) -> dict[str, Any]:
    """`net` of MatConvNet, by the published description of the file."""
    layers: list[Any] = [{"type": "relu"} for _ in range(34)]
    for key, bias in state.items():
        if key.startswith("backbone.") and key.endswith(".bias"):
            kernel = state[key.replace("bias", "weight")].transpose(2, 3, 1, 0)
            layers[int(key.split(".")[1])] = {"weights": cell(kernel, bias)}
    layers[30] = {"weights": cell(state["netvlad.score_proj.weight"][:, :, 0].T, -state["netvlad.centers"])}
    layers[33] = {"weights": cell(state["whiten.weight"].T[None, None], state["whiten.bias"])}
    image = np.broadcast_to(np.array(MEAN), (2, 2, 3))
    return {"layers": cell(*layers), "meta": {"normalization": {"averageImage": image}}}


def test_a_matlab_file_gives_the_weights_that_were_put_into_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    made = netvlad(MEAN, dims=3)
    torch.nn.init.normal_(made.netvlad.centers)
    torch.nn.init.normal_(made.whiten.weight)
    torch.nn.init.normal_(made.whiten.bias)
    savemat(tmp_path / "a.mat", {"net": as_matlab({key: value.numpy() for key, value in made.state_dict().items()})})
    loaded = load(tmp_path / "a.mat")
    assert torch.equal(loaded.pixels.mean, made.pixels.mean)
    assert not loaded.training
    for key, value in made.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value)


@pytest.mark.parametrize("net", [{"layers": np.zeros(3)}, None])
def test_other_files_are_refused(tmp_path: Path, net: Any) -> None:
    savemat(tmp_path / "a.mat", {"other": 1} if net is None else {"net": net})
    with pytest.raises(DataError, match=r"a\.mat: expected a MATLAB file with 'net'"):
        load(tmp_path / "a.mat")
    (tmp_path / "b.mat").write_bytes(b"numbers")
    with pytest.raises(DataError, match=r"b\.mat: expected a MATLAB file"):
        load(tmp_path / "b.mat")


def test_a_file_without_the_layers_is_refused(tmp_path: Path) -> None:
    image = np.broadcast_to(np.array(MEAN), (2, 2, 3))
    net = {"layers": cell(np.zeros(3)), "meta": {"normalization": {"averageImage": image}}}
    savemat(tmp_path / "a.mat", {"net": net})
    with pytest.raises(DataError, match=r"a\.mat: expected the layers of VGG-16 with NetVLAD"):
        load(tmp_path / "a.mat")


def test_a_word_sums_the_residuals_of_what_is_nearest_to_it() -> None:
    """Two features e0 and e1; word 0 draws all that is like e0, word 1 what is like e1, centred at (0.5, 0, ...)."""
    layer = Vlad().requires_grad_(False)
    layer.score_proj.weight.zero_()
    layer.score_proj.weight[0, 0, 0], layer.score_proj.weight[1, 1, 0] = 100, 100
    layer.centers[0, 1] = 0.5
    features = torch.zeros(1, 512, 1, 2)
    features[0, 0, 0, 0], features[0, 1, 0, 1] = 3, 4  # to length 1
    sums = layer(features).reshape(512, 64)
    # e0; e1 - e0 / 2; each to length 1, then both
    assert torch.allclose(sums[:2, 0], torch.tensor([1.0, 0]) / 2**0.5, atol=1e-6)
    assert torch.allclose(sums[:2, 1], torch.tensor([-1.0, 2.0]) / 10**0.5, atol=1e-6)
    assert not sums[:, 2:].abs().max() > 1e-6


class TestGolden:
    pytestmark = golden.needs_golden

    def test_maps_and_descriptors_are_those_of_hloc(self) -> None:
        """All inputs in one test: its whitening takes half a gigabyte."""
        network = netvlad(MEAN).eval().requires_grad_(False)
        state = golden.stand_in("netvlad")
        assert list(network.state_dict()) == list(state)
        network.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
        expected = golden.outputs("netvlad")
        for tag in golden.tags("netvlad"):
            pixels = torch.from_numpy(golden.made().test_image(*golden.size(tag)))[None]
            features = network.backbone(network.pixels(pixels))
            assert golden.probe_deviation(features, "netvlad", tag, "backbone") < 1e-4
            vlad = network.netvlad(features)
            assert golden.probe_deviation(vlad, "netvlad", tag, "vlad") < 1e-4
            assert golden.deviation(vlad[0, ::8].numpy(), expected[f"{tag}/vlad_every8"]) < 1e-4
            descriptor = network.unit(network.whiten(vlad))[0].numpy()
            assert golden.deviation(descriptor, expected[f"{tag}/descriptor"]) < 1e-4
