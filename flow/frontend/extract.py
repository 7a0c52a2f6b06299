"""QKeras model to IntGraph: the place where floats end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from flow.errors import FlowError, UnsupportedLayer
from flow.frontend._activations import is_calibrated, rounding, tensor_type
from flow.frontend._nodes import Tensor, build_node, output_type
from flow.frontend._steps import INPUT_NAME, Step
from flow.frontend.keras_reader import read_steps
from flow.graph.arithmetic import quantise_input
from flow.graph.types import InputMap, IntGraph, Node, Rounding, TensorType
from models.raw import RAW_INPUTS, RawInput


def extract(model_name: str, quant: str) -> IntGraph:
    """Load trained weights of this repository and turn them into integers."""
    from models import weights  # TensorFlow is imported only when a model is really read

    record = weights.record(model_name, quant)
    model = weights.load(model_name, quant)
    provenance = {
        "model": model_name,
        "quant": quant,
        "weights_sha256": str(record["sha256"]),
        "weights_commit": str(record.get("git_commit", "")),
    }
    return from_keras(model, RAW_INPUTS.get(model_name), name=model_name, provenance=provenance)


def from_keras(
    model: Any,
    raw: RawInput | None = None,
    *,
    name: str | None = None,
    provenance: dict[str, str] | None = None,
    notes: Sequence[str] = (),
) -> IntGraph:
    """Turn a (built or loaded) QKeras model into an IntGraph.

    Args:
        raw: format of integer samples; None when the samples are the model's float input.
        name: of the graph, an identifier; default the model's own.
        notes: what the user should know of the model already; more are added.

    Raises:
        UnsupportedLayer: something cannot be made exact; everything found is listed.
        NotCalibrated: activation quantizers have no range; all of them are listed.
        NotFrozen: weight scales are no powers of two and were not frozen.

    What the user should know of the model besides is in the graph's `notes`.
    """
    steps = read_steps(model)
    _check_calibrated(steps)
    first = tensor_type(steps[0].quantizer)
    remarks = [*notes, *_renamed(steps)]
    return IntGraph(
        name=name or model.name,
        input_name=INPUT_NAME,
        input_shape=steps[0].out_shape,
        input_type=first,
        input_map=_input_map(first, rounding(steps[0].quantizer), raw),
        nodes=_nodes(model.name, steps, first, remarks),
        provenance=provenance or {},
        notes=tuple(remarks),
    )


def _renamed(steps: list[Step]) -> Iterator[str]:
    for step in steps[1:]:
        layer = step.quantizer_layer if step.layer is None else step.layer.name
        if step.name != layer:
            yield f"layer {layer!r} is called {step.name!r} here: it names a module of hardware."


def _check_calibrated(steps: list[Step]) -> None:
    missing = [step.quantizer_layer for step in steps if not is_calibrated(step.quantizer)]
    if missing:
        from models.quantizers import NotCalibrated

        raise NotCalibrated(
            f"the ranges of quantizers {', '.join(map(repr, missing))} were never calibrated.\n"
            "  Call models.ranges.calibrate(model, samples) and freeze(model) first, or train."
        )


def _nodes(model: str, steps: list[Step], first: TensorType, notes: list[str]) -> tuple[Node, ...]:
    """All nodes; a problem of one does not hide those of the others."""
    names, types = [INPUT_NAME], [first]
    nodes: list[Node] = []
    problems: list[FlowError] = []
    for step in steps[1:]:
        inputs = [Tensor(names[s.step], s, types[s.step]) for s in step.sources]
        names.append(step.name)
        try:
            nodes.append(build_node(step, inputs, notes))
            types.append(nodes[-1].y)
        except FlowError as error:
            problems.append(error)
            types.append(output_type(step, inputs))
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise UnsupportedLayer(
            f"model {model!r} cannot become integers:\n"
            + "\n".join(f"  - {problem}" for problem in problems)
        )
    return tuple(nodes)


def _input_map(tensor: TensorType, how: Rounding, raw: RawInput | None) -> InputMap:
    if raw is None:
        return InputMap("float32", 0, None, how)
    values = raw.to_real(np.arange(raw.lo, raw.hi + 1))
    table = quantise_input(values, tensor, how)
    return InputMap(raw.dtype, raw.lo, tuple(int(code) for code in table), how)
