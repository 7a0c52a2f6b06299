"""An analysis in the terminal: three tables, then what the network's output says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from flow.commands._markdown import columns
from flow.terminal import console, print_table

if TYPE_CHECKING:
    from flow.analysis import Analysis, Sqnr
    from flow.analysis.propagation import LayerErrors
    from flow.analysis.weights import LayerWeights, TensorCodes
    from flow.graph.profile import Activations, LayerProfile

Row = tuple[str, ...]

WEIGHTS = ("weights", "zeros", "bits used", "SQNR", "worst channel", "bias zeros", "bits used",
           "SQNR")  # fmt: skip
ACTIVATIONS = ("activations", "bits", "unused", "cut low", "cut high", "entropy", "acc bits",
               "unused")  # fmt: skip
ERRORS = ("errors (SQNR)", "its weights", "and output", "at the end", "QKeras", "integers",
          "codes that differ")  # fmt: skip
LABELS = {"float": "float twin", "qkeras": "QKeras", "integer": "integers"}
SMALLEST_SHARE = 1e-4


def print_analysis(network: str, dataset: str, found: Analysis, notes: Sequence[str] = ()) -> None:
    """Print all of it, the graph's notes too; the last line names the layer that costs most."""
    worst = found.costliest
    marked = None if worst is None else worst.name
    console.print(f"{network}, {found.samples:,} samples of {dataset}", markup=False)
    for note in notes:
        console.print(f"note: {note}", markup=False)
    _print_table(WEIGHTS, [_weights(layer) for layer in found.weights], marked)
    first = ("input", *_codes(found.profile.input, is_input=True), "", "")
    _print_table(ACTIVATIONS, _activations(found, first), marked)
    _print_table(ERRORS, [_errors(layer) for layer in found.errors], marked)
    console.print()
    if found.agreement is not None:
        accuracy, same = found.agreement.accuracy, found.agreement.same
        print_table([("accuracy", _accuracy(accuracy)), ("same class", _same(same))])
    console.print(verdict(found), markup=False)


def verdict(found: Analysis) -> str:
    """The last line."""
    worst = found.costliest
    if found.no_twin is not None:
        return f"no layer can be said to cost most: the network has no float twin ({found.no_twin})"
    if worst is None:
        return "no layer costs anything: every one alone leaves the output as it is in float"
    assert worst.alone is not None
    what = "the input's quantizer" if worst is found.errors[0] else f"layer {worst.name}"
    return (
        f"{what} costs most: quantized alone it leaves {_db(worst.alone)} dB at the output "
        f"({found.alone_samples} samples)"
    )


def _print_table(header: Row, rows: Sequence[Row], marked: str | None) -> None:
    title, *lines = columns([header, *rows], "<" + ">" * (len(header) - 1))
    console.print()
    console.print(Text(title, "bold"))
    for row, line in zip(rows, lines, strict=True):
        console.print(Text(line, "yellow" if row[0] == marked else ""))


def _weights(layer: LayerWeights) -> Row:
    worst = f"{_db(layer.worst_channel_sqnr)} (no. {layer.worst_channel})"
    bias = ("", "", "") if layer.bias is None else _tensor(layer.bias)
    return (layer.name, *_tensor(layer.kernel), worst, *bias)


def _tensor(tensor: TensorCodes) -> Row:
    return _share(tensor.zeros), f"{tensor.effective_bits} of {tensor.bits}", _db(tensor.sqnr)


def _activations(found: Analysis, first: Row) -> list[Row]:
    rows = [(layer.name, *_codes(layer.y), *_accumulator(layer)) for layer in found.profile.layers]
    entropies = ["" if e.entropy_bits is None else f"{e.entropy_bits:.2f}" for e in found.errors]
    return [
        (*row[:5], entropy, *row[5:])
        for row, entropy in zip([first, *rows], entropies, strict=True)
    ]


def _codes(tensor: Activations, is_input: bool = False) -> Row:
    """Bits, unused ones, shares cut at both ends; the host cuts the input, and counts nothing."""
    low = "" if is_input else "ReLU"
    if tensor.clipped_low is not None:
        low = _share(tensor.clipped_low / tensor.values)
    high = "" if tensor.clipped_high is None else _share(tensor.clipped_high / tensor.values)
    return str(tensor.seen.bits), str(tensor.seen.unused_bits), low, high


def _accumulator(layer: LayerProfile) -> Row:
    return ("", "") if layer.acc is None else (str(layer.acc.bits), str(layer.acc.unused_bits))


def _errors(layer: LayerErrors) -> Row:
    ratios = (layer.weights, layer.own, layer.alone, layer.qkeras, layer.integer)
    return (layer.name, *map(_db, ratios), f"{layer.differing:,} of {layer.compared:,}")


def _accuracy(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{LABELS[key]} {100 * share:.2f} %" for key, share in shares.items())


def _same(same: Mapping[tuple[str, str], float]) -> str:
    steps = [pair for pair in (("float", "qkeras"), ("qkeras", "integer")) if pair in same]
    return ", ".join(f"{LABELS[a]} and {LABELS[b]} {100 * same[a, b]:.2f} %" for a, b in steps)


def _db(value: Sqnr | None) -> str:
    """Empty where there is nothing to measure against."""
    if value is None:
        return ""
    if math.isinf(value.db):
        return "exact" if value.db > 0 else "-inf"
    return f"{value.db:.1f}"


def _share(value: float) -> str:
    """Percent; 0 means none at all."""
    if 0 < value < SMALLEST_SHARE:
        return f"< {100 * SMALLEST_SHARE:.2f} %"
    return f"{100 * value:.2f} %" if value else "0"
