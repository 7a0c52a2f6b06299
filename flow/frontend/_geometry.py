"""Windows of convolutions and pools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flow.frontend._steps import Source
from flow.graph.types import Shape, Window


def convolution_window(
    kernel: Sequence[int], strides: Sequence[int], padding: str, source: Source, out_shape: Shape
) -> Window:
    """Geometry; SAME pads as TensorFlow does, the odd pixel at the bottom and right."""
    kernel, strides = ((1, *v)[-2:] for v in (tuple(kernel), tuple(strides)))
    before = [0, 0]
    if padding == "causal":
        before[1] = kernel[1] - 1
    if padding == "same":
        before = [
            max((out - 1) * s + k - size, 0) // 2
            for size, out, k, s in zip(source.seen, out_shape, kernel, strides, strict=False)
        ]
    top, _, left, _ = source.pads
    before = [before[0] + top, before[1] + left]
    return Window(*(int(v) for v in (*kernel, *strides, *before)))


def pool_window(layer: Any, source: Source, out_shape: Shape) -> Window:
    """Geometry of a pool; of a global one the whole map."""
    if "Global" in type(layer).__name__:
        return Window(source.shape[0], source.shape[1], 1, 1, 0, 0)
    size, strides = pool_geometry(layer)
    return convolution_window(size, strides, layer.padding, source, out_shape)


def pool_geometry(layer: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Window and strides (rows, columns) of a pooling layer; of a 1D layer one row."""
    size, strides = (
        (1, int(v[0])) if len(v) == 1 else (int(v[0]), int(v[1]))
        for v in (
            value if isinstance(value, (tuple, list)) else (value,)
            for value in (layer.pool_size, layer.strides)
        )
    )
    return size, strides
