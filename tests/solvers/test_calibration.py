from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from vloc.data.evidence import Calibration, Evidence, Trials
from vloc.solvers.calibration import calibrated, confidence, likelier, log_odds, terms

GOOD = Evidence(-200.0, 0.9, 0.6, 0.0, 0.002)
POOR = Evidence(-12.0, 0.35, 0.15, 0.4, 0.01)
MIDDLING = Evidence(-40.0, 0.75, 0.25, 0.0, 0.01)
NONE = Trials.joined([])


def trials(evidence: Evidence, is_right: bool, count: int = 16) -> Trials:
    rows = np.tile(evidence.to_row(), (count, 1))
    flags = np.full(count, is_right)
    return Trials(rows, flags, ~flags, np.array([[count, 0]]))


def test_independent_evidence_multiplies_the_odds():
    assert likelier(0.5, 10.0) == pytest.approx(10 / 11) and likelier(0.2, 4.0) == pytest.approx(0.5)
    assert likelier(0.3, 1.0) == pytest.approx(0.3) and likelier(0.0, 10.0) == 0.0


def test_without_trials_the_evidence_counts_as_elsewhere():
    calibration = calibrated(NONE)
    assert (calibration.slope, calibration.offset) == (1.0, 0.0)
    assert confidence(GOOD, calibration) > 0.95 and confidence(POOR, calibration) < 0.05


def test_a_map_in_which_wrong_places_look_right_trusts_less():
    assert confidence(MIDDLING, calibrated(trials(MIDDLING, False))) < confidence(MIDDLING, calibrated(NONE)) - 0.2


def test_a_map_whose_own_images_agree_as_little_trusts_more():
    assert confidence(MIDDLING, calibrated(trials(MIDDLING, True))) > confidence(MIDDLING, calibrated(NONE))


def test_slope_and_offset_are_the_maximum_a_posteriori_that_scipy_finds():
    """Log loss with normal priors: the slope 1 +- 0.25, the offset 0 +- 1."""
    seen = Trials.joined([trials(MIDDLING, False, 9), trials(GOOD, True, 5), trials(POOR, True, 3)])
    z = log_odds(seen.evidence)

    def loss(x):
        p = 1 / (1 + np.exp(-(x[0] * z + x[1])))
        likelihood = np.where(seen.is_right, np.log(p), np.log(1 - p)).sum()
        return ((x[0] - 1) / 0.25) ** 2 / 2 + x[1] ** 2 / 2 - likelihood

    best = minimize(loss, [1.0, 0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12}).x
    found = calibrated(seen)
    np.testing.assert_allclose([found.slope, found.offset], best, atol=1e-5)


def test_evidence_on_scales_on_which_it_adds_up_by_hand():
    usual, hopeless = Evidence(-40.0, 0.75, 0.25, 0.1, 0.01, 0.8), Evidence(3.0, 0.0, 0.1, 2.0, 7.0, 0.0)
    found = terms(np.stack([usual.to_row(), hopeless.to_row(), replace(usual, agreement=1.0).to_row()]))
    assert found[2, 2] == pytest.approx(-found[1, 2])  # all agree, or none: never surer than 49 to 1
    np.testing.assert_allclose(found[0], [1, np.log(40), np.log(3), np.log(0.25), 0.1, np.log(0.01), 0.8])
    np.testing.assert_allclose(found[1], [1, 0, -np.log(49), np.log(0.1), 2, 0, 0])


def test_the_log_odds_learned_over_many_places_stay_until_they_are_learned_again():
    """-0.89 + 0.15 ln(alarms) + 2.36 ln(a / (1 - a)) + 0.98 ln(coverage) - 6.02 rival - 0.15 ln(error) + 0.73 q."""
    rows = [Evidence(-np.e, 0.5, 1.0, 0.0, 1.0, 0.0), Evidence(-(np.e**2), 0.75, np.exp(-1), 0.5, np.exp(-2), 1.0)]
    by_hand = [-0.89 + 0.15, -0.89 + 0.15 * 2 + 2.36 * np.log(3) - 0.98 - 6.02 / 2 + 0.15 * 2 + 0.73]
    np.testing.assert_allclose(log_odds(np.stack([row.to_row() for row in rows])), by_hand)
    sure, hopeless = Evidence(-1e9, 1.0, 1.0, 0.0, 1e-4), Evidence(0.0, 0.0, 0.01, 9.0, 1.0)
    assert log_odds(np.stack([sure.to_row(), hopeless.to_row()])).tolist() == [8, -8]  # 1 of 3,000 is wrong unseen


def test_where_evidence_speaks_for_the_wrong_it_counts_for_nothing():
    found = calibrated(Trials.joined([trials(GOOD, False, 99), trials(POOR, True, 99)]))
    assert found.slope == 0 and confidence(GOOD, found) == confidence(POOR, found)


def test_trials_that_go_as_expected_change_little():
    calibration = calibrated(Trials.joined([trials(GOOD, True), trials(POOR, False)]))
    assert abs(confidence(MIDDLING, calibration) - confidence(MIDDLING, calibrated(NONE))) < 0.1


@given(st.floats(0.03, 0.97), st.floats(-300, -1), st.floats(0.02, 0.9))
def test_more_of_any_evidence_is_never_less_confidence(share: float, alarms: float, covered: float):
    prior = calibrated(NONE)
    evidence = Evidence(alarms, share, covered, 0.3, 0.01)
    least = confidence(evidence, prior)
    better = [("agreement", share + 0.01), ("log10_false_alarms", alarms - 5), ("coverage", covered + 0.05)]
    for name, value in [*better, ("rival", 0.0), ("relative_error", 0.005)]:
        assert confidence(replace(evidence, **{name: value}), prior) >= least


def test_a_calibration_is_stored_and_read_again():
    calibration = calibrated(Trials.joined([trials(GOOD, True, 3), trials(POOR, False, 2)]))
    again = Calibration.from_arrays(calibration.to_arrays())
    assert (again.slope, again.offset) == (calibration.slope, calibration.offset)
    np.testing.assert_array_equal(again.trials.evidence, calibration.trials.evidence)
    assert again.trials.num_attempts.tolist() == [[5, 0]]
