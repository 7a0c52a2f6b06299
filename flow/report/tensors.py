"""Where each layer reads, its shape, and what its tensors really use: keys of report.json."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flow.graph import IntGraph, MatVec, Node, Profile
from flow.graph.profile import Activations, LayerProfile

INPUT = "input"  # no layer may have this name: `flow.graph.types.RESERVED_NAMES`


def network_input(graph: IntGraph, profile: Profile) -> dict[str, Any]:
    """Section `input`."""
    return {"shape": list(graph.input_shape), "profile": _codes(profile.input)}


def layer_tensors(graph: IntGraph, profile: Profile) -> dict[str, dict[str, Any]]:
    """Keys `inputs`, `out_shape` and `profile` of every layer, by its name."""
    seen = {layer.name: layer for layer in profile.layers}
    return {
        node.name: {
            "inputs": [INPUT if name == graph.input_name else name for name in node.sources],
            "out_shape": list(node.out_shape),
            "profile": _layer(node, seen[node.name]),
        }
        for node in graph.nodes
    }


def _layer(node: Node, seen: LayerProfile) -> dict[str, Any]:
    weights = None
    if isinstance(node, MatVec) and seen.weights is not None:
        exponents = {
            "scale_exp_low": int(node.weight_exp.min()),
            "scale_exp_high": int(node.weight_exp.max()),
        }
        weights = {**asdict(seen.weights), **exponents}
    return {
        "weights": weights,
        "zero_weights": seen.zero_weights,
        "acc": None if seen.acc is None else asdict(seen.acc),
        "y": _codes(seen.y),
    }


def _codes(tensor: Activations) -> dict[str, Any]:
    values = asdict(tensor)
    return {**values.pop("seen"), **values}
