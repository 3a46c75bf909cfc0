import numpy as np
import pytest

from vloc.errors import ConfigError
from vloc.registry import to_text
from vloc.retrieval import FUSIONS
from vloc.retrieval.fusion import GeneralizedHarmonicMean

FIRST = np.array([[0.9, 0.4, 0.1]], np.float32)
SECOND = np.array([[0.5, 0.8, 0.1]], np.float32)
# Worked by hand for the first two columns from Humenberger et al. 2020, equal weights of 1/2; the third is (0.1, 0.1).
BY_HAND = {
    "mean": [0.7, 0.6],
    "power": [np.sqrt(0.45), np.sqrt(0.32)],
    "maximum": [0.9, 0.8],
    "minimum": [0.5, 0.4],
    "mean_and_power": [(0.7 + np.sqrt(0.45)) / 2, (0.6 + np.sqrt(0.32)) / 2],
    "mean_and_min": [0.6, 0.5],
    "min_and_max": [0.7, 0.6],
    "villena_roman": [0.45 + 0.5 * 0.25 / 1.4, 0.4 + 0.5 * 0.16 / 1.2],
    "harmonic_mean": [1 / (0.5 / 0.45 + 0.5 / 0.25), 1 / (0.5 / 0.2 + 0.5 / 0.4)],
    "gharm": [1 / (0.5 / 0.95 + 0.5 / 0.75) - 0.5, 1 / (0.5 / 0.7 + 0.5 / 0.9) - 0.5],
    "round_robin": [1.0, 2 / 3],
}


def unit_rows(count: int, dims: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dims))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(params=FUSIONS.names())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def test_a_case_worked_by_hand(name: str) -> None:
    fused = FUSIONS.parse(name).fuse([FIRST, SECOND])
    assert fused[0, :2] == pytest.approx(BY_HAND[name], abs=1e-6)


def test_opposite_and_unrelated_images_give_finite_numbers(name: str) -> None:
    values = np.linspace(-1, 1, 21, dtype=np.float32)
    first, second = (x.astype(np.float32) for x in np.meshgrid(values, values))
    assert np.isfinite(FUSIONS.parse(name).fuse([first, second])).all()
    assert np.isfinite(FUSIONS.parse(name).fuse([-np.ones((2, 3), np.float32)])).all()


def test_types_and_shapes_are_kept_and_inputs_unchanged(name: str) -> None:
    similarities = [unit_rows(4, 8, 0) @ unit_rows(7, 8, 1).T, unit_rows(4, 8, 2) @ unit_rows(7, 8, 3).T]
    before = [s.copy() for s in similarities]
    fused = FUSIONS.parse(name).fuse(similarities)
    assert fused.dtype == np.float32
    assert fused.shape == (4, 7)
    assert all(np.array_equal(a, b) for a, b in zip(before, similarities, strict=True))


def test_one_descriptor_keeps_its_order(name: str) -> None:
    similarity = np.sort(np.random.default_rng(0).uniform(0.01, 1, (3, 9)).astype(np.float32), axis=1)
    fused = FUSIONS.parse(name).fuse([similarity])
    assert (np.diff(fused, axis=1) > 0).all()


def test_more_of_everything_is_never_less(name: str) -> None:
    rng = np.random.default_rng(1)
    low = rng.uniform(-1, 1, (2, 1, 200)).astype(np.float32)
    high = np.minimum(low + rng.uniform(0, 0.5, low.shape).astype(np.float32), 1)
    both = np.concatenate([low, high], axis=2)
    fused = FUSIONS.parse(name).fuse(list(both))
    assert (fused[:, 200:] >= fused[:, :200] - 1e-6).all()


def test_the_best_of_each_descriptor_is_named_in_turn() -> None:
    first = np.array([[0.9, 0.8, 0.2, 0.1]], np.float32)
    second = np.array([[0.7, 0.1, 0.3, 0.6]], np.float32)
    # 0 by the first, (0 is taken) 1 by the first, 3 by the second, 2 by both
    assert FUSIONS.parse("round_robin").fuse([first, second]).tolist() == [[1.0, 0.75, 0.25, 0.5]]


def test_a_weight_pulls_the_mean_towards_its_descriptor() -> None:
    fused = FUSIONS.parse("mean:weights=3/1").fuse([FIRST, SECOND])
    assert fused[0, 0] == pytest.approx(0.8)
    assert FUSIONS.parse("gharm:weights=7").fuse([FIRST]) == pytest.approx(FIRST)  # alone it is all there is


@pytest.mark.parametrize("weights", ["1", "1/0", "1/-2", "1/nan", "1/inf", "1/two", "1/2/3"])
def test_weights_that_do_not_fit_are_refused(weights: str) -> None:
    with pytest.raises(ConfigError, match="2 positive numbers"):
        FUSIONS.parse(f"mean:weights={weights}").fuse([FIRST, SECOND])


def test_weights_written_with_commas_have_a_written_form_too() -> None:
    fusion = GeneralizedHarmonicMean(weights="2,1")
    assert to_text(fusion) == "gharm:weights=2/1" and FUSIONS.parse(to_text(fusion)) == fusion


def test_gamma_is_a_setting() -> None:
    assert to_text(FUSIONS.parse("gharm:gamma=0.25")) == "gharm:gamma=0.25"
    large = FUSIONS.parse("gharm:gamma=1e4").fuse([FIRST, SECOND])
    assert large == pytest.approx((FIRST + SECOND) / 4, abs=2e-3)  # tends to sum a_i s_i / n


@pytest.mark.parametrize(
    ("mixed", "second"),
    [("mean_and_power", "power"), ("mean_and_min", "minimum"), ("min_and_max", "maximum")],
)
def test_a_share_of_nothing_leaves_the_other_part(mixed: str, second: str) -> None:
    fused = FUSIONS.parse(f"{mixed}:gamma=0,weights=1/3").fuse([FIRST, SECOND])
    np.testing.assert_allclose(fused, FUSIONS.parse(f"{second}:weights=1/3").fuse([FIRST, SECOND]))


@pytest.mark.parametrize("text", ["gharm:gamma=0", "mean_and_min:gamma=1.5", "mean:gamma=1", "median"])
def test_settings_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        FUSIONS.parse(text)


def test_standardized_similarities_have_the_same_say_whatever_their_scale() -> None:
    wide, narrow = np.array([[0.9, 0.1, 0.5]], np.float32), np.array([[0.50, 0.54, 0.46]], np.float32)
    plain, even = (
        FUSIONS.parse("mean").fuse([wide, narrow]),
        FUSIONS.parse("mean:standardize=true").fuse([wide, narrow]),
    )
    assert plain.argsort().tolist() == [[1, 2, 0]]  # as the wide one says
    # (1, -1, 0) and (0, 1, -1) standard deviations of sqrt(2/3): their sum is (1, 0, -1)
    np.testing.assert_allclose(even, [[0.5 + np.sqrt(1.5) / 16, 0.5, 0.5 - np.sqrt(1.5) / 16]], rtol=1e-5)


def test_standardizing_leaves_one_descriptor_and_its_input_alone(name: str) -> None:
    fusion, before = FUSIONS.parse(f"{name}:standardize=true"), FIRST.copy()
    np.testing.assert_array_equal(fusion.fuse([FIRST]), FUSIONS.parse(name).fuse([FIRST]))
    fused = fusion.fuse([FIRST, np.full_like(FIRST, 0.3)])  # no spread at all
    assert np.isfinite(fused).all() and np.array_equal(FIRST, before)
