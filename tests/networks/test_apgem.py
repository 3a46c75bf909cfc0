"""AP-GeM against the outputs of the official code, and its checkpoints with their pickled principal components."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.errors import DataError  # noqa: E402
from vloc.networks.apgem import apgem, load, whitening  # noqa: E402
from vloc.networks.scales import pooled, scaled  # noqa: E402
from vloc.retrieval import DESCRIPTORS  # noqa: E402
from vloc.runtime import Runtime  # noqa: E402

from . import golden  # noqa: E402

DIMS = 8


class PCA:
    """What a pickle of sklearn's has."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


@pytest.fixture(params=["sklearn.decomposition.pca", "sklearn.decomposition._pca"])
def pca_class(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[PCA]]:
    """Pickled under the name that sklearn's class has, which is not there when it is read."""
    module = ModuleType(request.param)
    cls = type("PCA", (PCA,), {"__module__": request.param})
    module.PCA = cls  # type: ignore[attr-defined]
    for name in ("sklearn", "sklearn.decomposition"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, request.param, module)
    yield cls


def options(**more: Any) -> dict[str, Any]:
    return {"arch": "resnet50_rmac", "out_dim": DIMS, "pooling": "gem", "gemp": 3, **more}


def state() -> dict[str, torch.Tensor]:
    """Of DataParallel, and as old as to lack counters."""
    torch.manual_seed(0)
    own = apgem(50, DIMS).state_dict()
    return {f"module.{key}": value for key, value in own.items() if not key.endswith("num_batches_tracked")}


def attributes(whiten: bool = True) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(DIMS, DIMS)))[0]
    variance = np.arange(DIMS, 0, -1.0)
    extra = {"noise_variance_": np.float64(0.1), "n_samples_": 9, "svd_solver": "auto", "random_state": None}
    return {
        "mean_": rng.normal(size=DIMS),
        "components_": axes,
        "explained_variance_": variance,
        "whiten": whiten,
        **extra,
    }


