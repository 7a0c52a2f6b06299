"""Golden words of every stream of the network, as files that the benches play and compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from flow.emit.top import axis_width
from flow.graph.types import IntArray, IntGraph
from flow.plan.hwplan import HwPlan
from rtl_sim.harness import pack, unpack, write_hex, write_packed_hex

INPUT = "input"
OUTPUT = "output"
OUTPUT_FILE = "tap_output.hex"


@dataclass(frozen=True, slots=True)
class GoldenStream:
    """One stream as a bench sees it; `beats` words of `width` bits per frame in `file`."""

    layer: str
    instance: str  # of the probe in the bench
    stream: str  # of the signals in the network's top
    file: str
    width: int
    beats: int
    elems: int
    bits: int
    signed: bool


def golden_streams(graph: IntGraph, plan: HwPlan) -> dict[str, GoldenStream]:
    """The input's and every layer's stream, by name, in the order of the data flow."""
    streams = {
        INPUT: GoldenStream(
            INPUT, "u_tap_input", "ingress", "tap_input.hex", plan.input_bits * plan.input_elems,
            plan.input_beats, plan.input_elems, plan.input_bits, graph.input_type.signed,
        )
    }  # fmt: skip
    for unit, node in zip(plan.units, graph.nodes, strict=True):
        streams[unit.name] = GoldenStream(
            unit.name, f"u_tap_{unit.name}", unit.name, f"tap_{unit.name}.hex",
            unit.y_bits * unit.lanes, unit.out_beats, unit.lanes, unit.y_bits, node.y.signed,
        )  # fmt: skip
    return streams


def write_stimuli(
    graph: IntGraph, plan: HwPlan, taps: Mapping[str, IntArray], folder: Path
) -> dict[str, GoldenStream]:
    """Write one file per stream, and one with the framing bits of the AXI output."""
    folder.mkdir(parents=True, exist_ok=True)
    streams = golden_streams(graph, plan)
    for name, stream in streams.items():
        codes = taps[graph.input_name if name == INPUT else name]
        write_packed_hex(folder / stream.file, codes, stream.bits, stream.elems)
    _write_axis_output(plan, taps[graph.output.name], folder / OUTPUT_FILE)
    return streams


def _write_axis_output(plan: HwPlan, codes: IntArray, path: Path) -> None:
    """Words {frame_error = 0, tlast, tdata padded to bytes}."""
    width = axis_width(plan.output_bits * plan.output_elems)
    beats = codes.reshape(-1, plan.output_elems)
    words = []
    for index, beat in enumerate(beats.tolist()):
        word = pack(beat, plan.output_bits)
        last = index % plan.output_beats == plan.output_beats - 1
        words.append(word | int(last) << width)
    write_hex(path, words, width + 2)


def locate(
    stream: GoldenStream, shape: tuple[int, int, int], word: int, expected: int, got: int
) -> tuple[tuple[int, int, int, int], int, int]:
    """(frame, y, x, channel), expected code, got code of the first differing element of a word."""
    frame, beat = divmod(word, stream.beats)
    wanted, found = (
        unpack(value, stream.bits, stream.elems, signed=stream.signed) for value in (expected, got)
    )
    element = next((i for i in range(stream.elems) if wanted[i] != found[i]), 0)
    y, x, channel = np.unravel_index(beat * stream.elems + element, shape)
    return (frame, int(y), int(x), int(channel)), wanted[element], found[element]
