"""An analysis as JSON and CSV: one entry, one row, for the network's input and for each layer."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from flow.analysis.analyse import Analysis
from flow.analysis.propagation import INPUT, LayerErrors
from flow.analysis.sqnr import Sqnr
from flow.analysis.weights import LayerWeights, TensorCodes
from flow.graph import IntGraph
from flow.graph.profile import Activations, LayerProfile

SCHEMA = 1  # add keys, never rename them
ERRORS = ("weights", "own", "alone", "qkeras", "integer")

Entry = dict[str, Any]


def document(found: Analysis, graph: IntGraph, about: Mapping[str, Any]) -> Entry:
    """The content of the JSON file.

    Ratios are {"db", "signal", "noise"}: `db` is null where it is infinite, which the two sums of
    squares then tell apart: `noise` 0 is no error at all. Without a float twin, ratios that
    are measured against it are null.

    Args:
        about: what was analysed, when, by which tools.
    """
    costliest, classes = found.costliest, found.agreement
    same = {} if classes is None else classes.same
    return {
        "schema": SCHEMA,
        **about,
        "samples": found.samples,
        "alone_samples": found.alone_samples,
        "accuracy": None if classes is None else classes.accuracy,
        "agreement": {f"{a}_{b}": share for (a, b), share in same.items()} or None,
        "no_float_twin": found.no_twin,
        "costliest": None if costliest is None else costliest.name,
        "layers": list(_layers(found, graph)),
        "notes": list(graph.notes),
        "provenance": dict(sorted(graph.provenance.items())),
    }


def csv_text(found: Analysis, graph: IntGraph) -> str:
    """The same entries as rows; nested keys are joined by '_', ratios are dB ('inf': no error)."""
    rows = [dict(_flat(_in_db(entry))) for entry in _layers(found, graph)]
    longest_first = sorted(rows, key=len, reverse=True)  # its keys are in the right order
    columns = dict.fromkeys(key for row in longest_first for key in row)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _layers(found: Analysis, graph: IntGraph) -> Iterator[Entry]:
    weights = {layer.name: layer for layer in found.weights}
    first, *others = found.errors
    yield {
        "name": INPUT,
        "op": INPUT,
        "weights": None,
        "bias": None,
        "acc": None,
        "y": _activations(found.profile.input, first),
        "errors": _errors(first),
    }
    for node, seen, errors in zip(graph.nodes, found.profile.layers, others, strict=True):
        yield {
            "name": node.name,
            "op": node.kind.value,
            **_weights(weights.get(node.name)),
            "acc": _acc(seen),
            "y": _activations(seen.y, errors),
            "errors": _errors(errors),
        }


def _weights(layer: LayerWeights | None) -> Entry:
    if layer is None:
        return {"weights": None, "bias": None}
    worst = {
        "worst_channel": layer.worst_channel,
        "worst_channel_sqnr": _ratio(layer.worst_channel_sqnr),
    }
    return {
        "weights": _codes(layer.kernel) | worst,
        "bias": None if layer.bias is None else _codes(layer.bias),
    }


def _codes(tensor: TensorCodes) -> Entry:
    return {**asdict(tensor), "sqnr": _ratio(tensor.sqnr)}


def _acc(seen: LayerProfile) -> Entry | None:
    return None if seen.acc is None else asdict(seen.acc)


def _activations(tensor: Activations, errors: LayerErrors) -> Entry:
    kept = asdict(tensor)
    return {**kept.pop("seen"), **kept, "entropy_bits": errors.entropy_bits}


def _errors(layer: LayerErrors) -> Entry:
    ratios = {f"{key}_sqnr": _ratio(getattr(layer, key)) for key in ERRORS}
    return {**ratios, "differing": layer.differing, "compared": layer.compared}


def _ratio(value: Sqnr | None) -> Entry | None:
    if value is None:
        return None
    db = value.db if math.isfinite(value.db) else None
    return {"db": db, "signal": value.signal, "noise": value.noise}


def _in_db(entry: Entry) -> Entry:
    """The entry with each ratio as its dB."""
    changed: Entry = {}
    for key, value in entry.items():
        if key.endswith("sqnr"):
            ratio = value and Sqnr(value["signal"], value["noise"]).db
            changed[f"{key}_db"] = ratio
        else:
            changed[key] = _in_db(value) if isinstance(value, dict) else value
    return changed


def _flat(entry: Entry, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in entry.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}_")
        elif value is not None or prefix:  # a tensor that is not there has no keys
            yield f"{prefix}{key}", value
