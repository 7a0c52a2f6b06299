"""What a Permute does to codes that lie in memory in raster order."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod


def transposed(dims: Sequence[int], out_shape: Sequence[int]) -> tuple[int, int] | None:
    """The rows and columns of the innermost matrices [rows, columns] that a Permute transposes.

    Axes that stay neighbours count as one, and those of size 1 not at all; what is outside the
    matrices stays where it is.

    Args:
        dims: as Keras has them: axis i of the output is axis dims[i] - 1 of the input.
        out_shape: sizes of the output's axes, without the batch's.

    Returns:
        (1, 1) where no element moves, None where more than such matrices is rearranged.
    """
    sizes = {axis: size for axis, size in zip(dims, out_shape, strict=True) if size != 1}
    runs = _runs(list(sizes))
    if len(runs) > 3 or (len(runs) == 3 and runs[0][0] != min(sizes)):
        return None
    columns, rows = runs[-2:] if len(runs) > 1 else ((), ())
    return prod(sizes[axis] for axis in rows), prod(sizes[axis] for axis in columns)


def _runs(axes: list[int]) -> list[tuple[int, ...]]:
    """Input axes in the output's order, those together that follow each other in the input."""
    following = dict(zip(sorted(axes), sorted(axes)[1:], strict=False))
    runs: list[tuple[int, ...]] = []
    for axis in axes:
        if runs and following.get(runs[-1][-1]) == axis:
            runs[-1] += (axis,)
        else:
            runs.append((axis,))
    return runs
