"""DINOv2 and MegaLoc against the outputs of the official code; the assignment of patches by its marginals."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.networks.dinov2 import DinoV2  # noqa: E402
from vloc.networks.layers import ImageNet  # noqa: E402
from vloc.networks.megaloc import MegaLoc, as_now, assignment  # noqa: E402

from . import golden  # noqa: E402


def test_every_patch_is_assigned_whole_and_what_no_cluster_likes_goes_to_the_bin() -> None:
    torch.manual_seed(0)
    scores = torch.randn(1, 3, 50)
    scores[0, :, 7] = -50
    chances = assignment(scores, torch.tensor(0.0))[0]
    assert chances.shape == (3, 50) and (chances >= 0).all()
    assert (chances.sum(dim=0) <= 1 + 1e-6).all() and chances[:, 7].sum() < 1e-6
    assert torch.allclose(chances.sum(dim=1), torch.ones(3), atol=0.1)  # after three rounds


def test_clusters_of_equal_scores_share_their_patches_equally() -> None:
    """Of 10 patches for 4 clusters, 6 go to the bin: every patch has 4 / 10 of itself left for 4 clusters."""
    assert torch.allclose(assignment(torch.zeros(1, 4, 10), torch.tensor(0.0)), torch.tensor(0.1))


def test_weights_of_the_first_release_get_the_names_of_the_present_one() -> None:
    aggregator, token = torch.zeros(1), torch.ones(1)
    now = {"backbone.cls_token": token, "aggregator.agg.dust_bin": aggregator}
    before = {
        "backbone.model.cls_token": token,
        "backbone.model.mask_token": token,
        "aggregator.agg.dust_bin": aggregator,
    }
    assert as_now(before) == as_now(now) == now


class TestGolden:
    pytestmark = golden.needs_golden

    @pytest.mark.slow
    def test_tokens_of_dinov2_are_those_of_the_official_code(self) -> None:
        """Slow, for the default run has the same code in MegaLoc."""
        state = golden.stand_in("dinov2")
        del state["mask_token"]  # which only training needs
        network = DinoV2().eval().requires_grad_(False)
        assert list(network.state_dict()) == list(state)
        network.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
        normalised = ImageNet()
        for tag in golden.tags("dinov2"):
            images = normalised(torch.from_numpy(golden.made().test_image(*golden.size(tag)))[None])
            tokens = network(images)
            assert golden.probe_deviation(tokens[:, 1:], "dinov2", tag, "patchtokens") < 1e-4
            expected = golden.outputs("dinov2")[f"{tag}/descriptor"]
            assert golden.deviation(np.asarray(tokens[0, 0]), expected) < 1e-4

    def test_maps_and_descriptors_of_megaloc_are_those_of_the_official_code(self) -> None:
        """All inputs in one test: its weights take a gigabyte."""
        state = golden.stand_in("megaloc")
        network = MegaLoc().eval().requires_grad_(False)
        assert list(network.state_dict()) == list(state)
        network.load_state_dict({key: torch.from_numpy(value) for key, value in state.items()})
        found: dict[str, torch.Tensor] = {}
        network.backbone.register_forward_hook(lambda *call: found.update(tokens=call[2]))
        network.aggregator.agg.score.register_forward_hook(lambda *call: found.update(score=call[2]))
        network.aggregator.agg.register_forward_hook(lambda *call: found.update(agg=call[2]))
        for tag in golden.tags("megaloc"):
            vector = network(torch.from_numpy(golden.made().test_image(*golden.size(tag)))[None])[0]
            found |= {"cls": found["tokens"][:, 0], "patches": found["tokens"][:, 1:].mT.contiguous()}
            for what in ("cls", "patches", "score", "agg"):
                assert golden.probe_deviation(found[what], "megaloc", tag, what) < 1e-4
            expected = golden.outputs("megaloc")[f"{tag}/descriptor"]
            assert golden.deviation(vector.numpy(), expected) < 1e-4
