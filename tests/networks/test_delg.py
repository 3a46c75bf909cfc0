"""DELG's global head against the outputs of its PyTorch port."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.errors import DataError  # noqa: E402
from vloc.networks.delg import load, our_name  # noqa: E402

from . import golden  # noqa: E402


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("stem.conv.weight", "conv1.weight"),
        ("stem.bn.running_mean", "bn1.running_mean"),
        ("s1.b1.proj.weight", "layer1.0.downsample.0.weight"),
        ("s1.b1.bn.bias", "layer1.0.downsample.1.bias"),
        ("s3.b6.f.b.weight", "layer3.5.conv2.weight"),
        ("s4.b3.f.c_bn.weight", "layer4.2.bn3.weight"),
        ("head.pool.p", "adpool.p"),
        ("head.fc.bias", "fc.bias"),
    ],
)
def test_names_of_the_port_are_ours_in_other_words(theirs: str, ours: str) -> None:
    assert our_name(theirs) == ours


def test_a_checkpoint_without_the_global_head_is_refused(tmp_path: Path) -> None:
    torch.save({"model_state": {"localmodel.conv1.bias": torch.zeros(512)}}, tmp_path / "a.pth")
    with pytest.raises(DataError, match=r"a\.pth: these weights are for another network"):
        load(tmp_path / "a.pth")


class TestGolden:
    pytestmark = golden.needs_golden

    @pytest.mark.parametrize("name", ["model_state", None])
    def test_maps_and_descriptors_are_those_of_the_port(self, name: str | None, tmp_path: Path) -> None:
        state = {key: torch.from_numpy(value) for key, value in golden.stand_in("delg").items()}
        torch.save({name: state} if name else state, tmp_path / "a.pth")
        network = load(tmp_path / "a.pth")
        expected = golden.outputs("delg")
        for tag in golden.tags("delg")[: None if name else 1]:
            features = torch.from_numpy(golden.made().test_image(*golden.size(tag)))[None]
            for layer, module in network.named_children():
                features = module(features)
                probe = {"layer3": "s3", "layer4": "s4", "adpool": "gem"}.get(layer)
                assert probe is None or golden.probe_deviation(features, "delg", tag, probe) < 1e-4
                whole = {"fc": "raw_output", "unit": "descriptor"}.get(layer)
                assert whole is None or golden.deviation(features[0].numpy(), expected[f"{tag}/{whole}"]) < 1e-4
