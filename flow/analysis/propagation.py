"""How errors arise and grow: float twin -> fake-quantised (QKeras) -> integers, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.analysis.entropy import Histogram
from flow.analysis.fake_quantized import Run
from flow.analysis.sqnr import Floats, Sqnr, sqnr
from flow.analysis.twin import float_step, inputs_of, twin_values, weighed_and_quantized
from flow.frontend._steps import Step
from flow.graph import Engine, IntGraph, TensorType
from flow.graph.arithmetic import dequantise
from flow.graph.types import IntArray

INPUT = "input"  # no layer may have this name
ALONE_SAMPLES = 4, 32  # so many go through the twin once more for every layer,
ALONE_MACS = 20_000_000_000  # as many of them as this allows
MAX_BATCH = 32
BATCH_VALUES = 1 << 24  # of all tensors of one network together; float64: 128 MiB

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class LayerErrors:
    """One layer's errors, all against the float twin on the same samples.

    `weights`, `own`: the layer alone is quantized and reads the twin's float values; first only
    its weights and biases, then its output as well. `alone`: what the error of `own` becomes at
    the network's output when every other layer stays float (on the first `alone_samples`).
    `qkeras`, `integer`: these networks run freely, so the errors of all layers before are
    included. `differing` of `compared` codes are not the same in the two. All ratios of a network
    without a float twin are None.
    """

    name: str
    weights: Sqnr | None
    own: Sqnr | None
    alone: Sqnr | None
    qkeras: Sqnr | None
    integer: Sqnr | None
    differing: int
    compared: int
    entropy_bits: float | None  # of the integer codes; None: too many codes to count


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """The network's output [n, elements] in the three ways; `twin` None: there is none."""

    twin: Floats | None
    qkeras: Floats
    integer: IntArray


def propagate(
    engine: Engine,
    steps: Sequence[Step],
    masters: Sequence[Step] | None,
    fake: Run,
    real: NDArray[np.float32],
    codes: IntArray,
    progress: Progress = lambda done, total: None,
) -> tuple[tuple[LayerErrors, ...], Outputs]:
    """Run the three networks on the samples, some at a time, and compare every tensor.

    Args:
        engine: of the integer graph.
        masters: the same steps with the weights of the float twin; None: there is no twin.
        fake: gives the values of every step in QKeras (see `fake_quantized`).
        real: [n, h, w, c] float input of the model.
        codes: [n, h, w, c] the same samples as codes of the first quantizer.
        progress: called with (samples done, samples in all).

    Returns:
        The network's input and every node, in the graph's order; the output.
    """
    graph = engine.graph
    types = [graph.input_type, *(node.y for node in graph.nodes)]
    names = [graph.input_name, *(node.name for node in graph.nodes)]
    sums = [_Sums(tensor) for tensor in types]
    outputs: list[tuple[NDArray[Any] | None, ...]] = []
    batch, alone = _batch_size(steps), alone_samples(graph)
    for start in range(0, len(real), batch):
        part = slice(start, start + batch)
        taps, fakes = engine.run_taps(codes[part]), fake(real[part])
        twin = None if masters is None else twin_values(masters, real[part])
        for index, name in enumerate(names):
            sums[index].add_codes(fakes[index], taps[name])
            if masters is not None and twin is not None:
                sums[index].add_free(twin[index], fakes[index], taps[name])
                sums[index].add_own(steps[index], masters, twin, index, alone - start)
        lasts = (None if twin is None else twin[-1], fakes[-1], taps[names[-1]])
        outputs.append(tuple(None if last is None else _flat(last) for last in lasts))
        progress(min(start + batch, len(real)), len(real))
    shown, has_twin = (INPUT, *names[1:]), masters is not None
    errors = tuple(one.result(name, has_twin) for one, name in zip(sums, shown, strict=True))
    return errors, Outputs(*(_joined(column) for column in zip(*outputs, strict=True)))


def alone_samples(graph: IntGraph) -> int:
    """How many samples, if there are so many, are followed from each layer to the output.

    Every layer's run is half the network's on average.
    """
    macs = sum(node.macs for node in graph.nodes) * len(graph.nodes) // 2
    fewest, most = ALONE_SAMPLES
    return min(max(ALONE_MACS // max(macs, 1), fewest), most)


def output_with(
    steps: Sequence[Step], twin: Sequence[Floats], index: int, replaced: Floats
) -> Floats:
    """The twin's output when the values of one step are `replaced`; only what reads them is run."""
    changed = {index: replaced}
    for later in range(index + 1, len(steps)):
        sources = {source.step for source in steps[later].sources}
        if sources & changed.keys():
            values = {source: changed.get(source, twin[source]) for source in sources}
            changed[later] = float_step(steps[later], inputs_of(steps[later], values))
    return changed.get(len(steps) - 1, twin[-1])


class _Sums:
    """What is added up over the batches for one tensor."""

    def __init__(self, tensor: TensorType) -> None:
        self.tensor = tensor
        self.weights = self.own = self.alone = self.qkeras = self.integer = Sqnr()
        self.differing = self.compared = 0
        self.histogram = Histogram(tensor)

    def add_codes(self, fake: NDArray[np.float32], codes: IntArray) -> None:
        """Compare QKeras and the integers, which run freely."""
        ratio = np.ldexp(fake.reshape(codes.shape).astype(np.float64), -self.tensor.scale_exp)
        self.differing += int((np.rint(ratio) + self.tensor.zero_point != codes).sum())
        self.compared += codes.size
        self.histogram.add(codes)

    def add_free(self, twin: Floats, fake: NDArray[np.float32], codes: IntArray) -> None:
        """Compare both with the float twin."""
        self.qkeras += sqnr(twin, fake.reshape(twin.shape))
        self.integer += sqnr(twin, dequantise(codes, self.tensor))

    def add_own(
        self,
        step: Step,
        masters: Sequence[Step],
        twin: Sequence[Floats],
        index: int,
        alone: int,
    ) -> None:
        """Quantize this step only; the first `alone` samples are followed to the output."""
        wanted = twin[index]
        inputs = inputs_of(step, twin) if index else [wanted]
        weighed, own = weighed_and_quantized(step, inputs)
        self.weights += sqnr(wanted, weighed)
        self.own += sqnr(wanted, own)
        if alone > 0:
            first = [values[:alone] for values in twin]
            self.alone += sqnr(first[-1], output_with(masters, first, index, own[:alone]))

    def result(self, name: str, has_twin: bool) -> LayerErrors:
        """The figures of all batches."""
        ratios = (self.weights, self.own, self.alone, self.qkeras, self.integer)
        weights, own, alone, qkeras, integer = ratios if has_twin else (None,) * 5
        return LayerErrors(
            name, weights, own, alone, qkeras, integer,
            self.differing, self.compared, self.histogram.entropy_bits,
        )  # fmt: skip


def _batch_size(steps: Sequence[Step]) -> int:
    values = sum(int(np.prod(step.out_shape)) for step in steps)
    return min(max(BATCH_VALUES // values, 1), MAX_BATCH)


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    return values.reshape(len(values), -1)


def _joined(parts: Sequence[NDArray[Any] | None]) -> Any:
    """The batches behind each other; None where there are none."""
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if there else None
