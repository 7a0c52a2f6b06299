"""Read a Keras/QKeras model as steps: what each layer is, what it is fed by, what quantizes it.

Nothing is computed here; the reader names everything that is unsupported, all at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flow.errors import UnsupportedLayer
from flow.frontend._reader import Reader
from flow.frontend._steps import Step


def read_steps(model: Any) -> list[Step]:
    """Split a model into steps in topological order; the first is its input's quantizer.

    Raises:
        UnsupportedLayer: unknown layers, missing quantizers, ...; all are listed.
    """
    reader = Reader()
    problems = list(_model_problems(model))
    if not problems:
        reader.read(model, topological(model))
        problems = reader.problems
    if problems:
        raise UnsupportedLayer(
            f"model {model.name!r} cannot become integers:\n"
            + "\n".join(f"  - {problem}" for problem in problems)
        )
    return reader.steps


def _model_problems(model: Any) -> Iterator[str]:
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        yield (
            f"model {model.name!r} has {len(model.inputs)} inputs and {len(model.outputs)} "
            "outputs; one of each is supported."
        )
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield (
                f"layer {layer.name!r} is a model ({type(layer).__name__}); "
                "put its layers into the model itself."
            )


def topological(model: Any) -> list[Any]:
    """Keras' nodes (calls of layers) from the input to the output, each after all it reads."""
    ordered: list[Any] = []
    done: set[int] = {id(model.inputs[0])}
    waiting: list[tuple[Any, bool]] = [(model.outputs[0], False)]
    while waiting:  # not recursive: a network may be deeper than Python's stack
        tensor, inputs_done = waiting.pop()
        if id(tensor) in done:
            continue
        if inputs_done:
            done.add(id(tensor))
            ordered.append(tensor.node)
        else:
            waiting.append((tensor, True))
            waiting += [(source, False) for source in reversed(tensor.node.keras_inputs)]
    return ordered
