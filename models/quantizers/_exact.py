"""Exact TensorFlow helpers: powers of two and roundings without float error."""

from typing import Any

import tensorflow as tf

_EXPONENT_FIELD = {tf.float32: (tf.int32, 23, 127), tf.float64: (tf.int64, 52, 1023)}


def exp2i(exponent: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Return 2**exponent for integer tensors, exact (normal numbers of `dtype` only)."""
    integer, fraction_bits, bias = _EXPONENT_FIELD[dtype]
    field = tf.cast(exponent, integer) + bias
    return tf.bitcast(tf.bitwise.left_shift(field, tf.cast(fraction_bits, integer)), dtype)


def frexp(value: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Split positive normal float64 into a mantissa in [0.5, 1) and an int64 exponent."""
    pattern = tf.bitcast(value, tf.int64)
    exponent = tf.bitwise.right_shift(pattern, tf.constant(52, tf.int64)) - 1022
    return value * exp2i(-exponent, tf.float64), exponent


def round_half_up(value: tf.Tensor) -> tf.Tensor:
    """Return floor(value + 1/2) without the rounding error of that addition."""
    whole = tf.floor(value)
    return whole + tf.cast(value - whole >= 0.5, value.dtype)


def straight_through(x: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
    """Return `value` itself, not x + (value - x), with the gradient of x."""

    @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def forward(x: tf.Tensor) -> tuple[tf.Tensor, Any]:
        return tf.identity(value), lambda dy: dy

    return forward(x)
