"""The models of the comparison are what they say, and their right outputs are right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flow.errors import Mismatch
from flow.peers import problem as problems
from flow.peers import small
from flow.peers.problem import (
    ALPHAS,
    SEED,
    SMALL,
    alpha_of,
    load_problem,
    make_problem,
    save_problem,
)

FRAMES = 20


@pytest.mark.parametrize("network", SMALL)
def test_the_same_floats_for_every_alpha(network: str) -> None:
    one, *others = (small.build(network, alpha, SEED).get_weights() for alpha in ALPHAS)
    for other in others:
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("network", SMALL)
def test_inputs_lie_on_the_grid_of_hls4mls_default_input_type(network: str) -> None:
    inputs = small.inputs_of(network, FRAMES, 3)
    codes = inputs * 2**10  # fixed<16,6>
    np.testing.assert_array_equal(codes, np.rint(codes))
    assert codes.min() >= -(2**15)
    assert codes.max() < 2**15
    assert len(np.unique(inputs)) > 100


@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_problem_survives_its_file(alpha: Any, tmp_path: Path) -> None:
    made = make_problem("dense", alpha, frames=FRAMES)
    save_problem(made, tmp_path)
    loaded = load_problem("dense", alpha, tmp_path / problems.FILE)
    np.testing.assert_array_equal(loaded.inputs, made.inputs)
    np.testing.assert_array_equal(loaded.codes, made.codes)
    for pair in ((loaded.model, made.model), (loaded.frozen, made.frozen)):
        for a, b in zip(*(model.get_weights() for model in pair), strict=True):
            np.testing.assert_array_equal(a, b)
    for a, b in zip(made.model.get_weights(), made.frozen.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)  # freezing found nothing left to round
    assert (loaded.scale_exp, loaded.labels, loaded.qkeras_accuracy) == (-4, None, None)
    assert made.codes.shape == (FRAMES, small.CLASSES)
    assert len(np.unique(made.codes)) > 30


def test_files_of_the_same_problem_are_equal(tmp_path: Path) -> None:
    made = make_problem("dense", 1, frames=FRAMES)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_problem(made, tmp_path / name)
    one, other = ((tmp_path / name / problems.FILE).read_bytes() for name in ("a", "b"))
    assert one == other


def test_a_model_that_is_not_its_frozen_twin_is_found() -> None:
    """Scales that were not put on mult * 2**exponent before would move some code by one."""
    frozen = small.build("conv", "auto", SEED)
    from models.quantizers import freeze_auto

    freeze_auto(frozen)
    raw = small.build("conv", "auto", SEED)
    inputs = small.inputs_of("conv", 400, problems.INPUT_SEED)
    with pytest.raises(Mismatch):
        problems._right(raw, frozen, inputs)


def test_alphas_are_named_on_the_command_line() -> None:
    assert [alpha_of(str(alpha)) for alpha in ALPHAS] == list(ALPHAS)
