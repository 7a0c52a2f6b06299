"""The hardware plan: every width, fold and depth that the project's text is generated from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from flow.graph.types import Kind, Shape, Window

# A field that a plan's JSON holds only where it says something: plans of networks without such
# nodes keep their text, and so their hash.
_unless_empty = Field(exclude_if=lambda value: not value)
_unless_one = Field(exclude_if=lambda value: value == 1)


@dataclass(frozen=True, slots=True)
class Target:
    """An FPGA device. `bram` counts 36 kbit blocks; `part` is AMD's name of it, if it has one."""

    name: str
    family: str
    lut: int
    ff: int
    dsp: int
    bram: int
    clock_mhz: float
    part: str | None = None


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """Sliding-window generator of one unit; None in a unit means that no window is needed."""

    window: Window
    in_shape: Shape
    out_shape: Shape
    word_elems: int  # channels per word
    folds: int  # words per pixel
    replay: int  # times each window is read
    depthwise: bool
    words_out: int  # per frame
    ring_words: int  # depth of the line buffer
    ram_style: str  # 'distributed' or 'block'
    groups: Annotated[int, _unless_one] = 1  # of channels, each summed by itself


@dataclass(frozen=True, slots=True)
class MacSpec:
    """Multiply-accumulate kernel: `steps` pairs of (x, w) beats give one beat of PE accumulators.

    x beat: `simd` elements (depthwise: `pe`, one per channel); w beat: pe * simd elements in order
    [pe][simd] (depthwise: `pe`, simd is 1). Element 0 at the LSB. Accumulators are signed.
    """

    name: str
    x_bits: int
    x_signed: bool
    w_bits: int
    pe: int
    simd: int
    steps: int
    acc_bits: int
    depthwise: bool


@dataclass(frozen=True, slots=True)
class RequantSpec:
    """Requantisation kernel, `lanes` channels per beat.

    y = clip((((acc << pre_shift) + constant) >> (shift_min + delta)) + zero_point, lo, hi); a
    parameter element is constant (signed, `const_bits`, at the LSB) then delta (`delta_bits`,
    may be 0 bits wide when all channels share one shift). With `mult_bits` > 0, acc is multiplied
    by an unsigned factor of that width first; with `half_even`, a channel's ties go to even codes.
    """

    name: str
    lanes: int
    acc_bits: int
    pre_shift: int
    const_bits: int
    shift_min: int
    delta_bits: int
    zero_point: int
    y_bits: int
    y_signed: bool
    lo: int
    hi: int
    mult_bits: Annotated[int, _unless_empty] = 0
    half_even: Annotated[bool, _unless_empty] = False

    @property
    def param_bits(self) -> int:
        """Width of one parameter element."""
        return self.const_bits + self.delta_bits


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """Average-pool kernel: sums `steps` beats of `pe` channels, then one exact division each.

    The constants are those of a window of `steps` elements; one that reaches into the padding has
    fewer, and constants of its own (`fold_pool`).

    y = clip((((((sum << pre_shift) + constant) * reciprocal) >> shift) + offset), lo, hi); the
    value before the multiplication is in 0..numerator_max.
    """

    name: str
    pe: int
    steps: int
    x_bits: int
    x_signed: bool
    sum_bits: int  # signed
    pre_shift: int
    constant: int
    numerator_max: int
    reciprocal: int
    shift: int
    offset: int
    y_bits: int
    y_signed: bool
    lo: int
    hi: int


@dataclass(frozen=True, slots=True)
class CycleEstimate:
    """Cycles per frame that each part of a unit needs; the largest bounds the unit."""

    compute: int
    window: int
    input_beats: int
    output_beats: int  # one per requantisation beat

    @property
    def bound(self) -> int:
        """est_cycles of the unit."""
        return max(self.compute, self.window, self.input_beats, self.output_beats)


@dataclass(frozen=True, slots=True)
class ResourceEstimate:
    """What the cost model expects; never called synthesis."""

    lut: int
    dsp: int
    bram: float


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """One layer's hardware.

    Data path: [width converter in_elems -> word_elems] [window] [gather word_elems -> x_elems]
    [replay x `repeat`] MAC|pool [width converter pe -> lanes] [requant] FIFO.

    A node that treats elements one by one (add, table, ...) has no MAC: `pe` = `lanes` of them are
    made per cycle, `in_elems` and `in_beats` are its first input's. Its resources are sums of the
    model's terms that nobody has compared with a synthesis.
    """

    name: str
    kind: Kind
    macs: int
    w_bits: int  # 0 for a pool
    x_bits: int
    y_bits: int
    acc_bits: int
    in_elems: int  # elements per input beat, as the previous unit sends them
    window: WindowPlan | None
    x_elems: int  # elements per MAC beat
    repeat: int  # replay of gathered beats
    pe: int
    simd: int
    lanes: int
    mac: MacSpec | None
    requant: RequantSpec | None
    pool: PoolSpec | None
    products: str  # 'lut' or 'dsp'
    weight_rom: str  # 'distributed' or 'block'
    in_beats: int  # per frame
    out_beats: int  # per frame, `lanes` elements each
    fifo_depth: int
    cycles: CycleEstimate
    resources: ResourceEstimate

    @property
    def multipliers(self) -> int:
        """PE * SIMD of a MAC unit; a pool has none."""
        return self.pe * self.simd if self.mac is not None else 0


@dataclass(frozen=True, slots=True)
class BranchPlan:
    """One copy of a stream that several layers read, or one layer several times."""

    source: str  # the layer whose output it is, or the network's input
    reader: str
    port: int  # which input of the reader
    fifo_depth: int  # beats; see flow.plan.branches


@dataclass(frozen=True, slots=True)
class HwPlan:
    """The whole network on one target."""

    graph_name: str
    graph_hash: str  # of the graph that was planned
    target: Target
    target_ii_cycles: int
    units: tuple[UnitPlan, ...]
    input_bits: int
    input_elems: int  # elements per AXI beat
    input_beats: int
    output_bits: int
    output_elems: int
    output_beats: int  # one per requantisation beat
    branches: Annotated[tuple[BranchPlan, ...], _unless_empty] = ()  # none in a chain

    @property
    def multipliers(self) -> int:
        """Sum of PE * SIMD."""
        return sum(unit.multipliers for unit in self.units)

    @property
    def est_ii_cycles(self) -> int:
        """The slowest unit's estimate."""
        return max(unit.cycles.bound for unit in self.units)
