"""Save and load an IntGraph: structure in graph.json, integer arrays in graph.npz."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from flow.errors import DataError, RangeError
from flow.graph.types import (
    Add,
    AveragePool,
    ChannelShuffle,
    Concat,
    InputMap,
    IntArray,
    IntGraph,
    Kind,
    MatVec,
    MaxPool,
    Multiply,
    Node,
    Rescale,
    Rounding,
    Shape,
    Table,
    TensorType,
    Upsample,
    Window,
)

FORMAT = 2
ARRAYS = ("weights", "weight_exp", "bias", "bias_exp", "weight_mult")
NODES: dict[str, type[Any]] = {
    cls.__name__: cls
    for cls in (
        MatVec, AveragePool, MaxPool, Add, Multiply, Concat, Rescale, Table, Upsample,
        ChannelShuffle,
    )
}  # fmt: skip


def save_graph(graph: IntGraph, folder: Path) -> None:
    """Write graph.json and graph.npz into `folder`; the same graph gives the same bytes."""
    arrays: dict[str, IntArray] = {}
    nodes = []
    for node in graph.nodes:
        fields, own = node_fields(node)
        arrays |= {f"{node.name}/{key}": array for key, array in own.items()}
        nodes.append(fields)
    document = {
        "format": FORMAT,
        "name": graph.name,
        "input_name": graph.input_name,
        "input_shape": graph.input_shape,
        "input_type": asdict(graph.input_type),
        "input_map": asdict(graph.input_map),
        "nodes": nodes,
        "provenance": dict(graph.provenance),
        "notes": graph.notes,
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "graph.npz", **arrays)
    (folder / "graph.json").write_text(json.dumps(document, indent=1) + "\n")


def load_graph(folder: Path) -> IntGraph:
    """Read what `save_graph` wrote; raises DataError when it is missing or damaged."""
    try:
        document = json.loads((folder / "graph.json").read_text())
        with np.load(folder / "graph.npz") as stored:
            arrays = {key: stored[key] for key in stored.files}
        if document["format"] != FORMAT:
            raise DataError(
                f"{folder / 'graph.json'} has format {document['format']}, not {FORMAT}.\n"
                "  Rerun the extract stage (--from extract)."
            )
        return IntGraph(
            name=document["name"],
            input_name=document["input_name"],
            input_shape=_shape(document["input_shape"]),
            input_type=TensorType(**document["input_type"]),
            input_map=input_map_from_fields(document["input_map"]),
            nodes=tuple(
                node_from_fields(
                    fields,
                    {k: arrays[f"{fields['name']}/{k}"] for k in _array_keys(fields)},
                )
                for fields in document["nodes"]
            ),
            provenance=document["provenance"],
            notes=tuple(document["notes"]),
        )
    except (OSError, ValueError, KeyError, TypeError, RangeError, zipfile.BadZipFile) as error:
        raise DataError(
            f"the integer graph in {folder} cannot be read: {error}.\n"
            "  Rerun the extract stage (--from extract)."
        ) from error


def graph_hash(graph: IntGraph) -> str:
    """SHA-256 over every integer that decides a result (provenance and notes are left out)."""
    digest = hashlib.sha256()
    header = (graph.name, graph.input_shape, graph.input_type, graph.input_map)
    digest.update(repr(header).encode())
    for node in graph.nodes:
        fields, arrays = node_fields(node)
        for key in sorted(arrays):
            digest.update(arrays[key].tobytes())
        digest.update(json.dumps(fields, sort_keys=True).encode())
    return digest.hexdigest()


def node_fields(node: Node) -> tuple[dict[str, Any], dict[str, IntArray]]:
    """Split a node into JSON-able fields (with its class) and its integer arrays."""
    fields = asdict(node)
    arrays = {key: fields.pop(key) for key in ARRAYS if key in fields}
    return {"class": type(node).__name__, **json.loads(json.dumps(fields))}, arrays


def node_from_fields(fields: Mapping[str, Any], arrays: Mapping[str, IntArray]) -> Node:
    """Build the node that `node_fields` took apart."""
    values = {
        key: _READ[key](value) if key in _READ else value
        for key, value in fields.items()
        if key != "class"
    }
    node: Node = NODES[fields["class"]](**values, **arrays)
    return node


def _array_keys(fields: Mapping[str, Any]) -> tuple[str, ...]:
    return ARRAYS if fields["class"] == MatVec.__name__ else ()


def _shape(values: list[int]) -> Shape:
    height, width, channels = values
    return height, width, channels


def _tensor(fields: Mapping[str, Any]) -> TensorType:
    return TensorType(**fields)


def _window(fields: Mapping[str, Any]) -> Window:
    return Window(**fields)


# How a field of a node is made from its JSON; the others are as they are.
_READ: dict[str, Callable[[Any], Any]] = {
    "kind": Kind,
    "rounding": Rounding,
    "window": _window,
    "x": _tensor,
    "y": _tensor,
    "x_types": lambda values: tuple(map(_tensor, values)),
    "in_shape": _shape,
    "out_shape": _shape,
    "in_shapes": lambda values: tuple(map(_shape, values)),
    "sources": tuple,
    "table": tuple,
}


def input_map_from_fields(fields: Mapping[str, Any]) -> InputMap:
    """Build an InputMap from its JSON-able fields."""
    table = fields["table"]
    return InputMap(
        fields["raw_dtype"],
        fields["raw_lo"],
        None if table is None else tuple(table),
        Rounding(fields["rounding"]),
    )
