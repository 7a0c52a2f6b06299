"""Pools."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flow.graph.types._node import NoProducts, SingleInput, require
from flow.graph.types._tensor import IntArray, Kind, Rounding, Shape, TensorType, Window


@dataclass(frozen=True, slots=True)
class AveragePool(SingleInput, NoProducts):
    """Average over windows together with the quantizer behind it.

    Only elements inside the map count: `counts` differ at the borders when there is padding.
    """

    name: str
    source: str
    in_shape: Shape
    out_shape: Shape
    window: Window
    x: TensorType
    y: TensorType
    kind: Kind = Kind.AVERAGE_POOL
    rounding: Rounding = Rounding.HALF_UP

    def __post_init__(self) -> None:
        require(
            bool((self.counts > 0).all()),
            self.name, "a window of its average lies in the padding alone.",
        )  # fmt: skip

    @property
    def counts(self) -> IntArray:
        """[oh, ow]: elements of the map inside each window."""
        window = self.window
        rows, cols = (
            _covered(self.in_shape[axis], self.out_shape[axis], *geometry)
            for axis, geometry in enumerate(
                (
                    (window.kernel_h, window.stride_h, window.pad_top),
                    (window.kernel_w, window.stride_w, window.pad_left),
                )
            )
        )
        return np.outer(rows, cols)


def _covered(size: int, outputs: int, kernel: int, stride: int, before: int) -> IntArray:
    """Positions of each window along one axis that lie in 0..size-1."""
    start = np.arange(outputs) * stride - before
    return np.asarray(np.minimum(start + kernel, size) - np.maximum(start, 0), np.int64)


@dataclass(frozen=True, slots=True)
class MaxPool(SingleInput, NoProducts):
    """Largest code of each window; padding never wins. The type does not change."""

    name: str
    source: str
    in_shape: Shape
    out_shape: Shape
    window: Window
    x: TensorType
    kind: Kind = Kind.MAX_POOL
    rounding: Rounding = Rounding.HALF_UP

    @property
    def y(self) -> TensorType:
        """The input's type."""
        return self.x
