"""Several sizes of an image as one vector, worked out by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (the 'learned' extra)")

from vloc.networks.scales import AtScales, pooled, scaled  # noqa: E402


def test_vectors_are_pooled_by_a_signed_power_mean() -> None:
    vectors = torch.tensor([[[0.6, -0.8, 0.0]], [[0.8, 0.6, 0.0]]])
    # ((0.216 + 0.512) / 2)^(1/3) and -((0.512 - 0.216) / 2)^(1/3)
    expected = torch.tensor([0.364 ** (1 / 3), -(0.148 ** (1 / 3)), 0])
    assert torch.allclose(pooled(vectors, 3)[0], expected / expected.norm(), atol=1e-6)
    plain = torch.tensor([0.7, -0.1, 0])
    assert torch.allclose(pooled(vectors, 1)[0], plain / plain.norm(), atol=1e-6)


@pytest.mark.parametrize("power", [1, 3])
def test_a_single_unit_vector_stays_as_it_is(power: float) -> None:
    vector = torch.nn.functional.normalize(torch.linspace(-1, 1, 8)[None], dim=1)
    assert torch.allclose(pooled(vector[None], power), vector, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "scale", "expected"), [((64, 90), 0.5, (32, 45)), ((64, 90), 1, (64, 90)), ((40, 20), 0.1, (32, 20))]
)
def test_images_are_reduced_to_no_less_than_the_least_side(
    shape: tuple[int, int], scale: float, expected: tuple[int, int]
) -> None:
    assert scaled(torch.zeros(1, 3, *shape), scale).shape == (1, 3, *expected)


def test_reducing_smooths_what_the_small_image_cannot_show() -> None:
    stripes = torch.arange(128).remainder(2).float().expand(1, 3, 128, 128)
    inside = scaled(stripes, 0.25)[..., 2:-2]
    assert torch.allclose(inside, torch.full_like(inside, 0.5), atol=1e-3)


def test_a_network_is_shown_every_scale_of_the_image() -> None:
    seen = []

    class Sizes(torch.nn.Module):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            seen.append(tuple(pixels.shape[2:]))
            return torch.nn.functional.normalize(torch.ones(1, 2) * pixels.mean(), dim=1)

    AtScales(Sizes(), (1, 0.71, 0.5), 3)(torch.rand(1, 3, 100, 200))
    assert seen == [(100, 200), (71, 142), (50, 100)]
