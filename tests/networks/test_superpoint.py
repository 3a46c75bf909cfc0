"""SuperPoint's parts against their definition; its keys against the published ones."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.networks.superpoint import OpenSuperPoint, SuperPoint, described, score_map  # noqa: E402

ORIGINAL = {
    **{f"conv{stage}{part}": (width, (before, width)["ab".index(part)], 3)
       for stage, before, width in ((1, 1, 64), (2, 64, 64), (3, 64, 128), (4, 128, 128)) for part in "ab"},
    **{"convPa": (256, 128, 3), "convPb": (65, 256, 1), "convDa": (256, 128, 3), "convDb": (256, 256, 1)},
}  # fmt: skip
"""layer -> channels out and in, and kernel, as DeTone et al. have them"""
OPEN = {
    **{f"backbone.{stage}.{part}": (width, (before, width)[part], 3)
       for stage, before, width in ((0, 1, 64), (1, 64, 64), (2, 64, 128), (3, 128, 128)) for part in (0, 1)},
    **{"detector.0": (256, 128, 3), "detector.1": (65, 256, 1)},
    **{"descriptor.0": (256, 128, 3), "descriptor.1": (256, 256, 1)},
}  # fmt: skip


def test_keys_and_shapes_are_those_of_the_original_weights() -> None:
    expected = {f"{name}.weight": (o, i, k, k) for name, (o, i, k) in ORIGINAL.items()}
    expected |= {f"{name}.bias": (o,) for name, (o, _, _) in ORIGINAL.items()}
    assert {key: tuple(value.shape) for key, value in SuperPoint().state_dict().items()} == expected


def test_keys_and_shapes_are_those_of_the_open_weights() -> None:
    expected: dict[str, tuple[int, ...]] = {}
    for name, (o, i, k) in OPEN.items():
        expected |= {f"{name}.conv.weight": (o, i, k, k), f"{name}.conv.bias": (o,)}
        expected |= {f"{name}.bn.{part}": (o,) for part in ("weight", "bias", "running_mean", "running_var")}
        expected[f"{name}.bn.num_batches_tracked"] = ()
    assert {key: tuple(value.shape) for key, value in OpenSuperPoint().state_dict().items()} == expected


@pytest.mark.parametrize("x, y", [(0, 0), (7, 0), (0, 7), (13, 18), (31, 23)])
def test_a_channel_is_a_pixel_of_its_cell_row_by_row(x: int, y: int) -> None:
    logits = torch.zeros(1, 65, 3, 4)
    logits[0, y % 8 * 8 + x % 8, y // 8, x // 8] = 9.0
    scores = score_map(logits)
    assert scores.shape == (24, 32)
    assert divmod(int(scores.argmax()), 32) == (y, x)
    np.testing.assert_allclose(scores[y, x], np.exp(9) / (np.exp(9) + 64), rtol=1e-5)
    assert scores.sum() < 12  # the last channel, no keypoint, takes its part


def test_layers_of_the_original_come_in_the_order_of_the_paper() -> None:
    torch.manual_seed(0)
    network, relu, pool = SuperPoint(), torch.nn.ReLU(), torch.nn.MaxPool2d(2)
    own = dict(network.named_children())
    trunk = [own["conv1a"], relu, own["conv1b"], relu, pool, own["conv2a"], relu, own["conv2b"], relu, pool]
    trunk += [own["conv3a"], relu, own["conv3b"], relu, pool, own["conv4a"], relu, own["conv4b"], relu]
    image = torch.rand(1, 1, 40, 48)
    with torch.inference_mode():
        found, shared = network(image), torch.nn.Sequential(*trunk)(image)
        logits, descriptors = (own[f"conv{head}b"](relu(own[f"conv{head}a"](shared))) for head in "PD")
    np.testing.assert_allclose(found.logits, logits, rtol=1e-5)
    np.testing.assert_allclose(found.descriptors, descriptors / descriptors.norm(dim=1, keepdim=True), atol=1e-5)


@pytest.mark.parametrize("network", [SuperPoint(), OpenSuperPoint()])
def test_rows_and_columns_beyond_the_last_whole_cell_are_left_out(network: torch.nn.Module) -> None:
    with torch.inference_mode():
        whole = network.eval()(image := torch.rand(1, 1, 32, 40))
        more = network(torch.nn.functional.pad(image, (0, 7, 0, 3), value=0.5))
    assert more.logits.shape == whole.logits.shape == (1, 65, 4, 5)
    assert more.descriptors.shape == (1, 256, 4, 5)
    np.testing.assert_allclose(whole.descriptors.norm(dim=1), np.ones((1, 4, 5)), rtol=1e-5)


def directions(height: int, width: int) -> torch.Tensor:
    """Descriptors (1, 3, y, x) that grow by 1 a cell from the first cell's centre, before they are normalised."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([x, y, torch.ones_like(x)])[None].float()


@pytest.mark.parametrize("place", [(3.5, 3.5), (11.5, 19.5), (20.0, 9.0), (35.5, 27.5)])
def test_open_descriptors_are_read_where_the_keypoint_is(place: tuple[float, float]) -> None:
    """A cell's centre is 3.5 px from its first pixel's: position p px is (p - 3.5) / 8 cells."""
    found = described(OpenSuperPoint(), directions(4, 5), torch.tensor([place]))[0]
    np.testing.assert_allclose(found[:2] / found[2], (np.array(place) - 3.5) / 8, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("place", [(3.5, 3.5), (11.5, 19.5), (36.5, 28.5)])
def test_original_descriptors_are_read_where_the_original_code_reads_them(place: tuple[float, float]) -> None:
    """2 (p - 3.5) / (8 w - 4.5) - 1 from the first to the last centre, over w - 1 cells."""
    found = described(SuperPoint(), directions(4, 5), torch.tensor([place]))[0]
    expected = [(p - 3.5) / (8 * cells - 4.5) * (cells - 1) for p, cells in zip(place, (5, 4), strict=True)]
    np.testing.assert_allclose(found[:2] / found[2], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.norm(), 1, rtol=1e-6)
