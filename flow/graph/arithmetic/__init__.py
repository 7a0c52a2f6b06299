"""The arithmetic contract: the only place in Python where rounding and scaling are defined.

Its twins are `hls_templates/xls/arith.x` (DSLX) and, for documentation, `docs/arithmetic.md`.
Everything works on exact integers; a requantisation is

    y = clip((((acc * mult) << pre_shift) + constant) >> shift) + zero_point, lo, hi)

with `mult`, `constant` and `shift` per output channel, derived once by `fold_requant`; half-even
rounding clears the last bit of the shifted value on a tie.
"""

from flow.graph.arithmetic._codes import clip, dequantise, quantise_input
from flow.graph.arithmetic._exact import exact_type
from flow.graph.arithmetic._pool import (
    PoolDivide,
    divide_constant,
    fold_pool,
    pool_average,
    pool_rescale,
)
from flow.graph.arithmetic._ranges import (
    INT64_SAFE_BITS,
    accumulator_bits,
    accumulator_range,
    add_shifts,
    channel_sums,
    signed_bits,
)
from flow.graph.arithmetic._requant import Affine, Requant, fold_requant, requantise, rescale
from flow.graph.arithmetic._textbook import requantise_textbook

__all__ = [
    "INT64_SAFE_BITS",
    "Affine",
    "PoolDivide",
    "Requant",
    "accumulator_bits",
    "accumulator_range",
    "add_shifts",
    "channel_sums",
    "clip",
    "dequantise",
    "divide_constant",
    "exact_type",
    "fold_pool",
    "fold_requant",
    "pool_average",
    "pool_rescale",
    "quantise_input",
    "requantise",
    "requantise_textbook",
    "rescale",
    "signed_bits",
]
