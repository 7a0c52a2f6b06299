"""Outputs of a flow against the right ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.errors import DataError
from flow.graph.types import IntArray


@dataclass(frozen=True, slots=True)
class Judged:
    """How outputs differ from the right codes; distances in steps (LSB) of the last quantizer.

    A right output is a code of the last quantizer. A value between two codes is not one, however
    near: it counts in `wrong`, and only where its nearest code is another one in `wrong_rounded`.
    """

    outputs: int
    wrong: int
    wrong_rounded: int
    max_error_lsb: float
    argmax_agreement: float  # share of frames whose largest output is at the right place
    accuracy: float | None  # against labels


def judge(
    real: NDArray[np.floating[Any]],
    codes: IntArray,
    scale_exp: int,
    labels: NDArray[np.int64] | None = None,
) -> Judged:
    """Count wrong outputs.

    Args:
        real: [n, ...] outputs of the flow, real values.
        codes: [n, k] the right ones.
        scale_exp: real value = code * 2**scale_exp.
        labels: [n] where there are some.

    Raises:
        DataError: another number of outputs than of codes, or none.
    """
    if real.size != codes.size or codes.size == 0:
        raise DataError(f"{real.size} outputs were given for {codes.size} right ones.")
    values = np.ldexp(np.asarray(real, np.float64).reshape(codes.shape), -scale_exp)
    places = values.argmax(-1)
    distance = np.abs(values - codes)
    finite = np.where(np.isnan(distance), np.inf, distance)
    return Judged(
        outputs=int(codes.size),
        wrong=int(np.count_nonzero(finite != 0)),
        wrong_rounded=int(np.count_nonzero(np.rint(values) != codes)),
        max_error_lsb=float(finite.max()),
        argmax_agreement=float(np.mean(places == codes.argmax(-1))),
        accuracy=None if labels is None else float(np.mean(places == labels)),
    )