def test_principal_components_are_read_without_sklearn(
    pca_class: type[PCA], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = attributes()
    pca = {"Landmarks_clean": pca_class(**stored)}
    torch.save({"state_dict": state(), "model_options": options(), "pca": pca}, tmp_path / "a.pt")
    monkeypatch.delitem(sys.modules, pca_class.__module__)
    network, components = load(tmp_path / "a.pt")
    vectors = network(torch.rand(1, 3, 64, 64))
    assert vectors.shape == (1, DIMS) and not network.training
    for power in (0.25, 0.5):
        found = whitening(components, "Landmarks_clean", power, 3, tmp_path / "a.pt")(vectors)[0].numpy()
        # (x - mean) @ components.T / variance ** p, then to length 1
        expected = (vectors[0].numpy() - stored["mean_"]) @ stored["components_"][:3].T
        expected /= stored["explained_variance_"][:3] ** power
        assert np.allclose(found, expected / np.linalg.norm(expected), atol=1e-6)


def test_components_that_do_not_whiten_only_turn(pca_class: type[PCA], tmp_path: Path) -> None:
    components = {"a": pca_class(**attributes(whiten=False))}
    projection = whitening(components, "a", 0.25, DIMS, tmp_path).projection.numpy()
    assert np.allclose(projection @ projection.T, np.eye(DIMS), atol=1e-6)


def test_missing_components_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.pt: expected principal components 'Landmarks_clean'"):
        whitening({}, "Landmarks_clean", 0.25, DIMS, tmp_path / "a.pt")


class Evil:
    """Unpickled, it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return (Path.touch, (self.path,))


def test_code_among_the_components_is_not_run(pca_class: type[PCA], tmp_path: Path) -> None:
    pca = {"Landmarks_clean": pca_class(mean_=Evil(tmp_path / "written"))}
    torch.save({"state_dict": state(), "pca": pca}, tmp_path / "a.pt")
    with pytest.raises(DataError, match=r"a\.pt: not a checkpoint that can be read safely"):
        load(tmp_path / "a.pt")
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("more", [{"arch": "resnet101_fpn_rmac"}, {"pooling": "max"}, {"without_fc": True}])
def test_other_architectures_are_refused(tmp_path: Path, more: dict[str, Any]) -> None:
    torch.save({"state_dict": {"fc.bias": torch.zeros(1)}, "model_options": options(**more)}, tmp_path / "a.pt")
    with pytest.raises(DataError, match=f"expected resnet50_rmac or .* got .*{next(iter(more.values()))}"):
        load(tmp_path / "a.pt")


def test_features_are_unit_vectors_before_the_linear_layer_where_the_checkpoint_says_so(tmp_path: Path) -> None:
    torch.save({"state_dict": state(), "model_options": options(norm_features=True)}, tmp_path / "a.pt")
    network, _ = load(tmp_path / "a.pt")
    features = network[: list(dict(network.named_children())).index("fc")](torch.rand(1, 3, 64, 64))
    assert torch.allclose(features.norm(dim=1), torch.ones(1), atol=1e-5)


def test_the_plugin_pools_the_descriptors_of_every_scale_before_it_whitens(
    pca_class: type[PCA], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pca = {"Landmarks_clean": pca_class(**attributes())}
    file = tmp_path / "Resnet50-AP-GeM.pt"
    torch.save({"state_dict": state(), "model_options": options(), "pca": pca}, file)
    monkeypatch.setenv("VLOC_WEIGHTS", str(tmp_path))
    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    spec = "apgem:network=resnet50,whitening=landmarks_clean,dims=4,scales=1/0.5,scale_power=2"
    found = DESCRIPTORS.parse(spec).load(Runtime(device="cpu"), {})(image).vector
    network, components = load(file)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    vectors = [network(pixels), network(scaled(pixels, 0.5))]
    whiten = whitening(components, "Landmarks_clean", 0.25, 4, file)
    np.testing.assert_allclose(found, whiten(pooled(torch.stack(vectors), 2))[0].numpy(), atol=1e-5)


class TestGolden:
    pytestmark = golden.needs_golden

    def test_keys_are_those_of_the_checkpoints(self) -> None:
        assert list(apgem().state_dict()) == golden.keys("apgem")

    def test_maps_and_descriptors_are_those_of_the_official_code(self, tmp_path: Path) -> None:
        network = apgem().eval().requires_grad_(False)
        network.load_state_dict({key: torch.from_numpy(value) for key, value in golden.stand_in("apgem").items()})
        mean, axes, variance = golden.made().pca_stand_in()
        pca = {"a": PCA(mean_=mean, components_=axes, explained_variance_=variance, whiten=True)}
        kinds = {"p0.25": (0.25, 2048), "p0.5": (0.5, 2048), "p0.25_v512": (0.25, 512)}
        whitenings = {kind: whitening(pca, "a", *values, tmp_path) for kind, values in kinds.items()}
        expected, descriptors = golden.outputs("apgem"), []
        for tag in golden.tags("apgem"):
            features = torch.from_numpy(golden.made().test_image(*golden.size(tag)))[None]
            for name, layer in network.named_children():
                features = layer(features)
                if name in ("layer4", "adpool"):
                    assert golden.probe_deviation(features, "apgem", tag, {"adpool": "gem"}.get(name, name)) < 1e-4
            assert golden.deviation(features[0].numpy(), expected[f"{tag}/descriptor"]) < 1e-4
            for kind, whiten in whitenings.items():
                assert golden.deviation(whiten(features)[0].numpy(), expected[f"{tag}/whitened_{kind}"]) < 1e-4
            descriptors.append(features)
        for power, kind in ((3, "gem3"), (1, "mean")):
            found = pooled(torch.stack(descriptors), power)[0].numpy()
            assert golden.deviation(found, expected[f"pool/{kind}"]) < 1e-4
