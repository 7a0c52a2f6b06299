"""The arguments of the kernels, field by field as in kernels/*.h."""

from __future__ import annotations

import ctypes
from ctypes import c_int32, c_int64, c_void_p

_Fields = list[tuple[str, type]]


def _ints(*names: str) -> _Fields:
    return [(name, c_int32) for name in names]


def _longs(*names: str) -> _Fields:
    return [(name, c_int64) for name in names]


def _arrays(*names: str) -> _Fields:
    return [(name, c_void_p) for name in names]


class Requant(ctypes.Structure):
    """Requantisation of a row of accumulators."""

    _fields_ = [
        *_arrays("constant", "shift", "factor", "below"),
        *_longs("lo", "hi", "add"),
        *_ints("wide", "wide_output"),
    ]


class Watch(ctypes.Structure):
    """Notes of accumulators, and of what requantisation clips."""

    _fields_ = [*_arrays("least", "most"), *_longs("clipped_low", "clipped_high")]


class Plane(ctypes.Structure):
    """The input of a window."""

    _fields_ = _ints(
        "height", "width", "channels", "top", "left", "rows", "cols", "pad", "copied", "limb_shift"
    )


class Matrix(ctypes.Structure):
    """Convolution or dense layer."""

    _fields_ = [
        ("plane", Plane),
        ("requant", Requant),
        *_arrays("weights", "segments_at", "pixels_at"),
        *_ints("segments", "pairs", "blocks", "groups", "group_in", "group_out"),
        *_ints("pixels", "channels", "sums", "frames_together"),
    ]


class Depthwise(ctypes.Structure):
    """Depthwise convolution."""

    _fields_ = [
        ("plane", Plane),
        ("requant", Requant),
        *_arrays("weights", "taps_at", "windows_at", "outputs_at"),
        *_ints("steps", "pairs", "blocks", "output_size"),
    ]


class Merge(ctypes.Structure):
    """Sum of tensors, or one tensor in another type."""

    _fields_ = [("requant", Requant), *_arrays("shifts"), *_ints("inputs", "size")]


class Product(ctypes.Structure):
    """Product of two tensors."""

    _fields_ = [("requant", Requant), *_longs("first_add", "second_add"), *_ints("rows", "row")]


class Part(ctypes.Structure):
    """One input of a Concat."""

    _fields_ = [("requant", Requant), *_ints("channels")]


class Concat(ctypes.Structure):
    """Channels behind each other."""

    _fields_ = [*_arrays("parts"), *_ints("inputs", "pixels", "channels")]


class Lookup(ctypes.Structure):
    """Table."""

    _fields_ = [*_arrays("table"), *_ints("first", "size", "wide_output")]


class Geometry(ctypes.Structure):
    """Windows of a pool."""

    _fields_ = _ints(
        "height", "width", "channels", "out_height", "out_width",
        "kernel_h", "kernel_w", "stride_h", "stride_w", "top", "left",
    )  # fmt: skip


class Division(ctypes.Structure):
    """Average over a number of elements."""

    _fields_ = _longs("constant", "divisor", "offset")


class Average(ctypes.Structure):
    """Average pool."""

    _fields_ = [
        ("geometry", Geometry),
        *_arrays("divisions", "choices"),
        *_longs("lo", "hi", "add"),
        *_ints("pre_shift", "even", "wide_output"),
    ]


class Largest(ctypes.Structure):
    """Max pool."""

    _fields_ = [("geometry", Geometry), *_ints("lo")]


class Repeat(ctypes.Structure):
    """Upsampling."""

    _fields_ = _ints("height", "width", "channels", "rows", "cols")


class Shuffle(ctypes.Structure):
    """Channels in another order."""

    _fields_ = _ints("pixels", "groups", "group_channels")
