"""The table of layers: its columns, and its cells as text and as values to sort by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flow.report.formats import blocks, number, positive, shape, share

Show = Callable[[Any], str]
SUMMED = ("macs", "est_lut", "est_dsp", "est_bram")


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `key` is that of a layer in report.json, `help` says what the figure is."""

    key: str
    label: str
    help: str
    group: str = ""
    show: Show = number
    numeric: bool = True

    @property
    def estimated(self) -> bool:
        """A figure of the planner, drawn softer."""
        return self.key.startswith("est_")


COLUMNS = (
    Column("name", "layer", "name of the layer", show=str, numeric=False),
    Column("op", "operation", "what the layer computes", show=lambda op: op.replace("_", " "),
           numeric=False),
    Column("out_shape", "output", "output shape: height, width, channels", show=shape),
    Column("macs", "MACs", "multiply-accumulates per frame"),
    Column("w_bits", "w", "bits of a weight", "bits", positive),
    Column("a_bits", "x", "bits of an input activation", "bits"),
    Column("acc_bits", "acc", "bits of the accumulator", "bits", positive),
    Column("y_bits", "y", "bits of an output activation", "bits"),
    Column("pe", "PE", "outputs computed in parallel", "fold"),
    Column("simd", "SIMD", "inputs per output and cycle", "fold"),
    Column("est_cycles", "est.", "busy cycles per frame, estimated by the planner", "cycles"),
    Column("sim_cycles", "sim.", "busy cycles per frame, simulated", "cycles"),
    Column("utilisation", "utilisation", "MACs / (PE * SIMD * simulated cycles)", show=share),
    Column("starved", "starved", "share of cycles without input, simulated", "stalls", share),
    Column("blocked", "blocked", "share of cycles held up by the next unit, simulated", "stalls",
           share),
    Column("est_lut", "est.", "look-up tables, estimated", "LUT"),
    Column("synth_lut", "synth.", "look-up tables, post-synthesis", "LUT"),
    Column("synth_ff", "synth.", "flip-flops, post-synthesis", "FF"),
    Column("est_dsp", "est.", "DSP blocks, estimated", "DSP"),
    Column("synth_dsp", "synth.", "DSP blocks, post-synthesis", "DSP"),
    Column("est_bram", "est.", "block RAM of 36 kbit, estimated", "BRAM", blocks),
    Column("synth_bram", "synth.", "block RAM of 36 kbit, post-synthesis", "BRAM", blocks),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """Text, and the value to sort by: None sorts last."""

    column: Column
    text: str
    sort: str | float | None


def columns_of(report: Mapping[str, Any]) -> list[Column]:
    """The columns in which a layer has a value: C simulation, for one, knows no cycles."""
    return [
        column
        for column in COLUMNS
        if any(layer[column.key] is not None for layer in report["layers"])
    ]


def header_groups(columns: Sequence[Column]) -> list[tuple[str, list[tuple[int, Column]]]]:
    """Neighbouring columns of one group, each with its place; a column without one stands alone."""
    groups: list[tuple[str, list[tuple[int, Column]]]] = []
    for place, column in enumerate(columns):
        if column.group and groups and groups[-1][0] == column.group:
            groups[-1][1].append((place, column))
        else:
            groups.append((column.group, [(place, column)]))
    return groups


def cells(values: Mapping[str, Any], columns: Sequence[Column]) -> list[Cell]:
    """The row of a layer."""
    return [
        Cell(column, column.show(values[column.key]), _sort_value(values[column.key]))
        for column in columns
    ]


def network_row(report: Mapping[str, Any], columns: Sequence[Column]) -> list[Cell]:
    """Sums, and the whole network's cycles."""
    net, sim, synth = report["network"], report["sim"], report["synth"] or {}
    sums = {
        key: sum(layer[key] for layer in report["layers"] if layer[key] is not None)
        for key in SUMMED
    }
    values = {
        **sums,
        "name": "network",
        "est_cycles": net["ideal_ii_cycles"],
        "sim_cycles": sim["ii_cycles"],
        "utilisation": net["utilisation"],
        **{f"synth_{key}": synth.get(key) for key in ("lut", "ff", "dsp", "bram")},
    }
    return _some_cells(values, columns)


def end_rows(report: Mapping[str, Any], columns: Sequence[Column]) -> list[list[Cell]]:
    """Units at the ends of the network: they were synthesised and are no layers."""
    if report["synth"] is None:
        return []
    names = {layer["name"] for layer in report["layers"]}
    return [
        _some_cells(
            {
                "name": unit["name"],
                "op": "stream",
                **{f"synth_{key}": unit[key] for key in ("lut", "ff", "dsp", "bram")},
            },
            columns,
        )
        for unit in report["synth"]["units"]
        if unit["name"] not in names
    ]


def _some_cells(values: Mapping[str, Any], columns: Sequence[Column]) -> list[Cell]:
    """A row below those that are sorted; columns without a value stay empty."""
    return [
        Cell(column, column.show(values[column.key]) if column.key in values else "", None)
        for column in columns
    ]


def _sort_value(value: Any) -> str | float | None:
    if isinstance(value, list):  # a shape, by its number of elements
        height, width, channels = value
        return float(height * width * channels)
    return value if isinstance(value, str) or value is None else float(value)
