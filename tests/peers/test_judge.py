"""Every wrong output is counted, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from flow.errors import DataError
from flow.peers.judge import judge

CODES = np.array([[3, -2, 5], [0, 7, -8]])
STEP_EXP = -3
RIGHT = np.ldexp(CODES.astype(np.float64), STEP_EXP)


def test_right_outputs_are_right() -> None:
    found = judge(RIGHT.reshape(2, 1, 3), CODES, STEP_EXP)
    assert (found.outputs, found.wrong, found.wrong_rounded) == (6, 0, 0)
    assert (found.max_error_lsb, found.argmax_agreement, found.accuracy) == (0.0, 1.0, None)


def test_a_single_wrong_code_is_counted() -> None:
    outputs = RIGHT.copy()
    outputs[1, 0] += 2**STEP_EXP
    found = judge(outputs, CODES, STEP_EXP)
    assert (found.wrong, found.wrong_rounded, found.max_error_lsb) == (1, 1, 1.0)


def test_a_value_between_two_codes_is_wrong_and_its_distance_is_kept() -> None:
    outputs = RIGHT.copy()
    outputs[0, 2] -= 0.25 * 2**STEP_EXP
    found = judge(outputs, CODES, STEP_EXP)
    assert (found.wrong, found.wrong_rounded, found.max_error_lsb) == (1, 0, 0.25)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_wrong_by_an_infinite_distance(value: float) -> None:
    outputs = RIGHT.copy()
    outputs[0, 0] = value
    found = judge(outputs, CODES, STEP_EXP)
    assert (found.wrong, found.wrong_rounded, found.max_error_lsb) == (1, 1, np.inf)


def test_argmax_and_accuracy_are_those_of_the_outputs() -> None:
    outputs = RIGHT.copy()
    outputs[1, 1] = -9.0
    found = judge(outputs, CODES, STEP_EXP, labels=np.array([2, 1]))
    assert (found.argmax_agreement, found.accuracy) == (0.5, 0.5)
    assert judge(RIGHT, CODES, STEP_EXP, labels=np.array([2, 1])).accuracy == 1.0


@pytest.mark.parametrize("count", [0, 5])
def test_another_number_of_outputs_is_refused(count: int) -> None:
    with pytest.raises(DataError, match=rf"^{count} outputs were given for 6 right ones\.$"):
        judge(np.zeros(count), CODES, STEP_EXP)
