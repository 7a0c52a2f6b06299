"""What a Permute transposes, against NumPy: every order of the axes of many small shapes."""

from __future__ import annotations

from itertools import permutations, product
from math import prod

import numpy as np
import pytest

from flow.frontend._permutations import transposed


@pytest.mark.parametrize("rank", [1, 2, 3, 4, 5])
def test_transposed_matrices_are_found_exactly_where_they_are(rank: int) -> None:
    found = 0
    for shape in product((1, 2, 3), repeat=rank):
        for order in permutations(range(rank)):
            codes = np.arange(prod(shape)).reshape(shape)
            moved = codes.transpose(order)
            matrix = transposed([axis + 1 for axis in order], moved.shape)
            assert matrix == innermost(codes.size, moved.ravel()), (shape, order)
            found += matrix is not None
    assert found >= 3**rank


def innermost(size: int, moved: np.ndarray) -> tuple[int, int] | None:
    """By trial: the smallest matrices that give this order of 0 .. size - 1."""
    for matrix in (n for n in range(1, size + 1) if size % n == 0):
        for rows in (n for n in range(1, matrix + 1) if matrix % n == 0):
            codes = np.arange(size).reshape(-1, rows, matrix // rows)
            if (codes.transpose(0, 2, 1).ravel() == moved).all():
                return rows, matrix // rows
    return None
