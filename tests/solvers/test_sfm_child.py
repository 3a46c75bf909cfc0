"""What COLMAP's mappers are told."""

import pytest

from vloc.solvers.sfm_child import _global_options, _incremental_options

SETTINGS = {
    "seed": 7,
    "num_threads": 4,
    "pair_threads": 2,
    "min_model_size": 5,
    "max_reproj_error": 3.5,
    "min_inliers": 21,
    "refine_intrinsics": False,
    "rigs": "fixed",
}


@pytest.mark.parametrize("refine", [True, False])
def test_settings_reach_the_incremental_mapper(refine: bool) -> None:
    options = _incremental_options({**SETTINGS, "refine_intrinsics": refine})
    assert (options.random_seed, options.min_model_size) == (7, 5)
    assert options.mapper.filter_max_reproj_error == 3.5 and options.mapper.abs_pose_min_num_inliers == 21
    refined = options.ba_refine_focal_length, options.ba_refine_extra_params
    refined += options.mapper.abs_pose_refine_focal_length, options.mapper.abs_pose_refine_extra_params
    assert refined == (refine,) * 4 and not options.ba_refine_principal_point


@pytest.mark.parametrize("refine", [True, False])
def test_settings_reach_the_global_mapper(refine: bool) -> None:
    options = _global_options({**SETTINGS, "refine_intrinsics": refine})
    assert (options.random_seed, options.min_model_size) == (7, 5)
    adjustment = options.mapper.bundle_adjustment
    assert (adjustment.refine_focal_length, adjustment.refine_extra_params) == (refine, refine)


@pytest.mark.parametrize(("rigs", "refined"), [("fixed", False), ("refined", True), ("none", False)])
def test_mounts_move_only_where_that_is_asked(rigs: str, refined: bool) -> None:
    settings = {**SETTINGS, "rigs": rigs}
    assert _incremental_options(settings).ba_refine_sensor_from_rig == refined
    assert _global_options(settings).mapper.bundle_adjustment.refine_sensor_from_rig == refined


def test_mappers_work_on_as_many_threads_as_asked_whatever_the_pairs_are_given() -> None:
    assert _incremental_options(SETTINGS).num_threads == _global_options(SETTINGS).num_threads == 4


def test_an_adjustment_ends_when_a_step_gains_next_to_nothing() -> None:
    """As COLMAP's own `mapper` has it for adjustments of some images; of all, a million times less than the error."""
    options = _incremental_options(SETTINGS)
    assert (options.ba_global_function_tolerance, options.ba_local_function_tolerance) == (1e-6, 1e-5)
