"""Sections of report.json that describe layers and their tensors."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from flow.report.schema_base import Amount, Count, Positive, Section, Share, Text

Shape = Annotated[list[Positive], Field(min_length=3, max_length=3)]  # [h, w, channels]


class Range(Section):
    """Integers seen between `low` and `high`; without `unused_bits` they would still fit."""

    bits: Positive
    signed: bool
    low: int
    high: int
    unused_bits: Count


class Weights(Range):
    """Weight codes; real weight = code * 2**scale_exp, one exponent per output channel."""

    scale_exp_low: int
    scale_exp_high: int


class Codes(Range):
    """Activations; real value = (code - zero_point) * 2**scale_exp, lo <= code <= hi.

    `clipped_low` and `clipped_high` count values cut to `lo` and `hi`; null: cut by the ReLU (low
    end), or not known (the network's input, which the host cuts).
    """

    scale_exp: int
    zero_point: int
    lo: int
    hi: int
    values: Positive
    clipped_low: Count | None
    clipped_high: Count | None


class LayerProfile(Section):
    """`zero_weights` is a share; weights and accumulator are null for a pool."""

    weights: Weights | None
    zero_weights: Share | None
    acc: Range | None
    y: Codes


class NetworkInput(Section):
    """What the host sends: the codes of the first quantizer."""

    shape: Shape
    profile: Codes


class PlannedLayer(Section):
    """What every engine knows of a unit of the plan.

    `inputs` names the layers it reads, "input" being the network's. `a_bits` is the width of the
    layer's input activations.
    """

    name: Text
    op: Text
    inputs: Annotated[list[Text], Field(min_length=1)]
    out_shape: Shape
    macs: Count
    w_bits: Count
    a_bits: Positive
    y_bits: Positive
    acc_bits: Count
    pe: Positive
    simd: Positive
    lanes: Positive
    products: Text
    est_cycles: Positive
    words_compared: Count
    mismatches: Count
    profile: LayerProfile


class Layer(PlannedLayer):
    """A unit that was simulated in RTL and synthesised by itself.

    `utilisation` = macs / (pe * simd * sim_cycles), null where nothing is multiplied. `starved` and
    `blocked` are shares of the network's cycles. `bottleneck`: no layer has more `sim_cycles`.
    """

    sim_cycles: Positive
    sim_ii_cycles: Positive
    starved: Share
    blocked: Share
    utilisation: Amount | None
    est_lut: Count
    est_dsp: Count
    est_bram: Amount
    synth_lut: Count
    synth_ff: Count
    synth_dsp: Count
    synth_bram: Amount
    bottleneck: bool
