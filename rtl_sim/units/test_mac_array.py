"""MAC array against NumPy: exact sums, one step per cycle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtl_sim.harness import pack
from rtl_sim.units.bench import Instance, Stream, assert_clean, play_bench

SHAPES = (
    # x bits, signed, w bits, pe, simd, steps, acc bits, depthwise
    (8, 1, 8, 1, 1, 1, 16, 0),
    (4, 0, 4, 4, 8, 5, 16, 0),
    (8, 0, 4, 2, 5, 3, 20, 0),
    (8, 1, 3, 3, 16, 2, 17, 0),
    (16, 1, 16, 2, 3, 10, 40, 0),
    (1, 0, 2, 5, 7, 9, 9, 0),
    (4, 1, 8, 1, 40, 1, 18, 0),
    (8, 0, 8, 2, 4, 12, 14, 0),  # too narrow on purpose: modulo 2**14
    (4, 0, 4, 8, 1, 9, 14, 1),
    (8, 1, 8, 3, 1, 25, 22, 1),
    (16, 0, 4, 2, 1, 1, 20, 1),
)
OUTPUTS = 60


def random_codes(
    rng: np.random.Generator, bits: int, signed: int, shape: tuple[int, ...]
) -> NDArray:
    """Random codes with many extreme ones."""
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    codes = rng.integers(low, high + 1, shape)
    return np.where(rng.random(shape) < 0.2, rng.choice([low, high], shape), codes)


def array(rng: np.random.Generator, shape: tuple[int, ...]) -> Instance:
    x_bits, x_signed, w_bits, pe, simd, steps, acc_bits, depthwise = shape
    x = random_codes(rng, x_bits, x_signed, (OUTPUTS, steps, pe if depthwise else simd))
    w = random_codes(rng, w_bits, 1, (OUTPUTS, steps, pe, simd))
    acc = np.einsum("otp,otps->op" if depthwise else "ots,otps->op", x, w)
    x_elems = x.shape[-1]
    return Instance(
        "mac_array",
        {
            "X_BITS": x_bits,
            "X_SIGNED": x_signed,
            "W_BITS": w_bits,
            "PE": pe,
            "SIMD": simd,
            "STEPS": steps,
            "ACC_BITS": acc_bits,
            "DEPTHWISE": depthwise,
        },
        [
            Stream("x", x_bits * x_elems, [pack(v, x_bits) for v in x.reshape(-1, x_elems)]),
            Stream("w", w_bits * pe * simd, [pack(v, w_bits) for v in w.reshape(-1, pe * simd)]),
        ],
        [Stream("m", acc_bits * pe, [pack(row, acc_bits) for row in acc])],
    )


def test_mac_array_is_exact_with_one_step_per_cycle() -> None:
    rng = np.random.default_rng(8)
    results = play_bench("mac_array", [array(rng, shape) for shape in SHAPES])
    assert_clean(results)
    for shape, tap in zip(SHAPES, results[0].taps, strict=True):
        steps = shape[5]
        assert tap.last_cycle - tap.first_cycle == (OUTPUTS - 1) * steps, tap.label
