"""Width converter: regroups elements without a bubble on the narrow side."""

from __future__ import annotations

import random

from rtl_sim.harness import pack
from rtl_sim.units.bench import Instance, Stream, assert_clean, play_bench

SHAPES = (
    (4, 1, 1), (8, 3, 3), (4, 1, 2), (8, 1, 5), (3, 2, 8), (16, 4, 8), (1, 1, 16),
    (4, 2, 1), (8, 5, 1), (3, 8, 2), (16, 8, 4), (1, 16, 1), (7, 12, 3),
)  # bits, in, out  # fmt: skip
ELEMENTS = 960


def converter(rng: random.Random, bits: int, in_elems: int, out_elems: int) -> Instance:
    elements = [rng.getrandbits(bits) for _ in range(ELEMENTS)]

    def grouped(size: int) -> list[int]:
        return [pack(elements[i : i + size], bits) for i in range(0, ELEMENTS, size)]

    return Instance(
        "width_converter",
        {"ELEM_BITS": bits, "IN_ELEMS": in_elems, "OUT_ELEMS": out_elems},
        [Stream("s", bits * in_elems, grouped(in_elems))],
        [Stream("m", bits * out_elems, grouped(out_elems))],
    )


def test_width_converter_is_exact_and_keeps_the_narrow_side_busy() -> None:
    rng = random.Random(4)
    results = play_bench("width_converter", [converter(rng, *shape) for shape in SHAPES])
    assert_clean(results)
    for (_, in_elems, out_elems), tap in zip(SHAPES, results[0].taps, strict=True):
        cycles_per_word = max(out_elems // in_elems, 1)
        assert tap.last_cycle - tap.first_cycle == (tap.words - 1) * cycles_per_word, tap.label
