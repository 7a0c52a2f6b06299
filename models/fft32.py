"""Single-precision DFT that rounds like TensorFlow's CPU kernels, bit for bit.

Why not numpy.fft: the official kws codes are *truncated* features of TensorFlow's float32
arithmetic. Its twiddle factors come from a recurrence and carry visible errors, and in frames of
digital silence the exact cepstrum is 0, where rounding alone decides between the codes 82 and 83.

Order of operations: Eigen, unsupported/Eigen/CXX11/src/Tensor/TensorFFT.h (radix 2, decimation in
time; Bluestein for other lengths). Transforms run along axis 0, so that the other axes are the
contiguous ones. Real and imaginary parts are separate arrays: NumPy's complex product may use
fused multiply-add, which rounds differently from one machine to the next.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Complex = tuple[Float32, Float32]  # real and imaginary part, of one shape

FORWARD, REVERSE = -1, 1  # sign of the exponent; REVERSE is not scaled by 1/n
EXACT_STAGES = 8  # up to this length the twiddle factors are constants


def dft(x: Float32) -> Complex:
    """DFT of real x [n, ...] over axis 0; real and imaginary part are [n, ...]."""
    length = len(x)
    if length & (length - 1) == 0:
        return _power_of_two((x, np.zeros_like(x)), FORWARD)
    return _bluestein(x)


def multiply(a: Complex, b: Complex) -> Complex:
    """Complex product, each product and sum rounded to float32."""
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _power_of_two(x: Complex, sign: int) -> Complex:
    length, rest = len(x[0]), x[0].shape[1:]
    order = _bit_reversed(length)
    real, imag = x[0][order], x[1][order]
    size = 2
    while size <= length:
        pairs = (length // size, 2, size // 2, *rest)
        real, imag = real.reshape(pairs), imag.reshape(pairs)
        odd: Complex = real[:, 1], imag[:, 1]
        for factor in _twiddles(size, sign):
            odd = multiply(odd, _columns(factor, len(rest)))
        merged = np.empty((2, *pairs), np.float32)
        for part, even, add in zip(merged, (real[:, 0], imag[:, 0]), odd, strict=True):
            np.add(even, add, out=part[:, 0])
            np.subtract(even, add, out=part[:, 1])
        real, imag = merged
        size *= 2
    return real.reshape(length, *rest), imag.reshape(length, *rest)


def _bluestein(x: Float32) -> Complex:
    """DFT of any length as a circular convolution with a chirp exp(i pi j^2 / n)."""
    length = len(x)
    size = 1 << (2 * length - 2).bit_length()
    chirp, kernel = _chirp(length, size)
    conjugate = _columns((chirp[0][:length], -chirp[1][:length]), x.ndim - 1)
    padded = np.zeros((2, size, *x.shape[1:]), np.float32)
    padded[:, :length] = x * conjugate[0], x * conjugate[1]
    spectrum = _power_of_two((padded[0], padded[1]), FORWARD)
    product = multiply(spectrum, _columns(kernel, x.ndim - 1))
    real, imag = _power_of_two(product, REVERSE)
    scale = np.float32(size)
    return multiply((real[:length] / scale, imag[:length] / scale), conjugate)


@cache
def _chirp(length: int, size: int) -> tuple[Complex, Complex]:
    """The chirp [length + 1] and the transform [size] of its circular extension."""
    steps = np.arange(length + 1)
    angle = np.pi * steps * steps / length
    chirp = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    extended = np.zeros((2, size), np.float32)
    extended[:, :length] = [part[:length] for part in chirp]
    extended[:, size - length :] = [part[length:0:-1] for part in chirp]
    return chirp, _power_of_two((extended[0], extended[1]), FORWARD)


@cache
def _twiddles(size: int, sign: int) -> tuple[Complex, ...]:
    """Factors [size / 2] that Eigen multiplies one after the other onto the odd half."""
    if size <= EXACT_STAGES:
        exact = np.exp(sign * 2j * np.pi * np.arange(size // 2) / size).round(15)  # 0 is 0
        return () if size == 2 else (_pair(np.array([exact.real, exact.imag])),)
    one = np.ones((), np.float32), np.zeros((), np.float32)
    step = (
        np.asarray(np.float32(-2 * np.sin(np.pi / size) ** 2) + one[0]),
        np.asarray(sign * np.sin(2 * np.pi / size), np.float32),
    )
    fine = _powers(one, step, 4)
    coarse = _powers(one, multiply(fine[3], step), size // 8)
    return _pair(np.repeat(coarse, 4, axis=0).T), _pair(np.tile(fine, (size // 8, 1)).T)


def _powers(first: Complex, factor: Complex, count: int) -> list[Complex]:
    """Return first * factor**k for k below `count`, by a recurrence."""
    powers = [first]
    while len(powers) < count:
        powers.append(multiply(powers[-1], factor))
    return powers


@cache
def _bit_reversed(length: int) -> NDArray[np.intp]:
    order = np.zeros(1, np.intp)
    while len(order) < length:
        order = np.concatenate([2 * order, 2 * order + 1])
    return order


def _pair(parts: NDArray[np.float64]) -> Complex:
    real, imag = np.ascontiguousarray(parts, np.float32)
    return real, imag


def _columns(factor: Complex, axes: int) -> Complex:
    """Append `axes` axes of length 1, so that a factor of axis 0 broadcasts over the others."""
    real, imag = (part.reshape(*part.shape, *[1] * axes) for part in factor)
    return real, imag
